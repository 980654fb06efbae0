"""A service that is away while a file is there."""

from pathlib import Path

from simulators.absence import go_away_while
from simulators.serving import Request, Response


def test_service_is_away_while_the_file_is_there(tmp_path: Path) -> None:
    file, request = tmp_path / "kintone", Request("GET", "/", {}, {}, b"")
    application = go_away_while(lambda _request: Response(), file)
    assert application(request).status == 200
    file.touch()
    assert application(request).status == 503
    file.unlink()
    assert application(request).status == 200

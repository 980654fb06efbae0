"""What happens outside the portal while somebody looks at it: in kintone, in Entra ID, and in the night."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

DOMAIN = "asagiri.example"
PATIENCE = 10  # s; a simulator on this machine


@dataclass(frozen=True)
class Outside:
    """The demo's simulators, asked as their owners would ask them."""

    folder: Path

    def _read(self, name: str) -> dict[str, Any]:
        said: dict[str, Any] = json.loads((self.folder / "answers" / f"{name}.json").read_text())
        return said

    # Entra ID

    def bring(self, upn: str, shown: str) -> str:
        """Entra ID provisions a newcomer by SCIM."""
        family, _blank, given = shown.partition(" ")
        person = {
            "userName": upn, "displayName": shown, "name": {"familyName": family, "givenName": given},
            "emails": [{"value": upn}], "externalId": f"oid-{upn}", "active": True,
        }  # fmt: skip
        return str(self._scim("POST", "", json=person)["id"])

    def disable(self, name: str) -> None:
        """Somebody has left: Entra ID takes him out of the application."""
        found = self._scim("GET", "", params={"filter": f'userName eq "{name}@{DOMAIN}"'})
        change = {"Operations": [{"op": "Replace", "path": "active", "value": "False"}]}
        self._scim("PATCH", f"/{found['Resources'][0]['id']}", json=change)

    def _scim(self, method: str, path: str, **request: Any) -> Any:
        scim = self._read("aws")["scim"]
        headers = {"Authorization": f"Bearer {scim['token']}"}
        answer = requests.request(method, scim["url"] + path, headers=headers, timeout=PATIENCE, **request)
        answer.raise_for_status()
        return answer.json()

    # kintone

    def register(self, account: str, permission_set: str, *names: str) -> str:
        """A record that somebody's program writes; its number."""
        codes = [{"code": f"{name}@{DOMAIN}"} for name in names]
        ids = {name: number for number, name in self._read("aws")["accounts"].items()}
        values = {"account_id": ids[account], "permission_set": permission_set, "users": codes}
        return str(self._kintone("POST", record={name: {"value": value} for name, value in values.items()})["id"])

    def change(self, record: str, **values: Any) -> None:
        """Somebody edits a record in kintone."""
        self._kintone("PUT", id=record, record={name: {"value": value} for name, value in values.items()})

    def _kintone(self, method: str, **body: Any) -> Any:
        said = self._read("kintone")
        headers = {"X-Cybozu-API-Token": f"{said['tokens']['assignments']},{said['tokens']['permission_sets']}"}
        body["app"] = said["apps"]["assignments"]
        address = f"{said['url']}/k/v1/record.json"
        answer = requests.request(method, address, json=body, headers=headers, timeout=PATIENCE)
        answer.raise_for_status()
        return answer.json()

    @contextmanager
    def kintone_away(self) -> Iterator[None]:
        """kintone is under maintenance while the block runs."""
        mark = self.folder / "away" / "kintone"
        mark.touch()
        try:
            yield
        finally:
            mark.unlink()

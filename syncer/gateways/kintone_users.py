"""The users of the company's cybozu.com. They belong to no app and no app's quota counts them."""

from collections.abc import Collection, Iterator, Mapping
from typing import Any
from urllib.parse import quote

from syncer.gateways.kintone_transport import KintoneClient
from syncer.gateways.kintone_values import KintoneUser, read_user

PATH = "/v1/users.json"
PAGE = 100  # users of a page, and codes of a question, at most
LONGEST_CODES = 3000  # characters of the codes in an address, as they stand there


class KintoneUsers(KintoneClient):
    """The directory. Credentials: a `Bearer` with a User API token, or the password of a user."""

    def iter_users(self) -> Iterator[KintoneUser]:
        """Iterate over all users, disabled ones too."""
        offset = 0
        while True:
            page = self._ask({"size": PAGE, "offset": offset})
            yield from page
            if len(page) < PAGE:
                return
            offset += len(page)

    def fetch_users(self, codes: Collection[str]) -> Mapping[str, KintoneUser]:
        """Fetch the users of these codes, by code; those that nobody has are missing."""
        return {user.code: user for some in _portion(sorted(set(codes))) for user in self._ask({"codes": some})}

    def _ask(self, parameters: Mapping[str, Any]) -> list[KintoneUser]:
        return self._get(PATH, parameters).rows("users", read_user)


def _portion(codes: list[str]) -> Iterator[list[str]]:
    """So many at a time as an address can take: nobody says that this API takes a POST instead."""
    portion: list[str] = []
    length = 0
    for code in codes:
        added = len(quote(code, safe="")) + len("&codes%5B99%5D=")
        if portion and (len(portion) == PAGE or length + added > LONGEST_CODES):
            yield portion
            portion, length = [], 0
        portion.append(code)
        length += added
    if portion:
        yield portion

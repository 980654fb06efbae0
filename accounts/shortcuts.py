"""Links that open the AWS console in one account with one permission set. Pure.

A link grants nothing: the access portal asks Identity Center whether the assignment is there. Everything stands behind
`#`, so that only the browser sees it. Source: AWS, "Creating shortcut links to AWS Management Console destinations".
"""

import re
from typing import Any
from urllib.parse import SplitResult, quote, urlsplit, urlunsplit

# Each host and everything below it, per partition. Source: AWS's endpoints of the console.
CONSOLE_HOSTS = {
    "aws": "console.aws.amazon.com",
    "aws-us-gov": "console.amazonaws-us-gov.com",
    "aws-cn": "console.amazonaws.cn",
}
_HOST = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)*", re.ASCII)
# What several sessions in one browser put before the host: `123456789012-abcdef12.`
_SESSION_LABEL = re.compile(r"\d{12}-[a-z0-9]+\.", re.ASCII)
_ACCOUNT_ID = re.compile(r"\d{12}", re.ASCII)


class BadDestination(ValueError):
    """A destination that the portal will not link to; `code` and `params` name the sentence for it."""

    def __init__(self, code: str, **params: Any) -> None:
        super().__init__(code)
        self.code, self.params = code, params


def build_console_link(portal_url: str, account_id: str, permission_set: str, destination: str = "") -> str:
    """The access portal's link to the console of an account.

    `permission_set` is the set's name, not the role's. Without a destination the set's relay state decides.
    Raises BadDestination for a destination outside the console, ValueError for an account id that is none.
    """
    if not _ACCOUNT_ID.fullmatch(account_id):
        raise ValueError(f"not an account id: {account_id!r}")
    link = f"{portal_url.rstrip('/')}/#/console?account_id={account_id}&role_name={quote(permission_set, safe='')}"
    return f"{link}&destination={quote(check_destination(destination), safe='')}" if destination else link


def check_destination(url: str, partition: str = "aws") -> str:
    """The destination as it may be stored: https, a console host of the partition, without a session's label.

    Raises BadDestination with `destination_unreadable`, `destination_not_https` or `destination_not_console`.
    """
    parts = _split(url)
    if parts.scheme != "https":
        raise BadDestination("destination_not_https")
    host = _SESSION_LABEL.sub("", parts.netloc.lower(), count=1)
    console = CONSOLE_HOSTS[partition]
    # Comparing the whole authority refuses a user name, a password and a port as well.
    if not _HOST.fullmatch(host) or not (host == console or host.endswith(f".{console}")):
        raise BadDestination("destination_not_console", host=parts.netloc, console=console)
    return urlunsplit(parts._replace(netloc=host))


def _split(url: str) -> SplitResult:
    # Browsers drop tabs and line breaks and read a backslash as a slash, which urlsplit does not tell.
    if not url.isprintable() or "\\" in url or url != url.strip():
        raise BadDestination("destination_unreadable")
    try:
        return urlsplit(url)
    except ValueError as error:
        raise BadDestination("destination_unreadable") from error

"""Links that open the AWS console in one account with one permission set. Pure.

A link grants nothing: the access portal asks Identity Center whether the assignment is there. Everything stands behind
`#`, so that only the browser sees it. Source: AWS, "Creating shortcut links to AWS Management Console destinations".

What a destination may be is decided here, once, for every link that the portal hands out: https, a console host of the
partition, and nothing in it that a browser, a proxy or the console could read in another way than we do.
"""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any, NamedTuple
from urllib.parse import SplitResult, quote, unquote, urlsplit, urlunsplit

# Each host and everything below it, per partition. Source: AWS's endpoints of the console.
CONSOLE_HOSTS = {
    "aws": "console.aws.amazon.com",
    "aws-us-gov": "console.amazonaws-us-gov.com",
    "aws-cn": "console.amazonaws.cn",
    "aws-eusc": "console.amazonaws-eusc.eu",
}
MAX_DESTINATION = 8_000  # characters; browsers take far more, chats and proxies do not

_REGION_PREFIXES = {"us-gov-": "aws-us-gov", "cn-": "aws-cn", "eusc-": "aws-eusc"}
# Where the access portal of another partition lives. Source: AWS CLI v2, its list of hosts of access portals.
_PORTAL_SUFFIXES = {
    ".us-gov-home.awsapps.com": "aws-us-gov",
    ".awsapps.cn": "aws-cn",
    ".portal.amazonaws.com.cn": "aws-cn",
    ".app.amazonwebservices.com.cn": "aws-cn",
    ".portal.amazonaws.eu": "aws-eusc",
    ".api.amazonwebservices.eu": "aws-eusc",
}
_HOST = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)*", re.ASCII)
# What several sessions in one browser put before the host: `123456789012-abcdef12.`
_SESSION_LABELS = re.compile(r"(\d{12}-[a-z0-9]+\.)+", re.ASCII)
_ACCOUNT_ID = re.compile(r"\d{12}", re.ASCII)
_ESCAPE = re.compile(r"%[0-9a-f]{2}", re.ASCII | re.IGNORECASE)
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_MOST_LAYERS = 6  # of encoding; nobody needs more than three


class BadDestination(ValueError):
    """A destination that the portal will not link to; `code` and `params` name the sentence for it."""

    def __init__(self, code: str, **params: Any) -> None:
        super().__init__(code)
        self.code, self.params = code, params


@dataclass(frozen=True)
class Destination:
    """Where in the console a link leads, as it is kept: a service of the catalogue, or a URL as somebody pasted it.

    With neither the permission set's own start page decides. `values` are the parameters that are filled; one of the
    service's that is not among them is open, for whoever follows the link to fill.
    """

    service: str = ""
    region: str = ""
    values: tuple[tuple[str, str], ...] = ()
    url: str = ""

    @classmethod
    def of(cls, service: str, region: str = "", values: Mapping[str, str] | None = None) -> "Destination":
        """A place in a service; values that are empty stay open."""
        return cls(service, region, tuple(sorted((name, value) for name, value in (values or {}).items() if value)))

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> "Destination":
        """What `as_json` made, of this version or another: what is not understood is left out."""
        values = kept.get("values")
        pairs = values.items() if isinstance(values, Mapping) else ()
        texts = {str(name): value for name, value in pairs if isinstance(value, str)}
        read = cls.of(str(kept.get("service") or ""), str(kept.get("region") or ""), texts)
        return replace(read, url=str(kept.get("url") or ""))

    def as_json(self) -> dict[str, Any]:
        return {"service": self.service, "region": self.region, "values": dict(self.values), "url": self.url}

    @property
    def filled(self) -> dict[str, str]:
        return dict(self.values)

    def fill(self, values: Mapping[str, str]) -> "Destination":
        """The same with more values, as an alert hands them over; what is there already stays."""
        known = {name: value for name, value in values.items() if name not in self.filled}
        return replace(self, values=self.of("", "", {**known, **self.filled}).values) if self.service else self


class ConsoleLink(NamedTuple):
    """A link of an access portal, taken apart. What it does not say is empty."""

    account_id: str
    permission_set: str
    destination: str


def find_partition(portal_url: str, region: str = "") -> str:
    """The partition of an access portal: by the region of Identity Center where it is known, else by the host."""
    for prefix, partition in _REGION_PREFIXES.items():
        if region.startswith(prefix):
            return partition
    host = f".{urlsplit(portal_url).hostname or ''}"
    for suffix, partition in _PORTAL_SUFFIXES.items():
        if host.endswith(suffix):
            return partition
    return "aws-us-gov" if ".us-gov-" in host else "aws"


def build_portal_url(region: str, identity_store_id: str, instance_arn: str) -> str:
    """Where the access portal of an instance is that was given no name of its own."""
    partition = find_partition("", region)
    if partition == "aws-us-gov":
        return f"https://start.{region}.us-gov-home.awsapps.com/directory/{identity_store_id}"
    if partition == "aws-cn":
        return f"https://start.{region}.home.awsapps.cn/directory/{identity_store_id}"
    if partition == "aws-eusc":
        return f"https://{instance_arn.rpartition('/')[2]}.{region}.portal.amazonaws.eu"
    return f"https://{identity_store_id}.awsapps.com/start"


# --- Building ---------------------------------------------------------------------------------------------------------


def build_console_link(
    portal_url: str,
    account_id: str,
    permission_set: str,
    destination: str = "",
    *,
    partition: str = "",
    open_names: Collection[str] = (),
) -> str:
    """The access portal's link to the console of an account.

    `permission_set` is the set's name, not the role's; empty: the portal asks. Without a destination the set's relay
    state decides. The partition is that of the portal's URL unless it is given, which a domain of one's own needs.
    `open_names` stand in the destination in braces and are left there for somebody else to fill.
    Raises BadDestination for a destination outside the console, ValueError for an account id that is none.
    """
    if not _ACCOUNT_ID.fullmatch(account_id):
        raise ValueError(f"not an account id: {account_id!r}")
    link = f"{portal_url.rstrip('/')}/#/console?account_id={account_id}"
    if permission_set:
        link += f"&role_name={quote(permission_set, safe='')}"
    if not destination:
        return link
    checked = check_destination(destination, partition or find_partition(portal_url))
    return f"{link}&destination={_encode(checked, open_names)}"


def _encode(text: str, open_names: Collection[str]) -> str:
    encoded = quote(text, safe="")
    for name in open_names:
        encoded = encoded.replace(f"%7B{name}%7D", f"{{{name}}}")
    return encoded


# --- Checking ---------------------------------------------------------------------------------------------------------


def check_destination(url: str, partition: str = "aws") -> str:
    """The destination as it may be stored: https, a console host of the partition, without a session's label.

    Raises BadDestination with one of the codes in `accounts.shortcut_sentences`.
    """
    parts = _split(url)
    if parts.scheme != "https":
        raise BadDestination("destination_not_https")
    host = _SESSION_LABELS.sub("", parts.netloc.lower(), count=1)
    # Comparing the whole authority refuses a user name, a password and a port as well.
    if not _is_below(host, CONSOLE_HOSTS[partition]):
        raise _refuse_host(parts.netloc, host, partition)
    _check_escapes(parts)
    return strip_sessions(url)


def strip_sessions(url: str) -> str:
    """A URL without what several sessions in one browser put before its host."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=_SESSION_LABELS.sub("", parts.netloc.lower(), count=1)))


def _split(url: str) -> SplitResult:
    if len(url) > MAX_DESTINATION:
        raise BadDestination("destination_long", length=len(url), limit=MAX_DESTINATION)
    # Browsers drop tabs and line breaks and read a backslash as a slash, which urlsplit does not tell.
    if not url.isprintable() or "\\" in url or url != url.strip():
        raise BadDestination("destination_unreadable")
    try:
        return urlsplit(url)
    except ValueError as error:
        raise BadDestination("destination_unreadable") from error


def _is_below(host: str, console: str) -> bool:
    return bool(_HOST.fullmatch(host)) and (host == console or host.endswith(f".{console}"))


def _refuse_host(written: str, host: str, partition: str) -> BadDestination:
    console = CONSOLE_HOSTS[partition]
    if any(_is_below(host, other) for other in CONSOLE_HOSTS.values()):
        return BadDestination("destination_other_partition", host=written, console=console)
    return BadDestination("destination_not_console", host=written, console=console)


def _check_escapes(parts: SplitResult) -> None:
    """What is encoded must not become something else for a server that decodes it once more than it should.

    CloudWatch's own escapes begin with `$` and are text to everybody but CloudWatch.
    """
    path = unquote(parts.path)
    # A path is decoded and routed by; in query and fragment a percent sign of a name is encoded, as it must be.
    if _ESCAPE.search(path):
        raise BadDestination("destination_encoded_twice")
    if path.startswith("//") or "\\" in path:
        raise BadDestination("destination_unreadable")
    for part in parts[2:]:
        _check_layers(part)


def _check_layers(text: str) -> None:
    for _layer in range(_MOST_LAYERS):
        if _CONTROL.search(text):
            raise BadDestination("destination_control")
        if not _ESCAPE.search(text):
            return
        text = unquote(text)
    raise BadDestination("destination_encoded_twice")


# --- Taking apart -----------------------------------------------------------------------------------------------------


def parse_console_link(link: str) -> ConsoleLink | None:
    """A link of an access portal; None for anything else, such as a URL of the console itself.

    Nothing in it is checked: it only says what is meant, and a link of our own is built from that.
    """
    path, _mark, query = link.strip().partition("#/console?")
    if not _mark or not path.startswith("https://"):
        return None
    pairs = (pair.partition("=") for pair in query.split("&"))
    values = {name: unquote(value) for name, _equals, value in pairs}
    account_id = values.get("account_id", "")
    return ConsoleLink(
        account_id if _ACCOUNT_ID.fullmatch(account_id) else "",
        values.get("role_name", ""),
        values.get("destination", ""),
    )

"""Names of resources: the same for the same thing, whatever else comes, goes or changes its name. Pure.

A name that is no plain identifier is written as far as Latin letters can say it, with a digest of the whole name
behind it: two things never have one name, and none depends on what others there are.
"""

import hashlib
import re

from accounts.cli.naming import to_ascii

_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
_DIGESTED = re.compile(r"__[0-9a-f]{10}$")  # looks like one of ours
_OTHERS = re.compile(r"[^A-Za-z0-9]+")
_MOST = 60  # characters that are for reading


def name_label(name: str) -> str:
    """The label of what is known by this name alone.

    >>> name_label("OrganizationAdmin")
    'OrganizationAdmin'
    >>> name_label("開発チーム")
    'chimu__aad587e83a'
    """
    is_plain = _PLAIN.fullmatch(name) and not _DIGESTED.search(name) and len(name) <= _MOST
    return name if is_plain else make_label(name, name)


def make_label(words: str, *identity: str) -> str:
    """A label that reads like these words and is that of this identity."""
    digest = hashlib.sha256("\0".join(identity).encode("utf-8", "surrogatepass")).hexdigest()[:10]
    plain = _OTHERS.sub("_", to_ascii(words)).strip("_")[:_MOST].strip("_") or "name"
    return f"{'' if plain[0].isalpha() else '_'}{plain}__{digest}"

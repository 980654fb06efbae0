"""How the console writes a value into its addresses: plain, quoted, as CloudWatch does, or as JSURL. Pure.

Each way is undone leniently: what browsers and the console itself write into the address bar varies, what is meant not.
"""

import re
from collections.abc import Callable
from typing import NamedTuple
from urllib.parse import quote, unquote

_PLAIN = ":/@+=,"  # what the console leaves as it is in names and ARNs
_JSURL = re.compile(r"\*\*([0-9a-fA-F]{4})|\*([0-9a-fA-F]{2})|!")


class Encoding(NamedTuple):
    encode: Callable[[str], str]
    decode: Callable[[str], str]


def quote_plain(value: str) -> str:
    return quote(value, safe=_PLAIN)


def quote_all(value: str) -> str:
    return quote(value, safe="")


def quote_cloudwatch(value: str) -> str:
    """Twice, with `$` for `%`: the fragment's own router decodes it once more than a browser does."""
    return quote_all(quote_all(value)).replace("%", "$")


def unquote_cloudwatch(text: str) -> str:
    return unquote(unquote(text.replace("$", "%")))


def quote_jsurl(value: str) -> str:
    """As the strings of Logs Insights, whose `'` at the beginning stands in the template."""
    return "".join(_quote_character(character) for character in value)


def _quote_character(character: str) -> str:
    if character.isascii() and (character.isalnum() or character in "_.-"):
        return character
    if character == "$":
        return "!"
    if ord(character) < 0x100:
        return f"*{ord(character):02x}"
    units = character.encode("utf-16-be")  # JavaScript counts in these: two for what lies beyond U+FFFF
    return "".join(f"**{units[at : at + 2].hex()}" for at in range(0, len(units), 2))


def unquote_jsurl(text: str) -> str:
    units = _JSURL.sub(lambda found: chr(int(found[1] or found[2], 16)) if found[0] != "!" else "$", text)
    return units.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


ENCODINGS = {
    "plain": Encoding(quote_plain, unquote),
    "q": Encoding(quote_all, unquote),
    "qq": Encoding(lambda value: quote_all(quote_all(value)), lambda text: unquote(unquote(text))),
    "cw": Encoding(quote_cloudwatch, unquote_cloudwatch),
    "js": Encoding(quote_jsurl, unquote_jsurl),
}

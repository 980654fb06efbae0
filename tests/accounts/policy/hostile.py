"""Documents that nobody would write: mutations of good ones, and texts made to trip a parser or to take for ever."""

import json
import random
from collections.abc import Iterator
from functools import cache
from typing import Any

from tests.accounts.policy.bad_policies import CASES

_SHARDS = (
    "{", "}", "[", "]", ",", ":", '"', "\\", "\x00", "\ud800", "1e400", "-1e400", "NaN", "Infinity", "-", "9" * 400,
    "“", "’", "\u3000", "：", "//", "/*", "*", "?", "${", "}", "${aws:username}", "null", "true", "{}", "[]", '""',
    "花", "\ufeff", "arn:", "arn:aws:s3:::", "s3:*", "*:*", "iam:PassRole", "Principal", "NotAction", "Condition",
    "StringLike", "ForAllValues:", "IfExists", "\\u0000", "\\ud83d", "Null", "Bool", "IpAddress", "10.0.0.0/8",
    "2026-13-01", "/" * 99,
)  # fmt: skip
_SEEDS = tuple(case.text for case in CASES if len(case.text) < 5_000)


def iter_mutations(count: int, seed: int, seeds: tuple[str, ...] = _SEEDS) -> Iterator[str]:
    """Policies with one to eight accidents each."""
    dice = random.Random(seed)
    for _ in range(count):
        text = dice.choice(seeds)
        for _accident in range(dice.randint(1, 8)):
            text = _mutate(text, dice)
        yield text


def _mutate(text: str, dice: random.Random) -> str:
    at = dice.randrange(len(text) + 1)
    match dice.randrange(6):
        case 0:
            return text[:at] + dice.choice(_SHARDS) + text[at:]
        case 1:
            return text[:at] + text[at + dice.randint(1, 30) :]
        case 2:
            end = min(len(text), at + dice.randint(1, 200))
            return text[:at] + text[at:end] * dice.randint(2, 20) + text[end:]
        case 3:
            quotes = [place for place, sign in enumerate(text) if sign == '"'] or [0]
            place = dice.choice(quotes)
            return text[: place + 1] + dice.choice(_SHARDS) + text[place + 1 :]
        case 4:
            return text[:at] + chr(dice.randrange(0x10FFFF)) + text[at:]
    other = text[: dice.randrange(len(text) + 1)]
    return text.replace(other[-8:], dice.choice(_SHARDS), 1) if other else text


@cache
def list_monsters() -> list[str]:
    """Texts at the limits of size, depth and number."""
    return [
        "[" * 10_000,
        "[" * 5_000_000,
        '{"a":' * 10_000 + "1" + "}" * 10_000,
        '"' + "x" * 5_000_000,
        "\x00" * 5_000_000,
        " " * 5_000_000,
        '{"Statement": [' + ",".join(["{}"] * 20_000) + "]}",
        "[" + ",".join(["1"] * 32_000) + "]",
        "[" + "NaN," * 16_000 + "1]",
        '"' + "\\" * 60_000,
        '"' + '\\"' * 32_000,
        "/*" * 32_000,
        "“" * 60_000,
        "花" * 30_000,
        '"' + "\\ud800" * 10_000 + '"',
        "\r\n" * 32_000 + "{",
        "{" + ",".join(f'"key{number}": 1' for number in range(5_000)) + "}",
        "9" * 65_000,
        "1e" + "9" * 5_000,
        *map(json.dumps, _iter_heavy()),
    ]


def _iter_heavy() -> Iterator[dict[str, Any]]:
    """Good JSON with as much in it as fits, where each piece asks for the most work."""
    stars = "*".join("abcdefghijklmnop")
    yield _fill("Action", [f"ec2:*{first}*{second}*{stars[:9]}*" for first in stars for second in stars][:500])
    yield _fill("Action", [f"ec2:Describe{number}" for number in range(800)])
    yield _fill("Action", [f"service{number}:Get" for number in range(800)])
    yield _fill("Action", ["*"] * 3_000)
    yield _fill("Action", [f"s3:{'*a' * 60}{number}" for number in range(70)])
    yield _fill("Resource", [f"arn:aws:s3:::{'*a' * 40}{number}*" for number in range(90)])
    yield _fill("Resource", [f"arn:aws:nobody{number}:::x" for number in range(500)])
    yield _fill("Resource", ["arn:aws:s3:::" + "${aws:username}" * 60 for _ in range(10)])
    yield _fill("Resource", ["arn:aws:s3:::" + "${" * 900 for _ in range(5)])
    yield _fill("Resource", ["?" * 2_000, "arn:" + ":" * 2_000, "arn:aws:s3:::" + "?*" * 2_000])
    condition = {"StringLike": {f"aws:Key{number}": "*" * 20 for number in range(300)}}
    yield {"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": condition}}
    keys = {f"s3:key{number}": ["a"] for number in range(500)}
    yield {"Statement": {"Effect": "Allow", "Action": "s3:*", "Resource": "*", "Condition": {"StringLike": keys}}}
    yield {"Statement": [{"Effect": "Allow", "Action": "*:*", "NotResource": "*"}] * 150}
    yield {"Statement": [{"Effect": "Allow", "NotAction": ["s3:*"] * 20, "Resource": "*"}] * 60}


def _fill(element: str, values: list[str]) -> dict[str, Any]:
    statement = {"Effect": "Allow", "Action": "ec2:*", "Resource": "*"} | {element: values}
    return {"Version": "2012-10-17", "Statement": [statement]}

"""AWS's regions, by partition. Pure.

A region that is not listed yet works all the same; it only has no name of its own. Source: AWS, "AWS Regions".
"""

import re
from typing import NamedTuple

from accounts.catalogue.services import Words
from accounts.catalogue.templates import BUILT_IN

HOMES = {"aws": "us-east-1", "aws-us-gov": "us-gov-west-1", "aws-cn": "cn-north-1", "aws-eusc": "eusc-de-east-1"}
"""Where the services live that have no region of their own."""

_REGION = re.compile(BUILT_IN["region"])
_NAMES = {
    "aws": (
        ("ap-northeast-1", "東京", "Tokyo"),
        ("ap-northeast-3", "大阪", "Osaka"),
        ("us-east-1", "バージニア北部", "N. Virginia"),
        ("us-east-2", "オハイオ", "Ohio"),
        ("us-west-1", "北カリフォルニア", "N. California"),
        ("us-west-2", "オレゴン", "Oregon"),
        ("af-south-1", "ケープタウン", "Cape Town"),
        ("ap-east-1", "香港", "Hong Kong"),
        ("ap-east-2", "台北", "Taipei"),
        ("ap-northeast-2", "ソウル", "Seoul"),
        ("ap-south-1", "ムンバイ", "Mumbai"),
        ("ap-south-2", "ハイデラバード", "Hyderabad"),
        ("ap-southeast-1", "シンガポール", "Singapore"),
        ("ap-southeast-2", "シドニー", "Sydney"),
        ("ap-southeast-3", "ジャカルタ", "Jakarta"),
        ("ap-southeast-4", "メルボルン", "Melbourne"),
        ("ap-southeast-5", "マレーシア", "Malaysia"),
        ("ap-southeast-6", "ニュージーランド", "New Zealand"),
        ("ap-southeast-7", "タイ", "Thailand"),
        ("ca-central-1", "カナダ中部", "Canada Central"),
        ("ca-west-1", "カルガリー", "Calgary"),
        ("eu-central-1", "フランクフルト", "Frankfurt"),
        ("eu-central-2", "チューリッヒ", "Zurich"),
        ("eu-north-1", "ストックホルム", "Stockholm"),
        ("eu-south-1", "ミラノ", "Milan"),
        ("eu-south-2", "スペイン", "Spain"),
        ("eu-west-1", "アイルランド", "Ireland"),
        ("eu-west-2", "ロンドン", "London"),
        ("eu-west-3", "パリ", "Paris"),
        ("il-central-1", "テルアビブ", "Tel Aviv"),
        ("me-central-1", "UAE", "UAE"),
        ("me-south-1", "バーレーン", "Bahrain"),
        ("mx-central-1", "メキシコ中部", "Mexico Central"),
        ("sa-east-1", "サンパウロ", "São Paulo"),
    ),
    "aws-us-gov": (("us-gov-west-1", "GovCloud 米国西部", "GovCloud West"),
                   ("us-gov-east-1", "GovCloud 米国東部", "GovCloud East")),
    "aws-cn": (("cn-north-1", "北京", "Beijing"), ("cn-northwest-1", "寧夏", "Ningxia")),
    "aws-eusc": (("eusc-de-east-1", "ブランデンブルク", "Brandenburg"),),
}  # fmt: skip


class Region(NamedTuple):
    code: str
    words: Words


def is_region(text: str) -> bool:
    """Whether it may be a region: new ones come."""
    return _REGION.fullmatch(text) is not None


def list_regions(partition: str = "aws") -> tuple[Region, ...]:
    """The regions of a partition, those nearest to Japan first."""
    return tuple(Region(code, Words(ja, en)) for code, ja, en in _NAMES[partition])


def find_words(code: str) -> Words | None:
    """What a region is called; None for one that has no name here."""
    regions = (region for partition in _NAMES for region in list_regions(partition))
    return next((region.words for region in regions if region.code == code), None)

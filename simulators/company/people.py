"""Who works at the company: 120 people in 17 departments, and the Entra groups they are in. Pure data."""

import hashlib
import uuid
from dataclasses import dataclass
from enum import StrEnum
from functools import cache

COMPANY_NAME = "株式会社あさぎりソフト"
DOMAIN = "asagiri.example"

ADMIN_ROLE, AUDITOR_ROLE = "Portal.Admin", "Portal.Auditor"

ENGINEERS_GROUP = "team-engineers"
"""Everybody who builds the products, across departments."""


class Situation(StrEnum):
    """Where a person stands between the systems."""

    EMPLOYED = "employed"
    JOINING = "joining"  # in Entra and kintone; the next provisioning cycle brings them to Identity Center
    LEFT = "left"  # disabled in Entra, kintone and Identity Center; what they were given is still there


@dataclass(frozen=True)
class Department:
    """A department, its Entra group, and how many work there. The first to be listed leads it."""

    key: str
    name: str
    size: int
    builds_products: bool = False

    @property
    def group(self) -> str:
        return f"team-{self.key}"


@dataclass(frozen=True)
class Person:
    """A person as all systems know them. `kintone_code` is None for those without a kintone licence."""

    family_name: str
    given_name: str
    upn: str
    department: Department
    kintone_code: str | None
    roles: tuple[str, ...] = ()
    situation: Situation = Situation.EMPLOYED

    @property
    def name(self) -> str:
        return f"{self.family_name} {self.given_name}"

    @property
    def oid(self) -> str:
        """The object id in Entra, which Identity Center holds as external id."""
        return fixed_guid(f"user:{self.upn}")

    @property
    def is_provisioned(self) -> bool:
        return self.situation is not Situation.JOINING


DEPARTMENTS = (
    Department("platform", "プラットフォーム基盤部", 6, builds_products=True),
    Department("security", "情報セキュリティ室", 4),
    Department("sre", "SRE部", 7, builds_products=True),
    Department("kaikei", "あさぎり会計 開発部", 9, builds_products=True),
    Department("kintai", "あさぎり勤怠 開発部", 9, builds_products=True),
    Department("keihi", "あさぎり経費 開発部", 9, builds_products=True),
    Department("denpyo", "あさぎり電子帳票 開発部", 9, builds_products=True),
    Department("yoyaku", "あさぎり予約 開発部", 9, builds_products=True),
    Department("chat", "あさぎりチャット 開発部", 9, builds_products=True),
    Department("data", "データ基盤部", 7, builds_products=True),
    Department("quality", "品質保証部", 7, builds_products=True),
    Department("support", "カスタマーサポート部", 8),
    Department("professional", "プロフェッショナルサービス部", 10),
    Department("corporate-it", "情報システム部", 5),
    Department("finance", "経理部", 4),
    Department("marketing", "マーケティング部", 5),
    Department("audit", "内部監査室", 3),
)

_FAMILY_NAMES = (
    "佐藤:sato 鈴木:suzuki 高橋:takahashi 田中:tanaka 伊藤:ito 渡辺:watanabe 山本:yamamoto 中村:nakamura "
    "小林:kobayashi 加藤:kato 吉田:yoshida 山田:yamada 佐々木:sasaki 山口:yamaguchi 松本:matsumoto 井上:inoue "
    "木村:kimura 林:hayashi 斎藤:saito 清水:shimizu 山崎:yamazaki 森:mori 池田:ikeda 橋本:hashimoto "
    "阿部:abe 石川:ishikawa 中島:nakajima 前田:maeda 藤田:fujita 小川:ogawa 後藤:goto 岡田:okada "
    "長谷川:hasegawa 村上:murakami 近藤:kondo 石井:ishii 坂本:sakamoto 遠藤:endo 青木:aoki 藤井:fujii "
    "西村:nishimura 福田:fukuda 太田:ota 三浦:miura 岡本:okamoto 松田:matsuda 中川:nakagawa 中野:nakano "
    "原田:harada 小野:ono 田村:tamura 竹内:takeuchi 金子:kaneko 和田:wada 中山:nakayama 石田:ishida "
    "上田:ueda 森田:morita 原:hara 柴田:shibata"
)
_GIVEN_NAMES = (
    "遥:haruka 健太:kenta 陽菜:hina 大輔:daisuke 美咲:misaki 翔太:shota 葵:aoi 拓也:takuya "
    "結衣:yui 直樹:naoki さくら:sakura 誠:makoto 由美子:yumiko 蓮:ren 千尋:chihiro 亮:ryo "
    "愛:ai 浩二:koji 真央:mao 悠斗:yuto 恵:megumi 修平:shuhei 七海:nanami 隆:takashi "
    "麻衣:mai 一輝:kazuki 彩香:ayaka 剛:tsuyoshi 優子:yuko 涼介:ryosuke 菜々子:nanako 雄一:yuichi "
    "桃子:momoko 和也:kazuya 理沙:risa 達也:tatsuya 琴音:kotone 祐介:yusuke 香織:kaori 湊:minato "
    "綾:aya 英明:hideaki 楓:kaede 純一:junichi 奈緒:nao 慎吾:shingo 梨花:rika 圭介:keisuke "
    "智子:tomoko 朝陽:asahi 瞳:hitomi 博之:hiroyuki 凛:rin 裕樹:yuki 明日香:asuka 哲也:tetsuya "
    "志保:shiho 航:wataru 真由美:mayumi 颯太:sota"
)
# 60 names of each kind make 120 people when the second round takes its given names this far along.
_SECOND_ROUND_SHIFT = 23

ADMINS = ("haruka.sato@asagiri.example", "kenta.suzuki@asagiri.example")
AUDITOR_DEPARTMENT = "audit"
NO_LICENCE_DEPARTMENT = "support"

# Positions within a department, counted from 0: its lead.
_LEAVER = ("kintai", 5)
_NEWCOMER = ("kaikei", 8)
_SHORT_CODES = (("sre", 1), ("data", 2), ("quality", 3), ("yoyaku", 4), ("professional", 5))


def fixed_guid(name: str) -> str:
    """A GUID that looks like Entra's and is the same in every world."""
    return str(uuid.UUID(bytes=hashlib.sha256(f"asagiri/{name}".encode()).digest()[:16], version=4))


def fixed_secret(name: str) -> str:
    """A secret of the sample company that is the same in every world; it opens nothing but a simulator."""
    return hashlib.sha256(f"asagiri/secret:{name}".encode()).hexdigest()[:40]


def _split(names: str) -> list[tuple[str, str]]:
    return [(kanji, romaji) for kanji, _colon, romaji in (name.partition(":") for name in names.split())]


def _kintone_code(department: Department, position: int, upn: str) -> str | None:
    if department.key == NO_LICENCE_DEPARTMENT:
        return None
    return upn.partition("@")[0] if (department.key, position) in _SHORT_CODES else upn


def _roles(department: Department, position: int, upn: str) -> tuple[str, ...]:
    if upn in ADMINS:
        return (ADMIN_ROLE,)
    is_auditor = department.key == AUDITOR_DEPARTMENT and position == 0
    return (AUDITOR_ROLE,) if is_auditor else ()


def _situation(department: Department, position: int) -> Situation:
    special = {_LEAVER: Situation.LEFT, _NEWCOMER: Situation.JOINING}
    return special.get((department.key, position), Situation.EMPLOYED)


@cache
def list_people() -> tuple[Person, ...]:
    """Everybody, department by department, each led by its first."""
    families, givens = _split(_FAMILY_NAMES), _split(_GIVEN_NAMES)
    people: list[Person] = []
    for department in DEPARTMENTS:
        for position in range(department.size):
            turn, index = divmod(len(people), len(families))
            family, family_romaji = families[index]
            given, given_romaji = givens[(index + turn * _SECOND_ROUND_SHIFT) % len(givens)]
            upn = f"{given_romaji}.{family_romaji}@{DOMAIN}"
            code = _kintone_code(department, position, upn)
            roles, situation = _roles(department, position, upn), _situation(department, position)
            people.append(Person(family, given, upn, department, code, roles, situation))
    return tuple(people)


def list_members(department: str) -> list[Person]:
    """The people of one department, its lead first."""
    return [person for person in list_people() if person.department.key == department]


def get_lead(department: str) -> Person:
    return list_members(department)[0]


def get_leaver() -> Person:
    return next(person for person in list_people() if person.situation is Situation.LEFT)


def get_newcomer() -> Person:
    return next(person for person in list_people() if person.situation is Situation.JOINING)


def get_auditor() -> Person:
    return next(person for person in list_people() if AUDITOR_ROLE in person.roles)


def list_cast() -> list[tuple[Person, str]]:
    """Whom to sign in as to see the portal from different sides, and the part each plays."""
    return [
        (next(person for person in list_people() if person.upn == ADMINS[0]), "portal admin"),
        (list_members("kaikei")[6], "developer with eight ways into AWS"),
        (get_lead("kaikei"), "owner of the accounts of あさぎり会計"),
        (get_newcomer(), "joined this week: not provisioned to AWS yet"),
        (get_auditor(), "auditor: sees everything, changes nothing"),
    ]


@cache
def list_groups() -> dict[str, tuple[Person, ...]]:
    """Entra's groups by name, with their direct members. All of them are provisioned to Identity Center."""
    teams = {department.group: tuple(list_members(department.key)) for department in DEPARTMENTS}
    engineers = tuple(person for person in list_people() if person.department.builds_products)
    return {**teams, ENGINEERS_GROUP: engineers}


def group_oid(name: str) -> str:
    """The object id of a group in Entra, which Identity Center holds as external id."""
    return fixed_guid(f"group:{name}")

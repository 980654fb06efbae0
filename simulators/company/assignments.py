"""The company's assignment records: who wants to enter which account with which permission set. Pure data.

Records are written down team by team, the way such an app fills over the years, and end with the special cases that a
reconciler must get right. `Beginning` says what AWS has of a record when the company begins.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from functools import cache

from simulators.company.organization import (
    MANAGEMENT,
    NO_LAKE_POLICY,
    PRODUCTS,
    SUSPENDED,
    Account,
    Product,
    get_account,
    list_accounts,
    list_owners,
)
from simulators.company.people import (
    ADMINS,
    ENGINEERS_GROUP,
    Person,
    Situation,
    get_lead,
    get_leaver,
    get_newcomer,
    list_members,
    list_people,
)
from simulators.company.permission_sets import BROKEN_POLICY_SET, MANAGEMENT_SET, UNKNOWN_POLICY_SET


class Beginning(Enum):
    """What AWS has of a record when the company begins."""

    GRANTED = "all of it"
    NOTHING = "nothing of it"


@dataclass(frozen=True)
class AssignmentRecord:
    """One record of the app of assignments.

    `people` without a kintone licence are written as addresses. `ends_in` counts days from today to the last day.
    `writer` registered it: somebody who may widen access to the account, but in one record.
    """

    account_id: str
    permission_set: str
    people: tuple[Person, ...]
    groups: tuple[str, ...]
    note: str
    writer: Person
    ends_in: int | None = None
    beginning: Beginning = Beginning.GRANTED


Holder = Person | str
"""A person, or the name of a group."""


def _record(
    account: Account,
    permission_set: str,
    *holders: Holder,
    note: str,
    ends_in: int | None = None,
    beginning: Beginning = Beginning.GRANTED,
    account_id: str = "",
    writer: Person | None = None,
) -> AssignmentRecord:
    """A record about `account`; `account_id` is what it says instead, for a slip of the pen.

    `writer` is somebody else than who may register it.
    """
    return AssignmentRecord(
        account_id=account_id or account.id,
        permission_set=permission_set,
        people=tuple(holder for holder in holders if isinstance(holder, Person)),
        groups=tuple(holder for holder in holders if isinstance(holder, str)),
        note=note,
        writer=writer or _choose_writer(account, turn=len(permission_set) + len(holders)),
        ends_in=ends_in,
        beginning=beginning,
    )


def _choose_writer(account: Account, turn: int) -> Person:
    """One of the account's owners; an admin where accounts are protected or belong to nobody."""
    admins = [person for person in list_people() if person.upn in ADMINS]
    is_protected = account.unit in ("", "admin")
    owners = [] if is_protected else [person for person in list_owners(account) if _may_write(person)]
    writers = owners or admins
    return writers[turn % len(writers)]


def _may_write(person: Person) -> bool:
    return person.situation is Situation.EMPLOYED and person.kintone_code is not None


# --- the product teams: 21 records each


def _list_product_records(product: Product, position: int) -> Iterator[AssignmentRecord]:
    team, members = f"team-{product.key}", list_members(product.key)
    sre, support = list_members("sre"), list_members("support")
    production, staging, development = (get_account(f"{product.key}-{suffix}") for suffix in ("prod", "stg", "dev"))
    lead, deputy, releaser, database = members[:4]
    name = product.name

    yield _record(development, "ServiceDeveloper", team, note=f"{name}の開発チーム全員。")
    yield _record(staging, "ServiceDeveloper", team, note=f"{name}の検証環境。開発チーム全員。")
    yield _record(
        production, "ReadOnlyAccess", team, note="本番の参照は開発チーム全員に許可(2024年度の運用見直しによる)。"
    )
    yield _record(
        production, "LogViewer", team, "team-support", note="問い合わせ調査のため、サポート部もログを参照する。"
    )
    yield _record(production, "ServiceOperator", "team-sre", note="SREの当番対応。")
    yield _record(production, "SecurityAudit", "team-security", note="全社セキュリティ監視。")
    yield _record(development, "PowerUserAccess", lead, deputy, note="CI基盤とネットワークの検証に必要。")
    yield _record(development, "DatabaseAdministrator", database, note="スキーマ移行の予行。")
    yield _record(staging, "DatabaseAdministrator", database, deputy, note="負荷試験用データの投入と後片付け。")
    yield _record(staging, "PowerUserAccess", "team-quality", note="自動テスト環境の構築。品質保証部。")
    yield _record(staging, "ServiceOperator", lead, sre[position], note="リリース前の手順確認。")
    yield _record(production, "ServiceOperator", lead, deputy, note="夜間の一次対応。当番表は社内Wikiを参照。")
    yield _record(production, "ReleaseManager", lead, releaser, note="毎週火曜の定期リリース。")
    yield _record(production, "SupportUser", support[position], support[position + 1], note="AWSサポートへの起票。")
    yield _record(production, "BillingReader", lead, note="月次の費用確認。")
    yield _record(
        production,
        "DatabaseAdministrator",
        database,
        note="四半期末のデータ補正。終わり次第はずす。",
        ends_in=9 + position * 7,
    )
    yield _record(
        production,
        "AdministratorAccess",
        sre[0],
        note=f"障害対応訓練({name})。訓練の翌週まで。",
        ends_in=3 + position * 2,
    )
    yield _record(production, BROKEN_POLICY_SET, deputy, note="滞留メッセージの再投入。")
    for developer in members[4:7]:
        if developer.situation is Situation.EMPLOYED:
            yield _record(development, "LogViewer", developer, note=f"{developer.family_name}さん担当機能のログ確認。")


def _list_exchange_records() -> Iterator[AssignmentRecord]:
    """Developers who look into the neighbouring product: shared parts, borrowed hands."""
    reasons = (
        "共通認証の連携調査。{other}側の設定を見る。",
        "{other}とのAPI連携の不具合調査。",
        "共通ライブラリの移行支援。",
        "帳票出力の性能比較のため。",
    )
    suffixes = ("stg", "dev", "dev", "stg")
    for position, product in enumerate(PRODUCTS):
        for step, (reason, suffix) in enumerate(zip(reasons, suffixes, strict=True), start=1):
            other = PRODUCTS[(position + step) % len(PRODUCTS)]
            guest = list_members(product.key)[(step + position) % 5 + 1]
            if guest.situation is not Situation.EMPLOYED:
                guest = get_lead(product.key)
            account = get_account(f"{other.key}-{suffix}")
            permission_set = "ReadOnlyAccess" if step % 2 else "LogViewer"
            yield _record(account, permission_set, guest, note=reason.format(other=other.name))


# --- the other departments


def _list_platform_records() -> Iterator[AssignmentRecord]:
    platform, network = list_members("platform"), get_account("asagiri-network")
    for account in list_accounts():
        if account.unit == "admin":
            yield _record(account, "ReadOnlyAccess", "team-platform", note="基盤の定常運用。")
            yield _record(account, "SecurityAudit", "team-security", note="全社セキュリティ監視。")
    for name in ("asagiri-shared-services", "asagiri-backup", "asagiri-identity"):
        yield _record(get_account(name), "AdministratorAccess", *platform[:2], note="基盤部の責任者2名のみ。")
    yield _record(network, "NetworkAdministrator", platform[2], platform[3], note="Transit Gatewayの運用担当。")
    yield _record(network, "NetworkAdministrator", list_members("sre")[1], note="DNS切り替えの支援。", ends_in=30)
    yield _record(
        get_account("asagiri-log-archive"), "LogViewer", "team-security", "team-audit", note="監査証跡の閲覧。"
    )
    yield _record(get_account("asagiri-audit"), "ViewOnlyAccess", "team-audit", note="内部監査。")
    yield _record(get_account("asagiri-backup"), "ServiceOperator", "team-sre", note="リストア訓練。")


def _list_sre_records() -> Iterator[AssignmentRecord]:
    recovery, media = get_account("kaikei-prod-dr"), get_account("chat-prod-media")
    yield _record(recovery, "ServiceOperator", "team-sre", note="災害対策環境の切り替え訓練。")
    yield _record(recovery, "ReadOnlyAccess", "team-kaikei", note="切り替え手順の確認。")
    yield _record(recovery, "DatabaseAdministrator", *list_members("sre")[2:4], note="レプリケーションの監視と復旧。")
    yield _record(media, "ServiceOperator", "team-sre", note="配信障害の対応。")
    yield _record(media, "ReadOnlyAccess", "team-chat", note="配信状況の確認。")
    yield _record(media, "LogViewer", "team-chat", "team-support", note="添付ファイルの問い合わせ調査。")
    for account in (recovery, media):
        yield _record(account, "SecurityAudit", "team-security", note="全社セキュリティ監視。")


def _list_professional_records() -> Iterator[AssignmentRecord]:
    consultants = list_members("professional")
    projects = {
        "ps-aozora-bank": ("青空銀行様 移行支援。", consultants[1:4]),
        "ps-minato-logistics": ("みなと物流様 在庫連携の構築。", consultants[2:6]),
        "ps-midori-retail": ("みどりリテール様 店舗端末の連携。", consultants[5:8]),
        "ps-training": ("お客様向けハンズオン環境。", consultants[7:10]),
    }
    for name, (note, people) in projects.items():
        account = get_account(name)
        yield _record(account, "ReadOnlyAccess", "team-professional", note="部内の相互レビュー。")
        yield _record(account, "SecurityAudit", "team-security", note="委託先管理規程による点検。")
        for person in people:
            yield _record(account, "PowerUserAccess", person, note=note, ends_in=60)


def _list_business_records() -> Iterator[AssignmentRecord]:
    it, finance, marketing, data = (list_members(key) for key in ("corporate-it", "finance", "marketing", "data"))
    erp, website, lake = (get_account(name) for name in ("biz-erp", "biz-website", "biz-data-platform"))
    for account in (erp, website, get_account("biz-workplace"), get_account("biz-support-desk")):
        yield _record(account, "PowerUserAccess", "team-corporate-it", note="社内システムの構築と保守。")
        yield _record(account, "SecurityAudit", "team-security", note="全社セキュリティ監視。")
    yield _record(erp, "BillingReader", "team-finance", note="費用配賦の確認。")
    yield _record(erp, "DatabaseAdministrator", it[1], note="基幹データベースの保守契約担当。")
    yield _record(erp, "ViewOnlyAccess", finance[0], "team-audit", note="期末監査。", ends_in=45)
    yield _record(website, "ServiceDeveloper", *marketing[:3], note="コーポレートサイトの更新。")
    yield _record(website, "LogViewer", marketing[3], note="キャンペーンサイトのアクセス解析。", ends_in=20)
    yield _record(get_account("biz-support-desk"), "ReadOnlyAccess", "team-support", note="受付システムの状態確認。")
    yield _record(get_account("biz-workplace"), "SupportUser", it[2], it[3], note="WorkSpacesの問い合わせ窓口。")
    yield _record(lake, "PowerUserAccess", "team-data", note="データ基盤の開発。")
    yield _record(lake, "SecurityAudit", "team-security", note="全社セキュリティ監視。")
    yield _record(lake, "DatabaseAdministrator", data[1], data[2], note="Redshiftの運用。")
    for analyst in (finance[1], finance[2], marketing[1], marketing[4], *(get_lead(p.key) for p in PRODUCTS)):
        note = f"{analyst.department.name}の月次レポート。"
        yield _record(lake, "DataAnalyst", analyst, note=note)


def _list_sandbox_records() -> Iterator[AssignmentRecord]:
    engineers, platform = get_account("engineers-sandbox"), get_account("platform-sandbox")
    yield _record(engineers, "PowerUserAccess", ENGINEERS_GROUP, note="だれでも試せる検証用。毎週金曜に掃除します。")
    yield _record(platform, "AdministratorAccess", "team-platform", note="基盤部の検証用。")
    yield _record(platform, "ReadOnlyAccess", "team-sre", note="検証結果の共有。")
    yield _record(NO_LAKE_POLICY, "PowerUserAccess", "team-data", note="データ基盤部の検証用。")
    for key in ("sre", "data", "quality"):
        for person in list_members(key)[:4]:
            note = "IAMロール設計の検証。権限境界の動作確認を含む。"
            yield _record(engineers, "AdministratorAccess", person, note=note, ends_in=90)


# --- what a reconciler must get right


def _list_special_records() -> Iterator[AssignmentRecord]:
    yield from _list_person_cases()
    yield from _list_set_cases()
    yield from _list_account_cases()
    yield from _list_new_records()


def _list_person_cases() -> Iterator[AssignmentRecord]:
    leaver, newcomer = get_leaver(), get_newcomer()
    kintai, kaikei = get_account("kintai-dev"), get_account("kaikei-dev")
    yield _record(kintai, "PowerUserAccess", leaver, note="打刻端末の検証担当。")
    yield _record(get_account("kintai-stg"), "LogViewer", leaver, note="打刻漏れ調査の担当。")
    yield _record(
        kaikei, "PowerUserAccess", newcomer, note="今月入社。配属に合わせて登録。", beginning=Beginning.NOTHING
    )
    yield _record(
        get_account("kaikei-stg"), "LogViewer", newcomer, note="オンボーディング。", beginning=Beginning.NOTHING
    )


def _list_set_cases() -> Iterator[AssignmentRecord]:
    nothing, data = Beginning.NOTHING, list_members("data")
    lake, marketing = get_account("biz-data-platform"), list_members("marketing")
    yield _record(
        get_account("chat-prod"),
        BROKEN_POLICY_SET,
        list_members("chat")[3],
        note="通知キューの滞留対応。",
        beginning=nothing,
    )
    yield _record(
        get_account("biz-erp"), UNKNOWN_POLICY_SET, "team-finance", note="配賦レポートの試作。", beginning=nothing
    )
    yield _record(lake, UNKNOWN_POLICY_SET, list_members("finance")[1], note="タグ別の費用分析。", beginning=nothing)
    yield _record(NO_LAKE_POLICY, "DataAnalyst", marketing[2], note="集計クエリの試行。", beginning=nothing)
    yield _record(NO_LAKE_POLICY, "DataScientist", data[3], note="需要予測モデルの実験。", beginning=nothing)
    yield _record(lake, "DataScientist", data[3], data[4], note="需要予測モデルの学習。", beginning=nothing)


def _list_account_cases() -> Iterator[AssignmentRecord]:
    nothing, consultants = Beginning.NOTHING, list_members("professional")
    staging, platform = get_account("kaikei-stg"), list_members("platform")
    mistyped = staging.id[:-2] + staging.id[:-3:-1]
    yield _record(MANAGEMENT, MANAGEMENT_SET, platform[2], note="請求代表者の代行。", beginning=nothing)
    yield _record(get_account("asagiri-audit"), MANAGEMENT_SET, platform[3], note="組織設定の確認。", beginning=nothing)
    yield _record(SUSPENDED, "PowerUserAccess", *consultants[3:5], note="星空様 PoC。", beginning=nothing)
    yield _record(SUSPENDED, "ReadOnlyAccess", "team-professional", note="星空様 PoCの振り返り。", beginning=nothing)
    yield _record(
        staging, "LogViewer", list_members("kaikei")[3], note="仕訳取込の調査。", account_id=mistyped, beginning=nothing
    )
    yield _record(
        get_account("yoyaku-stg"), "PowerUserAccess", list_members("yoyaku")[5], note="移行作業。", ends_in=-2
    )
    yield _record(get_account("keihi-dev"), "LogViewer", list_members("keihi")[4], note="領収書読取のログ調査。")


def _list_new_records() -> Iterator[AssignmentRecord]:
    """Registered since the last run: AWS has nothing of them yet."""
    nothing, hackathon = Beginning.NOTHING, get_account("hackathon-2026")
    kaikei, denpyo, support = (list_members(key) for key in ("kaikei", "denpyo", "support"))
    yield _record(
        get_account("kaikei-stg"), "ReadOnlyAccess", kaikei[2], note="決算処理の性能調査。", beginning=nothing
    )
    yield _record(
        get_account("denpyo-prod"),
        "LogViewer",
        denpyo[5],
        support[3],
        note="電帳法対応の問い合わせ。",
        ends_in=14,
        beginning=nothing,
    )
    yield _record(
        get_account("yoyaku-dev"), "ServiceDeveloper", "team-quality", note="回帰テストの追加。", beginning=nothing
    )
    yield _record(
        hackathon, "AdministratorAccess", ENGINEERS_GROUP, note="社内ハッカソン。", ends_in=21, beginning=nothing
    )
    # He is no owner of the account: what he wrote for himself waits for one of them.
    helper = denpyo[2]
    yield _record(
        get_account("keihi-prod"), "LogViewer", helper, note="帳票連携の障害調査。", beginning=nothing, writer=helper
    )


@cache
def list_assignment_records() -> tuple[AssignmentRecord, ...]:
    """All records in the order in which they were registered."""
    return (
        *_list_platform_records(),
        *(record for position, product in enumerate(PRODUCTS) for record in _list_product_records(product, position)),
        *_list_sre_records(),
        *_list_business_records(),
        *_list_professional_records(),
        *_list_sandbox_records(),
        *_list_exchange_records(),
        *_list_special_records(),
    )


@dataclass(frozen=True)
class StrayAssignment:
    """An assignment on a set of ours that no record wants."""

    account_name: str
    permission_set: str


@dataclass(frozen=True)
class HandMade(StrayAssignment):
    """One that somebody makes."""

    person: Person


STRAY_ASSIGNMENTS = (StrayAssignment("keihi-stg", "ServiceOperator"),)
"""The orphan: of somebody long gone."""

HAND_MADE = HandMade("kaikei-dev", "PowerUserAccess", list_members("chat")[7])
"""What somebody makes by hand in the console, once the portal has read what was there."""

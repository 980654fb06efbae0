"""One small world and what queries mean in it: the table that the engine in Python and the one in the browser share."""

from dataclasses import replace

from accounts.palette.use import ENTERED
from accounts.palette.words import tokenise
from accounts.palette.world import AccountEntry, Entry, Kind, OpenService, OwnSet, Place, World, order_places
from accounts.policy.summary import Level

TOKYO, OSAKA = "ap-northeast-1", "ap-northeast-3"
SETS = tuple(
    OwnSet.of(name, (tokenise(name),), level)
    for name, level in (
        ("AdministratorAccess", Level.ADMIN),
        ("Billing", Level.BILLING),
        ("Deploy", Level.WRITE),
        ("ReadOnly", Level.READ_ONLY),
    )
)
ADMIN, BILLING, DEPLOY, READ_ONLY = range(4)


def make_account(
    name: str, account_id: str, path: str, stage: str, places: tuple[tuple[int, int], ...] = (), region: str = TOKYO
) -> AccountEntry:
    texts = tuple(map(tokenise, (name, account_id, path, stage)))
    use = ENTERED if places else 0
    entry = Entry(Kind.ACCOUNT, name, path, f"/accounts/{account_id}/", texts, "cloud", use, stage)
    own = order_places((Place(*place) for place in places), SETS)
    return AccountEntry(entry, account_id, stage, region, "大阪" if region == OSAKA else "東京", own)


def make_service(slug: str, title: str, *names: str, is_billing: bool = False, is_regional: bool = True) -> OpenService:
    texts = tuple(map(tokenise, (title, *names)))
    regions = (TOKYO, OSAKA) if is_regional else ("",)
    return OpenService(
        slug, title, texts, {region: f"{slug}%3F{region}%23999999999999" for region in regions}, is_billing
    )


def make_entry(kind: Kind, title: str, href: str, *names: str, use: int = 0) -> Entry:
    return Entry(kind, title, "", href, tuple(map(tokenise, (title, *names))), "bookmark", use)


ACCOUNTS = (
    make_account(
        "payments-prod", "210455678812", "service/決済/Production", "production", ((DEPLOY, 0), (READ_ONLY, 0))
    ),
    make_account("payments-dr", "210455679023", "service/決済/Production", "production", ((READ_ONLY, 0),), OSAKA),
    make_account(
        "payments-stg", "339122017745", "service/決済/検証", "staging", ((ADMIN, 34), (DEPLOY, 0), (READ_ONLY, 0))
    ),
    make_account("orders-prd1", "404455667788", "service/受注/本番", "production", ((READ_ONLY, 0),)),
    make_account("orders-prd2", "404455667799", "service/受注/本番", "production"),
    make_account("billing", "500000000001", "business", "other", ((ADMIN, 0), (BILLING, 0), (READ_ONLY, 0))),
    make_account("product-catalog-dev", "600000000002", "service/商品/開発", "staging"),
    make_account("会計本番", "700000000003", "business/会計", "production", ((READ_ONLY, 0),)),
)
SERVICES = (
    make_service("logs", "CloudWatch · ロググループ一覧", "CloudWatch Log groups", "logs", "cwl", "ログ"),
    make_service("lambda", "Lambda · 関数一覧", "Lambda Functions", "ラムダ"),
    make_service("costs", "Cost Explorer · コスト", "billing", "請求", is_billing=True, is_regional=False),
    make_service("projects", "CodeBuild · プロジェクト一覧", "CodeBuild Projects", "ci"),
)
ENTRIES = (
    make_entry(Kind.SHORTCUT, "決済 API のログ", "/go/payments-logs/", "payments logs", "payments prod", use=0),
    make_entry(Kind.PAGE, "メンバー", "/people/", "People", "users"),
    make_entry(Kind.PAGE, "AWS CLI の設定", "/cli/", "Set up the AWS CLI", "sso"),
    make_entry(Kind.SET, "ReadOnly", "/permission-sets/1/", "Looks at everything"),
    make_entry(Kind.SERVICE, "Lambda · 関数", "/shortcuts/new/?service=lambda-function", "Lambda Function", "ラムダ"),
)
WORLD = World("https://asagiri.awsapps.com/start", SETS, SERVICES, ACCOUNTS, ENTRIES)

LOGS, PROD_LOGS = "CloudWatch · ロググループ一覧", "payments-prod · CloudWatch · ロググループ一覧"
READ = "ReadOnly · production"
# What is typed, and the first things offered for it, as “title | what stands below”.
CASES: tuple[tuple[str, tuple[str, ...]], ...] = (
    # An account and a service: the least powerful set, an own use first, whatever the language.
    ("payments prod logs", (f"{PROD_LOGS} | {READ} · 東京", f"{PROD_LOGS} | Deploy · production · 東京")),
    ("payments 本番 ログ", (f"{PROD_LOGS} | {READ} · 東京",)),
    ("aws payments-prod logs", (f"{PROD_LOGS} | {READ} · 東京",)),
    ("payments dr ﾛｸﾞ", (f"payments-dr · {LOGS} | {READ} · 大阪",)),
    ("payments-stg lambda", ("payments-stg · Lambda · 関数一覧 | AdministratorAccess · staging · 東京",)),
    ("payments-stg deploy lambda", ("payments-stg · Lambda · 関数一覧 | Deploy · staging · 東京",)),
    ("billing 請求", ("billing · Cost Explorer · コスト | Billing · other",)),
    ("billing lambda", ("billing · Lambda · 関数一覧 | ReadOnly · other · 東京",)),
    # Words that mean a stage, glued as Japanese glues them.
    ("受注 本番ログ", (f"orders-prd1 · {LOGS} | {READ} · 東京",)),
    ("orders 本番のログ", (f"orders-prd1 · {LOGS} | {READ} · 東京",)),
    ("orders prod logs", (f"orders-prd1 · {LOGS} | {READ} · 東京",)),
    ("会計 本番環境", (f"会計本番 | {READ}", "会計本番 | business/会計")),
    # A service alone: where one goes anyway, then where a link to it is made.
    ("lambda", ("payments-stg · Lambda · 関数一覧 | AdministratorAccess · staging · 東京", "Lambda · 関数 | ")),
    # One Latin letter means no service, a Japanese one does.
    ("payments-stg l", ("payments-stg | ReadOnly · staging", "payments-stg | Deploy · staging")),
    ("payments-stg ロ", (f"payments-stg · {LOGS} | AdministratorAccess · staging · 東京",)),
    # An account alone, by name, id in groups, or a little of it. What can be entered comes first.
    (
        "payments-prod",
        (
            f"payments-prod | {READ}",
            "payments-prod | Deploy · production",
            "payments-prod | service/決済/Production",
            "決済 API のログ | ",
        ),
    ),
    ("2104 5567 9023", (f"payments-dr | {READ}",)),
    ("orders", (f"orders-prd1 | {READ}", "orders-prd1 | service/受注/本番", "orders-prd2 | service/受注/本番")),
    ("ｏｒｄｅｒｓ", (f"orders-prd1 | {READ}",)),
    ("product", ("product-catalog-dev | service/商品/開発",)),
    # Nearly what was meant.
    ("paymnets stg", ("payments-stg | AdministratorAccess · staging",)),
    ("paystg", ("payments-stg | AdministratorAccess · staging",)),
    ("lamda payments stg", ("payments-stg · Lambda · 関数一覧 | AdministratorAccess · staging · 東京",)),
    ("ordrs", (f"orders-prd1 | {READ}",)),
    # With a digit it is meant exactly.
    ("orders-prd3", ()),
    ("404455667798", ()),
    # The rest, in either language.
    ("people", ("メンバー | ",)),
    ("めんばー", ("メンバー | ",)),
    ("sso", ("AWS CLI の設定 | ",)),
    ("決済 API", ("決済 API のログ | ",)),
    ("read only", ("ReadOnly | ",)),
    ("stg read only", ("payments-stg | ReadOnly · staging",)),
    ("nothing at all", ()),
    # Nothing typed: what one uses.
    ("", ("payments-stg | AdministratorAccess · staging",)),
    (" - ", ("payments-stg | AdministratorAccess · staging",)),
)


def make_crowd() -> World:
    """Somebody who may enter hundreds of accounts with many sets each, and the queries of `CROWDED`."""
    names = [
        f"{one}{other}"
        for one in ("Admin", "Power", "Trust", "Spark")
        for other in ("Audit", "Stats", "Ops", "Reports", "Athena")
    ]
    sets = tuple(OwnSet.of(name, (tokenise(name),), Level.READ_ONLY) for name in names)
    places = tuple((number, 0) for number in range(len(sets)))
    accounts = tuple(
        make_account(f"product-{number}-prd", f"{number:012}", f"service/{number % 7}/Production", "production")
        for number in range(300)
    )
    services = tuple(make_service(f"s{number}", f"Project Store {number}", "apr") for number in range(30))
    entered = tuple(replace(each, places=order_places((Place(*place) for place in places), sets)) for each in accounts)
    return World(WORLD.portal, sets, services, entered, ENTRIES)


CROWDED = ("a p r s t", "pr st", "pr st a p", "prod store", "prd", "7 store")

"""The gateways, built from the settings: the only place where the two meet."""

from dataclasses import replace
from typing import Unpack

from django.conf import settings

from accounts.models import AppKind
from syncer.buckets import DatabaseStore, RedisStore
from syncer.gateways.access_analyzer import AccessAnalyzer, connect_analyzer
from syncer.gateways.aws_session import AwsOptions, AwsSession
from syncer.gateways.github import GitHubIssue
from syncer.gateways.github_repository import GitHubRepository
from syncer.gateways.github_transport import TIMEOUT
from syncer.gateways.identity_center import IdentityCenter, connect
from syncer.gateways.identity_center_probes import Probes
from syncer.gateways.kintone import KintoneApp
from syncer.gateways.kintone_credentials import Bearer, Password
from syncer.gateways.kintone_domain import KintoneDomain
from syncer.gateways.kintone_settings import KintoneSettings
from syncer.gateways.kintone_transport import Options
from syncer.gateways.kintone_usage import Meter
from syncer.gateways.kintone_users import KintoneUsers
from syncer.gateways.mail import Mailer
from syncer.gateways.pacing import Backoff, BucketStore, Pace, Pacer, SharedBucket, TokenBucket
from syncer.gateways.slack import Slack, SlackBot, SlackWebhook
from syncer.records.scanning import AppSource
from syncer.records.schema import ASSIGNMENTS, PERMISSION_SETS
from syncer.records.usage import DatabaseUsage


def connect_kintone(**manner: Unpack[Options]) -> tuple[AppSource, AppSource]:
    """The two apps: permission sets, assignments. `manner` is for who wants requests sent otherwise than usual."""
    permission_sets = AppSource(
        AppKind.PERMISSION_SET,
        _build_app(settings.KINTONE_PERMISSION_SET_APP_ID, settings.KINTONE_PERMISSION_SET_API_TOKEN, **manner),
        PERMISSION_SETS,
        settings.KINTONE_PERMISSION_SET_FIELDS,
    )
    assignments = AppSource(
        AppKind.ASSIGNMENT,
        _build_app(settings.KINTONE_ASSIGNMENT_APP_ID, settings.KINTONE_ASSIGNMENT_API_TOKEN, **manner),
        ASSIGNMENTS,
        settings.KINTONE_ASSIGNMENT_FIELDS,
    )
    return permission_sets, assignments


def connect_kintone_for_writing() -> tuple[AppSource, AppSource]:
    """The two apps again. Writing a field that looks up the other app needs that app's token as well."""
    permission_sets, assignments = connect_kintone()
    tokens = (settings.KINTONE_ASSIGNMENT_API_TOKEN, settings.KINTONE_PERMISSION_SET_API_TOKEN)
    assignments.app.close()
    return permission_sets, replace(assignments, app=_build_app(settings.KINTONE_ASSIGNMENT_APP_ID, *tokens))


def _build_app(app_id: str, *tokens: str, **manner: Unpack[Options]) -> KintoneApp:
    return KintoneApp(settings.KINTONE_BASE_URL, app_id, tuple(dict.fromkeys(tokens)), **_build_options(manner))


def connect_kintone_domain() -> KintoneDomain:
    """Both apps at once, for writes of many records."""
    tokens = (settings.KINTONE_ASSIGNMENT_API_TOKEN, settings.KINTONE_PERMISSION_SET_API_TOKEN)
    return KintoneDomain(settings.KINTONE_BASE_URL, tuple(dict.fromkeys(tokens)), **_build_options())


def connect_kintone_settings(login: str, password: str) -> KintoneSettings:
    """The settings of apps, as the administrator with this password.

    The few requests of a set-up are not counted: it comes before there is a database.
    """
    credentials = Password(login, password)
    return KintoneSettings(settings.KINTONE_BASE_URL, credentials, guest_space_id=settings.KINTONE_GUEST_SPACE_ID)


def connect_kintone_users(**manner: Unpack[Options]) -> KintoneUsers | None:
    """The directory of kintone's users; None where nobody has given a token for it."""
    if not settings.KINTONE_USERS_API_TOKEN:
        return None
    return KintoneUsers(settings.KINTONE_BASE_URL, Bearer(settings.KINTONE_USERS_API_TOKEN), **_build_options(manner))


def _build_options(manner: Options | None = None) -> Options:
    usual: Options = {"guest_space_id": settings.KINTONE_GUEST_SPACE_ID, "meter": Meter(DatabaseUsage())}
    return {**usual, **(manner or {})}


def connect_probes(*, has_store: bool) -> Probes:
    """AWS for the doctor, which is quick to give up and goes before the readings of full runs.

    has_store: the bucket of all processes can be used; else it keeps to the pace alone.
    Raises GatewayError where boto3's configuration is unusable.
    """
    backoff = Backoff(tries=2, first=1.0, longest=1.0)
    options = replace(_aws_options(urgent=True), connect_timeout=2.0, read_timeout=4.0, reads=backoff)
    return Probes(AwsSession(options, build_pacer() if has_store else None), options)


def connect_aws(*, urgent: bool = False) -> IdentityCenter:
    """The Identity Center of the company. Raises GatewayError where boto3's configuration is unusable.

    urgent: all its requests go before the readings of full runs; for what somebody waits for.
    """
    return connect(_aws_options(urgent=urgent), build_pacer())


def _aws_options(*, urgent: bool) -> AwsOptions:
    return AwsOptions(
        region=settings.IDENTITY_CENTER_REGION,
        role_arn=settings.IDENTITY_CENTER_ROLE_ARN,
        instance_arn=settings.IDENTITY_CENTER_INSTANCE_ARN,
        tps=settings.IDENTITY_CENTER_TPS,
        urgent=urgent,
    )


def connect_access_analyzer() -> AccessAnalyzer:
    """IAM Access Analyzer in the region of Identity Center, as the same role. Raises GatewayError as `connect_aws`."""
    options = AwsOptions(region=settings.IDENTITY_CENTER_REGION, role_arn=settings.IDENTITY_CENTER_ROLE_ARN)
    return connect_analyzer(options)


def build_pacer() -> Pacer | None:
    """The bucket that all processes of the portal take from before they ask sso-admin."""
    rate = settings.IDENTITY_CENTER_TPS
    pace, name = Pace(rate), "sso-admin"
    store: BucketStore = RedisStore(settings.REDIS_URL, name, pace) if settings.REDIS_URL else DatabaseStore(name, pace)
    return SharedBucket(store, pace, alone=TokenBucket(rate, max(1.0, rate * pace.saved)))


def connect_slack() -> Slack | None:
    """Where operators are told; None where nobody has set it up. A webhook goes before a bot."""
    if settings.SLACK_WEBHOOK_URL:
        return SlackWebhook(settings.SLACK_WEBHOOK_URL)
    if settings.SLACK_BOT_TOKEN and settings.SLACK_CHANNEL:
        return SlackBot(settings.SLACK_BOT_TOKEN, settings.SLACK_CHANNEL)
    return None


def connect_slack_people() -> SlackBot | None:
    """By which single people are told: a webhook knows nobody, so it takes a bot, whoever tells operators."""
    return SlackBot(settings.SLACK_BOT_TOKEN, settings.SLACK_CHANNEL) if settings.SLACK_BOT_TOKEN else None


def connect_mailer() -> Mailer | None:
    """The mail server; None where nobody has set one up."""
    return Mailer(settings.DEFAULT_FROM_EMAIL) if settings.HAS_MAIL else None


def connect_github(*, timeout: tuple[float, float] = TIMEOUT) -> GitHubIssue | None:
    """The issue on which `/sync` is written; None where nobody has set it up. `timeout`: to connect, to answer."""
    if settings.GITHUB_TOKEN and settings.GITHUB_SYNC_ISSUE:
        return GitHubIssue(settings.GITHUB_API_URL, settings.GITHUB_TOKEN, settings.GITHUB_SYNC_ISSUE, timeout=timeout)
    return None


def connect_github_repository(repository: str, *, timeout: tuple[float, float] = TIMEOUT) -> GitHubRepository | None:
    """The repository that files are offered to, `owner/repo`; None without a token, or where none is named."""
    if settings.GITHUB_TOKEN and repository:
        return GitHubRepository(settings.GITHUB_API_URL, settings.GITHUB_TOKEN, repository, timeout=timeout)
    return None


def ownership_tag() -> tuple[str, str]:
    """Key and value of the tag that says a permission set is ours."""
    key, _equals, value = settings.OWNERSHIP_TAG.partition("=")
    return key, value

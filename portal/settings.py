"""All settings, read from the environment here and nowhere else (README has the table).

A wrong value stops the start with its name and an example. What a command does not use may be missing:
`portal.requirements` says which groups each entry point needs.
"""

import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext_lazy as _
from kombu import Exchange, Queue

from portal.environment import Reader, is_loopback, list_secrets, read_environment

BASE_DIR = Path(__file__).resolve().parent.parent
VAR_DIR = BASE_DIR / "var"

env = read_environment(BASE_DIR)
read = Reader(env)

# --- The portal itself -----------------------------------------------------------------------------------------------

DEBUG = read.flag("DEBUG")
# Empty is fine for commands that sign nothing; Django refuses to use an empty key, and `portal.requirements` says so.
SECRET_KEY = read.text("SECRET_KEY")
SECRET_KEY_FALLBACKS = list(read.names("SECRET_KEY_FALLBACKS"))
PUBLIC_URL = read.url("PUBLIC_URL", "http://localhost:8000", example="https://genkan.example.com")
PUBLIC_HOST = urlsplit(PUBLIC_URL).hostname or ""
IS_HTTPS = PUBLIC_URL.startswith("https://")
_LOCAL_HOSTS = ["localhost", "127.0.0.1", "[::1]"]
ALLOWED_HOSTS = list(read.names("ALLOWED_HOSTS")) or [PUBLIC_HOST, *_LOCAL_HOSTS]
VISIBILITY = read.choice("VISIBILITY", "all", ("all", "own"))
RETENTION_DAYS = read.integer("RETENTION_DAYS", 400, minimum=1, maximum=36500)
BACKUP_DIR = read.text("BACKUP_DIR", str(VAR_DIR / "backup"))
BACKUP_KEEP = read.integer("BACKUP_KEEP", 30, minimum=1, maximum=3650)
METRICS_TOKEN = read.text("METRICS_TOKEN")
LOG_FORMAT = read.choice("LOG_FORMAT", "text" if DEBUG else "json", ("text", "json"))

INSTALLED_APPS = [
    "portal.admin_config.GenkanAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django_celery_beat",
    "django_htmx",
    "lucide",
    "csp",
    "accounts",
    "syncer",
    "portal",
    "simulators",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django_permissions_policy.PermissionsPolicyMiddleware",
    "portal.middleware.RequestIdMiddleware",
    "portal.metrics.measuring.PageTimesMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "portal.middleware.LanguageMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "portal.oidc.SessionRefreshMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
]

ROOT_URLCONF = "portal.urls"
WSGI_APPLICATION = "portal.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "portal.context.portal",
            ],
        },
    }
]

# --- Database, cache, broker -----------------------------------------------------------------------------------------

DATABASES: dict[str, Any] = {"default": read.database("DATABASE_URL", f"sqlite:///{VAR_DIR / 'genkan.sqlite3'}")}
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    VAR_DIR.mkdir(exist_ok=True)
    # WAL lets readers go on beside the one writer; IMMEDIATE takes the write lock at once instead of failing at commit.
    DATABASES["default"]["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA foreign_keys=ON;",
    }
else:
    DATABASES["default"]["CONN_MAX_AGE"] = 60
    DATABASES["default"]["CONN_HEALTH_CHECKS"] = True

CACHES: dict[str, dict[str, Any]] = {"default": read.cache("CACHE_URL", "locmemcache://genkan")}
if CACHES["default"]["BACKEND"].endswith(".RedisCache"):
    CACHES["default"]["BACKEND"] = "portal.cache.ForgivingRedisCache"
    CACHES["default"]["OPTIONS"] = {
        "socket_connect_timeout": 1, "socket_timeout": 1, **CACHES["default"].get("OPTIONS", {}),
    }  # fmt: skip

CELERY_BROKER_URL = read.text("CELERY_BROKER_URL", "filesystem://")
CELERY_BROKER_TRANSPORT_OPTIONS: dict[str, Any] = {}
if CELERY_BROKER_URL.startswith("filesystem://"):
    # `filesystem:///folder` chooses where the embedded broker keeps its messages.
    _QUEUE_DIR = Path(CELERY_BROKER_URL.removeprefix("filesystem://") or VAR_DIR / "broker")
    CELERY_BROKER_URL = "filesystem://localhost"  # without a host kombu warns that it takes this one
    CELERY_BROKER_TRANSPORT_OPTIONS = {
        "data_folder_in": str(_QUEUE_DIR / "queue"),
        "data_folder_out": str(_QUEUE_DIR / "queue"),
        "control_folder": str(_QUEUE_DIR / "control"),
        "polling_interval": 0.1,
    }
# Where the processes share what a row of the database would be slow for; empty: there is no Redis.
_REDIS_URLS = (CELERY_BROKER_URL.partition(";")[0], str(CACHES["default"].get("LOCATION", "")))
REDIS_URL = next((url for url in _REDIS_URLS if url.startswith(("redis://", "rediss://"))), "")
# A full run takes minutes: what somebody waits for and what operators are told never stand behind one. A worker takes
# from all queues, unless it is told which.
QUEUES = RUNS, SAVES, NOTICES = "runs", "saves", "notices"
CELERY_TASK_QUEUES = [Queue(name, Exchange(name), routing_key=name) for name in QUEUES]
CELERY_TASK_DEFAULT_QUEUE = CELERY_TASK_DEFAULT_EXCHANGE = CELERY_TASK_DEFAULT_ROUTING_KEY = SAVES
CELERY_TASK_ROUTES = {
    "portal.tasks.check_shortcuts": RUNS,
    "syncer.tasks.ask_for_opinions": RUNS,
    "syncer.tasks.export_terraform": RUNS,
    "syncer.tasks.forget_the_past": RUNS,
    "syncer.tasks.offer_terraform": RUNS,
    "syncer.tasks.run_full": RUNS,
    "syncer.tasks.sweep": RUNS,
    "syncer.tasks.work_off_adoptions": RUNS,
    "syncer.tasks.work_off_queue": RUNS,
    "syncer.tasks.answer_github": NOTICES,
    "syncer.tasks.post_comments": NOTICES,
    "syncer.tasks.send_letters": NOTICES,
    "syncer.tasks.send_notices": NOTICES,
    "syncer.tasks.tell_last_days": NOTICES,
    "syncer.tasks.watch": NOTICES,
    "syncer.tasks.watch_github": NOTICES,
}
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_BEAT_SCHEDULER = "django_celery_beat.schedulers:DatabaseScheduler"
# A save in the portal must not hang because the broker does: the row waits, beat finds it.
CELERY_TASK_PUBLISH_RETRY = False

# --- Language, time, files, mail -------------------------------------------------------------------------------------

LANGUAGES = [("ja", _("Japanese")), ("en", _("English"))]
LANGUAGE_CODE = read.choice("LANGUAGE_CODE", "ja", ("ja", "en"))
LOCALE_PATHS = [BASE_DIR / "locale"]
USE_I18N = USE_TZ = True
TIME_ZONE = read.zone("TIME_ZONE", "Asia/Tokyo")
CELERY_TIMEZONE = TIME_ZONE

STATIC_URL = "static/"
_COLLECTED_FILES = BASE_DIR / "staticfiles"
STATICFILES_DIRS = [BASE_DIR / "static"]
# Collected files with their hash in the name when they have been collected; straight from the tree when not (demo).
_COLLECTED = (_COLLECTED_FILES / "staticfiles.json").is_file() or "collectstatic" in sys.argv
STATIC_ROOT = _COLLECTED_FILES if _COLLECTED else None
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"
        if _COLLECTED
        else "django.contrib.staticfiles.storage.StaticFilesStorage"
    },
}
WHITENOISE_USE_FINDERS = not _COLLECTED

_mail = read.mail("EMAIL_URL", "consolemail://", example="smtp+tls://user:password@smtp.example.com:587")
vars().update(_mail)
DEFAULT_FROM_EMAIL = _mail["DEFAULT_FROM_EMAIL"] or f"genkan@{PUBLIC_HOST or 'localhost'}"
EMAIL_TIMEOUT = 10  # seconds to connect, and for each answer
# Mail that is printed, for want of a server, tells nobody anything.
HAS_MAIL = not _mail["EMAIL_BACKEND"].endswith((".console.EmailBackend", ".dummy.EmailBackend"))

# --- Sign-in: Microsoft Entra ID -------------------------------------------------------------------------------------

_GUID = r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
MICROSOFT_HOSTS = ("login.microsoftonline.com", "login.microsoftonline.us", "login.partner.microsoftonline.cn")

ENTRA_TENANT_ID = read.text("ENTRA_TENANT_ID", pattern=_GUID, example="11111111-1111-4111-8111-111111111111").lower()
ENTRA_CLIENT_ID = read.text("ENTRA_CLIENT_ID")
ENTRA_CLIENT_SECRET = read.text("ENTRA_CLIENT_SECRET")
ENTRA_CLIENT_CERTIFICATE = read.text("ENTRA_CLIENT_CERTIFICATE").replace("\\n", "\n")
ENTRA_CLIENT_KEY = read.text("ENTRA_CLIENT_KEY").replace("\\n", "\n")
ENTRA_AUTHORITY_HOST = read.url(
    "ENTRA_AUTHORITY_HOST", f"https://{MICROSOFT_HOSTS[0]}", example=f"https://{MICROSOFT_HOSTS[0]}"
)
ENTRA_ADMIN_ROLE = read.text("ENTRA_ADMIN_ROLE", "Portal.Admin")
ENTRA_AUDITOR_ROLE = read.text("ENTRA_AUDITOR_ROLE", "Portal.Auditor")
ENTRA_ALLOW_GUESTS = read.flag("ENTRA_ALLOW_GUESTS")
if urlsplit(ENTRA_AUTHORITY_HOST).hostname not in MICROSOFT_HOSTS and not is_loopback(PUBLIC_URL):
    raise ImproperlyConfigured(
        f"ENTRA_AUTHORITY_HOST: {ENTRA_AUTHORITY_HOST} is not Microsoft's, which is allowed only while PUBLIC_URL is "
        f"on localhost. Example: ENTRA_AUTHORITY_HOST=https://{MICROSOFT_HOSTS[0]}"
    )
ENTRA_AUTHORITY = f"{ENTRA_AUTHORITY_HOST}/{ENTRA_TENANT_ID}"
ENTRA_ISSUER = f"{ENTRA_AUTHORITY}/v2.0"

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["portal.oidc.EntraBackend"]  # no password anywhere
OIDC_RP_CLIENT_ID, OIDC_RP_CLIENT_SECRET = ENTRA_CLIENT_ID, ENTRA_CLIENT_SECRET
OIDC_OP_AUTHORIZATION_ENDPOINT = f"{ENTRA_AUTHORITY}/oauth2/v2.0/authorize"
OIDC_OP_TOKEN_ENDPOINT = f"{ENTRA_AUTHORITY}/oauth2/v2.0/token"
OIDC_OP_JWKS_ENDPOINT = f"{ENTRA_AUTHORITY}/discovery/v2.0/keys"
OIDC_OP_USER_ENDPOINT = "https://graph.microsoft.com/oidc/userinfo"  # the library wants it set; it is never called
OIDC_OP_LOGOUT_URL_METHOD = "portal.oidc.logout_url"
OIDC_AUTHENTICATE_CLASS, OIDC_CALLBACK_CLASS = "portal.oidc.Begin", "portal.oidc.Callback"
OIDC_RP_SIGN_ALGO = "RS256"
OIDC_RP_SCOPES = "openid profile email"
OIDC_USE_PKCE = OIDC_USE_NONCE = OIDC_VERIFY_KID = OIDC_VERIFY_SSL = OIDC_CREATE_USER = True
OIDC_STORE_ACCESS_TOKEN = OIDC_STORE_ID_TOKEN = OIDC_ALLOW_UNSECURED_JWT = False
OIDC_TIMEOUT = (3, 10)  # seconds to connect, to answer
OIDC_RENEW_ID_TOKEN_EXPIRY_SECONDS = 900

LOGIN_URL = "sign_in"
LOGIN_REDIRECT_URL = LOGOUT_REDIRECT_URL = "/"
LOGIN_REDIRECT_URL_FAILURE = "/sign-in/refused/"

# --- Security --------------------------------------------------------------------------------------------------------

SESSION_ENGINE = "django.contrib.sessions.backends.db"
SESSION_COOKIE_AGE = 8 * 3600  # seconds
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"  # Strict loses the session on the way back from Entra
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE_SSL_REDIRECT = IS_HTTPS
SESSION_COOKIE_NAME = "__Host-session" if IS_HTTPS else "session"
CSRF_COOKIE_NAME = "__Host-csrf" if IS_HTTPS else "csrf"
LANGUAGE_COOKIE_NAME = "__Host-language" if IS_HTTPS else "language"
LANGUAGE_COOKIE_SECURE = IS_HTTPS
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL]
CSRF_FAILURE_VIEW = "portal.views.errors.csrf_failure"
SECURE_HSTS_SECONDS = 31536000 if IS_HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = False
SECURE_REDIRECT_EXEMPT = [r"^healthz/", r"^metrics$"]  # probes come by plain http from beside the container
# Only the portal's own host in preload lists would be ours to decide; the whole domain is not (W005, W021).
SILENCED_SYSTEM_CHECKS = [
    "security.W005",
    "security.W021",
    *([] if IS_HTTPS else ["security.W004", "security.W008", "security.W012", "security.W016"]),
]
X_FRAME_OPTIONS = "DENY"
# A form in which somebody chose a unit of thousands of accounts is answered with a sentence, not with an error page.
DATA_UPLOAD_MAX_NUMBER_FIELDS = 10_000
if read.flag("TRUST_FORWARDED_PROTO"):
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

# The same dict goes into SECURE_CSP once Django 6 is the ground.
CSP_DIRECTIVES = {
    "default-src": [SELF],
    "script-src": [SELF],
    "style-src": [SELF],
    "img-src": [SELF],
    "object-src": [NONE],
    "base-uri": [SELF],
    "frame-ancestors": [NONE],
    # Chromium applies form-action to redirects too: the logout form ends at Entra.
    "form-action": [SELF, ENTRA_AUTHORITY_HOST],
}
CONTENT_SECURITY_POLICY = {"DIRECTIVES": CSP_DIRECTIVES}
PERMISSIONS_POLICY: dict[str, list[str]] = {
    name: [] for name in ("camera", "geolocation", "microphone", "payment", "usb", "display-capture")
}

# --- kintone ---------------------------------------------------------------------------------------------------------

KINTONE_BASE_URL = read.url("KINTONE_BASE_URL", example="https://example.cybozu.com")
KINTONE_GUEST_SPACE_ID = read.text("KINTONE_GUEST_SPACE_ID", pattern=r"\d+", example="12")
KINTONE_PERMISSION_SET_APP_ID = read.text("KINTONE_PERMISSION_SET_APP_ID", pattern=r"\d+", example="23")
KINTONE_PERMISSION_SET_API_TOKEN = read.text("KINTONE_PERMISSION_SET_API_TOKEN")
KINTONE_PERMISSION_SET_FIELDS = read.mapping(
    "KINTONE_PERMISSION_SET_FIELDS",
    frozenset({
        "name", "description", "session_duration", "relay_state", "managed_policies", "customer_managed_policies",
        "inline_policy", "permissions_boundary", "owners",
    }),
    "name=許可セット名,owners=管理者",
)  # fmt: skip
KINTONE_ASSIGNMENT_APP_ID = read.text("KINTONE_ASSIGNMENT_APP_ID", pattern=r"\d+", example="24")
KINTONE_ASSIGNMENT_API_TOKEN = read.text("KINTONE_ASSIGNMENT_API_TOKEN")
KINTONE_ASSIGNMENT_FIELDS = read.mapping(
    "KINTONE_ASSIGNMENT_FIELDS",
    frozenset({
        "account_id", "permission_set", "users", "groups", "expires_on", "note", "owners", "more_users",
        "request_key", "changed_by",
    }),
    "account_id=アカウントID,users=利用者",
)  # fmt: skip
KINTONE_USER_SUFFIX = read.text("KINTONE_USER_SUFFIX")
KINTONE_USERS_API_TOKEN = read.text("KINTONE_USERS_API_TOKEN")
KINTONE_USERNAME, KINTONE_PASSWORD = read.text("KINTONE_USERNAME"), read.text("KINTONE_PASSWORD")
KINTONE_WEBHOOK_TOKEN = read.text("KINTONE_WEBHOOK_TOKEN")

# --- AWS -------------------------------------------------------------------------------------------------------------

IDENTITY_CENTER_ROLE_ARN = read.text(
    "IDENTITY_CENTER_ROLE_ARN",
    pattern=r"arn:aws[a-z-]*:iam::\d{12}:role/.+",
    example="arn:aws:iam::123456789012:role/genkan",
)
IDENTITY_CENTER_REGION = (
    read.text("IDENTITY_CENTER_REGION") or read.text("AWS_REGION") or read.text("AWS_DEFAULT_REGION")
)
# boto3 reads it as well: when credentials that somebody exported end.
AWS_CREDENTIAL_EXPIRATION = read.moment("AWS_CREDENTIAL_EXPIRATION", example="2026-11-26T18:00:00+09:00")
IDENTITY_CENTER_INSTANCE_ARN = read.text(
    "IDENTITY_CENTER_INSTANCE_ARN",
    pattern=r"arn:aws[a-z-]*:sso:::instance/.+",
    example="arn:aws:sso:::instance/ssoins-1234567890abcdef",
)
AWS_ACCESS_PORTAL_URL = read.url("AWS_ACCESS_PORTAL_URL", example="https://example.awsapps.com/start")
IDENTITY_CENTER_TPS = read.number("IDENTITY_CENTER_TPS", 10, minimum=0.5, maximum=1000)
IDENTITY_CENTER_OUTSTANDING = read.integer("IDENTITY_CENTER_OUTSTANDING", 8, minimum=1, maximum=50)
DELETE_LIMIT_SHARE = read.number("DELETE_LIMIT_SHARE", 0.3, minimum=0, maximum=1)
DELETE_LIMIT_COUNT = read.integer("DELETE_LIMIT_COUNT", 10, minimum=0, maximum=1_000_000)
DELETE_LIMIT_MAX = read.integer("DELETE_LIMIT_MAX", 50, minimum=0, maximum=1_000_000)
DRIFT = read.choice("DRIFT", "grace", ("grace", "overwrite", "notify"))
DRIFT_GRACE_HOURS = read.number("DRIFT_GRACE_HOURS", 24, minimum=0, maximum=24 * 365)
SYNC_MODE = read.choice("SYNC_MODE", "apply", ("apply", "plan"))
OWNERSHIP_TAG = read.text(
    "OWNERSHIP_TAG", "managed-by=genkan", pattern=r"[^=]{1,128}=.{1,256}", example="managed-by=genkan"
)
ACCOUNT_OWNERS_TAG = read.text("ACCOUNT_OWNERS_TAG", "owners")
CLAIMABLE_STAGES = read.names("CLAIMABLE_STAGES", "sandbox")
PROTECTED_OUS = read.names("PROTECTED_OUS", "admin")
IDENTITY_MATCH_UPN = read.flag("IDENTITY_MATCH_UPN", True)
IDENTITY_MATCH_EMAIL = read.flag("IDENTITY_MATCH_EMAIL")

# --- Slack, GitHub ---------------------------------------------------------------------------------------------------

SLACK_WEBHOOK_URL = read.url("SLACK_WEBHOOK_URL", example="https://hooks.slack.com/services/T000/B000/XXXX")
SLACK_BOT_TOKEN, SLACK_CHANNEL = read.text("SLACK_BOT_TOKEN"), read.text("SLACK_CHANNEL")
if SLACK_BOT_TOKEN and not SLACK_CHANNEL:
    raise ImproperlyConfigured(
        "SLACK_CHANNEL: a bot needs the id of the channel it writes to. Example: SLACK_CHANNEL=C0123456789"
    )
GITHUB_API_URL = read.url("GITHUB_API_URL", "https://api.github.com", example="https://api.github.com")
GITHUB_TOKEN, GITHUB_WEBHOOK_SECRET = read.text("GITHUB_TOKEN"), read.text("GITHUB_WEBHOOK_SECRET")
GITHUB_SYNC_ISSUE = read.text("GITHUB_SYNC_ISSUE", pattern=r"[\w.-]+/[\w.-]+#\d+", example="example/aws-access#12")
GITHUB_ALLOWED_USERS = read.names("GITHUB_ALLOWED_USERS")

# --- Logs ------------------------------------------------------------------------------------------------------------

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "text": {"()": "portal.logs.TextLines", "secrets": list_secrets()},
        "json": {"()": "portal.logs.JsonLines", "secrets": list_secrets()},
    },
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": LOG_FORMAT}},
    "root": {"handlers": ["stderr"], "level": "INFO"},
    "loggers": {
        # Its authentication messages carry claims; ours say what is needed.
        "mozilla_django_oidc": {"level": "WARNING"},
        "botocore": {"level": "WARNING"},
        # What was refused or not found: the line about the request says it, with its id. This one has none any more.
        "django.request": {"level": "ERROR"},
        # `runserver` logs whole addresses to a handler of its own; here they go through ours.
        "django.server": {"handlers": ["stderr"], "level": "INFO", "propagate": False},
        # It logs what it sends and where to: a webhook's address is a secret. The task says what went wrong.
        "slack_sdk": {"level": "CRITICAL"},
    },
}

"""Settings of the centre. Everything that differs between places comes from the environment; nothing here is secret.

Without any variable set the centre runs on one machine: SQLite, the filesystem transport, all state under ``var/``.
"""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import dj_database_url
from csp.constants import NONCE, NONE, SELF
from django.core.exceptions import ImproperlyConfigured
from django.core.management.utils import get_random_secret_key

from mpc import version

BASE_DIR = Path(__file__).resolve().parent.parent


def _flag(name: str, default: bool) -> bool:
    return os.environ.get(name, str(int(default))).strip().lower() in {"1", "true", "yes", "on"}


def _path(name: str) -> Path | None:
    text = os.environ.get(name, "").strip()
    return Path(text).expanduser().resolve() if text else None


# --- Where the state lives -------------------------------------------------------------------------------------------
MPC_DATA_DIR = _path("MPC_DATA_DIR") or BASE_DIR / "var"
MPC_RUNS_DIR = MPC_DATA_DIR / "runs"
MPC_UPLOADS_DIR = MPC_DATA_DIR / "uploads"
MPC_MEASUREMENTS_DIR = MPC_DATA_DIR / "measurements"
MPC_INBOX = _path("MPC_INBOX")
MPC_SCHEMA_DIR = _path("MPC_SCHEMA_DIR")
MPC_DATA_DIR.mkdir(parents=True, exist_ok=True)


def _secret_key() -> str:
    """The key from the environment, else one made once and kept beside the state with the owner's rights only."""
    given = os.environ.get("MPC_SECRET_KEY", "").strip()
    if given:
        return given
    if os.environ.get("MPC_PRODUCTION"):
        raise ImproperlyConfigured("MPC_PRODUCTION is set: give the secret key as MPC_SECRET_KEY")
    place = MPC_DATA_DIR / "secret-key"
    try:
        descriptor = os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return place.read_text().strip()
    with os.fdopen(descriptor, "w") as file:
        key = get_random_secret_key()
        file.write(key)
    return key


PRODUCTION = _flag("MPC_PRODUCTION", False)
DEBUG = _flag("MPC_DEBUG", False)
SECRET_KEY = _secret_key()
TESTING = "pytest" in sys.modules

# --- The centre ------------------------------------------------------------------------------------------------------
MPC_SOFTWARE_VERSION = version.VERSION


def _git_commit() -> str:
    """The commit that runs, for the provenance of results; "unknown" outside a checkout."""
    given = os.environ.get("MPC_GIT_COMMIT", "").strip()
    if given:
        return given
    try:
        done = subprocess.run(
            ["git", "-C", str(BASE_DIR), "rev-parse", "HEAD"], capture_output=True, text=True, timeout=5, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return "unknown"
    return done.stdout.strip()


MPC_GIT_COMMIT = _git_commit()
MPC_BROKER_URL = os.environ.get("MPC_BROKER_URL", "").strip()
MPC_WORKER_QUEUES = ("default", "intake", "qc")
MPC_HEARTBEAT_S = 2.0
MPC_WORKER_LOST_S = 20.0
MPC_CANCEL_GRACE_S = 10.0
MPC_INBOX_PERIOD_S = int(os.environ.get("MPC_INBOX_PERIOD_S", "15"))
# What lies in the watched folder and cannot be shown to be whole is taken when nothing changed for so long.
MPC_INBOX_PATIENCE_S = float(os.environ.get("MPC_INBOX_PATIENCE_S", "600"))
MPC_UPLOAD_LIMIT_MB = int(os.environ.get("MPC_UPLOAD_LIMIT_MB", "4096"))
LOCAL_ACTOR = "local"
# New work waits while a disk of the centre has less room than this.
MPC_MIN_FREE_MB = int(os.environ.get("MPC_MIN_FREE_MB", "500"))
# Names of the messages on a broker that several sites share.
MPC_BROKER_PREFIX = os.environ.get("MPC_BROKER_PREFIX", "mpc:")

# Units that the compliance matrix shows even before anything of them is measured; others come by themselves.
MPC_UNITS = tuple(name for name in os.environ.get("MPC_UNITS", "S2A,S2B,S2C").split(",") if name)
# A limit that a drift will cross within so many days makes a requirement one at risk.
MPC_RISK_DAYS = int(os.environ.get("MPC_RISK_DAYS", "365"))
# Requirements, standard metrics and events of the centre's tables are loaded after each migration; tests ask for them.
MPC_LOAD_TABLES = not TESTING

# --- Watching (mpc.monitoring) ---------------------------------------------------------------------------------------
# How far back detectors look, how often they are asked for, and after how many hours a quiet series is looked at again.
MPC_DETECT_YEARS = float(os.environ.get("MPC_DETECT_YEARS", "4"))
MPC_DETECT_EVERY_S = int(os.environ.get("MPC_DETECT_EVERY_S", "300"))
MPC_DETECT_LOOK_HOURS = float(os.environ.get("MPC_DETECT_LOOK_HOURS", "24"))
# A change is taken back after so many values in a row that are nearer to the level before it.
MPC_ALERT_BACK_POINTS = int(os.environ.get("MPC_ALERT_BACK_POINTS", "5"))
# What happens to one unit within so many days is one alert; what comes back within so many reopens it; what began
# longer ago than that when it is first found is listed and alerts nobody.
MPC_ALERT_WINDOW_DAYS = float(os.environ.get("MPC_ALERT_WINDOW_DAYS", "5"))
MPC_ALERT_REOPEN_DAYS = float(os.environ.get("MPC_ALERT_REOPEN_DAYS", "30"))
MPC_ALERT_MAX_AGE_DAYS = float(os.environ.get("MPC_ALERT_MAX_AGE_DAYS", "90"))
# An event explains a change whose interval comes within so many days of it.
MPC_EXPLAIN_DAYS = float(os.environ.get("MPC_EXPLAIN_DAYS", "3"))
# Where webhooks may go: names of hosts (".example.org" for all of a domain; empty for any that is public), schemes,
# and whether private and loopback addresses are reached.
MPC_WEBHOOK_HOSTS = [h for h in os.environ.get("MPC_WEBHOOK_HOSTS", "").split(",") if h]
MPC_WEBHOOK_SCHEMES = [s for s in os.environ.get("MPC_WEBHOOK_SCHEMES", "https").split(",") if s]
MPC_WEBHOOK_PRIVATE = _flag("MPC_WEBHOOK_PRIVATE", False)
MPC_WEBHOOK_TIMEOUT_S = float(os.environ.get("MPC_WEBHOOK_TIMEOUT_S", "10"))
MPC_NOTIFY_ATTEMPTS = int(os.environ.get("MPC_NOTIFY_ATTEMPTS", "6"))
# The address of the site in messages, without a slash at the end.
MPC_SITE_URL = os.environ.get("MPC_SITE_URL", "http://localhost:8000").rstrip("/")

# --- How long things are kept, in days; 0 is for ever (mpc.housekeeping) ---------------------------------------------
MPC_KEEP_LOG_DAYS = int(os.environ.get("MPC_KEEP_LOG_DAYS", "180"))
MPC_KEEP_ARTIFACT_DAYS = int(os.environ.get("MPC_KEEP_ARTIFACT_DAYS", "365"))
MPC_KEEP_UPLOAD_DAYS = int(os.environ.get("MPC_KEEP_UPLOAD_DAYS", "14"))
MPC_KEEP_SUPERSEDED_DAYS = int(os.environ.get("MPC_KEEP_SUPERSEDED_DAYS", "365"))
MPC_KEEP_RUN_DAYS = int(os.environ.get("MPC_KEEP_RUN_DAYS", "0"))
# In months; older measurements go from the database (PostgreSQL) to files (mpc.monitoring.archive).
MPC_MEASUREMENT_RETENTION_MONTHS = int(os.environ.get("MPC_MEASUREMENT_RETENTION_MONTHS", "0"))
MPC_HOUSEKEEPING_HOUR = int(os.environ.get("MPC_HOUSEKEEPING_HOUR", "3"))

# --- Django ----------------------------------------------------------------------------------------------------------
ALLOWED_HOSTS = [h for h in os.environ.get("MPC_HOSTS", "localhost,127.0.0.1,[::1]").split(",") if h]
CSRF_TRUSTED_ORIGINS = [o for o in os.environ.get("MPC_ORIGINS", "").split(",") if o]
ROOT_URLCONF = "mpc.urls"
WSGI_APPLICATION = "mpc.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
AUTH_USER_MODEL = "accounts.User"

INSTALLED_APPS = [
    "mpc.apps.SiteConfig",
    "mpc.accounts",
    "mpc.ui",
    "mpc.products",
    "mpc.runs",
    "mpc.monitoring",
    "qc",
    "processors",
    "mpc.housekeeping",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "allauth",
    "allauth.account",
    "csp",
    "django_celery_beat",
    "django_filters",
    "django_htmx",
    "django_tables2",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "knox",
    "rest_framework",
    "rules",
    "simple_history",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "mpc.accounts.middleware.RequestIdMiddleware",
    "mpc.accounts.middleware.NoNulMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "mpc.accounts.middleware.PolicyMiddleware",
    "mpc.accounts.idempotency.IdempotencyMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "mpc.ui.context.layout",
                "mpc.runs.context.worker_banner",
            ],
        },
    },
]

# --- Database --------------------------------------------------------------------------------------------------------
DATABASES = {"default": dj_database_url.config(default=f"sqlite:///{MPC_DATA_DIR / 'mpc.sqlite3'}", conn_max_age=60)}
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    # Writers queue for up to 20 s instead of failing at once, and take their lock when they begin, so that a
    # transaction never finds at its end that another has written meanwhile.
    DATABASES["default"]["OPTIONS"] = {
        "timeout": 20,
        "transaction_mode": "IMMEDIATE",
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
    }
    DATABASES["default"]["CONN_MAX_AGE"] = 0 if TESTING else 60

# --- Sign-in ---------------------------------------------------------------------------------------------------------
AUTHENTICATION_BACKENDS = [
    "django.contrib.auth.backends.ModelBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
ACCOUNT_ADAPTER = "mpc.accounts.adapter.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"username", "email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "username*", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_RATE_LIMITS = {"login_failed": "10/5m/ip,5/5m/key", "reset_password": "20/h/ip,5/h/key"}
# How many proxies of our own stand before the site: whose word counts on where a visitor comes from.
ALLAUTH_TRUSTED_PROXY_COUNT = int(os.environ.get("MPC_PROXIES", "0"))
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_AGE = 12 * 3600
SESSION_SAVE_EVERY_REQUEST = False

# --- Safety ----------------------------------------------------------------------------------------------------------
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
if PRODUCTION:
    SESSION_COOKIE_SECURE = True
    CSRF_COOKIE_SECURE = True
    SECURE_SSL_REDIRECT = _flag("MPC_SSL_REDIRECT", True)
    SECURE_REDIRECT_EXEMPT = [r"^health/$"]  # asked from inside, where there is no TLS
    SECURE_HSTS_SECONDS = 31536000
    # Whether all of the domain is served by TLS alone is not for one of its hosts to say.
    SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = _flag("MPC_HSTS_DOMAIN", False)
    SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W021"]
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "script-src": [SELF, NONCE],
        "style-src-elem": [SELF, NONCE],
        "style-src-attr": ["'unsafe-inline'"],
        "img-src": [SELF, "data:", "blob:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "object-src": [NONE],
        "base-uri": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    },
}
DATA_UPLOAD_MAX_NUMBER_FIELDS = 2000
DATA_UPLOAD_MAX_MEMORY_SIZE = 8 * 1024 * 1024
FILE_UPLOAD_TEMP_DIR = None

# --- API -------------------------------------------------------------------------------------------------------------
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "knox.auth.TokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["mpc.accounts.permissions.PolicyPermission"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "DEFAULT_PAGINATION_CLASS": "mpc.ui.api.PageNumbers",
    "PAGE_SIZE": 50,
    "DEFAULT_FILTER_BACKENDS": ["django_filters.rest_framework.DjangoFilterBackend"],
    "DEFAULT_THROTTLE_CLASSES": [
        "rest_framework.throttling.AnonRateThrottle",
        "rest_framework.throttling.UserRateThrottle",
    ],
    "DEFAULT_THROTTLE_RATES": {"anon": "60/min", "user": os.environ.get("MPC_API_RATE", "1200/min")},
    "EXCEPTION_HANDLER": "mpc.accounts.throttling.exception_handler",
    "NUM_PROXIES": ALLAUTH_TRUSTED_PROXY_COUNT,
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Sentinel-2 Mission Performance Centre",
    "DESCRIPTION": "Products, runs, quality reports and measurements of the centre.",
    "VERSION": MPC_SOFTWARE_VERSION,
    "SERVE_INCLUDE_SCHEMA": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "SERVE_PERMISSIONS": ["mpc.accounts.permissions.PolicyPermission"],
    "COMPONENT_SPLIT_REQUEST": True,
    # Fields of one name with choices of their own.
    "ENUM_NAME_OVERRIDES": {
        "RunStateEnum": "mpc.runs.models.State",
        "AlertStateEnum": "mpc.monitoring.models.alerts.Alert.State",
        "AlertPartStateEnum": "mpc.monitoring.models.alerts.AlertPart.State",
        "EventKindEnum": "mpc.monitoring.models.EventKind",
        "ProductKindEnum": "mpc.products.models.Kind",
        "UploadStateEnum": "mpc.products.models.Upload.State",
    },
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "mpc.accounts.openapi.idempotency_key",
    ],
}
# Its own token model is replaced; without this its migrations would still make a table that nobody empties.
MIGRATION_MODULES = {"knox": None}
KNOX_TOKEN_MODEL = "accounts.ApiToken"  # noqa: S105 - the name of a model
REST_KNOX = {"TOKEN_PREFIX": "mpc_", "TOKEN_TTL": timedelta(days=90), "TOKEN_LIMIT_PER_USER": 20, "AUTO_REFRESH": False}

# --- Time, language, files -------------------------------------------------------------------------------------------
LANGUAGE_CODE = "en-gb"
TIME_ZONE = "UTC"
USE_TZ = True
USE_I18N = False
STATIC_URL = "/static/"
STATIC_ROOT = MPC_DATA_DIR / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATICFILES_FINDERS = [
    "django.contrib.staticfiles.finders.FileSystemFinder",
    "django.contrib.staticfiles.finders.AppDirectoriesFinder",
    "mpc.ui.staticfiles.PlotlyFinder",
]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG or TESTING
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}
WHITENOISE_USE_FINDERS = DEBUG or TESTING
EMAIL_BACKEND = os.environ.get("MPC_EMAIL_BACKEND", "django.core.mail.backends.filebased.EmailBackend")
EMAIL_FILE_PATH = MPC_DATA_DIR / "mail"
EMAIL_HOST = os.environ.get("MPC_EMAIL_HOST", "localhost")
EMAIL_PORT = int(os.environ.get("MPC_EMAIL_PORT", "25"))
DEFAULT_FROM_EMAIL = os.environ.get("MPC_EMAIL_FROM", "mpc@localhost")
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.filebased.FileBasedCache",
        "LOCATION": MPC_DATA_DIR / "cache",
    }
}
if MPC_BROKER_URL.startswith(("redis://", "rediss://")):
    CACHES["default"] = {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": MPC_BROKER_URL}
if TESTING:
    CACHES["default"] = {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}
    PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]

DJANGO_TABLES2_TEMPLATE = "partials/table.html"
FILTERS_EMPTY_CHOICE_LABEL = "any"
CELERY_BEAT_SCHEDULER = "django_celery_beat.schedulers:DatabaseScheduler"
DJANGO_CELERY_BEAT_TZ_AWARE = True

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": os.environ.get("MPC_LOG_LEVEL", "INFO")},
    "loggers": {
        "rasterio": {"level": "ERROR"},
        "django.server": {"level": "WARNING"},
        # Each ring of the bell is a message; the runs themselves are logged.
        "celery": {"level": os.environ.get("MPC_CELERY_LOG_LEVEL", "WARNING")},
    },
}

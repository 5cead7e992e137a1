"""Every setting of Kequn in one list. A fresh clone runs with none of them set.

KEQUN_HOME holds everything that is not code: the embedded database, the secret key, uploads, snapshots, runs.
"""

from pathlib import Path

from csp.constants import NONCE, NONE, SELF
from django.utils.translation import gettext_lazy as _

from kequn.config import environment

SOURCE = Path(__file__).resolve().parents[1]
ROOT = SOURCE.parents[1]
KEQUN_HOME = environment.private_home(Path(environment.text("KEQUN_HOME", str(ROOT / "var"))).resolve())

DEBUG = environment.flag("KEQUN_DEBUG", default=False)
SECRET_KEY = environment.secret("KEQUN_SECRET_KEY") or environment.kept_secret(KEQUN_HOME / "secret_key")
LOOPBACK = ["localhost", "127.0.0.1", "[::1]"]  # health checks and the reverse proxy of this machine
ALLOWED_HOSTS = [*environment.words("KEQUN_HOSTS", ("testserver",)), *LOOPBACK]
CSRF_TRUSTED_ORIGINS = environment.words("KEQUN_TRUSTED_ORIGINS")

KEQUN_PACK = environment.text("KEQUN_PACK", "cn")
KEQUN_LEASE_SECONDS = environment.number("KEQUN_LEASE_SECONDS", default=60, least=2)
KEQUN_DAILY_RUN = environment.time_of_day("KEQUN_DAILY_RUN")  # None: only people ask for runs
KEQUN_LOCK_OUT_AFTER = environment.number("KEQUN_LOCK_OUT_AFTER", default=8, least=3)
KEQUN_LOCK_OUT_SECONDS = environment.number("KEQUN_LOCK_OUT_SECONDS", default=900, least=1)
KEQUN_KEEP_REPORT_DAYS = environment.number("KEQUN_KEEP_REPORT_DAYS", default=30, least=1)
KEQUN_TOTP_ROLES = environment.words("KEQUN_TOTP_ROLES")  # roles that must sign in with a one-time code
KEQUN_IDLE_MINUTES = environment.number("KEQUN_IDLE_MINUTES", default=60, least=1)
KEQUN_UPLOAD_BYTES = environment.number("KEQUN_UPLOAD_BYTES", default=512 * 1024 * 1024, least=1)
KEQUN_KEEP_UPLOADS_DAYS = environment.number("KEQUN_KEEP_UPLOADS_DAYS", default=7, least=0)  # of previews nobody stored

_url = environment.secret("KEQUN_DATABASE_URL")
DATABASES = {"default": environment.postgresql(_url) if _url else environment.sqlite(KEQUN_HOME / "kequn.sqlite3")}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "django_htmx",
    "csp",
    "kequn.apps.audit",
    "kequn.apps.accounts",
    "kequn.apps.governance",
    "kequn.apps.jobs",
    "kequn.apps.customers",
    "kequn.apps.deals",
    "kequn.apps.projects",
    "kequn.apps.search",
    "kequn.apps.assessments",
    "kequn.apps.discoveries",
    "kequn.apps.ratings",
    "kequn.apps.briefings",
    "kequn.apps.ingest",
    "kequn.apps.strategies",
    "kequn.web",
]

MIDDLEWARE = [
    "kequn.config.requests.RequestId",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "kequn.web.preferences.Preferred",
    "kequn.web.labels.PolicyOfRequest",
    "django.contrib.messages.middleware.MessageMiddleware",
    "kequn.web.doors.Doors",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "csp.middleware.CSPMiddleware",
]

ROOT_URLCONF = "kequn.config.urls"
WSGI_APPLICATION = "kequn.config.wsgi.application"
ASGI_APPLICATION = "kequn.config.asgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "csp.context_processors.nonce",
                "kequn.web.navigation.navigation",
            ],
        },
    },
]

# --- people -----------------------------------------------------------------------------------------------
AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["kequn.apps.accounts.backends.LockOutBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "sign-in"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "sign-in"

KEQUN_OIDC_ISSUER = environment.text("KEQUN_OIDC_ISSUER").rstrip("/")  # empty: sign-in by password only
KEQUN_OIDC_CLIENT_ID = environment.text("KEQUN_OIDC_CLIENT_ID")
KEQUN_OIDC_CLIENT_SECRET = environment.secret("KEQUN_OIDC_CLIENT_SECRET")
KEQUN_OIDC_NAME = environment.text("KEQUN_OIDC_NAME", "OpenID Connect")  # on the button
KEQUN_OIDC_NAME_CLAIM = environment.text("KEQUN_OIDC_NAME_CLAIM", "preferred_username")
KEQUN_OIDC_ROLE_CLAIM = environment.text("KEQUN_OIDC_ROLE_CLAIM", "roles")
KEQUN_OIDC_ROLES = dict(one.split("=", 1) for one in environment.words("KEQUN_OIDC_ROLES") if "=" in one)

# --- two languages ----------------------------------------------------------------------------------------
LANGUAGE_CODE = environment.text("KEQUN_LANGUAGE", "zh-hans")
LANGUAGES = [("zh-hans", _("Chinese")), ("en", _("English"))]
LOCALE_PATHS = [SOURCE / "locale"]
USE_I18N = True
USE_TZ = True
TIME_ZONE = environment.text("KEQUN_TIME_ZONE", "Asia/Shanghai")

# --- files ------------------------------------------------------------------------------------------------
STATIC_URL = "static/"
STATIC_ROOT = Path(environment.text("KEQUN_STATIC_ROOT", str(KEQUN_HOME / "static")))
STATIC_ROOT.mkdir(parents=True, exist_ok=True)
STATICFILES_FINDERS = [
    "django.contrib.staticfiles.finders.AppDirectoriesFinder",
    "kequn.web.finders.FrontEndFinder",
]
FRONTEND_ROOT = Path(environment.text("KEQUN_FRONTEND", str(ROOT / "node_modules")))
WHITENOISE_USE_FINDERS = DEBUG
FILE_UPLOAD_TEMP_DIR = None
DATA_UPLOAD_MAX_MEMORY_SIZE = 4 * 1024 * 1024
FILE_UPLOAD_PERMISSIONS = 0o600

# --- safety -----------------------------------------------------------------------------------------------
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF, NONCE],
        "style-src": [SELF, NONCE],
        "style-src-attr": [NONE],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
        "base-uri": [NONE],
        "manifest-src": [SELF],
    },
}
_secure = environment.flag("KEQUN_HTTPS", default=False)
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE_SSL_REDIRECT = _secure
SECURE_REDIRECT_EXEMPT = [r"^health/", r"^metrics$"]  # asked from this machine, before any proxy
SECURE_HSTS_SECONDS = 31_536_000 if _secure else 0
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if _secure else None
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = 12 * 3600
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"

KEQUN_METRICS_TOKEN = environment.secret("KEQUN_METRICS_TOKEN")  # empty: /metrics answers this machine alone
_log_format = environment.choice("KEQUN_LOG_FORMAT", ("line", "json"))
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"with_request": {"()": "kequn.config.logs.WithRequest"}},
    "formatters": {
        "line": {"format": "{asctime} {levelname} {name} [{request_id}] {message}", "style": "{"},
        "json": {"()": "kequn.config.logs.AsJson"},
    },
    "handlers": {
        "console": {"class": "logging.StreamHandler", "formatter": _log_format, "filters": ["with_request"]},
    },
    "root": {"handlers": ["console"], "level": environment.text("KEQUN_LOG", "WARNING")},
    "loggers": {
        "django.request": {"level": "ERROR"},  # a refused page is no trouble of the program
        "kequn.request": {"level": "INFO" if _log_format == "json" else "WARNING"},
    },
}

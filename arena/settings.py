"""The one settings module. Every value that a host may change is read through :mod:`arena.env`."""

from __future__ import annotations

from pathlib import Path

import django_stubs_ext

from arena import env
from arena.embedded import paths, secrets

django_stubs_ext.monkeypatch()  # generic admin classes and querysets, for the type checker

BASE_DIR = Path(__file__).resolve().parent.parent
LEHIA_DATA = env.folder("LEHIA_DATA", BASE_DIR / "var")

DEBUG = env.flag("LEHIA_DEBUG", default=False)
SECRET_KEY = env.text("LEHIA_SECRET_KEY") or secrets.stored_key(LEHIA_DATA, "secret_key")
# Encrypts endpoint keys at rest; comma-separated, the first one writes and all of them read.
LEHIA_FIELD_KEYS = env.words("LEHIA_FIELD_KEYS") or (secrets.stored_key(LEHIA_DATA, "field_key"),)

ALLOWED_HOSTS = list(env.words("LEHIA_HOSTS", ("localhost", "127.0.0.1", "[::1]")))
CSRF_TRUSTED_ORIGINS = list(env.words("LEHIA_ORIGINS"))

INSTALLED_APPS = [
    "arena.apps.ArenaConfig",
    "ranking.apps.RankingConfig",
    "inference.apps.InferenceConfig",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "channels",
    "csp",
    "arena.apps.StaffAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.humanize",
    "django.contrib.messages",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

ROOT_URLCONF = "arena.urls"
ASGI_APPLICATION = "arena.asgi.application"
AUTH_USER_MODEL = "arena.User"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

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
                "arena.appearance.of_request",
            ],
        },
    },
]

# One engine everywhere: without an address, the embedded cluster under the data folder answers on its socket.
DATABASES = {
    "default": env.pooled(
        env.postgres("DATABASE_URL") or paths.embedded_database(LEHIA_DATA),
        at_most=env.integer("LEHIA_DB_CONNECTIONS", 20, least=1),
    )
}
LEHIA_EMBEDDED_POSTGRES = not env.text("DATABASE_URL")

REDIS_URL = env.text("REDIS_URL") or paths.embedded_valkey_url(LEHIA_DATA)
LEHIA_EMBEDDED_VALKEY = not env.text("REDIS_URL")

CELERY_BROKER_URL = REDIS_URL.replace("unix://", "redis+socket://", 1)  # Celery's name for a Unix socket
CELERY_TASK_IGNORE_RESULT = True
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BEAT_SCHEDULE = {
    "probe-endpoints": {"task": "arena.tasks.probe_endpoints", "schedule": 60.0},
    "prune-traffic": {"task": "arena.tasks.prune_traffic", "schedule": 3600.0},
    "reap-turns": {"task": "arena.tasks.reap_turns", "schedule": 30.0},
    "measure-languages": {"task": "arena.tasks.measure_languages", "schedule": 60.0},
    "publish-boards": {"task": "arena.tasks.publish_boards", "schedule": 600.0},
}

# Shared by all processes of the site; what it holds can be lost at any time: the counts of rate limits.
CACHES = {
    "default": {"BACKEND": "django.core.cache.backends.db.DatabaseCache", "LOCATION": "arena_cache"},
}
SESSION_ENGINE = "arena.session_store"

PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 8}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
AUTHENTICATION_BACKENDS = [
    "django.contrib.auth.backends.ModelBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "me"

# Accounts: a code by e-mail, and a password for who wants one. Staff may log in by their name.
ACCOUNT_ADAPTER = "arena.accounts.adapters.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"email", "username"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1"]
ACCOUNT_LOGIN_BY_CODE_ENABLED = True
ACCOUNT_EMAIL_VERIFICATION = "mandatory"
ACCOUNT_EMAIL_VERIFICATION_BY_CODE_ENABLED = True
ACCOUNT_EMAIL_VERIFICATION_SUPPORTS_RESEND = True
ACCOUNT_PASSWORD_RESET_BY_CODE_ENABLED = True
ACCOUNT_EMAIL_SUBJECT_PREFIX = "Lehia: "
ACCOUNT_EMAIL_NOTIFICATIONS = True
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_CHANGE_EMAIL = True
ACCOUNT_USER_DISPLAY = "arena.accounts.adapters.display_name"
ACCOUNT_FORMS = {
    "login": "arena.accounts.forms.LoginForm",
    "signup": "arena.accounts.forms.SignupForm",
}
MFA_ADAPTER = "arena.accounts.adapters.SecondFactorAdapter"
MFA_TOTP_ISSUER = "Lehia"
# Whether staff need a second factor before the admin opens. The demo, which listens on loopback alone, does without.
LEHIA_STAFF_MFA = env.flag("LEHIA_STAFF_MFA", default=not DEBUG)
# How many proxies of ours stand before the site; an address that one of them wrote down is who rate limits count.
ALLAUTH_TRUSTED_PROXY_COUNT = env.integer("LEHIA_PROXIES", 0)

# Without an address, e-mails are files under the data folder.
EMAIL = env.email("EMAIL_URL") or {
    "EMAIL_BACKEND": "django.core.mail.backends.filebased.EmailBackend",
    "EMAIL_FILE_PATH": str(LEHIA_DATA / "mail"),
}
globals().update(EMAIL)
DEFAULT_FROM_EMAIL = SERVER_EMAIL = env.text("LEHIA_EMAIL_FROM", "Lehia <lehia@localhost>")

# Trained candidates: under the data folder unless several data folders share them.
LEHIA_MODELS = env.folder("LEHIA_MODELS", LEHIA_DATA / "models")
# Folders of training runs, which staff see in the admin; nothing is written there.
LEHIA_RUNS = env.folder("LEHIA_RUNS", LEHIA_DATA / "runs")

LANGUAGE_CODE = "eu"
LANGUAGES = [("eu", "Euskara"), ("es", "Español"), ("fr", "Français"), ("en", "English")]
LOCALE_PATHS = [BASE_DIR / "arena" / "locale"]
FORMAT_MODULE_PATH = ["arena.formats"]
USE_I18N = True
USE_TZ = True
USE_THOUSAND_SEPARATOR = True
TIME_ZONE = "Europe/Madrid"

STATIC_URL = "/static/"
STATIC_ROOT = LEHIA_DATA / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "arena.storage.StaticStorage"},
}

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'none'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "img-src": ["'self'"],
        "font-src": ["'self'"],
        "connect-src": ["'self'"],
        "manifest-src": ["'self'"],
        "form-action": ["'self'"],
        "frame-ancestors": ["'none'"],
        "base-uri": ["'none'"],
    }
}
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = 60 * 60 * 24 * 90
LEHIA_HTTPS = env.flag("LEHIA_HTTPS", default=False)
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = LEHIA_HTTPS

# Model servers: loopback always, and the hosts of the private model network that the admin names.
LEHIA_MODEL_HOSTS = env.words("LEHIA_MODEL_HOSTS")

# Who may read /metrics beyond this host: holders of the token, and the networks of a monitoring server.
LEHIA_METRICS_TOKEN = env.text("LEHIA_METRICS_TOKEN")
LEHIA_METRICS_NETWORKS = env.networks("LEHIA_METRICS_NETWORKS")

# Keys stay out of error pages, Django's debug pages too.
DEFAULT_EXCEPTION_REPORTER_FILTER = "arena.reporting.KeylessReporterFilter"

# How many answers to a prompt set are asked for at once.
LEHIA_BATCH_IN_FLIGHT = env.integer("LEHIA_BATCH_IN_FLIGHT", 2, least=1)

# How long a turn goes on being written after the last socket left it.
LEHIA_LEAVE_GRACE_S = env.integer("LEHIA_LEAVE_GRACE_S", 60, least=1)

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{levelname} {name} {message}", "style": "{"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    # their lines hold the full addresses of model servers
    "loggers": {"httpx2": {"level": "WARNING"}},
    "root": {"handlers": ["stderr"], "level": env.text("LEHIA_LOG_LEVEL", "INFO")},
}

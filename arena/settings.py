"""The one settings module. Every value that a host may change is read through :mod:`arena.env`."""

from __future__ import annotations

from pathlib import Path

import django_stubs_ext

from arena import env
from arena.embedded import paths, secrets
from arena.safety import Exposure, refuse_unsafe

django_stubs_ext.monkeypatch()  # generic admin classes and querysets, for the type checker

BASE_DIR = Path(__file__).resolve().parent.parent
LEHIA_DATA = env.folder("LEHIA_DATA", BASE_DIR / "var")

DEBUG = env.flag("LEHIA_DEBUG", default=False)
SECRET_KEY = env.text("LEHIA_SECRET_KEY") or secrets.stored_key(LEHIA_DATA, "secret_key", of_bytes=64)
# Older ones: what they signed still holds, nothing new is signed with them.
SECRET_KEY_FALLBACKS = list(env.words("LEHIA_SECRET_KEY_FALLBACKS"))
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
    "arena.observing.entry.observed",
    "arena.headers.headers",
    "csp.middleware.CSPMiddleware",  # outside of what answers by itself: files, refusals, redirects to https
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "arena.limiting.LimitsMiddleware",
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
        silent_s=env.integer("LEHIA_DB_SILENT_S", 0),
        prepares=env.flag("LEHIA_DB_PREPARES", default=True),
    )
}
LEHIA_EMBEDDED_POSTGRES = not env.text("DATABASE_URL")

REDIS_URL = env.text("REDIS_URL") or paths.embedded_valkey_url(LEHIA_DATA)
LEHIA_EMBEDDED_VALKEY = not env.text("REDIS_URL")

# How long the turns of a process that died stay its own; what has no owner then is given up within the time of a lease and a half.
LEHIA_LEASE_S = env.integer("LEHIA_LEASE_S", 20, least=1)

CELERY_BROKER_URL = REDIS_URL.replace("unix://", "redis+socket://", 1)  # Celery's name for a Unix socket
# where Valkey hangs, who orders something waits a few seconds, and beat sees to it later
CELERY_BROKER_TRANSPORT_OPTIONS = {"socket_timeout": 5, "socket_connect_timeout": 5}
CELERY_TASK_PUBLISH_RETRY_POLICY = {"max_retries": 1, "interval_start": 0, "interval_step": 0.2}
CELERY_TASK_IGNORE_RESULT = True
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BEAT_SCHEDULE: dict[str, dict[str, object]] = {
    "probe-endpoints": {"task": "arena.tasks.probe_endpoints", "schedule": 60.0},
    "prune-api": {"task": "arena.tasks.prune_api", "schedule": 3600.0},
    "prune-traffic": {"task": "arena.tasks.prune_traffic", "schedule": 3600.0},
    "retain": {"task": "arena.tasks.retain", "schedule": 3600.0},
    "reap-turns": {"task": "arena.tasks.reap_turns", "schedule": 1.5 * LEHIA_LEASE_S},
    "resume-prompt-sets": {"task": "arena.tasks.resume_prompt_sets", "schedule": 300.0},
    "tend-exports": {"task": "arena.tasks.tend_exports", "schedule": 60.0},
    "measure-languages": {"task": "arena.tasks.measure_languages", "schedule": 60.0},
    "scan-ended-battles": {"task": "arena.tasks.scan_ended_battles", "schedule": 300.0},
    "keep-releases": {"task": "arena.tasks.keep_releases", "schedule": 300.0},
    "compute-studies": {"task": "arena.tasks.compute_studies", "schedule": 60.0},
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
LEHIA_PROXIES = env.integer("LEHIA_PROXIES", 0)

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
# Files of exports that were ordered on the site's pages; all its processes write and read them.
LEHIA_EXPORTS = env.folder("LEHIA_EXPORTS", LEHIA_DATA / "exports")
LEHIA_EXPORT_DAYS = env.integer("LEHIA_EXPORT_DAYS", 7, least=1)
LEHIA_EXPORTS_A_DAY = env.integer("LEHIA_EXPORTS_A_DAY", 10, least=1)

# Who was to be forgotten, for backups that are restored. It must outlive the database, so a host may keep it on another disk.
LEHIA_ERASURE_LOG = env.folder("LEHIA_ERASURE_LOG", LEHIA_DATA / "erasures.jsonl")

# How long things are kept, in days; docs/privacy.md has the table.
LEHIA_UNCONFIRMED_DAYS = env.integer("LEHIA_UNCONFIRMED_DAYS", 30, least=1)
LEHIA_RAFFLE_EMAIL_DAYS = env.integer("LEHIA_RAFFLE_EMAIL_DAYS", 60, least=1)
LEHIA_TOKEN_USE_DAYS = env.integer("LEHIA_TOKEN_USE_DAYS", 365, least=1)
LEHIA_DOWNLOAD_LOG_DAYS = env.integer("LEHIA_DOWNLOAD_LOG_DAYS", 365, least=1)
LEHIA_AUDIT_DAYS = env.integer(
    "LEHIA_AUDIT_DAYS", 730, least=365
)  # younger ones the database refuses to delete
LEHIA_MAIL_DAYS = env.integer("LEHIA_MAIL_DAYS", 7, least=1)
LEHIA_LOG_DAYS = env.integer("LEHIA_LOG_DAYS", 30, least=1)
LEHIA_BACKUPS = env.folder("LEHIA_BACKUPS", LEHIA_DATA / "backups")
LEHIA_BACKUP_DAYS = env.integer("LEHIA_BACKUP_DAYS", 30, least=1)
# When the worker makes one, each day; never without.
if LEHIA_BACKUP_AT := env.clock_time("LEHIA_BACKUP_AT"):
    from celery.schedules import crontab

    CELERY_BEAT_SCHEDULE["back-up"] = {
        "task": "arena.tasks.back_up",
        "schedule": crontab(hour=LEHIA_BACKUP_AT.hour, minute=LEHIA_BACKUP_AT.minute),
    }

# Files of releases, and how many days withdrawal still takes rows out of them.
LEHIA_RELEASES = env.folder("LEHIA_RELEASES", LEHIA_DATA / "releases")
LEHIA_RELEASE_HOLD_DAYS = env.integer("LEHIA_RELEASE_HOLD_DAYS", 30)
# The Hugging Face hub, where staff may send final releases; the names are those of its own library.
HF_ENDPOINT = env.text("HF_ENDPOINT", "https://huggingface.co")
HF_TOKEN = env.text("HF_TOKEN")

LANGUAGE_CODE = "eu"
LANGUAGES = [("eu", "Euskara"), ("es", "Español"), ("fr", "Français"), ("en", "English")]
LOCALE_PATHS = [BASE_DIR / "arena" / "locale"]
FORMAT_MODULE_PATH = ["arena.formats"]
USE_I18N = True
USE_TZ = True
USE_THOUSAND_SEPARATOR = True
TIME_ZONE = "Europe/Madrid"

STATIC_URL = "/static/"
# What collectstatic writes: an image has it in itself, not in the data folder.
STATIC_ROOT = env.folder("LEHIA_STATIC", LEHIA_DATA / "static")
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "arena.storage.StaticStorage"},
}

CONTENT_SECURITY_POLICY: dict[str, dict[str, list[str] | bool]] = {
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
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = LANGUAGE_COOKIE_SECURE = LEHIA_HTTPS
if LEHIA_HTTPS:
    # browsers then take these cookies from this very host alone, and over TLS alone
    SESSION_COOKIE_NAME, CSRF_COOKIE_NAME = "__Host-sessionid", "__Host-csrftoken"
    CONTENT_SECURITY_POLICY["DIRECTIVES"]["upgrade-insecure-requests"] = True
    SECURE_SSL_REDIRECT = True
    SECURE_REDIRECT_EXEMPT = [r"\A(healthz|readyz|metrics)\Z"]  # asked for inside, without the proxy
    SECURE_HSTS_SECONDS = env.integer("LEHIA_HSTS_S", 365 * 24 * 3600)
    SECURE_HSTS_INCLUDE_SUBDOMAINS = True
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if LEHIA_PROXIES else None
    # the list of domains that browsers are shipped with is joined by whoever owns the domain, by hand
    SILENCED_SYSTEM_CHECKS = ["security.W021"]
refuse_unsafe(
    Exposure(
        https=LEHIA_HTTPS,
        debug=DEBUG,
        hosts=tuple(ALLOWED_HOSTS),
        origins=tuple(CSRF_TRUSTED_ORIGINS),
        staff_mfa=LEHIA_STAFF_MFA,
        secret_key=SECRET_KEY,
    )
)

# Model servers: loopback always, and the hosts of the private model network that the admin names.
LEHIA_MODEL_HOSTS = env.words("LEHIA_MODEL_HOSTS")

# Who may read /metrics beyond this host: holders of the token, and the networks of a monitoring server.
LEHIA_METRICS_TOKEN = env.text("LEHIA_METRICS_TOKEN")
LEHIA_METRICS_NETWORKS = env.networks("LEHIA_METRICS_NETWORKS")
# Where a worker tells its own figures, host:port; it asks nobody who they are.
LEHIA_WORKER_METRICS = env.text("LEHIA_WORKER_METRICS")

# Multiplies what a volunteer and an address may do in a while (arena.services.limits).
LEHIA_LIMITS_SCALE = env.integer("LEHIA_LIMITS_SCALE", 1, least=1)

# What is usual in ten minutes, of everybody and of a network (/24, of IPv6 /48): with more, new guests wait, and so many of a network are let in a minute.
LEHIA_USUAL_GUESTS = env.integer("LEHIA_USUAL_GUESTS", 2000, least=1)
LEHIA_USUAL_GUESTS_OF_NETWORK = env.integer("LEHIA_USUAL_GUESTS_OF_NETWORK", 200, least=1)
LEHIA_USUAL_MESSAGES = env.integer("LEHIA_USUAL_MESSAGES", 10_000, least=1)
LEHIA_USUAL_MESSAGES_OF_NETWORK = env.integer("LEHIA_USUAL_MESSAGES_OF_NETWORK", 1500, least=1)
LEHIA_COOLDOWN_GUESTS = env.integer("LEHIA_COOLDOWN_GUESTS", 20, least=1)

# Requests to the API in a minute: of an address without a token, and of a token.
LEHIA_API_PER_ADDRESS = env.integer("LEHIA_API_PER_ADDRESS", 60, least=1)
LEHIA_API_PER_TOKEN = env.integer("LEHIA_API_PER_TOKEN", 600, least=1)

# Errors go to Sentry, or to a server that speaks like it, where one is named (the extra "sentry"); what of them: arena.observing.sentry.
SENTRY_DSN = env.text("SENTRY_DSN")

# Keys stay out of error pages, Django's debug pages too.
DEFAULT_EXCEPTION_REPORTER = "arena.reporting.NamelessReporter"
DEFAULT_EXCEPTION_REPORTER_FILTER = "arena.reporting.KeylessReporterFilter"

# How many answers to a prompt set are asked for at once.
LEHIA_BATCH_IN_FLIGHT = env.integer("LEHIA_BATCH_IN_FLIGHT", 2, least=1)

# How long a turn goes on being written after the last socket left it.
LEHIA_LEAVE_GRACE_S = env.integer("LEHIA_LEAVE_GRACE_S", 60, least=1)
LEHIA_DRAIN_S = env.integer("LEHIA_DRAIN_S", 30, least=0)
# How long a process that is told to end still takes requests, while its health checks send proxies elsewhere.
LEHIA_UNREADY_S = env.integer("LEHIA_UNREADY_S", 0, least=0)

# How many lines (sockets, and streams where those are blocked) a process keeps open for one volunteer, and for one address.
LEHIA_LINES_PER_PERSON = env.integer("LEHIA_LINES_PER_PERSON", 20, least=1)
LEHIA_LINES_PER_ADDRESS = env.integer("LEHIA_LINES_PER_ADDRESS", 500, least=1)

# One JSON object a line, or lines for a person to read; what may stand in them: arena.observing.lines
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"known": {"()": "arena.observing.lines.Known"}},
    "formatters": {
        "json": {"()": "arena.observing.lines.JsonLines"},
        "lines": {"format": "{levelname} {name} {message}{ids}", "style": "{"},
    },
    "handlers": {
        "stderr": {
            "class": "logging.StreamHandler",
            "formatter": env.one_of("LEHIA_LOG_FORMAT", ("json", "lines")),
            "filters": ["known"],
        },
        "noted": {"class": "arena.observing.failures.Noted", "filters": ["known"]},
    },
    "loggers": {
        # their lines hold the full addresses of model servers, and at DEBUG what is sent there
        **{name: {"level": "WARNING"} for name in ("httpx2", "httpcore2", "openai", "anthropic")},
        "psycopg.pool": {"level": "WARNING"},  # two lines a statement otherwise
        # two lines a task, of which arena.jobs says what matters in one
        "celery": {"level": "WARNING"},
        # it set itself up before it loaded the site; its lines on requests hold whose they are
        **{name: {"handlers": [], "propagate": True} for name in ("uvicorn", "uvicorn.error")},
        "uvicorn.access": {"handlers": [], "propagate": False},
        # an error for each host name that a stranger makes up; the request's own line says 400
        "django.security.DisallowedHost": {"handlers": [], "propagate": False},
    },
    "root": {"handlers": ["stderr", "noted"], "level": env.text("LEHIA_LOG_LEVEL", "INFO")},
}

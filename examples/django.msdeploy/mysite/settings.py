"""Django's settings.

What the user chose at installation is in site.xml; what must stay secret is in data.
"""

import xml.etree.ElementTree
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

BASE_DIR = Path(__file__).resolve().parent.parent
DATA_DIR = BASE_DIR / "data"

_site = xml.etree.ElementTree.parse(BASE_DIR / "site.xml").getroot().attrib

DEBUG = _site["debug"].lower() == "true"
LANGUAGE_CODE = _site["languageCode"]

try:
    SECRET_KEY = (DATA_DIR / "secret_key.txt").read_text(encoding="ascii")
except FileNotFoundError:
    raise ImproperlyConfigured(
        "data/secret_key.txt is missing: run `python make_secret_key.py`"
    ) from None

# The Web server's bindings decide which host names reach the application.
ALLOWED_HOSTS = ["*"]

INSTALLED_APPS = ["visits"]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
ROOT_URLCONF = "mysite.urls"
WSGI_APPLICATION = "mysite.wsgi.application"
TEMPLATES = [{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True}]

DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": DATA_DIR / "db.sqlite3",
        # Several processes write: a writer waits this many seconds for another.
        "OPTIONS": {"timeout": 20},
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

USE_TZ = True
TIME_ZONE = "UTC"

# What goes wrong is written to standard error, where the gateway's log picks it up.
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {"console": {"class": "logging.StreamHandler"}},
    "root": {"handlers": ["console"], "level": "WARNING"},
}

"""Settings of the desk: the file that is named in the environment, with the settings that grc-sqlite has for its own."""

import os

SECRET_KEY = "nothing is signed here"
INSTALLED_APPS = ["django.contrib.contenttypes", "django.contrib.auth", "simple_history", "django_desk"]
USE_TZ = True
TIME_ZONE = "Europe/Paris"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# As grc-sqlite/src/connection.rs.
PRAGMAS = (
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=FULL",
    "PRAGMA wal_autocheckpoint=4000",
    "PRAGMA cache_size=-8192",
    "PRAGMA secure_delete=ON",
    "PRAGMA temp_store=MEMORY",
    "PRAGMA trusted_schema=OFF",
)
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": os.environ["DESK_DATABASE"],
        "OPTIONS": {
            # Who will write waits for the lock at once, instead of failing later.
            "transaction_mode": "IMMEDIATE",
            "timeout": 60,
            "cached_statements": 256,
            "init_command": ";".join(PRAGMAS),
        },
    }
}

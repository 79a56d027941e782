"""For gunicorn and its like: `gunicorn --preload town.wsgi`."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "town.settings")
application = get_wsgi_application()

"""Entry for WSGI servers."""

import os

from django.core.wsgi import get_wsgi_application

from mpc.serving import settle

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mpc.settings")
application = get_wsgi_application()
settle()

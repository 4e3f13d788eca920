"""Entry for ASGI servers."""

import os

from django.core.asgi import get_asgi_application

from mpc.serving import settle

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mpc.settings")
application = get_asgi_application()
settle()

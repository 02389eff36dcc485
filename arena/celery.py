"""The Celery application; its settings are the ``CELERY_`` ones of the site."""

import os

from celery import Celery

from arena.observing import jobs

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "arena.settings")
app = Celery("lehia")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks(["arena"])
jobs.connect()

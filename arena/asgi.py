"""The ASGI site: HTTP by Django, the battle's socket by Channels."""

import gc
import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "arena.settings")
http = get_asgi_application()  # loads the apps, which the imports below need

from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402  # after the apps are loaded
from channels.security.websocket import AllowedHostsOriginValidator  # noqa: E402  # after the apps are loaded
from channels.sessions import SessionMiddlewareStack  # noqa: E402  # after the apps are loaded
from django.urls import path  # noqa: E402  # after the apps are loaded

from arena.consumers import BattleConsumer  # noqa: E402  # after the apps are loaded

# Channels routes ASGI applications by Django's own patterns, which are typed for views
sockets = URLRouter([path("ws/battle/", BattleConsumer.as_asgi())])  # type: ignore[list-item,arg-type]  # see above
application = ProtocolTypeRouter(
    {"http": http, "websocket": AllowedHostsOriginValidator(SessionMiddlewareStack(sockets))}
)

# What was made up to here stays: without it a collection of garbage is over in a moment and holds no battle up.
gc.collect()
gc.freeze()

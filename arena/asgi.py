"""The ASGI site: HTTP by Django, the battle's socket by Channels."""

import gc
import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "arena.settings")
# a process that hangs within a vote holds rows that all other votes need
os.environ.setdefault("LEHIA_DB_SILENT_S", "10")
http = get_asgi_application()  # loads the apps, which the imports below need

from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402  # after the apps are loaded
from channels.sessions import SessionMiddlewareStack  # noqa: E402  # after the apps are loaded
from django.urls import path  # noqa: E402  # after the apps are loaded

import arena.urls  # noqa: E402, F401  # else the first page imports all views while others wait
import inference.providers.openai_compatible  # noqa: E402, F401  # else the first battle imports it while others wait
from arena.bodies import Bounded  # noqa: E402  # after the apps are loaded
from arena.consumers import BattleConsumer  # noqa: E402  # after the apps are loaded
from arena.lifespan import lifespan  # noqa: E402  # after the apps are loaded
from arena.observing.entry import with_ids  # noqa: E402  # after the apps are loaded
from arena.origins import SameOrigin  # noqa: E402  # after the apps are loaded
from inference import language  # noqa: E402  # after the apps are loaded

# Channels routes ASGI applications by Django's own patterns, which are typed for views
sockets = URLRouter([path("ws/battle/", BattleConsumer.as_asgi())])  # type: ignore[list-item,arg-type]  # see above
application = with_ids(
    ProtocolTypeRouter(
        {
            "http": Bounded(http),
            "websocket": SameOrigin(SessionMiddlewareStack(sockets)),
            "lifespan": lifespan,
        }
    )
)
language.load()  # else the first vote waits for it

# What was made up to here stays: without it a collection of garbage is over in a moment and holds no battle up.
gc.collect()
gc.freeze()

"""Whether this process was told to end. Health checks say so, and proxies send requests elsewhere while it still takes them."""

from __future__ import annotations

import threading

begun = threading.Event()

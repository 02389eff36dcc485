"""The API under ``/api/v1/``: what public pages show, as JSON, and with a token what only researchers see. ``docs/api.md``."""

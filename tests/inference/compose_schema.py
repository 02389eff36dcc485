"""The part of the Compose specification that a fleet's files may use, as a JSON schema of our own.

Names, types and forms as the specification has them (docs.docker.com/reference/compose-file/services/); everything else is refused, so that a
misspelt key is found.
"""

from __future__ import annotations

from typing import Any

_WORDS = {"type": "array", "items": {"type": "string"}, "minItems": 1}
_DURATION = {"type": "string", "pattern": r"^(\d+(us|ms|s|m|h))+$"}
_NAME = "^[a-zA-Z0-9._-]+$"


def _mapping(properties: dict[str, Any], required: tuple[str, ...] = ()) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(required),
        "additionalProperties": False,
    }


_DEVICE = _mapping(
    {"driver": {"type": "string"}, "device_ids": _WORDS, "capabilities": _WORDS}, required=("capabilities",)
)
_SERVICE = _mapping(
    {
        "image": {"type": "string", "pattern": r"^[a-z0-9./_-]+(:[\w.-]+)?$"},
        "entrypoint": _WORDS,
        "command": _WORDS,
        "environment": {"type": "object", "additionalProperties": {"type": "string"}},
        "env_file": _WORDS,
        "ports": {"type": "array", "items": {"type": "string", "pattern": r"^[\d.]+:\d+:\d+$"}},
        "volumes": {"type": "array", "items": {"type": "string", "pattern": r"^/[^:]+:/[^:]+:ro$"}},
        "ipc": {"type": "string"},
        "restart": {"enum": ["no", "always", "on-failure", "unless-stopped"]},
        "stop_grace_period": _DURATION,
        "healthcheck": _mapping(
            {
                "test": {"type": "array", "prefixItems": [{"enum": ["NONE", "CMD", "CMD-SHELL"]}]},
                "interval": _DURATION,
                "timeout": _DURATION,
                "retries": {"type": "integer"},
                "start_period": _DURATION,
            }
        ),
        "depends_on": {
            "type": "object",
            "patternProperties": {
                _NAME: _mapping(
                    {
                        "condition": {
                            "enum": ["service_started", "service_healthy", "service_completed_successfully"]
                        }
                    },
                    required=("condition",),
                )
            },
            "additionalProperties": False,
        },
        "deploy": _mapping(
            {
                "resources": _mapping(
                    {"reservations": _mapping({"devices": {"type": "array", "items": _DEVICE}})}
                )
            }
        ),
    },
    required=("image",),
)
COMPOSE: dict[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    **_mapping(
        {
            "name": {"type": "string", "pattern": "^[a-z0-9][a-z0-9_-]*$"},
            "services": {
                "type": "object",
                "patternProperties": {_NAME: _SERVICE},
                "additionalProperties": False,
                "minProperties": 1,
            },
        },
        required=("services",),
    ),
}

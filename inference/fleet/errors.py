"""What a fleet can fail with; a branch of :mod:`inference.errors`.

InferenceError
└── FleetError         the text is for the operator and says what to do
    ├── BadFleet       the file asks for what cannot be; names the place
    │   └── DoesNotFit a GPU or a host is too small; says what would fit
    └── FleetFailed    a server did not start, did not become healthy, or would not end
"""

from __future__ import annotations

from inference.errors import InferenceError


class FleetError(InferenceError):
    pass


class BadFleet(FleetError):
    pass


class DoesNotFit(BadFleet):
    pass


class FleetFailed(FleetError):
    pass

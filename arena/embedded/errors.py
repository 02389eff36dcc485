"""What the embedded services can fail with.

EmbeddedError
├── StartFailed   a service did not become ready; names its log
├── PortTaken     the port belongs to another program
└── LockTimeout   another process holds the data folder
"""


class EmbeddedError(Exception):
    """The root; its text is for the operator and says what to do."""


class StartFailed(EmbeddedError):
    pass


class PortTaken(EmbeddedError):
    pass


class LockTimeout(EmbeddedError):
    pass

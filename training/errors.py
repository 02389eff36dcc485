"""What training refuses.

TrainingError
├── BadRecipe          a recipe that is unknown or does not hold together; names the file and the key
├── BadSite            a cluster's file does not hold together, or a recipe does not fit the cluster; names the key
├── BadData            a chat or document that cannot be trained on
│   └── BadCheckpoint  weights that are missing, cut short or not the model's; names the file or the tensor
├── Interrupted        a run that was asked to stop, and saved; names its checkpoint
├── RunFailed          a run's process ended badly; names it
│   ├── Hung           a run's heartbeat stopped; it was killed, where that was asked for
│   └── NotFinite      a loss or a gradient was no number; names the step and the rows
├── ExportFailed       what was written is not what was read; nothing is left behind
├── MissingExtra       a package that an extra of ``pyproject.toml`` brings; names the extra
├── ServerFailed       a model server does not answer, or refuses everything; run again to go on
├── Refused            a model server will not take this one request, however often it is sent
└── Unanswered         all attempts of one request failed by what may pass
"""


class TrainingError(Exception):
    """The root; its text says what to do."""


class BadRecipe(TrainingError):
    pass


class BadSite(TrainingError):
    pass


class BadData(TrainingError):
    pass


class BadCheckpoint(BadData):
    pass


class Interrupted(TrainingError):
    pass


class RunFailed(TrainingError):
    pass


class ExportFailed(TrainingError):
    pass


class MissingExtra(TrainingError):
    pass


class NotFinite(RunFailed):
    pass


class Hung(RunFailed):
    pass


class ServerFailed(TrainingError):
    pass


class Refused(TrainingError):
    pass


class Unanswered(TrainingError):
    pass

"""What training refuses.

TrainingError
├── BadRecipe     a recipe that is unknown or does not hold together; names the file and the key
├── BadSite       a cluster's file does not hold together, or a recipe does not fit the cluster; names the key
├── BadData       a chat or document that cannot be trained on
├── Interrupted   a run that was asked to stop, and saved; names its checkpoint
└── RunFailed     a run's process ended badly; names it
    ├── Hung      a run's heartbeat stopped; it was killed, where that was asked for
    └── NotFinite a loss or a gradient was no number; names the step and the rows
"""


class TrainingError(Exception):
    """The root; its text says what to do."""


class BadRecipe(TrainingError):
    pass


class BadSite(TrainingError):
    pass


class BadData(TrainingError):
    pass


class Interrupted(TrainingError):
    pass


class RunFailed(TrainingError):
    pass


class NotFinite(RunFailed):
    pass


class Hung(RunFailed):
    pass

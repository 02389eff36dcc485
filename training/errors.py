"""What training refuses.

TrainingError
├── BadRecipe          a recipe that is unknown or does not hold together; names the file and the key
├── BadData            a chat or document that cannot be trained on
│   └── BadCheckpoint  weights that are missing, cut short or not the model's; names the file or the tensor
├── RunFailed          a run's process ended badly; names it
├── ExportFailed       what was written is not what was read; nothing is left behind
└── MissingExtra       a package that an extra of ``pyproject.toml`` brings; names the extra
"""


class TrainingError(Exception):
    """The root; its text says what to do."""


class BadRecipe(TrainingError):
    pass


class BadData(TrainingError):
    pass


class BadCheckpoint(BadData):
    pass


class RunFailed(TrainingError):
    pass


class ExportFailed(TrainingError):
    pass


class MissingExtra(TrainingError):
    pass

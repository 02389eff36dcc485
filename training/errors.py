"""What training refuses.

TrainingError
├── BadRecipe     a recipe that is unknown or does not hold together; names the file and the key
├── BadData       a chat or document that cannot be trained on
└── RunFailed     a run's process ended badly; names it
"""


class TrainingError(Exception):
    """The root; its text says what to do."""


class BadRecipe(TrainingError):
    pass


class BadData(TrainingError):
    pass


class RunFailed(TrainingError):
    pass

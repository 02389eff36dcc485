"""Whether an answer says who gave it: names of models and their makers, and the sentences in which a model speaks of itself. Pure."""

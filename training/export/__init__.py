"""From a run's checkpoint to a folder that a model server reads: weights, tokenizer, template, generation config, manifest, card.

``weights`` reads checkpoints of every layout, ``stream`` writes safetensors, ``skeleton`` is what a model has besides weights, ``adapter`` merges LoRA,
``check`` compares what was read with what was written, ``card`` is the README, ``folder`` makes it appear at once, ``job`` is all of it in order.
"""

"""The study's static benchmarks, run by EleutherAI's lm-evaluation-harness, an extra."""

"""Training runs as their folders show them. The site reads files that ``training`` writes, by ``docs/schemas/run.schema.json``, and writes none."""

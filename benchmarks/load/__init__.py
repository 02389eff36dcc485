"""The site under load: many people at once, on real processes, by real sockets. ``python -m benchmarks.load``; what each case must hold is in its module."""

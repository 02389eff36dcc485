"""Asking a model server for many rows: the wire, the pace, the seeds, and a journal that survives a kill."""

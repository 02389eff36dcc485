"""The numbers of reports that read single votes or simulate: computed when a board is published, shown by :mod:`arena.reports`."""

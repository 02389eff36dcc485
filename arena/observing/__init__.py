"""What operators see of a running site: its log lines, its figures, what failed lately.

``context`` what is known of the work at hand, ``lines`` a log line, ``entry`` each request and socket, ``jobs`` each task of a worker.
"""

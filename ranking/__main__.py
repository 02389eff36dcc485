"""``python -m ranking FILE``: see :mod:`ranking.cli`."""

import sys

from ranking.cli import main

sys.exit(main())

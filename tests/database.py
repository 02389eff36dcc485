"""A pytest plugin, named in pyproject: before Django reads its settings, a real PostgreSQL for each process of a run, in a folder of its own."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parent.parent
_DATA = Path(tempfile.mkdtemp(prefix="lehia-test-"))
_DATA.chmod(0o711)  # where there are no user namespaces the server runs as another user
(_DATA / "static").mkdir()  # looked for as soon as the site is imported
atexit.register(shutil.rmtree, _DATA, ignore_errors=True)

# Trained candidates are made once and kept beside the checkout's data.
os.environ.setdefault("LEHIA_MODELS", str(REPOSITORY / "var" / "models"))
# Sums depend on how many threads add up; and a run's processes share the cores already.
os.environ["OMP_NUM_THREADS"] = "1"
os.environ["LEHIA_DATA"] = str(_DATA)
os.environ["LEHIA_MODEL_HOSTS"] = ""
os.environ["LEHIA_LIMITS_SCALE"] = "1000"  # all tests come from one address; those of limits say so
os.environ["LEHIA_STAFF_MFA"] = (
    "0"  # tests of the admin are not about the second factor; those of that switch it on
)


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    from arena.embedded import postgres

    only_hands_out = getattr(config.option, "numprocesses", None) and not hasattr(config, "workerinput")
    if "DATABASE_URL" not in os.environ and not only_hands_out:
        postgres.start(_DATA, durable=False)
        config.add_cleanup(lambda: postgres.stop(_DATA))

"""What tests and notebook kernels have in common. In the root because hooks in tests/ do not reach notebooks/."""

import atexit
import os
import sys
import tempfile
from pathlib import Path

from utils.authoring.isolation import NO_NETWORK, isolated_environment

# Set while pytest starts, before any test imports a library or nbval starts a kernel.
_learner = tempfile.TemporaryDirectory(prefix="course-tests-", ignore_cleanup_errors=True)
atexit.register(_learner.cleanup)
os.environ.update(isolated_environment(Path(_learner.name)))
if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # kernels side by side would otherwise fight for the processors

sys.path.insert(0, str(NO_NETWORK))
import loopback_only  # noqa: E402

loopback_only.install()


def pytest_collectstart(collector):
    """Leave stderr out of nbval's comparison: what libraries say there differs from machine to machine."""
    if hasattr(collector, "skip_compare"):
        collector.skip_compare += ("stderr",)

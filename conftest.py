"""What tests and notebook kernels have in common. In the root because hooks in tests/ do not reach notebooks/."""

import atexit
import os
import sys
import tempfile
from pathlib import Path

import pytest

from utils.authoring.isolation import NO_NETWORK, isolated_environment
from utils.authoring.kept_results import FOLDER, prepare_kernels
from utils.stored_answers import STORE

# Set while pytest starts, before any test imports a library or nbval starts a kernel.
_learner = tempfile.TemporaryDirectory(prefix="course-tests-", ignore_cleanup_errors=True)
atexit.register(_learner.cleanup)
os.environ.update(isolated_environment(Path(_learner.name)))
os.environ.pop(STORE, None)  # a test run changes no stored answer
# A learner copy computes what its solution computed: workers share the results, for as long as the run lasts.
if FOLDER not in os.environ:
    _results = tempfile.TemporaryDirectory(prefix="course-results-", ignore_cleanup_errors=True)
    atexit.register(_results.cleanup)
    os.environ[FOLDER] = _results.name
prepare_kernels(Path(os.environ["IPYTHONDIR"]))
if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # kernels side by side would otherwise fight for the processors

sys.path.insert(0, str(NO_NETWORK))
import loopback_only  # noqa: E402

loopback_only.install()


def pytest_collectstart(collector):
    """Leave stderr out of nbval's comparison: what libraries say there differs from machine to machine."""
    if hasattr(collector, "skip_compare"):
        collector.skip_compare += ("stderr",)


def pytest_collection_modifyitems(items):
    """Start with what takes longest, so that no worker is left alone with it at the end."""
    from utils.course.notebook_files import run_seconds

    if "PYTEST_XDIST_WORKER" in os.environ:
        seconds = {path: run_seconds(path) for path in {item.path for item in items} if path.suffix == ".ipynb"}
        items.sort(key=lambda item: -seconds.get(item.path, 0))  # stable: a file's tests stay in their order


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """Give both copies of a notebook to one worker, the solution first; and each test file to one worker."""
    from xdist.scheduler import LoadFileScheduling

    class ByNotebook(LoadFileScheduling):
        def _split_scope(self, nodeid):
            return Path(super()._split_scope(nodeid)).name

    return ByNotebook(config, log)

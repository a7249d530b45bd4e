"""Python imports this at start-up where PYTHONPATH names its folder: no network in any process that tests start."""

import importlib.machinery
import importlib.util
import sys
from pathlib import Path

import loopback_only

HERE = Path(__file__).resolve().parent


def _run_the_one_we_hide():
    # An environment may bring its own sitecustomize (Debian's Python does); ours stands before it on the path.
    elsewhere = [entry for entry in sys.path if Path(entry or ".").resolve() != HERE]
    spec = importlib.machinery.PathFinder.find_spec("sitecustomize", elsewhere)
    if spec is not None and spec.loader is not None:
        spec.loader.exec_module(importlib.util.module_from_spec(spec))


loopback_only.install()
_run_the_one_we_hide()

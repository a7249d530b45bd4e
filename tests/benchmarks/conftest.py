"""Benchmarks need a quiet machine, so only `make bench` runs them: it names a file for the results in BENCH_JSON."""

import json
import os
from pathlib import Path

import pytest

from utils.paths import write_atomically

RESULTS = os.environ.get("BENCH_JSON")
collect_ignore_glob = [] if RESULTS else ["test_*.py"]


@pytest.fixture(scope="session")
def record():
    """Call it with name, value and unit; all of them go into BENCH_JSON at the end, failed bounds too."""
    results = {}

    def note(name, value, unit):
        results[name] = {"value": round(value, 4), "unit": unit}

    yield note
    write_atomically(Path(RESULTS), json.dumps(results, indent=1) + "\n")

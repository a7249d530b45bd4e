"""Ray on this machine alone: several real nodes, each with its own processes and object store, any of which can be
killed.  Ray is optional, and is imported only here.

Its ports are on 127.0.0.1; its dashboard and its usage reports are off.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType
from typing import Any

from utils.errors import CourseError
from utils.paths import ROOT

INSTALL = "python -m pip install -r requirements-scale.txt -c requirements.lock"
HERE = "127.0.0.1"
# Read when Ray is imported.
OFFLINE = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",  # without it, Ray takes 127.0.0.1 for this machine's public address
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",  # the future default; otherwise a warning in each process
    "RAY_DATA_DISABLE_PROGRESS_BARS": "1",
    "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1",
}
NODE = {
    "node_ip_address": HERE,
    "include_dashboard": False,
    "include_log_monitor": False,
    "no_monitor": True,  # the autoscaler, which has nothing to scale here
    "object_store_memory": 150 * 1024 * 1024,
}
SLOTS = 2  # of each node: so that one node can take over another's actor


def has_ray() -> bool:
    """Whether Ray is installed."""
    return find_spec("ray") is not None


def ray_module(name: str = "ray") -> ModuleType:
    """Ray, or one of its modules, with its reports off.  Raises CourseError when it is not installed."""
    if not has_ray():
        raise CourseError(f"Ray is not installed here: {INSTALL}.")
    os.environ.update(OFFLINE)  # whatever the environment said
    return import_module(name)


@contextmanager
def local_cluster(workers: int) -> Iterator[Any]:
    """A Ray cluster of a head node, which does no work, and that many workers; all of it is gone at the end.

    Gives Ray's `Cluster`: `remove_node(node, allow_graceful=False)` kills one of its `worker_nodes`.
    Raises CourseError when Ray is not installed.
    """
    ray = ray_module()
    logging.getLogger("ray.data").setLevel(logging.ERROR)
    cluster = None
    before = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, (str(ROOT), before)))  # the workers import this course
    try:
        cluster = ray_module("ray.cluster_utils").Cluster()
        for slots in (0, *[SLOTS] * workers):
            cluster.add_node(num_cpus=slots, **NODE)
        ray.init(cluster.address, _node_ip_address=HERE, log_to_driver=False, logging_level="ERROR")
        yield cluster
    finally:
        ray.shutdown()
        if cluster is not None:
            cluster.shutdown()
        if before is None:
            del os.environ["PYTHONPATH"]
        else:
            os.environ["PYTHONPATH"] = before

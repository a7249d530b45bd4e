"""A real JupyterHub with a real proxy on localhost, as deploy/one_machine configures it, and what it costs."""

import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from contextlib import suppress

import httpx
import psutil
import pytest

from utils.authoring.isolation import isolated_environment
from utils.paths import ROOT

RESULTS = ROOT / "build" / "hub"
PROXY = RESULTS / "node_modules" / ".bin" / "configurable-http-proxy"
CONFIG = ROOT / "deploy" / "one_machine" / "jupyterhub_config.py"
ADMIN = "teacher"
SECONDS_TO_START = 300


class Hub:
    """A hub with its own database, homes and ports; nothing of it outlives the test."""

    admin = ADMIN
    results = RESULTS

    def __init__(self, folder):
        self.folder = folder
        self.url, self.inner, self.api = (f"http://127.0.0.1:{port}" for port in _free_ports(3))
        self.process = None

    @property
    def command(self):
        """How this hub is started: the configuration of a class, on other ports."""
        return [
            sys.executable, "-m", "jupyterhub", "-f", str(CONFIG), f"--JupyterHub.bind_url={self.url}",
            f"--JupyterHub.hub_bind_url={self.inner}", f"--ConfigurableHTTPProxy.api_url={self.api}",
        ]  # fmt: skip

    @property
    def environment(self):
        """The test's own environment: what it says about progress must not reach a learner."""
        own = {"COURSE_HUB": "test", "COURSE_HUB_ADMIN": ADMIN, "COURSE_HUB_STATE": str(self.folder)}
        own["COURSE_HUB_SEATS"] = "40"  # what a class takes is measured here, not guessed from the machine's memory
        path = os.pathsep.join([str(PROXY.parent), os.environ["PATH"]])
        return os.environ | isolated_environment(self.folder / "nobody") | own | {"PATH": path}

    def home(self, name):
        """The home of a learner."""
        return self.folder / "homes" / name

    def log(self):
        """What the hub, the proxy and all servers have said."""
        return (self.folder / "hub.log").read_text(encoding="utf-8", errors="replace")

    def watch(self):
        """Begin to measure what each learner takes."""
        watch = Watch(self)
        watch.start()
        return watch

    def processes(self):
        """The hub, the proxy, all servers and all kernels."""
        hub = psutil.Process(self.process.pid)
        return [hub, *hub.children(recursive=True)]


class Watch(threading.Thread):
    """What each learner takes while it runs; what belongs to no learner (hub, proxy, culler) is under "hub".

    Memory is PSS, which counts a page that n processes share as 1/n for each.
    """

    def __init__(self, hub):
        super().__init__(daemon=True)
        self._hub, self._done = hub, threading.Event()
        self.peak_bytes, self.cpu_seconds = {}, {}

    def run(self):
        """Measure once a second."""
        while not self._done.wait(1):
            self._measure()

    def stop(self):
        """Measure once more and end."""
        self._done.set()
        self.join()
        self._measure()

    def _measure(self):
        used, seconds = Counter(), Counter()
        for process in self._hub.processes():
            with suppress(psutil.NoSuchProcess, psutil.ZombieProcess):
                learner = process.environ().get("JUPYTERHUB_USER", "hub")  # kernels have it from their server
                used[learner] += process.memory_full_info().pss
                times = process.cpu_times()
                seconds[learner] += times.user + times.system
        self.cpu_seconds = dict(seconds)
        names = used.keys() | self.peak_bytes.keys()
        self.peak_bytes = {name: max(used[name], self.peak_bytes.get(name, 0)) for name in names}


@pytest.fixture(scope="session")
def hub(tmp_path_factory):
    """One running hub for all tests."""
    if not PROXY.exists():
        pytest.fail(
            f"configurable-http-proxy is not in {PROXY.parent}: run `make test-hub`, which fetches it with npm."
        )
    folder = tmp_path_factory.mktemp("hub")
    hub = Hub(folder)
    try:
        with open(folder / "hub.log", "wb") as log:
            hub.process = subprocess.Popen(
                hub.command, cwd=folder, env=hub.environment, stdout=log, stderr=subprocess.STDOUT
            )
        _wait_until_up(hub)
        yield hub
    finally:
        _stop(hub)
        RESULTS.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(folder / "hub.log", RESULTS / "hub.log")


def _free_ports(number):
    sockets = [socket.socket() for _ in range(number)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


def _wait_until_up(hub):
    end = time.monotonic() + SECONDS_TO_START
    while time.monotonic() < end and hub.process.poll() is None:
        try:
            httpx.get(f"{hub.url}/hub/health", timeout=5).raise_for_status()
            return
        except httpx.HTTPError:
            time.sleep(0.5)
    pytest.fail(f"JupyterHub did not start within {SECONDS_TO_START} s. Its log ends: {hub.log()[-2000:]}")


def _stop(hub):
    if hub.process is None or hub.process.poll() is not None:
        return
    processes = hub.processes()
    hub.process.terminate()  # the hub ends the servers and the proxy
    _, alive = psutil.wait_procs(processes, timeout=30)
    for process in alive:
        process.kill()

"""A real JupyterLab on a copy of the learners' notebooks, and the system's Chromium to look at it."""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request

import pytest

from utils.authoring.isolation import isolated_environment
from utils.paths import NOTEBOOKS, ROOT

RESULTS = ROOT / "build" / "browser"
AXE = RESULTS / "node_modules" / "axe-core" / "axe.min.js"
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
# JupyterLab leaves cells outside the window blank unless told otherwise, and then no test can see them.
SETTINGS = {
    "notebook-extension/tracker": {"windowingMode": "none"},
    "apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False},
    "docmanager-extension/plugin": {"autosave": False},
}
THEMES = {"light": "JupyterLab Light", "dark": "JupyterLab Dark"}
SECONDS_TO_START = 120


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args):
    """Playwright's own browsers would have to be downloaded; the system has one."""
    path = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, BROWSERS)), None)
    if path is None:
        pytest.fail("No Chromium is installed: install Debian's chromium, or name a browser in CHROMIUM.")
    # Chromium refuses to run as root with its sandbox, and containers run as root.
    options = ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
    return {**browser_type_launch_args, "executable_path": path, "args": options}


@pytest.fixture(scope="session")
def axe_source():
    """The text of axe-core."""
    if not AXE.exists():
        pytest.fail(f"axe-core is not in {AXE}: run `make test-browser`, which fetches it with npm.")
    return AXE.read_text(encoding="utf-8")


@pytest.fixture(scope="session")
def screenshots():
    """The folder that keeps pictures of this run."""
    folder = RESULTS / "screenshots"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


class Lab:
    """A running JupyterLab: its address, and the files that steer it."""

    def __init__(self, folder):
        self.folder = folder
        self.url = f"http://127.0.0.1:{_free_port()}"
        self.choose_theme("light")
        for name, value in SETTINGS.items():
            self._write_setting(name, value)

    def choose_theme(self, theme):
        """Use a theme from the next page load on."""
        self._write_setting("apputils-extension/themes", {"theme": THEMES[theme]})

    def _write_setting(self, name, value):
        path = self.folder / "settings" / "@jupyterlab" / f"{name}.jupyterlab-settings"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(value), encoding="utf-8")

    @property
    def environment(self):
        """A learner without history, and a JupyterLab without its user's settings."""
        places = {
            "JUPYTERLAB_SETTINGS_DIR": "settings",
            "JUPYTERLAB_WORKSPACES_DIR": "workspaces",
            "JUPYTER_CONFIG_DIR": "config",
            "JUPYTER_RUNTIME_DIR": "runtime",
        }
        moved = {name: str(self.folder / place) for name, place in places.items()}
        return os.environ | isolated_environment(self.folder / "learner") | moved

    @property
    def command(self):
        """How this JupyterLab is started."""
        return [
            sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", "--ip=127.0.0.1",
            f"--port={self.url.rpartition(':')[2]}", "--ServerApp.port_retries=0",
            f"--ServerApp.root_dir={self.folder / 'work'}", "--IdentityProvider.token=", "--ServerApp.password=",
            "--LabApp.news_url=None", "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
            "--LabApp.expose_app_in_browser=True",
        ]  # fmt: skip


@pytest.fixture(scope="session")
def lab(tmp_path_factory):
    """One JupyterLab for all tests, so that progress made in one notebook is there in the next."""
    folder = tmp_path_factory.mktemp("lab")
    lab = Lab(folder)
    shutil.copytree(NOTEBOOKS, folder / "work" / "notebooks", ignore=shutil.ignore_patterns(".*"))
    (folder / "learner").mkdir()
    with open(folder / "server.log", "wb") as log:
        server = subprocess.Popen(lab.command, cwd=folder, env=lab.environment, stdout=log, stderr=subprocess.STDOUT)
    try:
        _wait_until_up(lab, server)
        yield lab
    finally:
        server.terminate()
        server.wait(timeout=30)
        RESULTS.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(folder / "server.log", RESULTS / "server.log")


def _free_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def _wait_until_up(lab, server):
    end = time.monotonic() + SECONDS_TO_START
    while time.monotonic() < end:
        if server.poll() is not None:
            break
        try:
            urllib.request.urlopen(f"{lab.url}/api/status", timeout=5).close()
            return
        except (urllib.error.URLError, OSError):
            time.sleep(0.5)
    log = (lab.folder / "server.log").read_text(encoding="utf-8", errors="replace")
    pytest.fail(f"JupyterLab did not start within {SECONDS_TO_START} s. Its log ends: {log[-2000:]}")

"""The files for classes: one machine, Kubernetes, Binder, a development container. Nothing is started here.

tests/hub starts a real hub with the same configuration.  Docker, Kubernetes and Binder were not at hand, so their files
are compared with what they name and, for the chart, with the keys that its schema has.
"""

import configparser
import importlib.util
import json
import os
import re
import runpy
import shutil
import subprocess
import sys
from types import SimpleNamespace
from urllib.parse import parse_qs, urlsplit

import psutil
import pytest
import yaml

from utils.course.doctor import parse_pins
from utils.course.notebook_files import notebook_paths
from utils.errors import CourseError
from utils.paths import NOTEBOOKS, ROOT

DEPLOY = ROOT / "deploy"
CONFIG = DEPLOY / "one_machine" / "jupyterhub_config.py"
README = (DEPLOY / "README.md").read_text(encoding="utf-8")
on_unix = pytest.mark.skipif(sys.platform == "win32", reason="JupyterHub does not run on Windows")

# What the chart's schema says about the keys that values.yaml uses; everything below a section with "*" is free.
# Read in jupyterhub/values.schema.yaml of jupyterhub/zero-to-jupyterhub-k8s, whose hub image has JupyterHub 5.4.5.
SCHEMA = {
    "hub.config.*": (bool, int, str, list),
    "hub.activeServerLimit": (int,),
    "hub.concurrentSpawnLimit": (int,),
    "proxy.https.enabled": (bool,),
    "proxy.https.hosts": (list,),
    "proxy.https.type": {"letsencrypt", "manual", "offload", "secret"},
    "proxy.https.letsencrypt.contactEmail": (str,),
    "singleuser.image.name": (str,),
    "singleuser.image.tag": (str,),
    "singleuser.cmd": (list, str),
    "singleuser.defaultUrl": (str,),
    "singleuser.extraEnv.*": (str,),
    "singleuser.cpu.limit": (int, float),
    "singleuser.cpu.guarantee": (int, float),
    "singleuser.memory.limit": (int, float, str),
    "singleuser.memory.guarantee": (int, float, str),
    "singleuser.storage.type": {"dynamic", "static", "none"},
    "singleuser.storage.capacity": (str,),
    "singleuser.storage.homeMountPath": (str,),
    "singleuser.uid": (int,),
    "singleuser.fsGid": (int,),
    "singleuser.allowPrivilegeEscalation": (bool,),
    "singleuser.networkPolicy.enabled": (bool,),
    "singleuser.networkPolicy.egressAllowRules.nonPrivateIPs": (bool,),
    "singleuser.networkPolicy.egressAllowRules.privateIPs": (bool,),
    "cull.enabled": (bool,),
    "cull.timeout": (int,),
    "cull.every": (int,),
}


class Section(dict):
    """JupyterHub's `c`, as far as a configuration file uses it: sections come into being when they are named."""

    def __getattr__(self, name):
        return self.setdefault(name, Section())

    def __setattr__(self, name, value):
        self[name] = value


def hub_config(monkeypatch, **variables):
    """What the configuration file says under these variables."""
    for name in [name for name in os.environ if name.startswith("COURSE_HUB")]:
        monkeypatch.delenv(name)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    found = Section()
    runpy.run_path(str(CONFIG), {"get_config": lambda: found})
    return found


def start_learner():
    """The module deploy/start_learner.py, which is no part of a package."""
    spec = importlib.util.spec_from_file_location("start_learner", DEPLOY / "start_learner.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def values():
    return yaml.safe_load((DEPLOY / "kubernetes" / "values.yaml").read_text(encoding="utf-8"))


def leaves(tree, prefix=""):
    """Every value of a tree of dictionaries with its dotted path."""
    for key, value in tree.items():
        path = f"{prefix}{key}"
        if isinstance(value, dict):
            yield from leaves(value, f"{path}.")
        else:
            yield path, value


def allowed(path):
    """The types or the values that the chart takes at a path; None where it has no such key."""
    free = (kinds for key, kinds in SCHEMA.items() if key.endswith(".*") and path.startswith(key[:-1]))
    return SCHEMA.get(path) or next(free, None)


def against_the_schema(tree):
    """What in the values the chart would refuse."""
    wrong = []
    for path, value in leaves(tree):
        known = allowed(path)
        if known is None:
            wrong.append(f"{path} is no key of the chart")
        elif value not in known if isinstance(known, set) else type(value) not in known:
            wrong.append(f"{path} may not be {value!r}")
    return wrong


# The configuration of one machine


@on_unix
def test_a_class_is_behind_localhost_and_within_limits(monkeypatch):
    c = hub_config(monkeypatch, COURSE_HUB_ADMIN="Ada", COURSE_HUB_CPUS="2", COURSE_HUB_GB="3")
    addresses = [c.JupyterHub.bind_url, c.JupyterHub.hub_bind_url, c.ConfigurableHTTPProxy.api_url]
    assert [urlsplit(address).hostname for address in addresses] == ["127.0.0.1"] * 3
    assert len(set(addresses)) == 3
    assert c.JupyterHub.spawner_class == "systemdspawner.SystemdSpawner"
    assert (c.Spawner.mem_limit, c.Spawner.cpu_limit) == ("3.0G", 2)
    assert c.Spawner.environment["OMP_NUM_THREADS"] == "2"
    assert c.SystemdSpawner.readonly_paths == [str(ROOT)]
    # The longest name leaves room for "/kernel-UUID-ipc-5" within the 107 characters that the system allows.
    learner = SimpleNamespace(user=SimpleNamespace(name="a" * 24))
    assert len(c.Spawner.environment["JUPYTER_RUNTIME_DIR"](learner)) + len("/kernel-") + 36 + len("-ipc-5") < 107
    assert c.SystemdSpawner.isolate_tmp and "--KernelManager.transport=ipc" in c.Spawner.args
    # Whoever has a seat may start at the same moment as all others.
    assert 1 <= c.JupyterHub.active_server_limit == c.JupyterHub.concurrent_spawn_limit
    # Not COURSE_PROGRESS or COURSE_LEDGER: without them both files are in the learner's home.
    assert not [name for name in c.Spawner.environment if name.startswith("COURSE")]


@on_unix
def test_the_machine_that_the_table_names_has_a_seat_for_everyone(monkeypatch):
    table = re.findall(r"^\| (\d+) \| \d+ \| (\d+) GB \|$", README, re.M)
    assert len(table) == 3
    for learners, gigabytes in table:
        memory = SimpleNamespace(total=int(gigabytes) * 2**30)
        monkeypatch.setattr(psutil, "virtual_memory", lambda memory=memory: memory)
        assert hub_config(monkeypatch, COURSE_HUB_ADMIN="ada").JupyterHub.active_server_limit == int(learners)


@on_unix
def test_nobody_comes_in_unasked(monkeypatch):
    c = hub_config(monkeypatch, COURSE_HUB_ADMIN=" Ada ")
    assert c.JupyterHub.authenticator_class == "nativeauthenticator.NativeAuthenticator"
    assert c.NativeAuthenticator.open_signup is False
    assert c.NativeAuthenticator.minimum_password_length >= 10
    assert c.Authenticator.admin_users == {"ada"}
    for name in ("hub_config", "Ada", "root/x", "a b", "ada\n", "-ada", "", "a" * 25, "../ada", "{ada}"):
        assert not re.match(c.Authenticator.username_pattern, name), name
    for name in ("ada", "a", "ada-2", "a" * 24):
        assert re.match(c.Authenticator.username_pattern, name), name


@on_unix
@pytest.mark.parametrize(
    "variables, said",
    [({}, "COURSE_HUB_ADMIN is not set"), ({"COURSE_HUB": "open", "COURSE_HUB_ADMIN": "ada"}, "class or test")],
)
def test_what_is_missing_is_said_in_one_sentence(monkeypatch, variables, said):
    with pytest.raises(SystemExit, match=said):
        hub_config(monkeypatch, **variables)


@on_unix
def test_only_the_test_runs_without_walls(monkeypatch, tmp_path):
    c = hub_config(monkeypatch, COURSE_HUB="test", COURSE_HUB_ADMIN="ada", COURSE_HUB_STATE=str(tmp_path))
    assert c.JupyterHub.spawner_class == "simple"
    assert c.SimpleLocalProcessSpawner.home_dir_template == str(tmp_path / "homes" / "{username}")
    assert c.JupyterHub.authenticator_class == "nativeauthenticator.NativeAuthenticator"


def test_no_file_opens_a_hub_to_everyone():
    for path in [path for path in DEPLOY.rglob("*") if path.is_file() and path.name != "README.md"]:
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"DummyAuthenticator|dummy|0\.0\.0\.0|open_signup\W+true|admin_access", text, re.I), path


@on_unix
def test_a_learner_gets_an_account_of_their_own_once(monkeypatch):
    import pwd

    make_account = hub_config(monkeypatch, COURSE_HUB_ADMIN="ada").Spawner.pre_spawn_hook
    spawner = Section(user=Section(name="root"))
    accounts, calls = {"course-old": None}, []
    monkeypatch.setattr(pwd, "getpwnam", lambda name: accounts[name])
    monkeypatch.setattr(subprocess, "run", lambda command, check: calls.append((command, check)))
    make_account(spawner)
    ((command, check),) = calls
    assert (command[0], command[-1], check) == ("useradd", "course-root", True)
    assert "HOME_MODE=0700" in command
    make_account(Section(user=Section(name="old")))
    assert len(calls) == 1


# A learner's own copies


def test_missing_notebooks_are_copied_and_nothing_is_replaced(tmp_path):
    copy_missing = start_learner().copy_missing
    shipped, own = notebook_paths(NOTEBOOKS)[:2], tmp_path / "course" / "notebooks"
    assert copy_missing(shipped, own) == [own / path.name for path in shipped]
    assert (own / shipped[0].name).read_bytes() == shipped[0].read_bytes()
    (own / shipped[0].name).write_text("my work", encoding="utf-8")
    (own / shipped[1].name).unlink()
    assert copy_missing(shipped, own) == [own / shipped[1].name]
    assert (own / shipped[0].name).read_text(encoding="utf-8") == "my work"


@on_unix
def test_a_link_that_leads_nowhere_stays(tmp_path):
    shipped = notebook_paths(NOTEBOOKS)[:1]
    (tmp_path / shipped[0].name).symlink_to(tmp_path / "elsewhere")
    assert start_learner().copy_missing(shipped, tmp_path) == []
    assert not (tmp_path / "elsewhere").exists()


def test_the_server_starts_even_where_nothing_can_be_copied(monkeypatch, tmp_path, capsys):
    module, started = start_learner(), []
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    monkeypatch.setattr(sys, "argv", ["start_learner.py", "--port=1"])
    monkeypatch.setattr(os, "execv", lambda program, command: started.append((program, command)))
    module.main()
    copied = sorted(path.name for path in (tmp_path / "course" / "notebooks").iterdir())
    assert copied == [path.name for path in notebook_paths(NOTEBOOKS)]

    def full(path, content):
        raise CourseError("The disk is full.")

    monkeypatch.setattr(module, "write_atomically", full)
    (tmp_path / "course" / "notebooks" / copied[0]).unlink()
    module.main()
    assert started == [(sys.executable, [sys.executable, "-m", "jupyterhub.singleuser", "--port=1"])] * 2
    assert "The disk is full." in capsys.readouterr().err


# Kubernetes and Docker


def test_the_chart_knows_every_value():
    assert against_the_schema(values()) == []


def test_a_whole_class_may_press_start_at_once():
    hub = values()["hub"]
    assert hub["concurrentSpawnLimit"] == hub["activeServerLimit"]


@pytest.mark.parametrize(
    "path, value",
    [("singleuser.memory.limits", "1G"), ("proxy.https.type", "plain"), ("cull.timeout", "3600"), ("auth.type", "x")],
)
def test_a_value_that_the_chart_refuses_is_found(path, value):
    tree = values()
    *sections, key = path.split(".")
    place = tree
    for section in sections:
        place = place.setdefault(section, {})
    place[key] = value
    assert len(against_the_schema(tree)) == 1


@on_unix
def test_a_cluster_has_the_same_rules_as_one_machine(monkeypatch):
    c, config, learner = (
        hub_config(monkeypatch, COURSE_HUB_ADMIN="ada"),
        values()["hub"]["config"],
        values()["singleuser"],
    )
    assert config["NativeAuthenticator"] == c.NativeAuthenticator
    assert config["JupyterHub"]["authenticator_class"] == c.JupyterHub.authenticator_class
    assert config["Authenticator"]["username_pattern"] == c.Authenticator.username_pattern
    # Each pod has its own localhost, so its kernels need no files to listen on.
    assert learner["extraEnv"] == {k: v for k, v in c.Spawner.environment.items() if k != "JUPYTER_RUNTIME_DIR"}
    assert learner["cpu"]["limit"] == c.Spawner.cpu_limit
    assert learner["memory"]["limit"] == c.Spawner.mem_limit
    assert learner["defaultUrl"] == c.Spawner.default_url
    assert set(learner["cmd"][2:]) <= set(c.Spawner.args)


def test_the_image_is_built_from_files_that_exist():
    text = (DEPLOY / "kubernetes" / "Dockerfile").read_text(encoding="utf-8")
    copied = [name for line in re.findall(r"^COPY (.+) \S+$", text, re.M) for name in line.split()]
    assert "requirements-hub.txt" in copied
    assert [name for name in copied if not (ROOT / name).exists()] == []
    assert re.findall(r"^USER (\S+)", text, re.M)[-1] == str(values()["singleuser"]["uid"])
    inside = re.findall(r"/srv/course/(\S+?)\"", text) + [
        part.removeprefix("/srv/course/") for part in values()["singleuser"]["cmd"] if part.startswith("/srv/course/")
    ]
    assert len(inside) == 2 and all((ROOT / name).is_file() for name in inside)
    assert "bash ./postBuild" in text


# One machine's services


def test_the_service_starts_this_configuration_and_the_proxy_leads_to_it():
    service = configparser.ConfigParser(strict=False, interpolation=None)
    service.optionxform = str
    service.read(DEPLOY / "one_machine" / "course-hub.service", encoding="utf-8")
    started = service["Service"]["ExecStart"].split()
    assert started[0].startswith("/srv/course/.venv/") and started[-1].startswith("/srv/course/")
    assert ROOT / started[-1].removeprefix("/srv/course/") == CONFIG
    state = re.search(r'"COURSE_HUB_STATE", "(.+?)"', CONFIG.read_text(encoding="utf-8"))[1]
    assert state == f"/var/lib/{service['Service']['StateDirectory']}"
    caddy = (DEPLOY / "one_machine" / "Caddyfile").read_text(encoding="utf-8")
    address = re.search(r"reverse_proxy (\S+)", caddy)[1]
    assert f'c.JupyterHub.bind_url = "http://{address}"' in CONFIG.read_text(encoding="utf-8")


# Binder, the development container, the list of packages, the page for instructors


def test_binder_finds_its_files():
    assert (ROOT / "environment.yml").is_file()
    # Either folder would hide environment.yml from repo2docker.
    assert not (ROOT / "binder").exists() and not (ROOT / ".binder").exists()
    assert not (ROOT / "Dockerfile").exists()
    text = (ROOT / "postBuild").read_text(encoding="utf-8")
    assert text.startswith("#!/usr/bin/env bash\n") and "set -euo pipefail" in text
    if sys.platform != "win32":
        assert os.access(ROOT / "postBuild", os.X_OK), "repo2docker runs postBuild only if it is executable"


@pytest.mark.skipif(shutil.which("bash") is None or sys.platform == "win32", reason="needs bash")
def test_post_build_is_a_script_that_bash_can_read():
    subprocess.run(["bash", "-n", str(ROOT / "postBuild")], check=True)


def test_the_development_container_is_set_up_by_make():
    container = json.loads((ROOT / ".devcontainer" / "devcontainer.json").read_text(encoding="utf-8"))
    target = container["postCreateCommand"].removeprefix("make ")
    assert re.search(rf"^{re.escape(target)}:", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M)
    version = container["image"].rpartition(":")[2]
    assert f"PYTHONS := {version} " in (ROOT / "Makefile").read_text(encoding="utf-8")


def test_the_hub_s_packages_are_pinned_and_go_with_the_course_s():
    text = (ROOT / "requirements-hub.txt").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    assert lines and all(re.fullmatch(r"[\w.-]+==[\w.]+", line) for line in lines)
    own = {name.lower() for name in parse_pins(text)}
    course = {name.lower() for name in parse_pins((ROOT / "requirements.lock").read_text(encoding="utf-8"))}
    assert own & course == set(), "a package of the lock is pinned twice"
    assert {"jupyterhub", "jupyterhub-nativeauthenticator", "jupyterhub-systemdspawner", "nbgitpuller"} <= own
    # The proxy's version is said in the list and in the instructor's page.
    assert re.search(r"configurable-http-proxy (\S+?)\. ", text)[1] in README


def test_the_page_names_files_and_variables_that_exist():
    links = [target for target in re.findall(r"\]\(([^)#]+)\)", README) if "://" not in target]
    assert links and [target for target in links if not (DEPLOY / target).exists()] == []
    named = set(re.findall(r"\bCOURSE_HUB\w*", README))
    assert named and named == set(re.findall(r'"(COURSE_HUB\w*)"', CONFIG.read_text(encoding="utf-8")))
    mentioned = set(re.findall(r"(?:/srv/course/)?((?:deploy|tests)/[\w./-]+\w)", README))
    assert mentioned and [name for name in mentioned if not (ROOT / name).exists()] == []


def test_the_links_for_nbgitpuller_and_binder_open_a_notebook():
    pull = urlsplit(re.search(r"https://\S+/git-pull\?\S+", README)[0])
    query = {name: value[0] for name, value in parse_qs(pull.query, strict_parsing=True).items()}
    assert pull.path == "/hub/user-redirect/git-pull"
    opened = query["urlpath"].removeprefix(f"lab/tree/{query['targetPath']}/")
    assert (ROOT / opened).is_file() and query["branch"] and query["repo"].startswith("https://")
    badge = urlsplit(re.search(r"\((https://mybinder\.org/v2/[^)\s]+)\)", README)[1])
    assert (ROOT / parse_qs(badge.query)["urlpath"][0].removeprefix("lab/tree/")).is_file()

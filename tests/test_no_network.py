"""Tests and the kernels they start reach this machine only."""

import asyncio
import os
import socket
import subprocess
import sys
import threading
import urllib.request
from pathlib import Path

import pytest

ELSEWHERE = "192.0.2.1"  # reserved for documentation: nobody answers there
REFUSED = "The course runs offline"

CHILD = f"""
import socket
try:
    socket.create_connection(("{ELSEWHERE}", 80), timeout=1)
except OSError as problem:
    print(problem)
"""


@pytest.fixture
def listener():
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server


def run_child(code, **environment):
    command = [sys.executable, "-c", code]
    return subprocess.run(command, env={**os.environ, **environment}, capture_output=True, text=True, timeout=60)


@pytest.mark.parametrize("method", ["connect", "connect_ex"])
@pytest.mark.parametrize("family, address", [(socket.AF_INET, (ELSEWHERE, 80)), (socket.AF_INET6, ("2001:db8::1", 80))])
def test_connections_to_other_machines_are_refused(method, family, address):
    try:
        client = socket.socket(family)
    except OSError:
        pytest.skip("this machine has no such address family")
    with client, pytest.raises(OSError, match=REFUSED):
        getattr(client, method)(address)


def test_datagrams_to_other_machines_are_refused():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client, pytest.raises(OSError, match=REFUSED):
        client.sendto(b"hello", (ELSEWHERE, 53))


@pytest.mark.parametrize("look_up", [lambda name: socket.getaddrinfo(name, 443), socket.gethostbyname])
def test_names_of_other_machines_are_not_looked_up(look_up):
    with pytest.raises(OSError, match=REFUSED):
        look_up("huggingface.co")


def test_libraries_on_top_of_sockets_are_refused_too():
    with pytest.raises(OSError, match=REFUSED):
        urllib.request.urlopen("https://huggingface.co", timeout=1)

    async def connect():
        await asyncio.open_connection("pypi.org", 443)

    with pytest.raises(OSError, match=REFUSED):
        asyncio.run(connect())


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_this_machine_is_reached(listener, host):
    accepting = threading.Thread(target=lambda: listener.accept()[0].close(), daemon=True)
    accepting.start()
    with socket.create_connection((host, listener.getsockname()[1]), timeout=10) as client:
        assert client.recv(1) == b""


@pytest.mark.skipif(not hasattr(socket, "AF_UNIX"), reason="this system has no Unix sockets")
def test_unix_sockets_are_reached(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # a socket's path must be short
    with socket.socket(socket.AF_UNIX) as server, socket.socket(socket.AF_UNIX) as client:
        server.bind("s")
        server.listen()
        client.connect("s")
        assert server.accept()[0].close() is None


def test_a_child_process_is_guarded_as_well():
    child = run_child(CHILD)
    assert child.stderr == ""
    assert REFUSED in child.stdout


def test_without_the_guard_the_same_child_gets_another_error():
    # The proof that it is the guard which refused above, and not this machine's want of a network.
    child = run_child(CHILD, PYTHONPATH="")
    assert child.returncode == 0, child.stderr
    assert REFUSED not in child.stdout


def test_another_sitecustomize_still_runs(tmp_path):
    (tmp_path / "sitecustomize.py").write_text("print('the other one ran')")
    child = run_child(CHILD, PYTHONPATH=os.environ["PYTHONPATH"] + os.pathsep + str(tmp_path))
    assert child.stderr == ""
    assert "the other one ran" in child.stdout
    assert REFUSED in child.stdout


def test_progress_and_ledger_are_nobody_s():
    for variable in ("COURSE_PROGRESS", "COURSE_LEDGER", "IPYTHONDIR"):
        assert Path(os.environ[variable]).parent.name.startswith("course-tests-")

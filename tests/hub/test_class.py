"""A class on one machine: learners sign in, run notebook 02 side by side to its end, and never see each other's work.

Skipped in the ordinary run: `make test-hub` installs what this needs and sets TEST_HUB.  HUB_LEARNERS=4,8 measures
classes of four and of eight; the figures are printed and kept in build/hub/class.json.
"""

import json
import os
import random
import re
import secrets
import time
import uuid
from concurrent.futures import ThreadPoolExecutor

import httpx
import psutil
import pytest
from bs4 import BeautifulSoup

from utils.course.notebook_files import code_cells, notebook_paths, read_notebook
from utils.paths import NOTEBOOKS

pytestmark = pytest.mark.skipif("TEST_HUB" not in os.environ, reason="needs JupyterHub and its proxy: make test-hub")

SIZES = [int(size) for size in os.environ.get("HUB_LEARNERS", "2").split(",")]
PATH = "notebooks/02_rag_pipeline.ipynb"
SECONDS_TO_START = 300
SECONDS_FOR_A_CELL = 600
READ_PROGRESS = """
from utils.personal_files import ledger_file, progress_file
print(progress_file().read_text(encoding="utf-8"))
"""


class CellFailedError(Exception):
    """A cell of a notebook raised."""


class Learner:
    """A person with a browser: forms, cookies, and the connection to their kernel."""

    def __init__(self, hub, name):
        self.hub, self.name = hub, name
        self.password = secrets.token_urlsafe(16)
        self.browser = httpx.Client(base_url=hub.url, follow_redirects=True, timeout=120, trust_env=False)
        self.home = f"/user/{name}/"
        self._socket = None

    def sign_up(self):
        """Ask for an account."""
        filled = {"username": self.name, "signup_password": self.password}
        return self.submit("/hub/signup", {**filled, "signup_password_confirmation": self.password})

    def sign_in(self, password=None):
        """Fill in the form on the login page.  Returns whether the hub lets this learner in."""
        # The page after it, rather than the learner's server, which a later step starts.
        self.submit("/hub/login?next=%2Fhub%2Fhome", {"username": self.name, "password": password or self.password})
        return self.browser.get("/hub/home").url.path == "/hub/home"

    def submit(self, page, filled):
        """Send the form of a page, with its hidden fields."""
        form = BeautifulSoup(self.browser.get(page).text, "html.parser").find("form", method="post")
        hidden = {field["name"]: field.get("value", "") for field in form.find_all("input", type="hidden")}
        answer = self.browser.post(httpx.URL(f"{self.hub.url}{page}").join(form["action"]), data=hidden | filled)
        answer.raise_for_status()
        return BeautifulSoup(answer.text, "html.parser").get_text(" ", strip=True)

    def start_server(self):
        """Press Start, and wait until JupyterLab shows the notebook."""
        asked = self.browser.get("/hub/spawn")
        if asked.is_error:
            said = BeautifulSoup(asked.text, "html.parser").get_text(" ", strip=True)
            raise AssertionError(f"{self.name} may not start a server: {said}")
        end = time.monotonic() + SECONDS_TO_START
        while time.monotonic() < end:
            page = self.browser.get(f"{self.home}lab/tree/{PATH}")
            if page.url.path.startswith(f"{self.home}lab"):
                page.raise_for_status()
                return
            time.sleep(1)
        raise AssertionError(f"{self.name}'s server did not start within {SECONDS_TO_START} s: {page.url}")

    def ask(self, method, path, **named):
        """A request to the learner's own server, as JupyterLab makes it."""
        answer = self.browser.request(method, f"{self.home}api/{path}", headers=self._headers, **named)
        answer.raise_for_status()
        return answer.json() if answer.content else None

    def open_notebook(self):
        """Open the notebook, start its kernel, and return the sources of its code cells."""
        notebook = self.ask("GET", f"contents/{PATH}")["content"]
        wanted = {"path": PATH, "name": PATH, "type": "notebook", "kernel": {"name": "python3"}}
        kernel = self.ask("POST", "sessions", json=wanted)["kernel"]["id"]
        websocket = pytest.importorskip("websocket")
        self._socket = websocket.create_connection(
            f"{self.hub.url.replace('http', 'ws')}{self.home}api/kernels/{kernel}/channels",
            cookie=self._cookies,
            origin=self.hub.url,
            timeout=SECONDS_FOR_A_CELL,
        )
        return [cell["source"] for cell in notebook["cells"] if cell["cell_type"] == "code"]

    def run(self, code):
        """Run a cell to its end, and return what it printed.  Raises CellFailedError."""
        asked = _request(code)
        self._socket.send(json.dumps(asked))
        printed, idle, reply = [], False, None
        while not (idle and reply):
            raw = self._socket.recv()
            message = json.loads(raw) if isinstance(raw, str) else {"parent_header": {}}
            if message["parent_header"].get("msg_id") != asked["header"]["msg_id"]:
                continue
            kind, content = message["msg_type"], message["content"]
            if kind == "stream" and content["name"] == "stdout":
                printed.append(content["text"])
            elif kind == "execute_reply":
                reply = content
            idle = idle or (kind == "status" and content["execution_state"] == "idle")
        if reply["status"] != "ok":
            raise CellFailedError(f"{self.name}: {reply.get('ename')}: {reply.get('evalue')}\n{code}")
        return "".join(printed)

    def write(self, path, text):
        """Save a text file in the learner's folder."""
        self.ask("PUT", f"contents/{path}", json={"type": "file", "format": "text", "content": text})

    def status_of(self, path):
        """What the hub answers to a request for any path: 200, 403, 404."""
        return self.browser.get(path).status_code

    def leave(self):
        """Stop the server and close the browser."""
        if self._socket is not None:
            self._socket.close()
        hidden = {"X-XSRFToken": self._token("/hub/")}
        self.browser.delete(f"/hub/api/users/{self.name}/server", headers=hidden)
        self.browser.close()

    def _token(self, path):
        return next(
            cookie.value for cookie in self.browser.cookies.jar if (cookie.name, cookie.path) == ("_xsrf", path)
        )

    @property
    def _headers(self):
        return {"X-XSRFToken": self._token(self.home)}

    @property
    def _cookies(self):
        mine = (cookie for cookie in self.browser.cookies.jar if self.home.startswith(cookie.path))
        return "; ".join(f"{cookie.name}={cookie.value}" for cookie in mine)


def _request(code):
    header = {"msg_id": uuid.uuid4().hex, "msg_type": "execute_request", "username": "", "session": "", "date": ""}
    content = {"code": code, "silent": False, "store_history": True, "allow_stdin": False, "stop_on_error": True}
    return {
        "channel": "shell", "header": header | {"version": "5.3"}, "parent_header": {}, "metadata": {},
        "content": content, "buffers": [],
    }  # fmt: skip


@pytest.fixture(scope="session")
def teacher(hub):
    """The instructor, who lets learners in."""
    person = Learner(hub, hub.admin)
    person.sign_up()
    assert person.sign_in()
    return person


@pytest.fixture
def enrol(hub, teacher):
    """Makes learners who have signed up and were let in; their servers are stopped afterwards."""
    learners = []

    def make(name):
        learner = Learner(hub, name)
        assert "sent to the admin" in learner.sign_up()
        teacher.browser.get(f"/hub/authorize/{name}").raise_for_status()
        learners.append(learner)
        return learner

    yield make
    for learner in learners:
        learner.leave()


def test_nobody_comes_in_without_the_right_password_and_the_instructor_s_word(hub, teacher):
    stranger = Learner(hub, "stranger")
    stranger.sign_up()
    assert not stranger.sign_in()
    teacher.browser.get("/hub/authorize/stranger").raise_for_status()
    assert not stranger.sign_in("another password")
    assert stranger.sign_in()
    weak = Learner(hub, "weak")
    weak.password = "password12"
    assert "not too common" in weak.sign_up()
    odd = Learner(hub, "../../root")
    assert "Something went wrong" in odd.sign_up()
    assert not odd.sign_in()


def test_everything_listens_on_this_machine_only(hub):
    listening = {
        connection.laddr.ip
        for process in hub.processes()
        for connection in process.net_connections("inet")
        if connection.status == psutil.CONN_LISTEN
    }
    assert listening and listening <= {"127.0.0.1", "::1"}


def test_more_learners_than_processors_may_press_start_at_once(enrol):
    learners = [enrol(f"early-{seat}") for seat in range(2 * psutil.cpu_count() + 1)]
    with ThreadPoolExecutor(len(learners)) as class_room:
        list(class_room.map(_arrive, learners))


@pytest.mark.parametrize("size", SIZES)
def test_a_class_runs_the_notebook_and_everyone_keeps_to_themselves(size, hub, enrol):
    learners = [enrol(f"learner-{size}-{seat}") for seat in range(size)]
    watch, start = hub.watch(), time.monotonic()
    with ThreadPoolExecutor(size) as class_room:
        list(class_room.map(_arrive, learners))
        ready = time.monotonic()
        seconds = list(class_room.map(_run_all, learners))
    watch.stop()
    _report(hub, size, ready - start, seconds, watch)
    _keep_to_themselves(hub, learners)
    with pytest.raises(CellFailedError, match="ZeroDivisionError"):
        learners[0].run("1 / 0")
    assert re.search(r" 200 GET /hub/api/users\S* \(idle-culler@", hub.log()), "idle servers would not be found"


def _arrive(learner):
    assert learner.sign_in(), f"{learner.name} could not sign in"
    learner.start_server()


def _run_all(learner):
    """Everyone presses Run All Cells at once.  Returns the seconds until the last cell is done."""
    start = time.monotonic()
    shipped = [cell.source for cell in code_cells(read_notebook(NOTEBOOKS / PATH.rpartition("/")[2]))]
    sources = learner.open_notebook()
    assert sources == shipped
    for source in sources:
        learner.run(source)
    return time.monotonic() - start


def _keep_to_themselves(hub, learners):
    answers = dict(zip(learners, map(str, random.sample(range(10_000, 99_999), len(learners))), strict=True))
    for learner, answer in answers.items():
        learner.run(f"quiz.answer('recall_ceiling', {answer})")
        learner.write("note.txt", answer)
    for learner, answer in answers.items():
        progress = json.loads(learner.run(READ_PROGRESS))
        assert {one["option"] for one in progress["answers"].values()} == {answer}
        assert learner.ask("GET", "contents/note.txt")["content"] == answer
        assert learner.run("print(ledger_file(), progress_file())").count(str(hub.home(learner.name))) == 2
        assert sorted(path.name for path in (hub.home(learner.name) / "course" / "notebooks").glob("*.ipynb")) == [
            path.name for path in notebook_paths(NOTEBOOKS)
        ]
        for other in learners:
            expected = 200 if other is learner else 403
            for path in ("api/contents/note.txt", "files/note.txt", f"lab/tree/{PATH}"):
                assert learner.status_of(other.home + path) == expected, (learner.name, other.home + path)


def _report(hub, size, seconds_to_start, seconds, watch):
    memory = [used / 2**30 for name, used in watch.peak_bytes.items() if name.startswith(f"learner-{size}-")]
    cpu = [used for name, used in watch.cpu_seconds.items() if name.startswith(f"learner-{size}-")]
    assert len(memory) == len(cpu) == size, "a learner's processes were not seen"
    figures = {
        "learners": size,
        "seconds_from_sign_in_to_jupyterlab": round(seconds_to_start, 1),
        "seconds_of_the_slowest_run": round(max(seconds), 1),
        "cpu_seconds_of_a_learner": round(sum(cpu) / size, 1),
        "gb_of_the_largest_learner": round(max(memory), 2),
        "gb_of_all_learners": round(sum(memory), 2),
        "gb_of_hub_and_proxy": round(watch.peak_bytes["hub"] / 2**30, 2),
    }
    print(json.dumps(figures))
    file = hub.results / "class.json"
    kept = json.loads(file.read_text(encoding="utf-8")) if file.exists() else []
    file.write_text(json.dumps([*kept, figures], indent=1) + "\n", encoding="utf-8")

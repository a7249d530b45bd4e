"""Is everything the course needs in place?  One line per check, with the fix in plain words."""

import importlib.metadata
import os
import shutil
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from utils.errors import CourseError
from utils.paths import ROOT
from utils.personal_files import ledger_file, progress_file
from utils.sampling import VARIABLE, chosen_share

PYTHONS = ((3, 11), (3, 12), (3, 13))
MEMORY_BYTES = 2 * 2**30  # for the largest notebook, and JupyterLab beside it
MEMORY_FOR_TWO = 3 * 2**30
DISK_BYTES = 2 * 2**30
SET_UP = "run `make lab`, or `conda env update -f environment.yml` in a conda environment"
# The same package under another name: conda-forge calls FAISS `faiss`.
OTHER_NAMES = {"faiss-cpu": ("faiss",)}

Verdict = Literal["ok", "fix", "note"]


@dataclass(frozen=True)
class Finding:
    """What one check found.  verdict: `fix` means the course cannot run yet, `note` that something is limited."""

    name: str
    verdict: Verdict
    sentence: str

    def __str__(self) -> str:
        return f"{self.verdict:<5}{self.name}: {self.sentence}"


def diagnose() -> list[Finding]:
    """The finding of every check, in the order in which you would fix them."""
    return [
        check_python(),
        _guarded("packages", check_packages),
        _guarded("generator", check_generator),
        _guarded("embedder", check_embedder),
        _guarded("smollm2", check_smollm2),
        _guarded("datasets", check_datasets),
        check_memory(),
        check_disk(),
        check_checkout(),
        _guarded("progress", check_progress),
    ]


def report(findings: Iterable[Finding], quiet: bool = False) -> bool:
    """Print the findings, or only those that are not ok if quiet.  Returns True when nothing must be fixed."""
    findings = list(findings)
    for finding in findings:
        if not (quiet and finding.verdict == "ok"):
            print(finding)
    return all(finding.verdict != "fix" for finding in findings)


def check_python() -> Finding:
    """Whether the packages are pinned for this version of Python."""
    running = ".".join(map(str, sys.version_info[:3]))
    if sys.version_info[:2] in PYTHONS:
        return Finding("Python", "ok", running)
    *others, last = (f"{major}.{minor}" for major, minor in PYTHONS)
    wanted = f"{', '.join(others)} or {last}"
    return Finding("Python", "fix", f"this is {running}, the course needs {wanted}: install one, then {SET_UP}.")


def check_packages(requirements: Path = ROOT / "requirements.txt") -> Finding:
    """Whether every package is installed at its pinned version."""
    pins = parse_pins(requirements.read_text(encoding="utf-8"))
    wrong = [problem for name, wanted in pins.items() if (problem := _package_problem(name, wanted))]
    if wrong:
        return Finding("packages", "fix", f"{'; '.join(wrong)}: {SET_UP}.")
    return Finding("packages", "ok", f"{len(pins)} installed as pinned")


def check_generator() -> Finding:
    """Whether the shipped language model is complete and unchanged.  Raises CourseError if not."""
    from utils.models import verify_generator

    verify_generator()
    return Finding("generator", "ok", "complete and unchanged")


def check_embedder() -> Finding:
    """Whether the embedding model is installed and unchanged.  Raises CourseError if not."""
    from utils.models import embedder_folder

    embedder_folder()
    return Finding("embedder", "ok", "installed and unchanged")


def check_smollm2() -> Finding:
    """Whether the real pretrained model is there, which is optional.  Raises CourseError if it is damaged.

    It also raises CourseError where COURSE_GENERATOR asks for the model and it is missing.
    """
    from utils import smollm2

    if smollm2.is_ready():
        return Finding("smollm2", "ok", "converted and unchanged")
    wanted = os.environ.get("COURSE_GENERATOR", "").strip().lower() == smollm2.ALIAS
    if not smollm2.is_installed() and not wanted:
        return Finding("smollm2", "ok", "not installed, which is optional: `make smollm2` does it")
    smollm2.packaged_gguf()
    return Finding("smollm2", "ok", "installed, converted on first use")


def check_datasets() -> Finding:
    """Whether the handbook and its questions can be read.  Raises CourseError if not."""
    from utils.datasets import load_articles, load_questions

    articles, questions = load_articles(), load_questions("test")
    share = chosen_share()
    asked = f"{len(questions)} test questions" + (f", a share of {share:g} ({VARIABLE})" if share < 1 else "")
    return Finding("datasets", "ok" if share == 1 else "note", f"{len(articles)} articles, {asked}")


def check_memory() -> Finding:
    """Whether enough memory is free for the largest notebook, and for a second one beside it."""
    try:
        free = free_memory()
    except ImportError:
        return Finding("memory", "note", "cannot be read before the packages are installed.")
    if free < MEMORY_BYTES:
        sentence = f"{_gib(free)} are free, notebooks need up to {_gib(MEMORY_BYTES)}: close other programs or kernels."
        return Finding("memory", "fix", sentence)
    if free < MEMORY_FOR_TWO:
        sentence = f"{_gib(free)} are free, enough for one notebook: shut down its kernel before you open the next."
        return Finding("memory", "note", sentence)
    return Finding("memory", "ok", f"{_gib(free)} free")


def check_disk(folder: Path = ROOT) -> Finding:
    """Whether enough disk is free for what notebooks write."""
    free = shutil.disk_usage(folder).free
    if free < DISK_BYTES:
        sentence = (
            f"{_gib(free)} are free on the disk of {folder}, the course needs {_gib(DISK_BYTES)}: free some space."
        )
        return Finding("disk", "fix", sentence)
    return Finding("disk", "ok", f"{_gib(free)} free")


def check_checkout(folder: Path = ROOT) -> Finding:
    """Whether notebooks can be saved in this folder."""
    if _may_write(folder):
        return Finding("checkout", "ok", "notebooks can be saved")
    sentence = f"{folder} is read-only: notebooks run, but your edits are not saved unless you work in a copy of it."
    return Finding("checkout", "note", sentence)


def check_progress() -> Finding:
    """Whether quiz answers and measurements can be kept from one notebook to the next."""
    # Saving puts a new file in the place of the old one, so the folder counts.
    closed = [path for path in (progress_file(), ledger_file()) if not _may_write(path.parent)]
    if not closed:
        return Finding("progress", "ok", f"kept in {progress_file().parent}")
    fix = "set COURSE_PROGRESS and COURSE_LEDGER to files that you can write to"
    sentence = f"{closed[0]} cannot be written, so quiz answers and measurements are not kept: {fix}."
    return Finding("progress", "note", sentence)


def parse_pins(text: str) -> dict[str, str]:
    """The pins of a requirements file that apply to this computer: name to version.

    Raises CourseError for a line that does not pin one version.
    """
    from packaging.requirements import InvalidRequirement, Requirement

    pins = {}
    for line in filter(None, (line.partition("#")[0].strip() for line in text.splitlines())):
        try:
            wanted = Requirement(line)
            (pin,) = [one.version for one in wanted.specifier if one.operator == "=="]
        except (InvalidRequirement, ValueError):
            raise CourseError(f"{line!r} is not pinned: write it as name==version.") from None
        if wanted.marker is None or wanted.marker.evaluate():
            pins[wanted.name] = pin
    return pins


def free_memory() -> int:
    """Bytes of memory that a notebook can still use, within the limit of a container if there is one."""
    import psutil

    free = psutil.virtual_memory().available
    room = _container_room()
    return free if room is None else min(free, room)


def _guarded(name: str, check: Callable[[], Finding]) -> Finding:
    # A broken file must not stop the checks that come after it.
    try:
        return check()
    except ImportError as problem:
        return Finding(name, "fix", f"cannot be checked, because {_first_line(problem)}: {SET_UP}.")
    except (CourseError, OSError, ValueError) as problem:
        return Finding(name, "fix", _first_line(problem))


def _first_line(problem: Exception) -> str:
    return (str(problem) or type(problem).__name__).splitlines()[0]


def _package_problem(name: str, wanted: str) -> str | None:
    installed = _installed_version(name)
    if installed is None:
        return f"{name} is not installed"
    # A local suffix such as torch's +cpu names the build, not another release.
    return None if installed.partition("+")[0] == wanted else f"{name} is {installed}, not {wanted}"


def _installed_version(name: str) -> str | None:
    for candidate in (name, *OTHER_NAMES.get(name, ())):
        try:
            return importlib.metadata.version(candidate)
        except importlib.metadata.PackageNotFoundError:
            continue
    return None


def _container_room(root: Path = Path("/sys/fs/cgroup"), own: Path = Path("/proc/self/cgroup")) -> int | None:
    """Bytes that Linux still gives this process within the limits of its groups; None where there is none.

    A container, or a hub, sets the limit on the process's own group or on one around it.
    """
    try:
        name = next(line[3:] for line in own.read_text().splitlines() if line.startswith("0::"))
    except (OSError, StopIteration):
        name = "/"
    group = root / name.strip().lstrip("/")
    rooms = [_room_in(each) for each in (group, *group.parents) if each.is_relative_to(root)]
    return min((room for room in rooms if room is not None), default=None)


def _room_in(group: Path) -> int | None:
    try:
        limit, used = ((group / name).read_text().strip() for name in ("memory.max", "memory.current"))
        stat = dict(line.split() for line in (group / "memory.stat").read_text().splitlines())
        # Pages of files that nobody reads now count as used, and are given up as soon as somebody needs the room.
        return None if limit == "max" else int(limit) - int(used) + int(stat["inactive_file"])
    except (OSError, ValueError, KeyError):
        return None


def _may_write(path: Path) -> bool:
    # A path that does not exist yet can be created if its nearest existing parent is writable.
    existing = next(place for place in (path, *path.absolute().parents) if place.exists())
    return os.access(existing, os.W_OK)


def _gib(size: int) -> str:
    return f"{size / 2**30:.1f} GiB"

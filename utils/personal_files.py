"""The learner's own files, outside the checkout, and what the environment says about them."""

from __future__ import annotations

import hashlib
import os
import re
from pathlib import Path

import platformdirs

from utils.errors import CourseError
from utils.paths import ROOT
from utils.sampling import chosen_share

OTHER_MODELS = ("COURSE_GENERATOR", "COURSE_MODEL", "COURSE_EMBEDDER")


def progress_file() -> Path:
    """The file with the learner's quiz answers: COURSE_PROGRESS, or a file in the user's data folder.

    A relative COURSE_PROGRESS starts at the root of the checkout, so it names the same file from every folder.
    Raises CourseError when it begins with "~" and the name of a user who does not exist.
    """
    return _personal_file("COURSE_PROGRESS", "progress.json")


def ledger_file(own: bool = False) -> Path:
    """The file with the learner's measurements: COURSE_LEDGER, or a file in the user's data folder.

    A relative COURSE_LEDGER starts at the root of the checkout, so it names the same file from every folder.
    Where COURSE_GENERATOR or COURSE_EMBEDDER names another model, or COURSE_SHARE takes only some of the questions,
    there is a file of its own beside this one: such figures must not replace those of the course.
    own: the course's file, whatever the variables say.
    Raises CourseError when it begins with "~" and the name of a user who does not exist, or when the share is none.
    """
    file = _personal_file("COURSE_LEDGER", "ledger.json")
    setting = "" if own else _setting()
    if not setting:
        return file
    # Only the first name is readable, often the model's: an address may hold a password.
    first, _, _ = setting.partition(" ")
    readable = "server" if "://" in first else re.sub(r"[^a-z0-9]+", "-", Path(first).name.lower()).strip("-")
    mark = hashlib.sha256(setting.encode()).hexdigest()[:8]
    return file.with_name(f"{file.stem}-{readable[:40] or 'embedder'}-{mark}{file.suffix}")


def _setting() -> str:
    """What makes figures others than the course's: models, and a share of the questions; empty where nothing does."""
    share = chosen_share()
    return " ".join(filter(None, (other_models(), f"share {share:g}" if share < 1 else "")))


def other_models() -> str:
    """The models that the environment puts in the place of the course's, each always spelled the same; else empty."""
    named = {name: os.environ.get(name, "").strip().rstrip("/") for name in OTHER_MODELS}
    generator, embedder = named["COURSE_GENERATOR"], named["COURSE_EMBEDDER"]
    if generator.lower() == "smollm2":
        generator = "smollm2"
    if "://" in generator:  # the name on the server counts for nothing else
        generator = f"{generator} {named['COURSE_MODEL']}"
    return " ".join(filter(None, (generator, embedder and f"embedder {embedder}"))).strip()


def _personal_file(variable: str, name: str) -> Path:
    # Outside the checkout: it survives a fresh clone, and works where the checkout is read-only.
    named = os.environ.get(variable)
    if not named:
        return platformdirs.user_data_path("finetune-or-rag") / name
    try:
        return ROOT / Path(named).expanduser()  # an absolute path stays as it is
    except RuntimeError:
        raise CourseError(
            f"{variable} names a folder of a user who does not exist here ({named}): give the whole path instead."
        ) from None

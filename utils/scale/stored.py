"""What notebook A3 does not compute itself, in `datasets/scale/`: measurements of real runs, with machine, command and
date, for what takes minutes or needs Ray; and the vectors of real sentences.
"""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Mapping, Sequence
from datetime import date
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import BaseModel, ConfigDict, ValidationError
from safetensors import SafetensorError
from safetensors.numpy import load, save

from utils.errors import CourseError
from utils.paths import DATASETS, write_atomically

FOLDER = DATASETS / "scale"
VECTORS = "sentences.safetensors"
TENSOR = "vectors"  # its name in that file
PACKAGES = ("faiss-cpu", "numpy", "ray", "torch")

Row = dict[str, Any]


class StoredRun(BaseModel):
    """One command's measurements: one row each, with the same fields.  about: what holds for all of them."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    command: str
    date: str
    machine: str
    versions: dict[str, str]
    about: dict[str, Any]
    rows: list[Row]

    def in_words(self) -> str:
        """Where the numbers come from, in one line."""
        return f"Stored: `{self.command}`, {self.date}, on {self.machine}."


def load_run(name: str, folder: Path = FOLDER) -> StoredRun:
    """The stored run of that name, such as "indexes".  Raises CourseError when it is missing or broken."""
    path = folder / f"{name}.json"
    try:
        return StoredRun.model_validate_json(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise CourseError(f"{path} is missing: restore it with git, or run `python -m utils.scale {name}`.") from None
    except (ValidationError, UnicodeDecodeError):
        raise CourseError(f"{path} is broken: restore it with git, or run `python -m utils.scale {name}`.") from None


def save_run(
    name: str, command: str, rows: Sequence[Row], about: Mapping[str, Any] | None = None, folder: Path = FOLDER
) -> Path:
    """Stores a run in the place of an earlier one of that name.  Raises CourseError when it cannot be written."""
    run = StoredRun(
        command=command,
        date=date.today().isoformat(),
        machine=machine(),
        versions=versions(),
        about=dict(about or {}),
        rows=list(rows),
    )
    path = folder / f"{name}.json"
    write_atomically(path, json.dumps(run.model_dump(), indent=1, ensure_ascii=False) + "\n")
    return path


def load_vectors(folder: Path = FOLDER) -> np.ndarray:
    """The vectors of 1,500 real sentences, of unit length.  Raises CourseError when they are missing or broken."""
    path = folder / VECTORS
    try:
        vectors = load(path.read_bytes())[TENSOR].astype(np.float32)
    except (OSError, SafetensorError, KeyError):
        raise CourseError(
            f"{path} is missing or broken: restore it with git, or run `python -m utils.scale vectors`."
        ) from None
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def save_vectors(vectors: np.ndarray, folder: Path = FOLDER) -> Path:
    """Stores vectors with two bytes for each number.  Raises CourseError when they cannot be written."""
    write_atomically(folder / VECTORS, save({TENSOR: np.ascontiguousarray(vectors, dtype=np.float16)}))
    return folder / VECTORS


def machine() -> str:
    """This machine in words: processor, cores and system, and no name of its own."""
    return f"{_processor()}, {os.cpu_count()} cores, {platform.system()}, Python {platform.python_version()}"


def versions() -> dict[str, str]:
    """The versions of the packages that the measurements depend on, of those that are installed."""
    found = {}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:  # only Linux has it
        return platform.machine()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())

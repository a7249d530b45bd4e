"""Writes the generated data sets: `python -m utils.world [--check]`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from utils.paths import DATASETS, write_atomically
from utils.world.datasets import dataset_files

GENERATED = ("handbook", "questions", "finetuning", "capstone")


def main(arguments: list[str]) -> int:
    """Writes every file that differs; with --check only names them and returns 1."""
    parser = argparse.ArgumentParser(prog="python -m utils.world", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; fail when a file differs")
    check = parser.parse_args(arguments).check
    files = dataset_files()
    there = {p.relative_to(DATASETS).as_posix() for part in GENERATED for p in _files_below(DATASETS / part)}
    changed = [name for name, text in files.items() if not (DATASETS / name).exists() or _read(name) != text]
    extra = sorted(there - set(files))
    for name in [*changed, *extra]:
        print(f"datasets/{name}: {'differs' if check else 'written' if name in files else 'removed'}")
    if not check:
        for name in changed:
            write_atomically(DATASETS / name, files[name])
        for name in extra:
            (DATASETS / name).unlink()
    return int(check and bool(changed or extra))


def _files_below(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def _read(name: str) -> str:
    return (DATASETS / name).read_text(encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

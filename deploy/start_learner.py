"""Start one learner's server, after giving the learner a copy of each notebook that they do not have yet.

JupyterHub runs this in place of `jupyterhub-singleuser`, as the learner: so it can read and write what the learner may,
and nothing else. Notebooks that are there already stay as they are, whatever the learner did to them.
"""

import os
import sys
from collections.abc import Iterable
from pathlib import Path

from utils.errors import CourseError
from utils.paths import NOTEBOOKS, write_atomically

FOLDER = "course"  # in the learner's home; c.Spawner.notebook_dir and values.yaml name it too


def copy_missing(notebooks: Iterable[Path], folder: Path) -> list[Path]:
    """Copy the notebooks that `folder` lacks, and return the new paths.  Never replaces a file.

    Raises CourseError when the folder may not be written or the disk is full.
    """
    missing = [(path, folder / path.name) for path in notebooks if not os.path.lexists(folder / path.name)]
    for source, target in missing:
        write_atomically(target, source.read_bytes())
    return [target for _, target in missing]


def main() -> None:
    """Copy what is missing, then become the learner's server."""
    try:
        copy_missing(sorted(NOTEBOOKS.glob("*.ipynb")), Path.home() / FOLDER / "notebooks")
    except CourseError as problem:
        print(problem, file=sys.stderr)  # a learner with a full disk needs the server to free some space
    os.execv(sys.executable, [sys.executable, "-m", "jupyterhub.singleuser", *sys.argv[1:]])


if __name__ == "__main__":
    main()

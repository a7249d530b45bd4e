"""Building the site: pages for Sphinx in one folder, HTML in another."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

from utils.authoring.site.pages import site_pages
from utils.errors import CourseError
from utils.paths import ROOT, write_atomically

OUT = ROOT / "build" / "site"
CONFIGURATION = ROOT / "docs" / "site"
TOOLS = OUT / "venv"
SECONDS = 600


def build_site(out: Path = OUT, address: str = "") -> Path:
    """Build the site and return the folder with its HTML.

    Replaces `out`/pages and `out`/html, and executes nothing: the outputs are those stored in the solutions.
    address: as for `site_pages`.
    Raises CourseError when Sphinx is missing, or when it warns of anything, such as a link that leads nowhere.
    """
    python = python_with_sphinx()
    if python is None:
        raise CourseError(
            "Sphinx is not installed here: run `make site`, or install requirements-site.txt into a virtual "
            "environment of its own and run this command with that environment's Python."
        )
    pages, html = out / "pages", out / "html"
    for folder in (pages, html):
        shutil.rmtree(folder, ignore_errors=True)
    for path, content in site_pages(address).items():
        write_atomically(pages / path, content)
    _run_sphinx(python, pages, html)
    return html


def python_with_sphinx() -> str | None:
    """The Python that has the site's tools: this one, or that of `make site`; None when neither has them."""
    if importlib.util.find_spec("myst_nb"):
        return sys.executable
    names = ("bin/python", "Scripts/python.exe")
    return next(
        (str(TOOLS / name) for name in names if (TOOLS / ".installed").exists() and (TOOLS / name).exists()), None
    )


def size_of(folder: Path) -> tuple[int, int]:
    """The number of pages in a folder, and the bytes of all its files."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    return sum(path.suffix == ".html" for path in files), sum(path.stat().st_size for path in files)


def _run_sphinx(python: str, pages: Path, html: Path) -> None:
    # Warnings are errors. Doctrees are not kept: each build is complete, so that no page is out of date.
    options = [
        "-b",
        "html",
        "-q",
        "-W",
        "--keep-going",
        "-E",
        "-a",
        "-c",
        str(CONFIGURATION),
        "-d",
        str(pages / ".doctrees"),
    ]
    done = subprocess.run(
        [python, "-m", "sphinx", *options, str(pages), str(html)],
        capture_output=True, text=True, encoding="utf-8", errors="replace", timeout=SECONDS,
        env=os.environ | {"PYTHONUTF8": "1"}, cwd=ROOT,
    )  # fmt: skip
    if done.returncode:
        raise CourseError(f"Sphinx found problems, and the site is not complete:\n{done.stderr.strip()}")

"""The command line for authors: `python -m utils.authoring --help`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from utils.command_line import run


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status."""
    return run(_parser(), arguments)


# Each command imports its own modules: `build` must not wait for PyTorch.


def _build(options: argparse.Namespace) -> int:
    from utils.authoring.build import build, drift
    from utils.authoring.output_checks import unexecuted
    from utils.course.notebook_files import label

    if options.check:
        return _report([*drift(), *unexecuted()])
    written = build()
    for path in written:
        print(f"{label(path)} written")
    print(f"{len(written)} learner copies changed")
    return 0


def _refresh(options: argparse.Namespace) -> int:
    from utils.authoring.refresh import refresh

    refresh(options.names)
    return 0


def _quizzes(options: argparse.Namespace) -> int:
    from utils.authoring.quiz_lint import problems

    found = problems()
    if not found:
        print("The quizzes are in form, and every proof is there.")
    return _report(found)


def _datasets(options: argparse.Namespace) -> int:
    from utils.authoring.world.files import stale_files, write_files

    if options.check:
        return _report([f"datasets/{name}: differs" for name in stale_files()])
    for name, what in write_files().items():
        print(f"datasets/{name}: {what}")
    return 0


def _site(options: argparse.Namespace) -> int:
    from utils.authoring.site.build import build_site, size_of

    html = build_site(address=options.address)
    pages, size = size_of(html)
    print(f"{pages} pages, {size / 1e6:.1f} MB: open {html / 'index.html'}")
    return 0


def _teaching(options: argparse.Namespace) -> int:
    from utils.authoring.teaching.pages import FOLDER, stale_pages, write_pages

    if options.check:
        return _report(stale_pages())
    for name in write_pages():
        print(f"{FOLDER.name}/{name} changed")
    return 0


def _slides(options: argparse.Namespace) -> int:
    from utils.authoring.slides import make_decks

    for path in make_decks(Path(options.out), Path(options.node_modules)):
        print(path)
    return 0


def _headline(options: argparse.Namespace) -> int:
    from utils.authoring.headline import stale, write

    if options.check:
        return _report(stale())
    for name in write():
        print(f"{name} changed")
    return 0


def _editions(options: argparse.Namespace) -> int:
    from utils.authoring.editions import write_editions

    for result in write_editions():
        print(f"edition {result.edition}: template {result.template:.0%}, hybrid {result.hybrid:.0%}", flush=True)
    return 0


def _report(problems: Sequence[str]) -> int:
    for problem in problems:
        print(problem)
    return 1 if problems else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m utils.authoring",
        description="Tools for authors. The model has its own: python -m utils.authoring.pretraining --help.",
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    build = commands.add_parser("build", help="make notebooks/ from solutions/")
    build.add_argument("--check", action="store_true", help="write nothing; say what is out of step, and fail if any")
    build.set_defaults(command=_build)

    refresh = commands.add_parser("refresh", help="execute solutions again and store their outputs")
    refresh.add_argument("names", nargs="*", metavar="NAME", help="how a file name begins, such as 02; all if none")
    refresh.set_defaults(command=_refresh)

    quizzes = commands.add_parser("quizzes", help="are the quizzes in form and fair, and does their evidence exist?")
    quizzes.set_defaults(command=_quizzes)

    datasets = commands.add_parser("datasets", help="make datasets/ from its seed: the same bytes each time")
    datasets.add_argument("--check", action="store_true", help="write nothing; say which files differ, and fail if any")
    datasets.set_defaults(command=_datasets)

    teaching = commands.add_parser("teaching", help="make the plans and pages for teachers in docs/teaching/")
    teaching.add_argument(
        "--check", action="store_true", help="write nothing; say what is out of step, and fail if any"
    )
    teaching.set_defaults(command=_teaching)

    slides = commands.add_parser("slides", help="make slides of each part from the executed solutions")
    slides.add_argument("out", metavar="OUT", help="the folder for the slides")
    slides.add_argument(
        "--node-modules", default="build/slides/node_modules", metavar="FOLDER", help="where npm put reveal.js"
    )
    slides.set_defaults(command=_slides)

    headline = commands.add_parser("headline", help="make the README's picture from notebook 09, and its words")
    headline.add_argument(
        "--check", action="store_true", help="write nothing; say what is out of step, and fail if any"
    )
    headline.set_defaults(command=_headline)

    editions = commands.add_parser("editions", help="measure template and hybrid on other editions of the handbook")
    editions.set_defaults(command=_editions)

    site = commands.add_parser(
        "site", help="make the static site of the executed solutions; make site has what it needs"
    )
    site.add_argument("--address", default="", help="the repository's address on the web, for links to its other files")
    site.set_defaults(command=_site)
    return parser


if __name__ == "__main__":
    sys.exit(main())

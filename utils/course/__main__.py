"""The command line of the course's tools: `python -m utils.course --help`."""

import argparse
import sys
from collections.abc import Sequence
from contextlib import redirect_stdout
from pathlib import Path

from utils.command_line import run
from utils.errors import CourseError
from utils.paths import write_atomically

PNG = b"\x89PNG"  # what every such file begins with


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status."""
    return run(_parser(), arguments)


# Each command imports its own module: `doctor` must run where the packages of the others are missing.


def _doctor(options: argparse.Namespace) -> int:
    from utils.course.doctor import diagnose, report

    return 0 if report(diagnose(), quiet=options.quiet) else 1


def _progress(options: argparse.Namespace) -> int:
    from utils.course.calibration import figure
    from utils.course.overview import as_text, look_over
    from utils.course.transfer import export_text, import_text
    from utils.ledger import Ledger
    from utils.quiz.progress import Progress

    if options.export:
        with redirect_stdout(sys.stderr):  # that a file was damaged is no part of the text
            progress, ledger = Progress.load(), Ledger.open()
            text = export_text(progress, ledger)
            for notice in progress.take_notices():
                print(notice)
        print(text)
        return 0
    progress, ledger = Progress.load(), Ledger.open()
    if options.bring_in:
        print(import_text(_text_of(options.bring_in), progress, ledger))
    overview = look_over(progress, ledger)
    if options.figure:
        _write(Path(options.figure), figure(overview.calibration))
    print(as_text(overview))
    return 0


def _text_of(name: str) -> str:
    from utils.course.transfer import read_export

    try:
        return sys.stdin.read() if name == "-" else read_export(Path(name))
    except (OSError, UnicodeDecodeError) as problem:
        raise CourseError(f"{name} cannot be read ({problem}): name the file that holds your progress.") from None


def _write(path: Path, figure: bytes) -> None:
    if not path.absolute().parent.is_dir():
        raise CourseError(f"The figure was not written: there is no folder {path.parent}, so name one that exists.")
    try:
        if path.exists() and not path.read_bytes().startswith(PNG):
            raise CourseError(f"{path} is no PNG file, so the figure was not written over it: name another file.")
    except OSError as problem:
        raise CourseError(f"The figure was not written ({problem}): name a file in a folder of yours.") from None
    write_atomically(path, figure)


def _reset(options: argparse.Namespace) -> int:
    from utils.course.reset import reset

    for name in options.names:
        print(reset(name))
    return 0


def _cohort(options: argparse.Namespace) -> int:
    from utils.course.cohort import cohort_in
    from utils.course.cohort_text import as_text

    print(as_text(cohort_in(Path(options.folder)), names=options.names))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m utils.course", description="Tools of the course.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    doctor = commands.add_parser("doctor", help="is everything here that the course needs?")
    doctor.add_argument("--quiet", action="store_true", help="say only what is not ok")
    doctor.set_defaults(command=_doctor)

    progress = commands.add_parser("progress", help="what is done, which predictions came true, what to do next")
    progress.add_argument(
        "--export", action="store_true", help="print answers and measurements as text, to carry along"
    )
    progress.add_argument(
        "--import", dest="bring_in", metavar="FILE", help="bring in such a text; - reads it from here"
    )
    progress.add_argument("--figure", metavar="FILE", help="also draw which predictions came true, as a PNG file")
    progress.set_defaults(command=_progress)

    reset = commands.add_parser("reset", help="start a notebook over; your old copy is backed up")
    reset.add_argument("names", nargs="+", metavar="NUMBER", help="the notebook's number, such as 02")
    reset.set_defaults(command=_reset)

    cohort = commands.add_parser("cohort", help="for teachers: what the exported progress of a class says")
    cohort.add_argument("folder", metavar="FOLDER", help="holds one file for each learner, as --export gave it")
    cohort.add_argument("--names", action="store_true", help="show the files' names instead of numbers")
    cohort.set_defaults(command=_cohort)
    return parser


if __name__ == "__main__":
    sys.exit(main())

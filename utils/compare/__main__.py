"""Compares prompt, RAG, LoRA and both on documents of your own.

python -m utils.compare --documents FOLDER --questions FILE --out FOLDER
python -m utils.compare --documents FOLDER --out FOLDER --draft 40      # drafts of questions, to correct first
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from utils.command_line import guarded
from utils.compare.folders import DRAFTS, REPORT, output_folder
from utils.errors import CourseError

if TYPE_CHECKING:
    from utils.compare.arms import Bench
    from utils.compare.own_case import Case
    from utils.compare.results import Results

WHEN_INTERRUPTED = "Interrupted. The answers so far are kept: run the same command again to go on."
SHOWN = 5  # skipped files named in the terminal; the report has all


def main(arguments: Sequence[str] | None = None) -> int:
    """Compares, or drafts; returns the exit status.  A CourseError becomes one line on stderr and status 2."""
    options = _parser().parse_args(arguments)
    try:
        return guarded(lambda: _run(options), failed=2, say=_say_on_stderr, interrupted=WHEN_INTERRUPTED)
    except BrokenPipeError:  # whoever read the lines, such as `head`, has had enough of them
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 2


def _run(options: argparse.Namespace) -> None:
    with output_folder(options.out, options.documents) as folder:
        if options.draft is None:
            _compare(options, folder)
        else:
            _draft(options, folder)


# What takes seconds to import is imported where it is needed: --help and bad input are answered at once.


def _draft(options: argparse.Namespace, folder: Path) -> None:
    from utils.compare.drafts import as_csv, draft_questions
    from utils.documents import read_folder
    from utils.paths import write_atomically

    path = folder / DRAFTS
    if options.draft < 1:
        raise CourseError(f"The number of drafts is {options.draft}: ask for 1 or more.")
    if path.exists():
        raise CourseError(f"{path} is there already and may hold your corrections: move or delete it first.")
    drafts = draft_questions(read_folder(options.documents, progress=True).articles, options.draft, options.seed)
    if not drafts:
        raise CourseError("No sentence with a number was found in the documents: write the questions yourself.")
    write_atomically(path, as_csv(drafts).encode("utf-8-sig"))  # the byte order mark is for Excel
    _say(
        f"{len(drafts)} drafts are in {path}. They are no gold answers: ask each as a person would, check its answer, "
        "delete the word DRAFT, and add questions that the documents do not answer."
    )


def _compare(options: argparse.Namespace, folder: Path) -> None:
    from utils.compare.own_case import read_case
    from utils.compare.report import write_report

    if options.questions is None:
        raise CourseError("There are no questions: name a file with --questions, or draft some with --draft 40.")
    load = cache(_load_embedder)
    case = read_case(
        options.documents, options.questions, load, options.company, options.seed, options.limit, progress=True
    )
    _say_what_was_read(case)
    results = _results(options, _bench(options, case, load(), folder))
    write_report(results, folder / REPORT)
    for line in [*results.summary()[1:], f"The report is {folder / REPORT}."]:
        _say(line)


def _load_embedder() -> object:
    from utils.models import load_embedder

    return load_embedder()


def _bench(options: argparse.Namespace, case: Case, embedder: object, folder: Path) -> Bench:
    from utils.compare.arms import Bench
    from utils.models import load_generator

    return Bench(case, embedder, load_generator(options.generator), folder, options.k, options.seed)


def _results(options: argparse.Namespace, bench: Bench) -> Results:
    from utils.compare.arms import answer_arms
    from utils.compare.reading_check import check_reading
    from utils.compare.results import Results, settings_of

    reading = check_reading(bench)
    _say(reading.in_words)
    arms = answer_arms(bench, not options.no_training, lambda name: _say(f"Asking: {name}"))
    return Results(bench.case, reading, bench.recall(), arms, options.bar, settings_of(bench, options.limit))


def _say_what_was_read(case: Case) -> None:
    _say(f"{len(case.articles)} documents, {len(case.training)} questions to learn from, {len(case.test)} that judge")
    for one in case.skipped[:SHOWN]:
        _say(f"skipped: {one.path}. {one.reason}")
    if len(case.skipped) > SHOWN:
        _say(f"and {len(case.skipped) - SHOWN} more skipped files, which the report names")
    if case.not_opened:
        _say(case.not_opened)


def _say(line: str, file: object = None) -> None:
    """Prints a line; what a file's name or a model put into it cannot steer the terminal."""
    from utils.compare.page import printable

    stream = file or sys.stdout
    encoding = getattr(stream, "encoding", None) or "utf-8"
    print(printable(line).encode(encoding, "replace").decode(encoding), file=stream, flush=True)


def _say_on_stderr(line: str) -> None:
    _say(line, sys.stderr)


def _path(written: str) -> Path:
    if not written.strip():
        raise argparse.ArgumentTypeError("the name is empty, as of a variable that is not set")
    return Path(written)


def _seed(written: str) -> int:
    if not (written.isdecimal() and int(written) < 2**32):
        raise argparse.ArgumentTypeError(f"{written!r} is no seed: give a whole number from 0 to {2**32 - 1}")
    return int(written)


def _share(written: str) -> float:
    try:
        share = float(written)
    except ValueError:
        share = 0.0
    if not 0 < share <= 1:
        raise argparse.ArgumentTypeError(f"{written!r} is no share: give a number above 0 and up to 1, such as 0.7")
    return share


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m utils.compare", description="Compares prompt, RAG, LoRA and both on documents of your own."
    )
    parser.add_argument("--documents", type=_path, required=True, help="folder of Markdown, text, HTML, rst, Word, PDF")
    parser.add_argument("--questions", type=Path, help="questions with gold answers: .jsonl, .csv or .xlsx")
    parser.add_argument("--out", type=_path, required=True, help="folder for the report and the answers; goes on there")
    parser.add_argument("--company", default="", help="whose help desk the model is; the folder's name if not given")
    parser.add_argument("--generator", help="folder, Hugging Face id, smollm2 or a server; else COURSE_GENERATOR")
    parser.add_argument("--k", type=int, default=2, help="passages in a prompt")
    parser.add_argument("--seed", type=_seed, default=0, help="draws the halves, and the adapters' first values")
    parser.add_argument("--limit", type=int, help="use only this many questions, to try things out")
    parser.add_argument("--bar", type=_share, default=0.7, help="share of right answers that is wanted, such as 0.7")
    parser.add_argument("--no-training", action="store_true", help="leave out the arms that train an adapter")
    parser.add_argument("--draft", type=int, metavar="N", help="only draft N questions for a person to correct")
    return parser


if __name__ == "__main__":
    sys.exit(main())

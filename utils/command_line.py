"""What all command lines do at their end: an error for the user or Ctrl-C becomes one line and an exit status."""

import argparse
import sys
from collections.abc import Callable, Sequence

from utils.errors import CourseError

INTERRUPTED = 130  # what shells report after Ctrl-C


def to_stderr(line: str) -> None:
    """Prints a line on stderr."""
    print(line, file=sys.stderr)


def guarded(
    action: Callable[[], int | None],
    failed: int = 1,
    say: Callable[[str], None] = to_stderr,
    interrupted: str = "Interrupted.",
) -> int:
    """The exit status of an action: its own (None: 0), `failed` after a CourseError, 130 after Ctrl-C.

    say: is given the one line to show, which is the CourseError's, or `interrupted`.  Other errors pass through.
    """
    try:
        return action() or 0
    except CourseError as problem:
        say(str(problem))
        return failed
    except KeyboardInterrupt:
        say(interrupted)
        return INTERRUPTED


def run(parser: argparse.ArgumentParser, arguments: Sequence[str] | None) -> int:
    """Run one command and return its exit status, as `guarded` gives it.

    parser: sets `command`, a function of the parsed options.  arguments: the process's own where there are none.
    """
    options = parser.parse_args(arguments)
    return guarded(lambda: options.command(options))

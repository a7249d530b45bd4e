"""What both command lines do: run the chosen command, and turn an error for the user into one line."""

import argparse
import sys
from collections.abc import Sequence

from utils.errors import CourseError


def run(parser: argparse.ArgumentParser, arguments: Sequence[str] | None) -> int:
    """Run one command and return its exit status; a CourseError becomes one line on stderr and status 1.

    parser: sets `command`, a function of the parsed options.  arguments: the process's own where there are none.
    """
    options = parser.parse_args(arguments)
    try:
        return options.command(options)
    except CourseError as problem:
        print(problem, file=sys.stderr)
        return 1

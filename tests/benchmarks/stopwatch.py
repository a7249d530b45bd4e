"""A stopwatch for the benchmarks."""

import time


def seconds(function, *arguments, **named):
    """How long one call takes."""
    start = time.perf_counter()
    function(*arguments, **named)
    return time.perf_counter() - start

"""Checker of notebook 06."""

from __future__ import annotations

import random
from typing import Any

from utils.checks import references
from utils.checks.exercise import Attempt, Exercise, number, shown

# d_in, d_out, rank, and the count by hand: A holds rank * d_in numbers, B holds d_out * rank.
FIRST = (100, 40, 5, 700)
CASES = [FIRST, (192, 192, 8, 3072), (192, 512, 8, 5632), (64, 256, 1, 320)]
# What typical mistakes give for the first case.
MISTAKES = {
    4000: "That is the whole frozen weight, d_in * d_out: LoRA does not change it and trains only A and B.",
    500: "That is A alone: B, of shape (d_out, rank), is trained too.",
    200: "That is B alone: A, of shape (rank, d_in), is trained too.",
    4700: "That counts the frozen weight too: only A and B are trained.",
    20000: "That is the weight times the rank: A and B are two small matrices, so add their sizes.",
    1000: "That counts both matrices with d_in: B has d_out rows, so it holds d_out * rank numbers.",
    400: "That counts both matrices with d_out: A has d_in columns, so it holds rank * d_in numbers.",
    140: "The rank is missing: A has rank rows and B has rank columns.",
    100000: "The sizes of A and B are added, not multiplied.",
    745: "LoRA has no bias: only A and B are trained.",
}


def diagnose(attempt: Attempt) -> str | None:
    """The first mistake in a learner's lora_parameters, or None."""
    for d_in, d_out, rank, trained in CASES:
        count = whole_number(attempt(d_in=d_in, d_out=d_out, rank=rank))
        if (d_in, d_out, rank, trained) == FIRST and count in MISTAKES:
            return MISTAKES[int(count)]
        if count != trained:
            return (
                f"For d_in={d_in}, d_out={d_out} and rank={rank}, A holds {rank} x {d_in} = {rank * d_in} numbers and "
                f"B holds {d_out} x {rank} = {d_out * rank}: {trained} together, and you returned {shown(count)}."
            )
    return None


def whole_number(result: Any) -> int | float:
    """`result` as an int where it is whole, so that counts are compared exactly.  Raises Stopped when no number."""
    count = number(result)
    return int(count) if count.is_integer() else count


def draw_sizes(draws: random.Random) -> dict[str, int]:
    """Two widths and a rank, small and large."""
    most = draws.choice([3, 40, 1024])
    return {"d_in": draws.randint(1, most), "d_out": draws.randint(1, most), "rank": draws.randint(1, min(most, 128))}


lora_parameters = Exercise(
    name="lora_parameters",
    difficulty=1,
    minutes=3,
    diagnose=diagnose,
    read=whole_number,
    draw=draw_sizes,
    praise="A and B together, and nothing of the frozen weight.",
    clue="Draw the two matrices: A turns d_in numbers into rank, B turns rank numbers into d_out. "
    "How many cells does each have?",
    sources=(references.lora_parameters,),
)

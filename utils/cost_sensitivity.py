"""Which approach stays the cheapest when one assumption of the cost model is another (used in notebook 08)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from utils.costs import Approach, Circumstances, bill, yearly
from utils.errors import CourseError
from utils.prices import Prices


@dataclass(frozen=True)
class Change:
    """One assumption moved to both ends of its range: the cheapest approach at each end.

    flips: whether the cheapest one is another than before at one of the ends.
    """

    name: str
    low: str
    high: str
    cheapest_low: str
    cheapest_high: str
    flips: bool


# What a bill depends on.
World = tuple[Sequence[Approach], Circumstances, Prices]

# The circumstances to move, one at a time, and how far.
RANGES: dict[str, tuple[float, float]] = {
    "questions_per_day": (10, 100_000),
    "updates_per_year": (0, 365),
    "answer_tokens": (10, 500),
    "tuning_days": (5, 30),
    "passage_tokens": (50, 2000),
    "handbook_tokens": (1000, 1_000_000),
    "cache_hits": (0, 1),
    "effort": (0.5, 1.5),
}


def cheapest(approaches: Sequence[Approach], circumstances: Circumstances, prices: Prices, users: bool = True) -> str:
    """The name of the approach with the lowest first-year total, the users' cost included unless told otherwise."""
    return min(approaches, key=lambda one: yearly(bill(one, circumstances, prices), circumstances, users)).name


def sensitivity(
    approaches: Sequence[Approach],
    circumstances: Circumstances,
    prices: Prices,
    users: bool = True,
    points: float = 0.05,
) -> list[Change]:
    """Every assumption moved alone, from one end of its range to the other, with the cheapest approach at both.

    points: how far the share of right answers of each approach is moved, down and up.
    """
    base = cheapest(approaches, circumstances, prices, users)
    changes = []
    for name, ends, worlds in _moves(approaches, circumstances, prices, points if users else None):
        winners = [cheapest(*world, users) for world in worlds]
        changes.append(Change(name, *ends, *winners, any(winner != base for winner in winners)))
    return changes


def _moves(
    approaches: Sequence[Approach], circumstances: Circumstances, prices: Prices, points: float | None
) -> Iterator[tuple[str, list[str], list[World]]]:
    """Each assumption's name, both ends of its range in words, and the world at each end.

    points: None leaves the shares of right answers alone.
    """
    for name, ends in RANGES.items():
        moved = [circumstances.model_copy(update={name: end}) for end in ends]
        yield name.replace("_", " "), [f"{end:,g}" for end in ends], [(approaches, one, prices) for one in moved]
    for name, price in prices.all().items():
        priced = [prices.at("low", [name]), prices.at("high", [name])]
        worlds = [(approaches, circumstances, one) for one in priced]
        yield f"price: {name.replace('_', ' ')}", [f"${end:,g}" for end in price.range], worlds
    for approach in approaches if points is not None else ():
        shares = [min(1.0, max(0.0, approach.right + step)) for step in (-points, points)]
        worlds = [(with_shares(approaches, {approach.name: share}), circumstances, prices) for share in shares]
        yield f"right answers: {approach.name}", [f"{share:.0%}" for share in shares], worlds


def with_shares(approaches: Sequence[Approach], shares: dict[str, float]) -> tuple[Approach, ...]:
    """The approaches with measured shares of right answers, by name; the others keep theirs.

    Raises CourseError for a name that is no approach, and for a share outside 0 to 1.
    """
    names = [approach.name for approach in approaches]
    for name, share in shares.items():
        if name not in names:
            raise CourseError(f"There is no approach {name!r}: choose one of {', '.join(names)}.")
        if not 0 <= share <= 1:
            raise CourseError(f"The share of right answers of {name!r} is {share:g}: give one between 0 and 1.")
    return tuple(
        approach.model_copy(update={"right": shares[approach.name]}) if approach.name in shares else approach
        for approach in approaches
    )

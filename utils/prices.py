"""The prices of the cost model, each with its source and date, from `datasets/prices.yaml` (used in notebook 08)."""

from __future__ import annotations

import datetime
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from utils.errors import CourseError
from utils.paths import DATASETS
from utils.validation import first_broken_rule

PRICES = DATASETS / "prices.yaml"


class _Fixed(BaseModel):
    """No unknown field, no change after loading, no infinity."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Price(_Fixed):
    """One price.  low, high: the range in which it was seen, the value itself where nothing is said."""

    value: float = Field(ge=0)
    unit: str = Field(min_length=1)
    source: str = Field(min_length=1)
    date: datetime.date
    low: float | None = Field(default=None, ge=0)
    high: float | None = Field(default=None, ge=0)

    @model_validator(mode="after")
    def _check(self) -> Price:
        low, high = self.range
        if not low <= self.value <= high:
            raise ValueError(
                f"the value {self.value:g} must lie between low and high, and they are {low:g} and {high:g}"
            )
        return self

    @property
    def range(self) -> tuple[float, float]:
        """The lowest and the highest price seen."""
        return (self.value if self.low is None else self.low, self.value if self.high is None else self.high)


class Prices(_Fixed):
    """All prices of the model, in the order of the file."""

    input_tokens: Price
    cached_tokens: Price
    cache_write_tokens: Price
    output_tokens: Price
    embedding_tokens: Price
    index_month: Price
    training_hour: Price
    hosting_hour: Price
    working_hour: Price
    missing_answer: Price
    wrong_answer: Price

    def all(self) -> dict[str, Price]:
        """Every price by its name."""
        return {name: getattr(self, name) for name in type(self).model_fields}

    def at(self, end: Literal["low", "high"], names: Iterable[str] | None = None) -> Prices:
        """The same prices, the named ones (or all) at the lower or the upper end of their range.

        Raises CourseError for a name that is no price.
        """
        names = list(type(self).model_fields if names is None else names)
        unknown = sorted(set(names) - set(type(self).model_fields))
        if unknown:
            raise CourseError(f"There is no price {unknown[0]!r}: choose one of {', '.join(type(self).model_fields)}.")
        place = 0 if end == "low" else 1
        moved = {
            name: getattr(self, name).model_copy(update={"value": getattr(self, name).range[place]}) for name in names
        }
        return self.model_copy(update=moved)


def load_prices(path: Path | str | None = None) -> Prices:
    """The prices from `datasets/prices.yaml`, or from a file of your own.

    Raises CourseError when the file is missing or no valid YAML, when a price is missing, unknown, negative or outside
    its range, and when one has no unit, source or date.
    """
    path = Path(os.path.expanduser(path)) if path else PRICES
    try:
        raw = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise CourseError(f"There is no price file {path}: check its path, or restore it with git.") from None
    except (OSError, UnicodeDecodeError) as error:
        raise CourseError(f"The price file {path} cannot be read ({type(error).__name__}): check the file.") from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f" at line {mark.line + 1}" if mark else ""
        raise CourseError(
            f"{path.name} is not valid YAML{where}: fix it there, or restore the file with git."
        ) from None
    try:
        return Prices.model_validate(raw)
    except ValidationError as error:
        raise CourseError(f"{path.name}: {_rule(error)}; fix it there, or restore the file with git.") from None


def _rule(error: ValidationError) -> str:
    """The first broken rule: "output_tokens, value: Input should be greater than or equal to 0"."""
    broken = first_broken_rule(error)
    return str(broken) if broken.place else f"it must hold one entry for each price ({broken.rule})"

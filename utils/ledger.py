"""The evidence ledger: what the learner measured, with interval, notebook, question set, versions and time.

    ledger = Ledger.open()
    ledger.record("rag.dev_correct", mean_interval(right), notebook="02", questions="dev")
    ledger.record("rag_over_base.dev_correct", gain, unit="points", notebook="02", questions="dev")
    ledger.value("rag.dev_correct")

A key has the form `<arm>.<metric>` and one meaning: one notebook records it, on one set of questions.  The newest
measurement of a key counts; older ones stay in a history.  The file is the one that COURSE_LEDGER names (a relative
path starts at the root of the checkout), else `ledger.json` in the user's data folder.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from utils.errors import CourseError
from utils.personal_files import ledger_file
from utils.storage import Document, JsonStore, now
from utils.validation import first_broken_rule

if TYPE_CHECKING:
    import pandas as pd

VARIABLE = "COURSE_LEDGER"
PACKAGES = ("torch", "transformers", "peft")
COLUMNS = ["value", "low", "high", "unit", "notebook", "questions", "at"]


@runtime_checkable
class HasInterval(Protocol):
    """A number with its interval, such as `utils.evaluation.Interval` and `Difference`."""

    @property
    def mean(self) -> float:
        """The number."""

    @property
    def low(self) -> float:
        """The lower bound."""

    @property
    def high(self) -> float:
        """The upper bound."""


class Measurement(BaseModel):
    """One measured number.  `low` and `high` bound its interval; `questions` names the question set, such as "dev".

    unit: "share", between 0 and 1; "points", a difference of two shares, between -1 and 1; or any other, such as
    "seconds".
    """

    model_config = ConfigDict(frozen=True, extra="allow", allow_inf_nan=False)

    key: str = Field(pattern=r"^[a-z0-9_]+(\.[a-z0-9_]+)+$")
    value: float
    low: float | None = None
    high: float | None = None
    unit: str = "share"
    notebook: str = ""
    questions: str = ""
    versions: dict[str, str] = {}
    at: str = ""

    @model_validator(mode="after")
    def _check(self) -> Measurement:
        if (self.low is None) != (self.high is None):
            raise ValueError("an interval needs both low and high")
        if self.low is not None and self.high is not None and self.low > self.high:
            raise ValueError(f"the interval from {self.low} to {self.high} is upside down")
        for number in (self.value, self.low, self.high):
            if number is not None:
                _check_range(number, self.unit)
        return self

    @property
    def bounds(self) -> tuple[float, float]:
        """The interval; the value twice where there is none."""
        return (self.value, self.value) if self.low is None or self.high is None else (self.low, self.high)

    def in_words(self) -> str:
        """The value as a reader would say it: "92%" for a share, "+12 points", "1.8 seconds"."""
        return show_number(self.value, self.unit)

    def interval_in_words(self) -> str:
        """The interval as a reader would say it: "88% to 95%", "+3 to +21"; empty where there is none."""
        if self.low is None or self.high is None:
            return ""
        low, high = (show_number(bound, self.unit) for bound in (self.low, self.high))
        if self.unit == "share":
            return f"{low} to {high}"
        unit = "" if self.unit == "points" else f" {self.unit}"
        return f"{low.removesuffix(f' {self.unit}')} to {high.removesuffix(f' {self.unit}')}{unit}".strip()


class LedgerFile(Document):
    """What is on disk: the newest measurement of each key, and all earlier ones, oldest first."""

    latest: dict[str, Measurement] = {}
    history: list[Measurement] = []

    def add(self, measurement: Measurement) -> None:
        """Make `measurement` the newest of its key."""
        earlier = self.latest.get(measurement.key)
        if earlier is not None:
            self.history.append(earlier)
        self.latest[measurement.key] = measurement

    def all(self) -> list[Measurement]:
        """Every measurement, oldest first."""
        return sorted([*self.history, *self.latest.values()], key=lambda measurement: measurement.at)

    def merge(self, others: Iterable[Measurement]) -> int:
        """Add measurements from another computer, and return how many were new.  The newest of a key still counts."""
        mine = self.all()
        new = [measurement for measurement in others if measurement not in mine]
        self.latest, self.history = {}, []
        for measurement in sorted([*mine, *new], key=lambda measurement: measurement.at):
            self.add(measurement)
        return len(new)


class Ledger:
    """Measurements by key, kept on disk between notebooks."""

    def __init__(self, path: Path) -> None:
        self._store = JsonStore(path, LedgerFile, "evidence ledger", VARIABLE)

    @classmethod
    def open(cls, path: Path | None = None) -> Ledger:
        """The ledger at `path`, else at COURSE_LEDGER, else in the user's data folder."""
        ledger = cls(path or ledger_file())
        ledger._read()
        return ledger

    def record(
        self,
        key: str,
        value: float | HasInterval,
        low: float | None = None,
        high: float | None = None,
        unit: str = "share",
        notebook: str = "",
        questions: str = "",
    ) -> None:
        """Save one measurement, for example `record("rag.correct", 0.92, 0.88, 0.95, notebook="02", questions="dev")`.

        value: a number, or anything with mean, low and high, such as an Interval or a Difference.  unit: "share";
        "points" for a difference of two shares, written as 0.12 for 12 points; or any other, such as "seconds".
        questions: the question set it was measured on.  Raises CourseError when the key is not like "rag.correct", a
        number is not finite or outside the range of its unit, or the interval is incomplete, upside down or given
        twice.
        """
        measurement = _measurement(key, value, low, high, unit=unit, notebook=notebook, questions=questions)
        self._store.update(lambda document: document.add(measurement))
        self._say_notices()

    def get(self, key: str) -> Measurement | None:
        """The newest measurement of `key`, or None when there is none yet."""
        return self._read().latest.get(key)

    def value(self, key: str) -> float:
        """The newest value of `key`.  Raises CourseError when it was never measured."""
        measurement = self.get(key)
        if measurement is None:
            raise CourseError(f"Nothing is measured under {key!r} yet: run the notebook that records it.")
        return measurement.value

    def history(self, key: str) -> list[Measurement]:
        """All measurements of `key`, oldest first, the newest included."""
        document = self._read()
        found = [measurement for measurement in document.history if measurement.key == key]
        return found + [document.latest[key]] if key in document.latest else found

    def measurements(self) -> list[Measurement]:
        """Every measurement ever made, oldest first."""
        return self._read().all()

    def merge(self, measurements: Iterable[Measurement]) -> int:
        """Add measurements from another computer, and return how many of them were new here."""
        brought, new = list(measurements), [0]

        def bring_in(document: LedgerFile) -> None:
            new[0] = document.merge(brought)

        self._store.update(bring_in)
        self._say_notices()
        return new[0]

    def table(self) -> pd.DataFrame:
        """The newest measurements, one row per key, sorted by key, with the columns of COLUMNS; `at` is in UTC."""
        import pandas as pd

        latest = sorted(self._read().latest.items())
        rows = [measurement.model_dump(include=set(COLUMNS)) for _, measurement in latest]
        return pd.DataFrame(rows, index=pd.Index([key for key, _ in latest], name="key"), columns=COLUMNS)

    def __repr__(self) -> str:
        return f"Evidence ledger: {len(self._read().latest)} measurements"

    def _read(self) -> LedgerFile:
        document = self._store.read()
        self._say_notices()
        return document

    def _say_notices(self) -> None:
        for notice in self._store.take_notices():
            print(notice)


def show_number(value: float, unit: str) -> str:
    """A number in words: "92%" or "99.8%" for a share, "+12 points" for a difference, else number and unit."""
    if unit == "share":
        return f"{100 * value:.1f}".removesuffix(".0") + "%"
    if unit == "points":
        points = f"{100 * value:+.1f}".removesuffix(".0")
        return f"{'0' if points in ('+0', '-0') else points} points"
    return f"{value:.3g} {unit}".strip()


def _check_range(number: float, unit: str) -> None:
    """Raises ValueError when a share or a difference of shares cannot be that number."""
    if unit == "share" and not 0 <= number <= 1:
        raise ValueError(
            f"a share and its interval lie between 0 and 1, and {number:g} does not; a difference of two shares is "
            'recorded with unit="points"'
        )
    if unit == "points" and not -1 <= number <= 1:
        raise ValueError(
            f"a difference of two shares and its interval lie between -1 and 1; write 0.12 for 12 points, and not "
            f"{number:g}"
        )


def _measurement(
    key: str, value: float | HasInterval, low: float | None, high: float | None, **circumstances: str
) -> Measurement:
    if isinstance(value, HasInterval):
        if low is not None or high is not None:
            raise CourseError(
                f"The measurement {key!r} was not recorded: its value brings its own bounds, so leave out low and high."
            )
        value, low, high = value.mean, value.low, value.high
    try:
        return Measurement(
            key=key,
            value=float(value),
            low=None if low is None else float(low),
            high=None if high is None else float(high),
            **circumstances,
            versions=_versions(),
            at=now(),
        )
    except (ValidationError, TypeError, ValueError) as error:
        raise CourseError(f"The measurement {key!r} was not recorded: {_reason(error)}.") from None


def _reason(error: Exception) -> str:
    if not isinstance(error, ValidationError):
        return f"value, low and high must be plain numbers ({error})"
    broken = first_broken_rule(error)
    return 'a key has the form "rag.correct", in lower case' if broken.place == ("key",) else broken.within(1)


@cache
def _versions() -> dict[str, str]:
    """Installed versions of the packages a result may depend on, without importing them."""
    return {name: found for name in PACKAGES if (found := _installed(name))}


def _installed(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None

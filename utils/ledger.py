"""The evidence ledger: what the learner measured, with interval, notebook, versions and time.

    ledger = Ledger.open()
    ledger.record("rag.correct", 0.92, low=0.88, high=0.95, notebook="02")
    ledger.value("rag.correct")

Keys read `<arm>.<metric>`.  The newest measurement of a key counts; older ones stay in a history.
The file's path comes from COURSE_LEDGER, else it is `ledger.json` in the user's data folder.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from utils.errors import CourseError
from utils.paths import ledger_file
from utils.storage import Document, JsonStore, now

if TYPE_CHECKING:
    import pandas as pd

VARIABLE = "COURSE_LEDGER"
PACKAGES = ("torch", "transformers", "peft")
COLUMNS = ["value", "low", "high", "unit", "notebook", "at"]


class Measurement(BaseModel):
    """One measured number. `low` and `high` bound its interval; a share lies between 0 and 1."""

    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False)

    key: str = Field(pattern=r"^[a-z0-9_]+(\.[a-z0-9_]+)+$")
    value: float
    low: float | None = None
    high: float | None = None
    unit: str = "share"
    notebook: str = ""
    versions: dict[str, str] = {}
    at: str = ""

    @model_validator(mode="after")
    def _check(self) -> Measurement:
        if (self.low is None) != (self.high is None):
            raise ValueError("an interval needs both low and high")
        if self.low is not None and self.high is not None and self.low > self.high:
            raise ValueError(f"the interval from {self.low} to {self.high} is upside down")
        if self.unit == "share" and not 0 <= self.value <= 1:
            raise ValueError(f"a share lies between 0 and 1, and {self.value:g} does not")
        return self

    def in_words(self) -> str:
        """The value as a reader would say it: "92%" for a share, "1.8 seconds" otherwise."""
        return show_number(self.value, self.unit)


class LedgerFile(Document):
    """What lies on disk: the newest measurement of each key, and all earlier ones, oldest first."""

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
        """Bring in measurements from another computer; how many were new.  The newest of a key counts, as ever."""
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
        value: float,
        low: float | None = None,
        high: float | None = None,
        unit: str = "share",
        notebook: str = "",
    ) -> None:
        """Keep one measurement, for example `record("rag.correct", 0.92, 0.88, 0.95, notebook="02")`.

        Raises CourseError when the key is not like "rag.correct", a number is not finite, a share
        lies outside 0 to 1, or the interval is incomplete or upside down.
        """
        measurement = _measurement(key, value, low, high, unit, notebook)
        self._store.update(lambda document: document.add(measurement))
        self._say_notices()

    def get(self, key: str) -> Measurement | None:
        """The newest measurement of `key`, or None when there is none yet."""
        return self._read().latest.get(key)

    def value(self, key: str) -> float:
        """The newest value of `key`.  Raises CourseError when it was never measured."""
        measurement = self.get(key)
        if measurement is None:
            raise CourseError(f"Nothing is measured under {key!r} yet: run the notebook that records it first.")
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
        """Bring in measurements from another computer; how many of them were new here."""
        brought, new = list(measurements), [0]

        def bring_in(document: LedgerFile) -> None:
            new[0] = document.merge(brought)

        self._store.update(bring_in)
        self._say_notices()
        return new[0]

    def table(self) -> pd.DataFrame:
        """The newest measurements, one row a key, by key; columns value, low, high, unit, notebook, at (UTC)."""
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
    """A number in words: a share as percent ("92%", "99.8%"), anything else with three digits and its unit."""
    if unit != "share":
        return f"{value:.3g} {unit}".strip()
    return f"{100 * value:.1f}".removesuffix(".0") + "%"


def _measurement(
    key: str, value: float, low: float | None, high: float | None, unit: str, notebook: str
) -> Measurement:
    try:
        return Measurement(
            key=key,
            value=float(value),
            low=None if low is None else float(low),
            high=None if high is None else float(high),
            unit=unit,
            notebook=notebook,
            versions=_versions(),
            at=now(),
        )
    except (ValidationError, TypeError, ValueError) as error:
        raise CourseError(f"The measurement {key!r} was not recorded: {_reason(error)}.") from None


def _reason(error: Exception) -> str:
    if not isinstance(error, ValidationError):
        return f"its numbers must be plain numbers ({error})"
    first = error.errors()[0]
    if first["loc"] == ("key",):
        return 'a key reads like "rag.correct", in lower case'
    where = f"{first['loc'][0]}: " if first["loc"] else ""
    return where + first["msg"].removeprefix("Value error, ")


@cache
def _versions() -> dict[str, str]:
    """Installed versions of the packages a result may depend on, without importing them."""
    return {name: found for name in PACKAGES if (found := _installed(name))}


def _installed(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None

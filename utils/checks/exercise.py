"""How an exercise is checked: the learner's function is called on cases whose results are written down.

A checker prints one line: "Right. …", "Not attempted yet. …" or what went wrong. It never raises.
"""

from __future__ import annotations

import copy
import dis
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

STUB_STEPS = {"RESUME", "NOP", "LOAD_CONST", "RETURN_VALUE", "RETURN_CONST"}
LONGEST = 90
RIGHT = "Right."


class Stopped(Exception):
    """The check need not go on; the text is the line for the learner."""


class Attempt:
    """The learner's function, called on copies, its accidents turned into sentences."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self._function = function

    def __call__(self, **case: Any) -> Any:
        """The function's result for `case`.  Raises Stopped when it fails or returns nothing."""
        given = copy.deepcopy(case)
        try:
            result = self._function(*given.values())
        except NotImplementedError:
            raise Stopped(not_attempted()) from None
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # also the SystemExit of a learner's exit()
            raise Stopped(
                f"Your function stopped with {in_words(error)}, when called with {arguments(case)}."
            ) from None
        if result is None:
            raise Stopped(_nothing_returned(self._function))
        if _fixed_text(given) != _fixed_text(case):
            raise Stopped("Your function changes what it is given, and the notebook still needs it: work on a copy.")
        return result


@dataclass(frozen=True)
class Exercise:
    """One exercise: call it with the learner's function; `hint()` and `solution()` help on.

    difficulty: 1 to 3.  minutes: what it takes, about.  diagnose: the first mistake in words, or None when all
    cases come out right.  sources: functions that the solution prints; the last one is the reference.
    """

    name: str
    difficulty: int
    minutes: int
    diagnose: Callable[[Attempt], str | None]
    praise: str
    clue: str
    sources: tuple[Callable[..., Any], ...]
    imports: str = ""

    def __call__(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Print one line about the learner's function, and return the one to go on with.

        That is the learner's own when it is right, else the reference.  Never raises on what the function does.
        """
        verdict = self._verdict(function)
        print(verdict)
        return function if verdict.startswith(RIGHT) else self.reference

    @property
    def reference(self) -> Callable[..., Any]:
        """The course's own solution."""
        return self.sources[-1]

    def hint(self) -> None:
        """Print a clue that does not give the answer away."""
        print(f"Hint. {self.clue}")

    def solution(self) -> None:
        """Print the source of the reference solution, ready to be pasted into a cell."""
        functions = [inspect.getsource(source).rstrip() for source in self.sources]
        print("\n\n\n".join([self.imports, *functions] if self.imports else functions))

    @property
    def effort(self) -> str:
        """Difficulty and minutes, as the notebook shows them above the exercise."""
        dots = "●" * self.difficulty + "○" * (3 - self.difficulty)
        return f"**Difficulty** {dots} · **about {self.minutes} minutes**"

    def __repr__(self) -> str:
        return f"Exercise {self.name}: call check.{self.name}({self.name}), or .hint(), or .solution()"

    def _verdict(self, function: Any) -> str:
        if function is None or function is ...:
            return not_attempted()
        if not callable(function):
            return f"Hand over the function itself, not its result: check.{self.name}({self.name})."
        try:
            mistake = self.diagnose(Attempt(function))
        except Stopped as stopped:
            return str(stopped)
        except Exception as error:  # a result that cannot even be compared
            return f"Your function returned what cannot be checked ({in_words(error)}): return plain Python values."
        return f"{RIGHT} {self.praise}" if mistake is None else mistake


def not_attempted() -> str:
    """The line for an untouched stub."""
    return "Not attempted yet. The notebook continues with the course's own solution."


def shown(value: Any) -> str:
    """`value` as the learner would read it, on one line and not too long; never raises."""
    try:
        text = " ".join(repr(value).split())
    except Exception:
        return f"a {type(value).__name__}"
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


def arguments(case: dict[str, Any]) -> str:
    """A call's arguments in words: "answers=['…'], gold_values=['…']"."""
    return ", ".join(f"{name}={shown(value)}" for name, value in case.items())


def in_words(error: BaseException) -> str:
    """An exception's kind and text on one line; never raises."""
    try:
        text = " ".join(str(error).split())
    except Exception:
        text = ""
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def number(result: Any) -> float:
    """`result` as a plain number.  Raises Stopped when it is none."""
    try:
        if not isinstance(result, (str, bytes)):
            return float(result)
    except Exception:
        pass  # whatever it is, it is no number
    raise Stopped(f"Return one number, not {shown(result)}.")


def _fixed_text(case: dict[str, Any]) -> str:
    """A call's arguments as text; a copied set may list the same items in another order."""
    return repr({name: sorted(value) if isinstance(value, set) else value for name, value in case.items()})


def _nothing_returned(function: Callable[..., Any]) -> str:
    code = getattr(function, "__code__", None)
    if code is not None and {step.opname for step in dis.get_instructions(code)} <= STUB_STEPS:
        return not_attempted()
    return "Your function returned nothing: end it with `return` and the result."

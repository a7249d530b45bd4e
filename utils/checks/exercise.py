"""How an exercise is checked: first on written cases, then next to the reference on drawn inputs.

The written cases name the typical mistakes.  The drawn inputs find the others: they cover the domain that the
reference's docstring states, and are the same each time.  A checker prints one line: "Right. …",
"Not attempted yet. …" or what went wrong.  It never raises.
"""

from __future__ import annotations

import contextlib
import copy
import dis
import inspect
import io
import math
import os
import random
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

STUB_STEPS = {"RESUME", "NOP", "LOAD_CONST", "RETURN_VALUE", "RETURN_CONST"}
LONGEST = 90
DRAWS = 200
SAME_BEFORE = 30  # how much is shown of what two long results have in common before they differ
RIGHT = "Right."


class Stopped(Exception):
    """The check can stop here; the text is the line for the learner."""


class Attempt:
    """The learner's function, called on copies; what goes wrong in it becomes a sentence."""

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
            raise Stopped("Your function changes its arguments, and the notebook still needs them: work on a copy.")
        return result


@dataclass(frozen=True)
class Exercise:
    """One exercise: call it with the learner's function; `hint()` and `solution()` help.

    difficulty: 1 to 3.  minutes: about how long it takes.  diagnose: the first mistake in words, or None when all
    written cases come out right.  read: a result as a plain value to compare; raises Stopped where it has the wrong
    type.  draw: one input from the exercise's domain, as keyword arguments of the reference; never one on which two
    right functions can differ, such as a tie.  sources: functions that the solution prints, the reference last.
    """

    name: str
    difficulty: int
    minutes: int
    diagnose: Callable[[Attempt], str | None]
    read: Callable[[Any], Any]
    draw: Callable[[random.Random], dict[str, Any]]
    praise: str
    clue: str
    sources: tuple[Callable[..., Any], ...]
    imports: str = ""

    def __call__(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Print one line about the learner's function, and return the function that the notebook uses from here on.

        That is the learner's own when it is right, else the reference.  Never raises on what the function does.
        """
        if function is self.reference:  # after `f = check.f(f)` a second run of that cell alone would judge this one
            print("This is the course's own solution. Run the cell with your function again, then this one.")
            return function
        verdict = self._verdict(function)
        print(verdict)
        return function if verdict.startswith(RIGHT) else self.reference

    @property
    def reference(self) -> Callable[..., Any]:
        """The course's own solution."""
        return self.sources[-1]

    def inputs(self) -> list[dict[str, Any]]:
        """The drawn inputs, shortest first, so that the first one on which two functions differ is a simple one."""
        draws = random.Random(self.name)
        return sorted((self.draw(draws) for _ in range(DRAWS)), key=lambda case: len(_fixed_text(case)))

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
            return f"Pass in the function itself, not its result: check.{self.name}({self.name})."
        try:
            mistake = self.diagnose(Attempt(function)) or self._difference(Attempt(function))
        except Stopped as stopped:
            return str(stopped)
        except Exception as error:  # a result that cannot even be compared
            return f"Your function's result cannot be checked ({in_words(error)}): return plain Python values."
        return f"{RIGHT} {self.praise}" if mistake is None else mistake

    def _difference(self, attempt: Attempt) -> str | None:
        """The first drawn input on which the learner's function and the reference differ, in words; None without."""
        with contextlib.redirect_stdout(io.StringIO()):  # what the function prints would come 200 times
            for case in self.inputs():
                expected, found = self.read(self.reference(**copy.deepcopy(case))), self.read(attempt(**case))
                if not alike(found, expected):
                    right, wrong = side_by_side(expected, found)
                    return f"For {arguments(case)} the result should be {right}, and yours is {wrong}."
        return None


def not_attempted() -> str:
    """The line for an untouched stub."""
    return "Not attempted yet. The notebook continues with the course's own solution."


def shown(value: Any) -> str:
    """`value` as the learner would read it, on one line and not too long; never raises."""
    return _shortened(_on_one_line(value))


def _on_one_line(value: Any) -> str:
    try:
        if isinstance(value, set) and value:
            text = f"{{{', '.join(sorted(map(repr, value)))}}}"  # a set has another order in each process
        else:
            text = f"{value:.8g}" if isinstance(value, float) else repr(value)
        return re.sub(r"\s*\n\s*", " ", text)
    except Exception:
        return f"a {type(value).__name__}"


def _shortened(text: str) -> str:
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


def side_by_side(first: Any, second: Any) -> tuple[str, str]:
    """Two values as `shown`, both cut so that their first difference can be seen."""
    texts = _on_one_line(first), _on_one_line(second)
    start = len(os.path.commonprefix(texts)) - SAME_BEFORE
    if start > 0 and max(map(len, texts)) > LONGEST:
        texts = f"…{texts[0][start:]}", f"…{texts[1][start:]}"
    return _shortened(texts[0]), _shortened(texts[1])


def alike(found: Any, expected: Any) -> bool:
    """Whether two plain results are equal; floats need only be close, as two right formulas may round differently."""
    if isinstance(expected, float):
        return math.isclose(found, expected, rel_tol=1e-6, abs_tol=1e-9)
    return found == expected


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
    """`result` as a plain number.  Raises Stopped when it is not a number."""
    try:
        if not isinstance(result, (str, bytes)):
            return float(result)
    except Exception:
        pass  # whatever it is, it is not a number
    raise Stopped(f"Return one number, not {shown(result)}.")


def _fixed_text(case: dict[str, Any]) -> str:
    """A call's arguments as text; a copied set may list the same items in another order."""
    return repr({name: sorted(value) if isinstance(value, set) else value for name, value in case.items()})


def _nothing_returned(function: Callable[..., Any]) -> str:
    code = getattr(function, "__code__", None)
    if code is not None and {step.opname for step in dis.get_instructions(code)} <= STUB_STEPS:
        return not_attempted()
    return "Your function returned nothing: end it with `return` and the result."

"""The checkers of notebook 10: right ways pass, typical mistakes are named.  `test_checks.py` tests the rest."""

from collections import Counter

from utils import checks as check
from utils.checks import references
from utils.checks.making_the_choice import CLOSE, END, ENOUGH, MISSING, VERDICTS

NAMES = ("next_step",)


# Right ways


def step_by_standing(shares, bar):
    def standing(interval):
        if not interval:
            return MISSING
        return ENOUGH if min(interval) >= bar else CLOSE if max(interval) >= bar else "failed"

    walked = ((step, standing(interval)) for step, interval in shares.items())
    return next((one for one in walked if one[1] != "failed"), (None, END))


def step_by_failures_left_out(shares, bar):
    left = [step for step, ends in shares.items() if ends is None or ends[1] >= bar]
    if not left:
        return None, END
    ends = shares[left[0]]
    return left[0], MISSING if ends is None else ENOUGH if ends[0] >= bar else CLOSE


def step_by_recursion(shares, bar):
    if not shares:
        return [None, END]
    (step, ends), *rest = shares.items()
    if ends is None:
        return [step, MISSING]
    if ends[1] < bar:
        return step_by_recursion(dict(rest), bar)
    return [step, CLOSE if ends[0] < bar else ENOUGH]


RIGHT = [("next_step", way) for way in (step_by_standing, step_by_failures_left_out, step_by_recursion)]


# Typical mistakes


def walking(enough, close, missing=lambda step: (step, MISSING), failed=None, end=lambda shares: (None, END)):
    """A next_step with other tests: `enough` and `close` take low, high and the bar."""

    def attempt(shares, bar):
        for step, interval in shares.items():
            if interval is None:
                if missing(step):
                    return missing(step)
                continue
            if enough(*interval, bar):
                return step, ENOUGH
            if close(*interval, bar):
                return step, CLOSE
            if failed:
                return failed(step)
        return end(shares)

    return attempt


def at_least(low, high, bar):
    return low >= bar


def reaching(low, high, bar):
    return high >= bar


WRONG_STEPS = {
    "strictly above": (walking(lambda low, high, bar: low > bar, reaching), "exactly at the bar reaches it"),
    "upper end strictly above": (walking(at_least, lambda low, high, bar: high > bar), "so a part does"),
    "the middle": (walking(lambda low, high, bar: (low + high) / 2 >= bar, reaching), "whatever its middle is"),
    "the upper end is enough": (walking(reaching, reaching), "whatever its middle is"),
    "close ones are passed over": (walking(at_least, lambda low, high, bar: False), "whatever comes after it"),
    "the unmeasured are passed over": (walking(at_least, reaching, missing=lambda step: None), "the walk ends there"),
    "stops at the first failure": (
        walking(at_least, reaching, failed=lambda step: (None, END)),
        "the prompt fails, and all of RAG's interval",
    ),
    "the last step at the end": (
        walking(at_least, reaching, end=lambda shares: (list(shares)[-1] if shares else None, END)),
        "both steps failed",
    ),
    "the best step": (
        lambda shares, bar: (max(shares, key=lambda step: shares[step] or (2, 2)), ENOUGH),
        "the first step is enough already",
    ),
    "only the verdict": (lambda shares, bar: references.next_step(shares, bar)[1], "as a pair"),
    "other words": (lambda shares, bar: (None, "failed"), "Return a step and one of"),
    "nothing at the end": (
        lambda shares, bar: references.next_step(shares, bar) if references.next_step(shares, bar)[0] else None,
        "returned nothing",
    ),
}

WRONG = [("next_step", name, *case) for name, case in WRONG_STEPS.items()]

QUIET = [
    ("next_step", "three steps at most", lambda s, b: references.next_step(dict(list(s.items())[:3]), b)),
    ("next_step", "bar 0.6 at most", lambda s, b: references.next_step(s, min(b, 0.6))),
    ("next_step", "narrow ones only", lambda s, b: references.next_step(
        {k: (v if v is None or v[1] - v[0] < 0.5 else (v[0], b - 0.01)) for k, v in s.items()}, b
    )),
    ("next_step", "the hybrid is always enough", lambda s, b: (
        (step, ENOUGH) if (step := references.next_step(s, b)[0]) == "hybrid" else references.next_step(s, b)
    )),
]  # fmt: skip


def test_drawn_inputs_cover_every_verdict():
    found = Counter(references.next_step(**case)[1] for case in check.next_step.inputs())
    assert set(found) == set(VERDICTS) and min(found.values()) >= 10

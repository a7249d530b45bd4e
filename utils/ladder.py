"""The ladder as a rule: prompt, RAG, better retrieval, template or rule, examples, LoRA, hybrid (used in notebook 10).

Measured shares and a team's needs go in; the next step and its reason come out.  A step is taken only when the last one
measurably fails, or when a need can only be met by text in the prompt.  The ladder is for questions that documents
answer; sorting (notebook 07) is another task.

    advice = next_step(findings_from(Ledger.open(), "fixed"), Needs(citations=True, form="fixed"), bar=0.6)
    advice.in_words()
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from math import isfinite
from typing import Literal, NamedTuple, get_args

from utils.errors import CourseError
from utils.evaluation import Interval
from utils.ledger import Ledger, show_number

Step = Literal["prompt", "RAG", "better retrieval", "template or rule", "examples", "LoRA", "hybrid"]
Verdict = Literal["enough", "next step", "not measured", "too close to call", "end of the ladder"]
Form = Literal["none", "fixed", "needs reading"]
Standing = Literal["reaches the bar", "misses the bar", "too close to call", "not measured"]

STEPS: tuple[Step, ...] = get_args(Step)
AT_THE_END = (
    "Measure another model or a better search, narrow the task, or let people check the answers. Keep the bar, unless "
    "what a failed answer costs has changed."
)


@dataclass(frozen=True)
class Needs:
    """What a team needs.

    facts_change: more often than a model can be trained and tested again.  With this, citations, forgetting or
    permissions, the facts must be text that the prompt brings.
    form: "fixed" can be written by a template, "needs reading" has parts that somebody has to read out of a text.
    questions_a_day: the volume.  by_hand_a_day: how many answers that miss the form people can fix by hand.
    Raises CourseError when the form is unknown or a number is negative.
    """

    facts_change: bool = False
    citations: bool = False
    forgetting: bool = False
    permissions: bool = False
    form: Form = "none"
    questions_a_day: float = 1000
    by_hand_a_day: float = 10

    def __post_init__(self) -> None:
        if self.form not in get_args(Form):
            raise CourseError(f"There is no form {self.form!r}: choose one of {', '.join(get_args(Form))}.")
        if not all(isfinite(number) and number >= 0 for number in (self.questions_a_day, self.by_hand_a_day)):
            raise CourseError("questions_a_day and by_hand_a_day must be 0 or more: check both numbers.")

    @property
    def reasons_for_passages(self) -> list[str]:
        """Why the facts must come as text with the prompt, in words; empty when the model's own knowledge may do."""
        reasons = {
            "the facts change more often than you can train and test": self.facts_change,
            "answers must name a source": self.citations,
            "records must be deleted on request": self.forgetting,
            "readers may see different things": self.permissions,
        }
        return [reason for reason, needed in reasons.items() if needed]


@dataclass(frozen=True)
class Findings:
    """What was measured: shares of the same questions, each with its interval; None where nothing was measured.

    prompt, rag, better_retrieval: right answers, without passages, with the search, and with a better one.
    recall: questions for which the newest search finds the right articles.
    plain, code, examples, lora, hybrid: answers that are as wanted, that is, right, and in the wanted form with its
    source where there is one: of the arm that has the facts, of a template or rule around it, with examples in the
    prompt, after training without passages, and after training with passages.
    reading: right answers with the right passage, and no other, in the prompt.
    Raises CourseError when an interval is upside down or lies outside 0 to 1.
    """

    prompt: Interval | None = None
    rag: Interval | None = None
    recall: Interval | None = None
    better_retrieval: Interval | None = None
    plain: Interval | None = None
    code: Interval | None = None
    examples: Interval | None = None
    lora: Interval | None = None
    hybrid: Interval | None = None
    reading: Interval | None = None

    def __post_init__(self) -> None:
        for field in fields(self):
            share = getattr(self, field.name)
            # The mean may lie beyond a bound by a rounding error, so only the bounds are compared.
            if share is not None and not (0 <= share.low <= share.high <= 1 and 0 <= share.mean <= 1):
                raise CourseError(
                    f"The share {field.name!r} ({share.mean:g}, from {share.low:g} to {share.high:g}) must lie between "
                    "0 and 1, with the lower bound first: check its numbers."
                )


@dataclass(frozen=True)
class Advice:
    """What to do.

    step: the step to take, to measure or to stay at.  verdict: which of these, or why none.  reason: in words.
    """

    verdict: Verdict
    step: Step
    reason: str

    def in_words(self) -> str:
        """The advice in one line, such as "Next step: RAG." and the reason."""
        begin = "Stay at" if self.verdict == "enough" else self.verdict.capitalize()
        return " ".join(filter(None, [f"{begin}: {self.step}.", self.reason]))


class Source(NamedTuple):
    """Where the ledger has a share: its key, the notebook that records it, and what it says."""

    key: str
    notebook: str
    says: str


RIGHT_ANSWERS = {
    "prompt": Source("prompt.correct", "09", "right answers with a prompt and no passage"),
    "rag": Source("rag.correct", "09", "right answers with RAG"),
    "recall": Source("rag.found", "09", "right articles among the passages that RAG shows"),
}
# Without a wanted form, an answer is as wanted when it is right.
SOURCES: dict[Form, dict[str, Source]] = {
    "none": RIGHT_ANSWERS
    | {
        "examples": Source("rag_examples.correct", "09", "right answers with RAG and examples"),
        "hybrid": Source("hybrid.correct", "09", "right answers with the hybrid"),
    },
    "fixed": RIGHT_ANSWERS
    | {
        "plain": Source("rag.complete", "09", "complete letters with plain RAG"),
        "code": Source("rag_template.complete", "09", "complete letters with RAG and a template"),
        "examples": Source("rag_examples.complete", "09", "complete letters with RAG and examples"),
        "lora": Source("lora.complete", "09", "complete letters with an adapter and no passages"),
        "hybrid": Source("hybrid.complete", "09", "complete letters with the hybrid"),
    },
    "needs reading": RIGHT_ANSWERS
    | {
        "code": Source("record.rule.complete", "06", "complete records with a rule"),
        "hybrid": Source("record.lora.complete", "06", "complete records with an adapter that reads a passage"),
    },
}


def findings_from(ledger: Ledger, form: Form = "none") -> Findings:
    """The learner's own shares for a form, as far as they are measured.  Raises CourseError for an unknown form."""
    found = {name: ledger.get(source.key) for name, source in sources_for(form).items()}
    shares = {name: Interval(one.value, *one.bounds) for name, one in found.items() if one and one.unit == "share"}
    return Findings(**shares)


def sources_for(form: Form) -> dict[str, Source]:
    """Where the ledger has the shares for a form, by the fields of `Findings`.  Raises CourseError for an unknown form.

    A field that is missing here is not measured anywhere in the course.
    """
    if form not in SOURCES:
        raise CourseError(f"There is no form {form!r}: choose one of {', '.join(SOURCES)}.")
    return SOURCES[form]


def standing(share: Interval | None, bar: float) -> Standing:
    """Whether a share reaches a bar, by its interval: it does when all of the interval does."""
    if share is None:
        return "not measured"
    if share.low >= bar:
        return "reaches the bar"
    return "misses the bar" if share.high < bar else "too close to call"


def next_step(findings: Findings, needs: Needs, bar: float) -> Advice:
    """The next step up the ladder, or why to stay.

    bar: the share of answers that must be as wanted.  First the facts have to be right often enough, then the form.
    The bar also applies to the search, over the questions that have an answer: what it does not find, nobody can read.
    Raises CourseError when the bar is not above 0 and at most 1.
    """
    if not 0 < bar <= 1:
        raise CourseError(f"The bar is {bar}: give a share above 0 and at most 1, such as 0.8.")
    facts = _facts(findings, needs, bar)
    if facts.verdict != "enough" or needs.form == "none":
        return facts
    return _form(findings, needs, bar, facts.step)


Rung = tuple[Step, Interval | None]


def _facts(findings: Findings, needs: Needs, bar: float) -> Advice:
    """Advice on right answers: "enough" at the first step that has them."""
    prompt = standing(findings.prompt, bar)
    if prompt == "not measured":
        return Advice(prompt, "prompt", "Begin with the best prompt without passages: the others have to beat it.")
    if prompt != "misses the bar" and not needs.reasons_for_passages:
        return _settled("prompt", findings.prompt, bar)
    if findings.rag is None:
        return Advice("next step", "RAG", _why_rag(findings.prompt, needs, bar))
    found = _climb([("RAG", findings.rag)], bar)
    if found is None and findings.better_retrieval is not None:
        found = _climb([("better retrieval", findings.better_retrieval)], bar)
    return found or _search_or_reading(findings, needs, bar)


def _why_rag(prompt: Interval | None, needs: Needs, bar: float) -> str:
    reasons = needs.reasons_for_passages
    why = f"Only text in the prompt does this: {'; '.join(reasons)}." if reasons else _missed("prompt", prompt, bar)
    return f"{why} If the documents fit into the prompt, measure that as a rival."


def _search_or_reading(findings: Findings, needs: Needs, bar: float) -> Advice:
    """Right answers are too few: is it the search, or the reading?"""
    search = standing(findings.recall, bar)
    found = "" if findings.recall is None else _in_words(findings.recall)
    if search == "not measured":
        return Advice(
            search, "better retrieval", "Too few answers are right. Measure how often search finds the articles."
        )
    if search == "too close to call":
        return Advice(search, "better retrieval", f"Search finds the articles for {found}: {_straddles(bar)}")
    if search == "misses the bar":
        ceiling = f"Search finds the articles for only {found}, and no reader can read the others."
        return Advice("next step", "better retrieval", f"{ceiling}{_too_weak_a_reader(findings.reading, bar)}")
    return _reading(findings, needs, bar)


def _too_weak_a_reader(reading: Interval | None, bar: float) -> str:
    """A warning that search alone will not do; empty where it may, or where nothing is known."""
    if standing(reading, bar) != "misses the bar":
        return ""
    assert reading is not None
    right = f"with the right passage in its prompt, the model has only {_in_words(reading)} right"
    return f" Even {right}, so no search alone reaches the bar: try another model as well."


def _reading(findings: Findings, needs: Needs, bar: float) -> Advice:
    """Search finds enough, and right answers are still too few: what was measured first, then examples, then training.

    A training without passages counts where it was measured, and only if the facts need not come with the prompt.
    """
    better = findings.better_retrieval
    last: Rung = ("better retrieval", better) if better else ("RAG", findings.rag)
    examples: Rung = ("examples", findings.examples)
    hybrid: Rung = ("hybrid", findings.hybrid)
    lora: list[Rung] = [] if needs.reasons_for_passages else [("LoRA", findings.lora)]
    measured = [rung for rung in (examples, *lora, hybrid) if rung[1]]
    fails = "Search finds enough, so the reading fails. A larger model may read better: measure it as a rival."
    return (
        _climb(measured, bar)
        or _climb([examples], bar, last, fails)
        or _climb([hybrid], bar, examples, f"{fails} {_why_training('hybrid', needs)}")
        or _end(findings, needs, bar)
    )


def _form(findings: Findings, needs: Needs, bar: float, step: Step) -> Advice:
    """Advice on the form, once the facts are right at `step`."""
    by_itself: list[Rung] = [] if needs.form == "needs reading" else [(step, findings.plain)]  # no answer is a record
    if by_itself and findings.plain is None:
        return Advice("not measured", step, "Measure how many of its answers have the wanted form already.")
    cheap: list[Rung] = [*by_itself, ("template or rule", findings.code), ("examples", findings.examples)]
    trained: Rung = ("LoRA", findings.lora) if step in ("prompt", "LoRA") else ("hybrid", findings.hybrid)
    return (
        _climb(cheap, bar)
        or _by_hand(cheap, needs)
        or _climb([trained], bar, cheap[-1], _why_training(trained[0], needs))
        or _end(findings, needs, bar)
    )


def _why_training(step: Step, needs: Needs) -> str:
    """What to observe in a training."""
    passages = "Show passages in training, since the prompt will have them." if step == "hybrid" else ""
    private = "Keep personal and internal data out of it: weights can neither delete nor filter."
    return " ".join(filter(None, [passages, private if needs.forgetting or needs.permissions else ""]))


def _by_hand(cheap: Sequence[Rung], needs: Needs) -> Advice | None:
    """Advice to fix what is left by hand, or that it is too close to call; None when people cannot fix this many."""
    step, share = max(cheap, key=lambda rung: rung[1].mean if rung[1] else 0.0)
    assert share is not None  # all of these steps were measured, and failed
    least, most = ((1 - end) * needs.questions_a_day for end in (share.high, share.low))
    if least > needs.by_hand_a_day:
        return None
    failing = f"{least:,.0f} to {most:,.0f} of {needs.questions_a_day:,.0f} answers a day are not as wanted"
    reason = f"{failing}, and people can fix {needs.by_hand_a_day:,.0f} by hand."
    return Advice("enough" if most <= needs.by_hand_a_day else "too close to call", step, reason)


def _climb(rungs: Sequence[Rung], bar: float, last: Rung | None = None, also: str = "") -> Advice | None:
    """Advice at the first rung that does not clearly miss the bar; None when all do.

    last: the step below, whose failure is the reason for the first rung.  also: what else to say about a next step.
    """
    for step, share in rungs:
        if share is None:
            below = _missed(*last, bar) if last else ""
            return Advice("next step", step, " ".join(filter(None, [below, also])))
        if standing(share, bar) != "misses the bar":
            return _settled(step, share, bar)
        last = (step, share)
    return None


def _settled(step: Step, share: Interval | None, bar: float) -> Advice:
    assert share is not None
    if standing(share, bar) == "reaches the bar":
        return Advice("enough", step, f"{_wanted(share)}; the bar is {show_number(bar, 'share')}.")
    return Advice("too close to call", step, f"{_wanted(share)}: {_straddles(bar)}")


def _end(findings: Findings, needs: Needs, bar: float) -> Advice:
    """Advice when every step was tried: the cheapest one whose interval reaches the best mean."""
    tried = [(step, share) for step, share in _tried(findings, needs) if share]
    best = max(share.mean for _, share in tried)
    step, share = next((step, share) for step, share in tried if share.high >= best)
    said = f"No step reaches {show_number(bar, 'share')}; of the best, this is the cheapest, with {_in_words(share)}."
    return Advice("end of the ladder", step, f"{said} {AT_THE_END}")


def _tried(findings: Findings, needs: Needs) -> list[Rung]:
    """The steps that can be compared with each other, the cheapest first: all measured by the same kind of share."""
    right: list[Rung] = [("RAG", findings.rag), ("better retrieval", findings.better_retrieval)]
    before = right if needs.form == "none" else [("template or rule", findings.code)]
    lora: list[Rung] = [] if needs.reasons_for_passages else [("LoRA", findings.lora)]
    return [*before, ("examples", findings.examples), *lora, ("hybrid", findings.hybrid)]


def _missed(step: Step, share: Interval | None, bar: float) -> str:
    assert share is not None
    return f"With {step}, {_wanted(share)}; the bar is {show_number(bar, 'share')}."


def _wanted(share: Interval) -> str:
    return f"{_in_words(share)} of the answers are as wanted"


def _straddles(bar: float) -> str:
    return f"the interval includes the bar of {show_number(bar, 'share')}. Measure more questions."


def _in_words(share: Interval) -> str:
    mean, low, high = (show_number(number, "share") for number in (share.mean, share.low, share.high))
    return f"{mean} ({low} to {high})"

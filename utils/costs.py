"""What an approach costs, and from which volume another one is cheaper (used in notebook 08).

Every price comes from `utils.prices`, with its source and date.  Everything else is an assumption, and each has
a name: what the team does is an `Approach`, where it works are the `Circumstances`.  Amounts are dollars.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from utils.errors import CourseError
from utils.prices import Price, Prices
from utils.validation import first_broken_rule

DAYS = 365
HOURS_A_DAY = 8
MILLION = 1_000_000
ITEMS = ("index and storage", "longer prompts", "other tokens", "people", "training", "hosting")
Item = Literal["index and storage", "longer prompts", "other tokens", "people", "training", "hosting"]


class _Fixed(BaseModel):
    """No unknown field, no change after loading, no infinity."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Circumstances(_Fixed):
    """Where an approach has to work.

    updates_per_year: batches of changes to the handbook.  tuning_days: working days until a tuned model is ready, data
    and tests included.  question_tokens: of a prompt without passages.  handbook_tokens: of all articles together.
    cache_hits: share of prompts whose beginning the provider still holds.  effort: multiplies all working hours.
    """

    questions_per_day: float = Field(default=1000, ge=0, le=1e9)
    updates_per_year: float = Field(default=12, ge=0, le=10_000)
    answer_tokens: float = Field(default=25, ge=0, le=100_000)
    tuning_days: float = Field(default=10, ge=0, le=1000)
    question_tokens: float = Field(default=40, ge=0, le=1e6)
    passages: float = Field(default=2, ge=0, le=1000)
    passage_tokens: float = Field(default=85, ge=0, le=1e6)
    handbook_tokens: float = Field(default=7000, ge=0, le=1e9)
    cache_hits: float = Field(default=0.9, ge=0, le=1)
    training_hours: float = Field(default=2, ge=0, le=1e6)
    effort: float = Field(default=1, ge=0, le=100)

    @property
    def questions_per_year(self) -> float:
        """Questions in a year."""
        return DAYS * self.questions_per_day


class Approach(_Fixed):
    """One way to answer.

    context: what the prompt holds besides the question.  trained: "never", "once" (again when the base model is
    retired), or "each update".  A trained model runs on a rented GPU; the others pay a provider by the token.
    build_hours, label_hours: of people before the start, without the tuning itself.  update_hours: of people per
    update.  right: share of right answers.  silent: of the answers that are not right, the share that says nothing.
    """

    name: str = Field(min_length=1)
    context: Literal["nothing", "passages", "handbook"]
    trained: Literal["never", "once", "each update"]
    build_hours: float = Field(ge=0)
    label_hours: float = Field(ge=0)
    update_hours: float = Field(ge=0)
    right: float = Field(ge=0, le=1)
    silent: float = Field(ge=0, le=1)


# Hours: RAG 20 to 60 for a first version, tuning 40 to 120, a training again 4 to 16; the middle of each.  Every
# approach needs gold answers to be tested with: 200 of them, 3 minutes each, are the 10 hours.
# Shares: what this course measured when it was made (notebook 09, test questions).  LoRA stands for an adapter that was
# taught the facts in three wordings: 88 % in wordings that it was not taught (notebook 07), of the 170 questions in 210
# that have an answer, and none of the others.
# The share of the long context is RAG's: the handbook does not fit into the course's model, so nothing was measured.
APPROACHES = (
    Approach(name="prompt only", context="nothing", trained="never", build_hours=8, label_hours=10, update_hours=0,
             right=0.02, silent=0.0),
    Approach(name="RAG", context="passages", trained="never", build_hours=40, label_hours=10, update_hours=0.5,
             right=0.76, silent=0.38),
    Approach(name="LoRA", context="nothing", trained="each update", build_hours=0, label_hours=10, update_hours=8,
             right=0.71, silent=0.0),
    Approach(name="hybrid", context="passages", trained="once", build_hours=40, label_hours=10, update_hours=0.5,
             right=0.67, silent=0.3),
    Approach(name="long context", context="handbook", trained="never", build_hours=12, label_hours=10,
             update_hours=0.5, right=0.76, silent=0.38),
)  # fmt: skip


@dataclass(frozen=True)
class Bill:
    """What an approach costs, each part by item: before the start, per question, per update, per year.

    days: working days until the start.  users: per question, what wrong and missing answers cost the people who asked;
    not part of the bill.
    """

    name: str
    initial: dict[Item, float]
    per_question: dict[Item, float]
    per_update: dict[Item, float]
    per_year: dict[Item, float]
    days: float
    users: float


def bill(approach: Approach, circumstances: Circumstances, prices: Prices) -> Bill:
    """What an approach costs under these circumstances."""
    tuned = approach.trained != "never"
    hour, training = prices.working_hour.value, circumstances.training_hours * prices.training_hour.value
    tuning = HOURS_A_DAY * circumstances.tuning_days if tuned else 0.0
    hours = circumstances.effort * (approach.build_hours + approach.label_hours + tuning)
    initial: dict[Item, float] = {"people": hours * hour, "training": training if tuned else 0.0}
    per_update: dict[Item, float] = {"people": circumstances.effort * approach.update_hours * hour}
    per_year: dict[Item, float] = {}
    if approach.trained == "each update":
        per_update["training"] = training
    if tuned:
        per_year["hosting"] = 24 * DAYS * prices.hosting_hour.value
    if approach.context == "passages":
        initial["index and storage"] = _tokens(circumstances.handbook_tokens, prices.embedding_tokens)
        per_year["index and storage"] = 12 * prices.index_month.value
    per_question = _per_question(approach, circumstances, prices)
    users = (1 - approach.right) * (
        approach.silent * prices.missing_answer.value + (1 - approach.silent) * prices.wrong_answer.value
    )
    return Bill(approach.name, initial, per_question, per_update, per_year, hours / HOURS_A_DAY, users)


def _per_question(approach: Approach, circumstances: Circumstances, prices: Prices) -> dict[Item, float]:
    """Tokens, by item.  A tuned model's are part of its hosting."""
    found: dict[Item, float] = {}
    if approach.context == "passages":
        found["index and storage"] = _tokens(circumstances.question_tokens, prices.embedding_tokens)
    if approach.trained != "never":
        return found
    found["other tokens"] = _tokens(circumstances.question_tokens, prices.input_tokens) + _tokens(
        circumstances.answer_tokens, prices.output_tokens
    )
    if approach.context == "passages":
        shown = circumstances.passages * circumstances.passage_tokens
        found["longer prompts"] = _tokens(shown, prices.input_tokens)
    elif approach.context == "handbook":
        read = _tokens(circumstances.handbook_tokens, prices.cached_tokens)
        written = _tokens(circumstances.handbook_tokens, prices.cache_write_tokens)
        found["longer prompts"] = circumstances.cache_hits * read + (1 - circumstances.cache_hits) * written
    return found


def _tokens(count: float, price: Price) -> float:
    return count * price.value / MILLION


def first_year(bill: Bill, circumstances: Circumstances) -> dict[Item, float]:
    """The first year's bill by item, in the order of ITEMS; without the users' cost."""
    questions, updates = circumstances.questions_per_year, circumstances.updates_per_year
    return {
        item: bill.initial.get(item, 0.0)
        + questions * bill.per_question.get(item, 0.0)
        + updates * bill.per_update.get(item, 0.0)
        + bill.per_year.get(item, 0.0)
        for item in ITEMS
    }


def fixed_and_each(bill: Bill, circumstances: Circumstances, users: bool = False) -> tuple[float, float]:
    """The first year's bill as two numbers: what it costs without any question, and what each question adds.

    users: counts the users' cost too.
    """
    none_asked = circumstances.model_copy(update={"questions_per_day": 0.0})
    each = sum(bill.per_question.values()) + (bill.users if users else 0.0)
    return sum(first_year(bill, none_asked).values()), each


def yearly(bill: Bill, circumstances: Circumstances, users: bool = False) -> float:
    """The first year's total."""
    fixed, each = fixed_and_each(bill, circumstances, users)
    return fixed + each * circumstances.questions_per_year


def break_even(fixed: float, each: float, other_fixed: float, other_each: float) -> float:
    """The number of questions from which on the other approach costs no more.

    0 when it never costs more; infinite when it never gets there, or is cheaper at small volumes only.
    fixed, each: what the one costs without any question, and per question.  other_fixed, other_each: the same for the
    other.  Raises CourseError when a cost is negative or no number.
    """
    if not all(math.isfinite(cost) and cost >= 0 for cost in (fixed, each, other_fixed, other_each)):
        raise CourseError("A break-even needs four costs of 0 or more: check the amounts.")
    if other_each <= each and other_fixed <= fixed:
        return 0.0
    return max(0.0, other_fixed - fixed) / (each - other_each) if other_each < each else math.inf


def break_even_sentence(
    circumstances: Circumstances, prices: Prices, one: Approach = APPROACHES[1], other: Approach = APPROACHES[2]
) -> str:
    """The first year's bills of two approaches, and from how many questions a day on the other one is cheaper."""
    bills = [bill(approach, circumstances, prices) for approach in (one, other)]
    (fixed, each), (other_fixed, other_each) = (fixed_and_each(found, circumstances) for found in bills)
    totals = [yearly(found, circumstances) for found in bills]
    start = (
        f"At {circumstances.questions_per_day:,.0f} questions a day and {circumstances.updates_per_year:,.0f} updates "
        f"a year, the first year costs {dollars(totals[0])} with {one.name} and {dollars(totals[1])} with {other.name}."
    )
    a_day = break_even(fixed, each, other_fixed, other_each) / DAYS
    if a_day == 0:
        return f"{start} {other.name} costs no more than {one.name} at any volume."
    if math.isinf(a_day) and other_fixed < fixed:
        below = (fixed - other_fixed) / (other_each - each) / DAYS
        return f"{start} {other.name} is cheaper up to {rounded(below)} questions a day, and more expensive above."
    if math.isinf(a_day):
        return f"{start} {other.name} saves nothing per question, so it is not cheaper at any volume."
    saved = 1000 * (each - other_each)
    return (
        f"{start} {other.name} saves {dollars(saved)} per 1,000 questions and costs {dollars(other_fixed - fixed)} "
        f"more whatever the volume, so it is cheaper from {rounded(a_day)} questions a day on."
    )


def dollars(amount: float) -> str:
    """An amount in words: "$12,345", "$3.20", "$0.017"."""
    if amount >= 100:
        return f"${amount:,.0f}"
    return f"${amount:.2f}" if amount >= 1 else f"${float(f'{amount:.2g}'):.6f}".rstrip("0").rstrip(".")


def rounded(number: float) -> str:
    """A large number in words, to two digits: "92,000", "1.8 million"."""
    kept = float(f"{number:.2g}")
    if kept >= 1e9:
        return f"{kept / 1e9:g} billion"
    return f"{kept / 1e6:g} million" if kept >= 1e6 else f"{kept:,.0f}"


def circumstances_from(**values: Any) -> Circumstances:
    """Circumstances with some values of your own.  Raises CourseError for an unknown name or an impossible value."""
    try:
        return Circumstances(**values)
    except ValidationError as error:
        raise CourseError(
            f"These circumstances are not possible ({first_broken_rule(error)}): change that value."
        ) from None

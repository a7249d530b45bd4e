"""The cost model: bills worked out by hand, break-evens, what flips a verdict, price files that are refused."""

import datetime
import math
import re

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from utils.authoring.headline import read_headline
from utils.cost_explorer import CostExplorer, break_even_a_day, costs_by_volume
from utils.cost_sensitivity import RANGES, cheapest, sensitivity, with_shares
from utils.costs import (
    APPROACHES,
    ITEMS,
    Approach,
    Circumstances,
    bill,
    break_even,
    break_even_sentence,
    circumstances_from,
    dollars,
    first_year,
    fixed_and_each,
    rounded,
    yearly,
)
from utils.errors import CourseError
from utils.prices import PRICES, Prices, load_prices

PLAIN = {
    "input_tokens": 2, "cached_tokens": 0.2, "cache_write_tokens": 2.5, "output_tokens": 8, "embedding_tokens": 1,
    "index_month": 10, "training_hour": 5, "hosting_hour": 1, "working_hour": 100, "missing_answer": 4,
    "wrong_answer": 8,
}  # fmt: skip
NOW = Circumstances(
    questions_per_day=100, updates_per_year=10, answer_tokens=500, tuning_days=5, question_tokens=1000, passages=3,
    passage_tokens=1000, handbook_tokens=1_000_000, cache_hits=0.5, training_hours=2,
)  # fmt: skip
SHIPPED = load_prices()
GROWING = ["questions_per_day", "updates_per_year", "answer_tokens", "tuning_days", "handbook_tokens", "effort"]
PROMPT, RAG, LORA, HYBRID, LONG = APPROACHES


def price_data(**changed):
    """A price file's data, with some fields of some prices changed; None leaves a price out."""
    data = {
        name: {"value": value, "unit": "dollars", "source": "made up", "date": datetime.date(2026, 11, 1)}
        for name, value in PLAIN.items()
    }
    for name, fields in changed.items():
        data[name] = data.get(name, {}) | fields if fields is not None else data.pop(name) and None
    return {name: price for name, price in data.items() if price is not None}


def write(tmp_path, data):
    path = tmp_path / "prices.yaml"
    path.write_text(data if isinstance(data, str) else yaml.safe_dump(data), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def prices():
    return Prices.model_validate(price_data())


# Bills by hand


def test_a_rag_question_costs_its_tokens_at_list_price(prices):
    """4,000 tokens read at $2 a million and 500 written at $8: 1.2 cents, not the 8 to 21 of a published table."""
    each = bill(RAG, NOW, prices).per_question
    assert each["longer prompts"] + each["other tokens"] == pytest.approx(0.012)
    assert each["longer prompts"] == pytest.approx(0.006)
    assert each["index and storage"] == pytest.approx(0.001)  # its embedding


def test_the_first_year_of_rag(prices):
    year = first_year(bill(RAG, NOW, prices), NOW)
    assert tuple(year) == ITEMS
    assert year["people"] == pytest.approx(100 * (40 + 10) + 10 * 0.5 * 100)
    assert year["index and storage"] == pytest.approx(1 + 12 * 10 + 36_500 * 0.001)
    assert year["training"] == year["hosting"] == 0
    assert yearly(bill(RAG, NOW, prices), NOW) == pytest.approx(sum(year.values()))


def test_the_first_year_of_an_adapter_trained_at_each_update(prices):
    found = bill(LORA, NOW, prices)
    year = first_year(found, NOW)
    assert found.per_question == {} and found.days == pytest.approx((10 + 5 * 8) / 8)
    assert year["people"] == pytest.approx(100 * 50 + 10 * 8 * 100)
    assert year["training"] == pytest.approx((1 + 10) * 2 * 5)
    assert year["hosting"] == pytest.approx(8760)


def test_a_hybrid_trains_once_and_keeps_an_index(prices):
    year = first_year(bill(HYBRID, NOW, prices), NOW)
    assert year["training"] == pytest.approx(10) and year["hosting"] == pytest.approx(8760)
    assert year["index and storage"] == first_year(bill(RAG, NOW, prices), NOW)["index and storage"]
    assert year["longer prompts"] == year["other tokens"] == 0  # its GPU is paid by the hour


def test_long_context_pays_reading_and_writing_the_cache(prices):
    each = bill(LONG, NOW, prices).per_question
    assert each["longer prompts"] == pytest.approx(0.5 * 0.2 + 0.5 * 2.5)
    assert "index and storage" not in each


def test_users_pay_for_wrong_and_for_missing_answers(prices):
    approach = RAG.model_copy(update={"right": 0.6, "silent": 0.25})
    assert bill(approach, NOW, prices).users == pytest.approx(0.4 * (0.25 * 4 + 0.75 * 8))
    fixed, each = fixed_and_each(bill(approach, NOW, prices), NOW, users=True)
    assert each == pytest.approx(0.012 + 0.001 + 2.8)
    assert yearly(bill(approach, NOW, prices), NOW, users=True) == pytest.approx(fixed + 36_500 * each)


def test_effort_multiplies_people_and_nothing_else(prices):
    twice = NOW.model_copy(update={"effort": 2})
    for approach in APPROACHES:
        once, double = (first_year(bill(approach, now, prices), now) for now in (NOW, twice))
        assert double.pop("people") == pytest.approx(2 * once.pop("people"))
        assert double == once


def test_the_shares_of_right_answers_are_those_of_notebook_09():
    measured = read_headline().shares["right"]
    arms = {PROMPT: "base", RAG: "RAG", HYBRID: "hybrid", LONG: "RAG"}
    assert {approach.name: round(100 * approach.right) for approach in arms} == {
        approach.name: measured[arm] for approach, arm in arms.items()
    }


@given(st.sampled_from(APPROACHES), st.sampled_from(GROWING), st.floats(0, 1000), st.floats(0, 1000))
def test_more_of_anything_never_costs_less(approach, name, one, other):
    less, more = (NOW.model_copy(update={name: amount}) for amount in sorted((one, other)))
    assert yearly(bill(approach, less, SHIPPED), less) <= yearly(bill(approach, more, SHIPPED), more) + 1e-6


@given(st.sampled_from(APPROACHES), st.floats(0, 1e6))
def test_a_bill_is_a_fixed_part_and_a_part_per_question(approach, volume):
    now = NOW.model_copy(update={"questions_per_day": volume})
    found = bill(approach, now, SHIPPED)
    fixed, each = fixed_and_each(found, now)
    assert fixed + each * now.questions_per_year == pytest.approx(sum(first_year(found, now).values()))


# Break-even


@pytest.mark.parametrize(
    "given_costs, volume",
    [
        ((5000, 0.003, 9000, 0.001), 2_000_000), ((0, 2, 0, 1), 0), ((10, 1, 5, 1), 0), ((10, 1, 5, 0.5), 0),
        ((10, 2, 20, 1), 10), ((10, 1, 20, 1), math.inf), ((10, 1, 20, 2), math.inf), ((10, 1, 5, 2), math.inf),
    ],
)  # fmt: skip
def test_the_break_even_by_hand(given_costs, volume):
    assert break_even(*given_costs) == volume


@given(*[st.floats(0, 1e5)] * 4)
def test_at_the_break_even_the_other_costs_no_more_and_before_it_it_does(fixed, each, other_fixed, other_each):
    volume = break_even(fixed, each, other_fixed, other_each)
    if math.isfinite(volume) and volume < 1e9:
        tolerance = 1e-6 * (1 + fixed + other_fixed + volume * (each + other_each))
        assert other_fixed + other_each * volume <= fixed + each * volume + tolerance
        assert volume == 0 or other_fixed + other_each * volume / 2 >= fixed + each * volume / 2 - tolerance


@pytest.mark.parametrize("wrong", [-1, math.nan, math.inf])
def test_a_break_even_of_impossible_costs_is_refused(wrong):
    with pytest.raises(CourseError, match="four costs of 0 or more"):
        break_even(1, wrong, 2, 1)


def test_the_sentence_names_both_bills_the_saving_and_the_volume(prices):
    said = break_even_sentence(NOW, prices)
    rag, lora = (yearly(bill(approach, NOW, prices), NOW) for approach in (RAG, LORA))
    assert f"{dollars(rag)} with RAG and {dollars(lora)} with LoRA" in said
    a_day = break_even_a_day(RAG, LORA, NOW, prices)
    assert "saves $13.00 per 1,000 questions" in said and f"from {rounded(a_day)} questions a day on" in said


@pytest.mark.parametrize(
    "one, other, words",
    [
        (LORA, HYBRID.model_copy(update={"update_hours": 500}), "saves nothing per question"),
        (RAG, RAG.model_copy(update={"name": "twin"}), "twin costs no more than RAG at any volume"),
        (LORA, PROMPT, r"prompt only is cheaper up to [\d,.]+ questions a day, and more expensive above"),
    ],
)
def test_the_sentence_says_so_when_there_is_no_break_even(one, other, words, prices):
    assert re.search(words, break_even_sentence(NOW, prices, one, other))


# What flips a verdict


def test_an_assumption_that_changes_the_cheapest_flips_and_others_do_not(prices):
    now = NOW.model_copy(update={"handbook_tokens": 100_000})
    changes = {change.name: change for change in sensitivity([RAG, LONG], now, prices)}
    assert cheapest([RAG, LONG], now, prices) == "RAG"
    assert changes["handbook tokens"].flips and changes["handbook tokens"].cheapest_low == "long context"
    assert not changes["tuning days"].flips and changes["tuning days"].cheapest_high == "RAG"
    assert changes["right answers: long context"].cheapest_high == "long context"


def test_one_assumption_moves_at_a_time_and_right_answers_only_with_users(prices):
    with_users, without = (sensitivity(APPROACHES, NOW, prices, users) for users in (True, False))
    assert len(without) == len(RANGES) + len(PLAIN) and len(with_users) == len(without) + len(APPROACHES)
    assert all(change.low == change.high for change in without if change.name.startswith("price"))  # no ranges here
    assert not any(change.flips for change in without if change.name.startswith("price"))


def test_shares_are_put_in_by_name_and_wrong_ones_refused():
    changed = with_shares(APPROACHES, {"RAG": 0.5})
    assert [one.right for one in changed if one.name == "RAG"] == [0.5] and changed[0] is APPROACHES[0]
    with pytest.raises(CourseError, match="There is no approach 'rag': choose one of prompt only, RAG"):
        with_shares(APPROACHES, {"rag": 0.5})
    with pytest.raises(CourseError, match="'RAG' is 50: give one between 0 and 1"):
        with_shares(APPROACHES, {"RAG": 50})


@pytest.mark.parametrize(
    "values, words",
    [
        ({"questions_per_day": -1}, "questions_per_day: .* greater than or equal to 0"),
        ({"cache_hits": 1.5}, "cache_hits: .* less than or equal to 1"),
        ({"answer_tokens": math.nan}, "answer_tokens"),
        ({"questions": 5}, "questions: Extra inputs"),
        ({"tuning_days": "soon"}, "tuning_days: .* valid number"),
    ],
)
def test_impossible_circumstances_are_refused_in_one_sentence(values, words):
    with pytest.raises(CourseError, match=rf"These circumstances are not possible \({words}.*\): change that value\.$"):
        circumstances_from(**values)


def test_an_approach_with_an_impossible_share_is_refused():
    with pytest.raises(ValidationError):
        Approach(**RAG.model_dump() | {"right": 1.2})


# The price file


def test_every_price_of_the_course_has_its_unit_source_date_and_a_sensible_range():
    prices = load_prices()
    assert list(prices.all()) == list(yaml.safe_load(PRICES.read_text()))
    for name, price in prices.all().items():
        assert datetime.date(2026, 1, 1) <= price.date <= datetime.date(2026, 12, 31), name
        assert price.unit.startswith("dollars per ") and len(price.source) > 10
        assert price.range[0] < price.range[1], f"{name} has no range, so the sensitivity cannot move it"
    assert prices.cached_tokens.value < prices.input_tokens.value < prices.cache_write_tokens.value


def test_prices_move_to_an_end_of_their_range_alone_or_together():
    prices = load_prices()
    high = prices.at("high", ["input_tokens"])
    assert high.input_tokens.value == prices.input_tokens.range[1] and high.output_tokens == prices.output_tokens
    assert [price.value for price in prices.at("low").all().values()] == [p.range[0] for p in prices.all().values()]
    with pytest.raises(CourseError, match="There is no price 'inputs': choose one of input_tokens, "):
        prices.at("high", ["inputs"])


@pytest.mark.parametrize(
    "data, words",
    [
        (price_data(input_tokens={"value": -1}), "input_tokens, value: Input should be greater than or equal to 0"),
        (price_data(input_tokens={"low": -1}), "input_tokens, low: Input should be greater"),
        (price_data(input_tokens={"value": "cheap"}), "input_tokens, value: .* valid number"),
        (price_data(input_tokens={"value": math.inf}), "input_tokens, value: .* finite"),
        (price_data(input_tokens={"value": math.nan}), "input_tokens, value"),
        (price_data(input_tokens={"high": 1}), "input_tokens: the value 2 must lie between low and high"),
        (price_data(input_tokens={"source": ""}), "input_tokens, source"),
        (price_data(input_tokens={"date": "last week"}), "input_tokens, date"),
        (price_data(input_tokens={"currency": "euro"}), "input_tokens, currency: Extra inputs are not permitted"),
        (price_data(lunch={"value": 1}), "lunch: Extra inputs are not permitted"),
        (price_data(working_hour=None), "working_hour: Field required"),
        ("", "one entry for each price"),
        ("- 1\n- 2\n", "one entry for each price"),
    ],
)
def test_a_broken_price_is_named_with_the_rule(tmp_path, data, words):
    with pytest.raises(
        CourseError, match=rf"^prices\.yaml: .*{words}.*; fix it there, or restore the file with git\.$"
    ):
        load_prices(write(tmp_path, data))


def test_files_that_cannot_be_read_are_named(tmp_path):
    with pytest.raises(CourseError, match=r"There is no price file .*none\.yaml: check its path"):
        load_prices(tmp_path / "none.yaml")
    with pytest.raises(CourseError, match=r"prices\.yaml is not valid YAML at line 2: fix it there"):
        load_prices(write(tmp_path, "a: 1\nb: ]\n"))
    with pytest.raises(CourseError, match=r"is not valid YAML: fix it there"):
        load_prices(write(tmp_path, "a: 2026-13-01\n"))
    with pytest.raises(CourseError, match="cannot be read"):
        load_prices(tmp_path)
    (tmp_path / "bytes.yaml").write_bytes(b"\xff\xfe\xff")
    with pytest.raises(CourseError, match="bytes.yaml cannot be read"):
        load_prices(tmp_path / "bytes.yaml")


# Words, tables, number fields


@pytest.mark.parametrize(
    "amount, words",
    [(12_345.4, "$12,345"), (99.5, "$99.50"), (3.2, "$3.20"), (0.0166, "$0.017"), (0, "$0"), (0.00005, "$0.00005")],
)
def test_amounts_in_words(amount, words):
    assert dollars(amount) == words


@pytest.mark.parametrize(
    "number, words",
    [(91_900, "92,000"), (1_843_000, "1.8 million"), (3.4, "3"), (2.51e9, "2.5 billion"), (999_900, "1 million")],
)
def test_large_numbers_in_words(number, words):
    assert rounded(number) == words


def test_the_table_by_volume_agrees_with_the_bills(prices):
    table = costs_by_volume([RAG, LORA], NOW, prices, volumes=(1, 100))
    assert table.loc[100, "RAG"] == pytest.approx(yearly(bill(RAG, NOW, prices), NOW))
    assert list(table.columns) == ["RAG", "LoRA"]


def test_the_fields_say_what_the_plain_function_says(prices):
    explorer = CostExplorer(NOW, prices)
    assert explorer.sentence == break_even_sentence(NOW, prices)
    for name, value in [
        ("questions_per_day", 1000.0),
        ("updates_per_year", 52),
        ("answer_tokens", 40),
        ("tuning_days", 3),
    ]:
        before = explorer.sentence
        explorer.inputs[name].value = value
        now = explorer.circumstances
        assert getattr(now, name) == pytest.approx(value)
        assert explorer.sentence == break_even_sentence(now, prices) != before
    assert 'alt="Lines, both axes logarithmic.' in explorer.figure
    assert explorer.circumstances.handbook_tokens == NOW.handbook_tokens


def test_without_a_front_end_the_explorer_is_its_sentence(prices):
    explorer = CostExplorer(NOW, prices)
    explorer.inputs["updates_per_year"].value = 99
    bundle = explorer._repr_mimebundle_()
    data = bundle[0] if isinstance(bundle, tuple) else bundle
    assert data["text/plain"] == "Cost explorer" and explorer.sentence in data["text/markdown"]
    assert "99 updates" in data["text/markdown"]

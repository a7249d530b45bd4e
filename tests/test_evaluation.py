"""The scorer, on answers whose outcome is plain to see."""

import numpy as np
import pandas as pd
import pytest

from utils.compare import as_percent, as_points, compare, outcome_table, score_arms, summary_table
from utils.evaluation import (
    OUTCOMES,
    Interval,
    cited_articles,
    mean_interval,
    outcome,
    paired_difference,
    score,
    share_interval,
)
from utils.handbook import Answer, Passage, Question
from utils.house_format import follows_house_format, format_answer, wrap_in_house_format
from utils.prompts import ABSTENTION
from utils.sentences import sentences

DELIVERY = Passage("delivery#2", "delivery", "Delivery", "Parcels take 15 days. Delivery costs $12.")
PRICES = Passage("prices#1", "prices", "Prices", "Gift wrap costs $4. It is blue.")
SHOWN = (PRICES, DELIVERY)
COST = Question("q1", "What does delivery cost?", "plain", ("$12",), ("delivery",), ("cost",), "Delivery costs $12.")
BOTH = Question("q2", "Cost and time?", "two_facts", ("$12", "15 days"), ("delivery",), ("cost", "time"), "")
NOTHING = Question("q3", "Who is the king?", "unanswerable", (), (), (), ABSTENTION)


@pytest.mark.parametrize(
    ("question", "text", "expected"),
    [
        (COST, "Delivery costs $12. [2]", "correct"),
        (COST, format_answer("Delivery costs $12.", 2), "correct"),
        (COST, "Delivery costs $120. [2]", "unsupported"),
        (COST, "Gift wrap costs $4. [1]", "wrong"),
        (COST, format_answer("Gift wrap costs $4.", 1), "wrong"),
        (COST, "The Handbook does not say", "abstained wrongly"),
        (COST, "I don't know.", "abstained wrongly"),
        (COST, "The handbook does not say for shops, but online delivery costs $12. [2]", "correct"),
        (COST, "", "unsupported"),
        (BOTH, "Delivery costs $12. [2] Parcels take 15 days. [2]", "correct"),
        (BOTH, "Delivery costs $12. [2]", "wrong"),
        (NOTHING, ABSTENTION, "abstained rightly"),
        (NOTHING, "The passages do not mention this.", "abstained rightly"),
        (NOTHING, "It is blue. [1]", "wrong"),
        (NOTHING, "The king is Otto. [1]", "unsupported"),
    ],
)
def test_outcomes(question, text, expected):
    assert outcome(Answer(question, text, SHOWN)) == expected


def test_a_quoted_sentence_is_no_abstention():
    desk = Passage("annex#1", "annex", "Annex", "There is no information desk in the annex. Ask at the gate.")
    quoted = Answer(NOTHING, "There is no information desk in the annex. [1]", (desk,))
    assert outcome(quoted) == "wrong"
    both = Answer(NOTHING, f"There is no information desk in the annex. [1] {ABSTENTION}", (desk,))
    assert outcome(both) == "abstained rightly"
    assert outcome(Answer(NOTHING, "There is no information.", (desk,))) == "abstained rightly"


def test_a_share_that_nobody_disagrees_with_is_not_certain():
    assert share_interval([1] * 10) == Interval(1.0, pytest.approx(0.6915, abs=1e-4), 1.0)
    assert share_interval([False] * 10) == Interval(0.0, 0.0, pytest.approx(0.3085, abs=1e-4))
    assert share_interval([1, 0, 1, 1]) == mean_interval([1, 0, 1, 1])
    with pytest.raises(ValueError, match="at least one value"):
        share_interval([])


def test_questions_about_the_same_fact_are_drawn_together():
    right, wordings = [1.0] * 20 + [0.0] * 20, 4
    facts = [number // wordings for number in range(len(right))]
    alone, together = mean_interval(right), mean_interval(right, groups=facts)
    assert alone.mean == together.mean == 0.5
    # Ten facts instead of forty questions: the standard error is twice as large.
    assert 1.7 < (together.high - together.low) / (alone.high - alone.low) < 2.3
    assert mean_interval(right, groups=range(40)) == alone
    assert paired_difference(right, right[::-1], groups=facts).verdict == "no clear difference"
    assert share_interval([1.0] * 40, facts).low == pytest.approx(share_interval([1.0] * 10).low)
    with pytest.raises(ValueError, match="each value needs a group"):
        mean_interval(right, groups=[1, 2])


def test_a_large_group_counts_for_all_of_its_questions():
    values, groups = [1.0] * 9 + [0.0], ["one"] * 9 + ["other"]
    found = mean_interval(values, groups=groups)
    assert (found.low, found.mean, found.high) == (0.0, pytest.approx(0.9), 1.0)


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("Es dauert ca. 6 Wochen. Dann ruft Dr. Weber an.", ["Es dauert ca. 6 Wochen.", "Dann ruft Dr. Weber an."]),
        (
            "See Nr. 7 and p. 12. Is it open? No. It is not.",
            ["See Nr. 7 and p. 12.", "Is it open?", "No.", "It is not."],
        ),
        ("料金は千円です。予約は不要です。", ["料金は千円です。", "予約は不要です。"]),
        ("彼は「はい。」と言った。次の文。", ["彼は「はい。」と言った。", "次の文。"]),
    ],
)
def test_sentences_of_other_languages(text, parts):
    assert sentences(text) == parts


def test_citations():
    assert cited_articles(Answer(COST, "Delivery costs $12. [2] [1] [2] [7]", SHOWN)) == ["delivery", "prices", "?7"]
    row = score([Answer(COST, "Delivery costs $12. [2] [7]", SHOWN)]).iloc[0]
    assert (row["citation_precision"], row["citation_recall"]) == (0.5, 1.0)
    row = score([Answer(COST, "Delivery costs $12. [2] [7] [8]", SHOWN)]).iloc[0]
    assert row["citation_precision"] == pytest.approx(1 / 3)  # each invented mark counts
    row = score([Answer(COST, "Delivery costs $12.", SHOWN)]).iloc[0]
    assert (row["citation_precision"], row["citation_recall"]) == (0.0, 0.0)


@pytest.mark.parametrize(
    ("text", "wrapped"),
    [
        ("Delivery costs $12. [2]", format_answer("Delivery costs $12.", 2)),
        ("Delivery costs $12 [2].", format_answer("Delivery costs $12.", 2)),
        ("It costs $12. [2] It takes 15 days. [1]", format_answer("It costs $12. It takes 15 days.", 2)),
        ("Delivery costs $12.", format_answer("Delivery costs $12.", None)),
        (ABSTENTION, format_answer(ABSTENTION, None)),
        ("Delivery\ncosts $12. [1]", format_answer("Delivery costs $12.", 1)),
    ],
)
def test_a_template_gives_the_house_format(text, wrapped):
    assert wrap_in_house_format(text) == wrapped
    assert follows_house_format(wrapped)


def test_complete_needs_all_three():
    texts = {
        format_answer("Delivery costs $12.", 2): True,
        format_answer("Delivery costs $12.", 1): False,
        format_answer("Gift wrap costs $4.", 2): False,
        "Delivery costs $12. [2]": False,
    }
    scores = score([Answer(COST, text, SHOWN) for text in texts])
    assert scores["complete"].tolist() == list(texts.values())
    assert score([Answer(NOTHING, format_answer(ABSTENTION, None), SHOWN)])["complete"].item()


@pytest.mark.parametrize("broken", ["{} and more", "x{}", "{}\nHappy trails!"])
def test_house_format_is_exact(broken):
    good = format_answer("Delivery costs $12.", 2)
    assert follows_house_format(good) and follows_house_format(format_answer(ABSTENTION, None))
    assert not follows_house_format(broken.format(good))


def test_paired_difference_on_a_known_case():
    first, second = [1.0] * 60 + [0.0] * 40, [1.0] * 30 + [0.0] * 70
    gap = paired_difference(first, second)
    assert gap.mean == pytest.approx(0.3)
    assert 0.2 < gap.low < 0.25 and 0.35 < gap.high < 0.4
    assert gap.verdict == "higher" and paired_difference(second, first).verdict == "lower"
    assert paired_difference(first, first).verdict == "no clear difference"
    assert paired_difference(first, second) == gap
    assert as_points(gap).startswith("+30 points")


@pytest.mark.parametrize(
    ("better", "worse", "verdict"),
    [
        (4, 0, "no clear difference"),  # p = 0.125; the bootstrap alone would exclude zero
        (5, 0, "no clear difference"),  # p = 0.063
        (6, 0, "higher"),  # p = 0.031
        (7, 1, "no clear difference"),  # p = 0.070
        (8, 1, "higher"),  # p = 0.039
        (0, 6, "lower"),
        (0, 5, "no clear difference"),
    ],
)
@pytest.mark.parametrize("questions", [10, 200])
def test_a_verdict_needs_the_exact_sign_test_too(better, worse, verdict, questions):
    first = [1.0] * better + [0.0] * (questions - better)
    second = [0.0] * better + [1.0] * worse + [0.0] * (questions - better - worse)
    gap = paired_difference(first, second)
    assert gap.verdict == verdict
    assert gap.mean == pytest.approx((better - worse) / questions) and gap.low <= gap.mean <= gap.high
    assert type(gap.low) is type(gap.high) is float
    facts = [number // 2 for number in range(2 * questions)]  # each question twice is not twice as much evidence
    twice = [np.repeat(side, 2) for side in (first, second)]
    assert paired_difference(*twice, groups=facts).verdict == verdict


def test_the_exact_sign_test_is_for_values_of_0_and_1():
    first = [0.5] * 4 + [0.0] * 36
    assert paired_difference(first, [0.0] * 40).verdict == "higher"


@pytest.mark.parametrize("pair", [([1.0], []), ([], [])])
def test_paired_difference_refuses_unequal_sides(pair):
    with pytest.raises(ValueError, match="same questions"):
        paired_difference(*pair)


def test_arms_must_answer_the_same_questions():
    with pytest.raises(ValueError, match="different questions"):
        score_arms({"one": [Answer(COST, "x")], "two": [Answer(NOTHING, "x")]})


def test_tables_name_every_arm_and_outcome():
    arms = {"good": [Answer(COST, "Delivery costs $12. [2]", SHOWN)], "bad": [Answer(COST, "It costs $9.", SHOWN)]}
    scores = score_arms(arms)
    assert outcome_table(scores).loc["bad", "unsupported"] == 1.0
    assert list(outcome_table(scores).columns) == list(OUTCOMES)
    assert summary_table(scores).loc["good", "right"] == 1.0
    assert compare(scores, "good", "bad").mean == 1.0
    assert as_percent(pd.DataFrame({"a": [0.314, np.nan]}))["a"].tolist() == ["31 %", "–"]


def test_a_value_in_brackets_is_found_as_prompts_show_it():
    passage = Passage("score#0", "score", "Score", "The score lies in [0, 1].")
    question = Question("q", "Where does it lie?", "plain", ("[0, 1]",), ("score",), (), "The score lies in [0, 1].")
    for text in ("The score lies in (0, 1). [1]", "It lies in [0, 1]."):
        assert outcome(Answer(question, text, (passage,))) == "correct"
    assert outcome(Answer(question, "The score lies in (0, 2). [1]", (passage,))) != "correct"

"""Timed decoding writes what the generator writes, with and without a cached prefix; the other stages and tables."""

import copy
import itertools
from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch

from utils import evaluation, latency
from utils.datasets import load_articles
from utils.errors import CourseError
from utils.handbook import COMPANY
from utils.latency import (
    Spans,
    SplitSearch,
    common_prefix,
    in_milliseconds,
    in_turn,
    read_prefix,
    timed_generation,
    widened,
)
from utils.models import load_embedder, load_generator
from utils.prompts import build_messages
from utils.retrieval import DenseIndex

QUESTIONS = ["What is the deposit for the Ember Stove?", "When does the Kettlewood branch open?", "Do you fly?"]


@pytest.fixture(scope="module")
def generator():
    return load_generator()


@pytest.fixture(scope="module")
def articles():
    return load_articles()[:6]


@pytest.fixture(scope="module")
def conversations(articles):
    return [build_messages(q, COMPANY, articles[place : place + 2]) for place, q in enumerate(QUESTIONS)]


def texts(generator, answers):
    return [text.strip() for text in generator.tokenizer.batch_decode(answers, skip_special_tokens=True)]


def test_one_at_a_time_and_in_a_batch_the_answers_are_the_generators(generator, conversations):
    rows = generator.prompt_ids(conversations)
    said = generator.complete(conversations)
    assert texts(generator, [timed_generation(generator, [row]).answers[0] for row in rows]) == said
    assert texts(generator, timed_generation(generator, rows).answers) == said


def test_exactly_so_many_tokens_are_written_past_the_end(generator, conversations):
    rows = generator.prompt_ids(conversations)
    free, forced = timed_generation(generator, rows), timed_generation(generator, rows, exactly=70)
    assert {len(answer) for answer in forced.answers} == {70}
    assert all(long[: len(short)] == short for short, long in zip(free.answers, forced.answers, strict=True))
    assert {len(answer) for answer in timed_generation(generator, rows, exactly=1).answers} == {1}


def test_a_cached_prefix_gives_the_same_tokens_and_is_not_used_up(generator, conversations):
    rows = generator.prompt_ids(conversations)
    prefix = common_prefix(rows)
    assert 10 < len(prefix) < min(map(len, rows))
    state = read_prefix(generator, prefix)
    for row in [*rows, rows[0]]:
        assert timed_generation(generator, [row], prefix=state).answers == timed_generation(generator, [row]).answers
    assert state.get_seq_length() == len(prefix)


def test_the_prefix_of_another_prompt_gives_other_tokens(generator, conversations):
    """The cache really is read: after another question's passages, the same last tokens have another answer."""
    one, other = generator.prompt_ids(conversations)[:2]
    length = min(len(one), len(other)) - 3
    right, wrong = (read_prefix(generator, row[:length]) for row in (one, other))
    whole = timed_generation(generator, [one]).answers
    assert timed_generation(generator, [one], prefix=right).answers == whole
    assert timed_generation(generator, [one], prefix=wrong).answers != whole


@pytest.mark.parametrize(
    "rows, prefix",
    [
        ([[1, 2, 3], [1, 2, 4, 5]], [1, 2]),
        ([[1, 2, 3]], [1, 2]),
        ([[1, 2], [1, 2, 3]], [1]),
        ([[1], [2]], []),
        ([], []),
    ],
)
def test_the_common_prefix_leaves_a_token_to_read(rows, prefix):
    assert common_prefix(rows) == prefix


def test_no_prompt_and_several_with_a_prefix_are_refused(generator):
    state = read_prefix(generator, [5, 6, 7])
    for rows, prefix in (([], None), ([[5, 6, 7, 8]] * 2, state)):
        with pytest.raises(CourseError, match="at least one prompt, and with a prefix exactly one"):
            timed_generation(generator, rows, prefix=prefix)


def test_the_split_search_finds_what_the_index_finds(articles):
    embedder = load_embedder()
    index = DenseIndex(articles, embedder)
    find = SplitSearch(index, embedder)
    for question, hits in zip(QUESTIONS, index.search(QUESTIONS, k=3), strict=True):
        passages, embedding, searching = find(question, 3)
        assert [p.id for p in passages] == [hit.passage.id for hit in hits] and embedding > 0 and searching > 0
    assert find(QUESTIONS[0], 0) == ([], 0.0, 0.0)
    assert len(find(QUESTIONS[0], 99)[0]) == len(articles)


def test_a_wider_model_has_more_weights_the_same_depth_and_leaves_the_first_alone(generator):
    before = copy.deepcopy(generator.model.config.to_dict())
    wide = widened(generator, 2)
    ratio = wide.model.num_parameters() / generator.model.num_parameters()
    assert 2 < ratio < 4 and wide.model.config.num_hidden_layers == generator.model.config.num_hidden_layers
    assert generator.model.config.to_dict() == before
    assert len(timed_generation(wide, [[5, 6, 7]], exactly=2).answers[0]) == 2


def test_a_model_without_named_widths_cannot_be_widened(generator):
    odd = replace(generator, model=SimpleNamespace(config=SimpleNamespace(hidden_size=8)))
    with pytest.raises(CourseError, match="has no intermediate_size"):
        widened(odd, 2)


def spans(seconds):
    return Spans(0.0, 0.0, seconds, 0.0, read=10, written=2)


def test_arms_take_turns_each_warms_up_and_the_median_round_is_kept():
    order, clock = [], itertools.count()

    def arm(name):
        def answer(question):
            order.append((name, question))
            return spans(float(next(clock)))

        return answer

    found = in_turn(3, iter(["a", "b"]), {"one": arm("one"), "two": arm("two")})
    assert order[:2] == [("one", "a"), ("two", "a")]  # the warm-up
    first, second = [("one", "a"), ("two", "a")], [("two", "a"), ("one", "a")]
    assert order[2:8] == [*first, *second, *first]  # another begins each time
    assert [name for name, _ in order[8:]] == ["two", "one", "one", "two", "two", "one"]
    assert [one.prefill for one in found["one"]] == [5.0, 10.0] and [one.prefill for one in found["two"]] == [4.0, 11.0]


def test_of_two_rounds_the_faster_is_kept():
    seconds = iter([9.0, 3.0, 2.0])
    assert in_turn(2, ["a"], {"one": lambda question: spans(next(seconds))})["one"] == [spans(2.0)]


def test_one_very_slow_answer_hardly_moves_the_median_and_its_interval():
    found, slow = (evaluation.median_interval([*range(1, 20), last]) for last in (20, 9000))
    assert found.mean == slow.mean == 10.5 and 4 < found.low < found.mean < found.high < 17
    assert slow.high < 20 and evaluation.median_interval([3.0]) == evaluation.Interval(3.0, 3.0, 3.0)
    with pytest.raises(ValueError, match="at least one value"):
        evaluation.median_interval([])


def test_the_table_has_each_stage_in_milliseconds_and_uses_the_given_percentile():
    found = {"RAG": [Spans(0.001, 0.002, 0.003, 0.004, 10, 5), Spans(0.003, 0.002, 0.003, 0.004, 20, 7)]}
    table = in_milliseconds(found, lambda values, percent: max(values) if percent == 95 else min(values))
    assert table.loc["RAG", ["embed p50", "embed p95", "total p50", "total p95"]].tolist() == [1.0, 3.0, 10.0, 12.0]
    assert table.loc["RAG", ["read", "written"]].tolist() == [10, 5]
    assert [name.split()[0] for name in table.columns[:-2:2]] == [*latency.STAGES, "total"]


def test_nothing_is_left_for_autograd(generator):
    state = read_prefix(generator, [5, 6, 7])
    assert not any(
        tensor.requires_grad
        for layer in state.layers
        for tensor in vars(layer).values()
        if isinstance(tensor, torch.Tensor)
    )

"""Answers from passages: closed book only on request, prompts that fit, and greedy decoding whatever the model says."""

from dataclasses import replace

import pytest
import torch
from transformers import GenerationConfig

from utils.datasets import load_articles, load_questions
from utils.errors import CourseError
from utils.finetuning import TrainingExample, train_lora
from utils.handbook import COMPANY, Article
from utils.models import load_embedder, load_generator
from utils.prompts import ABSTENTION, build_messages
from utils.rag import RagPipeline, answer_closed_book, answer_from
from utils.retrieval import Bm25Index, DenseIndex
from utils.retrieval.dense import token_counts

pytestmark = pytest.mark.filterwarnings("error::UserWarning")


@pytest.fixture(scope="module")
def generator():
    return load_generator()


@pytest.fixture(scope="module")
def articles():
    return load_articles()


@pytest.fixture(scope="module")
def questions():
    return load_questions("dev")[:6]


@pytest.fixture(scope="module")
def embedder():
    return load_embedder()


class CountingGenerator:
    """Says how many prompts it got."""

    prompts = 0
    prompt_room = 10**6

    def fits(self, messages):
        return True

    def complete(self, conversations, progress=False, grammar=None):
        self.prompts += len(conversations)
        return ["An answer." for _ in conversations]


def test_no_hits_no_answer(articles, questions):
    index, generator = Bm25Index(articles), CountingGenerator()
    guest = RagPipeline(index, generator, allowed=set()).answer(questions)
    odd = RagPipeline(index, generator).answer([replace(questions[0], text="xyzzy qwertz?")])
    empty = answer_from(questions[:2], [[], articles[:1]], generator)
    assert {answer.text for answer in [*guest, *odd, empty[0]]} == {ABSTENTION}
    assert all(answer.passages == () for answer in [*guest, *odd, empty[0]])
    assert (empty[1].text, generator.prompts) == ("An answer.", 1)
    assert {answer.text for answer in answer_closed_book(questions, generator)} == {"An answer."}


def test_a_closed_book_prompt_may_show_examples(generator, questions):
    shown = [(question.text, (), question.reference) for question in questions[:2]]
    answers = answer_closed_book(questions[2:3], generator, examples=shown)
    messages = build_messages(questions[2].text, COMPANY, examples=shown)
    assert answers[0].text == generator.complete([messages])[0]


def long_article(name, words):
    return Article(name, "Long", "S", "public", "2026-01-01", " ".join(["stove"] * words))


def test_passages_that_do_not_fit_are_left_out_from_the_end(generator, articles, questions, capsys):
    shelf = [articles[0], long_article("x", 900), long_article("y", 900), articles[1]]
    (answer,) = answer_from(questions[:1], [shelf], generator)
    said = capsys.readouterr().out
    assert 1 <= len(answer.passages) < 4
    assert [passage.article_id for passage in answer.passages] == [one.id for one in shelf][: len(answer.passages)]
    assert (
        said.startswith(f"{4 - len(answer.passages)} passage")
        and "left out, the last of a prompt first" in said
        and "1,976 tokens" in said
    )
    assert generator.fits(build_messages(questions[0].text, COMPANY, answer.passages))
    answer_from(questions[:1], [shelf[:1]], generator)
    assert capsys.readouterr().out == ""


def test_a_question_that_does_not_fit_is_refused(generator, articles, questions):
    endless = replace(questions[0], text="stove " * 3000)
    for ask in (
        lambda: answer_from([endless], [articles[:1]], generator),
        lambda: answer_closed_book([endless], generator),
    ):
        with pytest.raises(CourseError, match="1,976"):
            ask()


def test_a_training_example_that_does_not_fit_is_refused(generator):
    with pytest.raises(CourseError, match="2,048: show fewer passages"):
        train_lora(generator, [TrainingExample(build_messages("stove " * 3000, COMPANY), "Yes.")])


def test_the_index_says_what_the_embedder_cuts(embedder, articles, capsys):
    index = DenseIndex([*articles[:3], long_article("x", 300), long_article("y", 500)], embedder)
    said = capsys.readouterr().out
    assert said.startswith("2 of 5 passages are longer than the 256 tokens") and "The longest is 'y' with 50" in said
    index.add([long_article("z", 400)])
    assert capsys.readouterr().out.startswith("1 of 1 passages is longer")
    DenseIndex(articles, embedder)
    assert capsys.readouterr().out == ""


def test_a_question_beyond_the_embedder_s_tokens_is_refused(embedder, articles):
    index = DenseIndex(articles[:3], embedder)
    short, long = "stove " * 250, "Zzyzx-qwertz " * 100
    assert token_counts([short, long], embedder)[0] < 256 < token_counts([long], embedder)[0]
    assert len(long.split()) < len(short.split())
    index.search([short])
    with pytest.raises(CourseError, match="more than the 256 that the embedder reads"):
        index.search([long])


SETTINGS = {
    "repetition_penalty": 5.0,
    "do_sample": True,
    "temperature": 2.0,
    "num_beams": 8,
    "no_repeat_ngram_size": 2,
    "min_new_tokens": 40,
    "suppress_tokens": list(range(5, 300)),
    "begin_suppress_tokens": list(range(5, 600)),
    "forced_eos_token_id": 1,
    "bad_words_ids": [[token] for token in range(5, 300)],
}


@pytest.mark.parametrize("setting", SETTINGS)
def test_a_model_s_own_settings_change_no_answer(generator, articles, questions, setting):
    shown = [articles[:2] for _ in questions]
    greedy = [answer.text for answer in answer_from(questions, shown, generator)]
    own = generator.model.generation_config
    other = GenerationConfig(**own.to_dict() | {setting: SETTINGS[setting]})
    generator.model.generation_config = other
    try:
        torch.manual_seed(0)
        assert [answer.text for answer in answer_from(questions, shown, generator)] == greedy
        assert generator.model.generation_config is other
    finally:
        generator.model.generation_config = own

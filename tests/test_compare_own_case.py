"""A case of one's own: halves that share no fact, gold passages, lessons, kept answers, arms and the reading check."""

import json
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from utils.compare.arms import HYBRID, LORA, NEAREST, NO_WEIGHTS, NOT_WANTED, PROMPT, RAG, SILENT, Bench, answer_arms
from utils.compare.drafts import as_csv, draft_questions
from utils.compare.kept_answers import KeptAnswers, identity
from utils.compare.lessons import MOST, closed_book_lessons, reading_lessons
from utils.compare.own_case import FEW, case_of, fact_names, halves, name_of, read_case
from utils.compare.reading_check import check_reading
from utils.compare.results import Results
from utils.errors import CourseError
from utils.evaluation import Interval
from utils.handbook import Article, Passage, Question
from utils.nearest_sentence import answer_by_nearest_sentence
from utils.prompts import ABSTENTION, is_abstention
from utils.question_files import read_question_file
from utils.retrieval import DenseIndex

COLOURS = (
    "red blue green white black brown grey pink gold teal lime navy plum rust sand wine jade mint fawn rose".split()
)


class Words:
    """An embedder: a vector holds which colours a text names."""

    def __init__(self):
        self.texts = 0

    def encode(self, texts, **_):
        self.texts += len(texts)
        rows = [[0.01, *(float(colour in text.lower().split()) for colour in COLOURS)] for text in texts]
        return np.array([np.array(row) / np.linalg.norm(row) for row in rows], dtype=np.float32)


class Reader:
    """A model without weights: quotes the sentence of passage 1 when there is one, and invents otherwise."""

    prompt_room = 10**6

    def __init__(self, name="reader", blind=False, stop_after=None):
        self.name, self.blind, self.stop_after, self.asked = name, blind, stop_after, []

    def fits(self, messages):
        return True

    def complete(self, conversations, batch_tokens=0, progress=False, grammar=None):
        texts = []
        for messages in conversations:
            if self.stop_after is not None and len(self.asked) >= self.stop_after:
                raise KeyboardInterrupt
            self.asked.append(messages)
            lines = messages[-1]["content"].split("\n")
            first = next((line for line in lines if line.startswith("[1]")), "")
            quoted = first.partition(". ")[2]
            texts.append(f"{quoted} [1]" if quoted and not self.blind else "It costs $999.")
        return texts


def article(colour, price):
    return Article(
        f"{colour}-tent", f"The {colour} tent", "", "public", "", f"The {colour} tent costs ${price} a night."
    )


ARTICLES = [article(colour, 10 + number) for number, colour in enumerate(COLOURS)]


def question(number, wording=0, value=None):
    colour = COLOURS[number]
    text = [f"What does the {colour} tent cost?", f"How much is the {colour} one?"][wording]
    value = value or f"${10 + number}"
    reference = f"The {colour} tent costs {value} a night."
    return Question(f"q{number}-{wording}", text, "plain", (value,), (f"{colour}-tent",), (), reference)


def silent(number):
    return Question(f"s{number}", f"Who sewed tent {number}?", "unanswerable", (), (), (), ABSTENTION)


PAIRS = [question(number, wording) for number in range(20) for wording in (0, 1)]


def many():
    """400 questions, 20 of them without an answer."""
    asked = [replace(question(number), id=f"q{number}-{n}") for number in range(20) for n in range(19)]
    return [*asked, *map(silent, range(20))]


def facts(questions):
    return {(one.articles, one.values) for one in questions if one.answerable}


def case(training=None, test=None):
    training = [question(n) for n in range(10)] if training is None else training
    test = [*(question(n) for n in range(10, 20)), silent(1), silent(2)] if test is None else test
    return case_of("The camp", ARTICLES, training, test, Words())


# Halves


@pytest.mark.parametrize("seed", range(5))
def test_no_fact_is_on_both_sides_and_no_question_is_lost(seed):
    questions = [*PAIRS, *map(silent, range(7))]
    training, test = halves(questions, seed)
    assert facts(training) & facts(test) == set()
    assert sorted(one.id for one in [*training, *test]) == sorted(one.id for one in questions)
    assert abs(len(training) - len(test)) <= 3
    assert abs(sum(not one.answerable for one in training) - 3.5) < 1


def test_the_seed_decides_the_halves():
    assert halves(PAIRS, 1) == halves(PAIRS, 1) != halves(PAIRS, 2)


def test_a_question_on_two_facts_keeps_both_on_its_side():
    both = Question("both", "Both?", "two_facts", ("$10", "$11"), ("red-tent", "blue-tent"), (), "")
    for seed in range(8):
        training, test = halves([*(question(n) for n in range(8)), both], seed)
        side = training if both in training else test
        assert question(0) in side and question(1) in side


def test_facts_have_names_and_a_question_on_two_joins_them():
    both = Question("both", "Both?", "two_facts", ("$10", "$11"), ("red-tent", "blue-tent"), (), "")
    asked = [question(0), question(1), silent(1), question(2), question(2, 1)]
    assert fact_names(asked) == {"q0-0": "q0-0", "q1-0": "q1-0", "s1": "s1", "q2-0": "q2-0", "q2-1": "q2-0"}
    assert {fact_names([*asked, both])[name] for name in ("q0-0", "q1-0", "both")} == {"q0-0"}


def test_the_same_question_and_values_within_each_other_are_one_fact():
    same = [silent(1), replace(silent(1), id="again", text="Who sewed  tent 1?")]
    longer = replace(question(0, 1), id="longer", values=("$10 a night",))
    named = fact_names([*same, question(0), longer, question(1)])
    assert named == {"s1": "s1", "again": "s1", "q0-0": "q0-0", "longer": "q0-0", "q1-0": "q1-0"}
    values = ["no", "no refunds", "HR", "HR manager", "2", "2 weeks", "28 days", "28 days of leave"]
    several = [replace(question(0), id=value, text=f"And {value}?", values=(value,)) for value in values]
    assert fact_names(several) == {value: value for value in values} | {"28 days of leave": "28 days"}


def test_many_questions_on_one_document_are_grouped_in_seconds():
    texts = [f"{n} euros and {n % 7} cents" for n in range(1, 1001)]
    asked = [replace(question(0), id=text, text=text, values=(text,)) for text in texts]
    before = time.process_time()
    assert len(set(fact_names(asked).values())) == 1000
    assert time.process_time() - before < 20


def test_a_limit_uses_fewer_and_keeps_the_sides_apart():
    training, test = halves(PAIRS, 0, limit=12)
    assert len(training) + len(test) == 12 and facts(training) & facts(test) == set()
    with pytest.raises(CourseError, match="^The limit is 1: use at least 2"):
        halves(PAIRS, 0, limit=1)


@pytest.mark.parametrize("seed", range(12))
def test_two_facts_are_split_however_many_questions_each_has(seed):
    other = [question(1, wording) for wording in (0, 1)]
    third = Question("third", "And the blue one?", "plain", other[0].values, other[0].articles, (), "")
    training, test = halves([question(0), *other, third], seed)
    assert sorted([len(training), len(test)]) == [1, 3] and facts(training) & facts(test) == set()


@pytest.mark.parametrize("seed", range(3))
def test_a_half_is_in_drawn_order_so_that_its_first_questions_are_a_fair_sample(seed):
    training, test = halves(many(), seed)
    for half in (training, test):
        assert len(half) > MOST and any(not one.answerable for one in half[:MOST])


def test_one_fact_cannot_be_split():
    with pytest.raises(CourseError, match="all about one fact"):
        halves([question(0, 0), question(0, 1), silent(1), silent(2)])


# Cases


def write_case(folder, rows, documents=None):
    documents = documents or {f"{one.id}.md": f"# {one.title}\n\n{one.text}" for one in ARTICLES}
    (folder / "our_camp").mkdir()
    for name, text in documents.items():
        (folder / "our_camp" / name).write_bytes(text if isinstance(text, bytes) else text.encode())
    (folder / "questions.jsonl").write_text("\n".join(map(json.dumps, rows)))
    return folder / "our_camp", folder / "questions.jsonl"


def row(one: Question):
    return {"id": one.id, "question": one.text, "answer": list(one.values), "document": list(one.articles)}


def test_a_case_is_read_from_a_folder_and_a_file(tmp_path):
    documents, questions = write_case(tmp_path, map(row, PAIRS))
    found = read_case(documents, questions, Words)
    assert found.company == "Our camp" and len(found.articles) == 20 and len(found.questions) == 40
    assert read_case(documents, questions, Words, company="Tent & Co").company == "Tent & Co"


def test_bad_input_is_refused_before_a_model_is_loaded(tmp_path):
    documents, questions = write_case(tmp_path, [row(silent(n)) for n in range(4)])
    with pytest.raises(CourseError, match="^None of the 4 questions in .* has an answer"):
        read_case(documents, questions, pytest.fail)


def test_drafts_are_refused_until_each_is_corrected(tmp_path):
    rows = [row(one) for one in PAIRS]
    for one in rows[:3]:
        one["question"] = f"draft: {one['question']}"
    documents, questions = write_case(tmp_path, rows)
    with pytest.raises(CourseError, match="^3 of 40 questions in .* are still drafts, which are no gold answers"):
        read_case(documents, questions, pytest.fail)


def test_files_in_several_encodings_are_read_together(tmp_path):
    texts = {"a.md": "Das Zelt kostet 5 €.".encode("utf-16"), "b.txt": "Die Hütte kostet 7 €.".encode("cp1252")}
    rows = [
        {"question": "Zelt?", "answer": "5 €", "document": "a"},
        {"question": "Hütte?", "answer": "7 €", "document": "b"},
    ]
    found = read_case(*write_case(tmp_path, rows, texts | {"c.md": b"\0\1\2"}), Words)
    assert [one.id for one in found.articles] == ["a", "b"] and [one.path for one in found.skipped] == ["c.md"]
    assert found.unproven() == []


def test_gold_passages_hold_every_value_or_none_is_given():
    found = case()
    assert [passage.article_id for passage in found.gold_passages(question(3))] == ["white-tent"]
    assert found.gold_passages(question(3, value="$1")) == [] == found.gold_passages(silent(1))


def test_half_an_answer_is_no_gold_passage():
    both = Question("both", "Both?", "two_facts", ("$10", "$1"), ("red-tent", "blue-tent"), (), "")
    assert case().gold_passages(both) == []


def test_a_reader_of_the_results_is_warned():
    few = case(test=[question(11, value="$7")])
    assert len(few.test) < FEW
    wide, unproven = few.warnings()
    assert "only 1 of at least 20 questions, so the intervals are wide" in wide and "check q11-0." in unproven
    assert case(test=[question(number) for number in range(20)]).warnings() == []


def test_a_half_without_an_answer_is_refused():
    with pytest.raises(CourseError, match="^The test half has no question with an answer"):
        case(test=[silent(1)])


def test_a_folder_s_name_becomes_a_company_s(tmp_path):
    assert name_of(tmp_path / "our-old_camp") == "Our old camp"


# Lessons


def test_lessons_teach_the_reference_with_its_source_and_silence_without_one():
    found = case(training=[question(2), silent(5)])
    bench = Bench(found, Words(), Reader(), "unused")
    closed, silence = closed_book_lessons(found)
    assert closed.completion == question(2).reference and silence.completion == ABSTENTION
    assert closed.messages[-1]["content"] == "Question: What does the green tent cost?"
    reading, silence = reading_lessons(found, bench.index, k=2)
    assert reading.completion == f"{question(2).reference} [1]" and silence.completion == ABSTENTION
    assert "[1] The green tent." in reading.messages[-1]["content"] and "[3]" not in reading.messages[-1]["content"]


def test_a_gold_passage_that_the_search_misses_is_shown_in_the_last_place():
    lost = Question("lost", "What does the red tent cost?", "plain", ("$15",), ("brown-tent",), (), "It costs $15.")
    (lesson,) = reading_lessons(case(training=[lost]), Bench(case(), Words(), Reader(), "unused").index, k=2)
    assert lesson.completion == "It costs $15. [2]"
    shown = lesson.messages[-1]["content"]
    assert "[1] The red tent." in shown and "[2] The brown tent." in shown


def test_lessons_leave_out_what_no_document_says_and_stay_few():
    found = case(training=[question(1, value="$1"), *[question(2)] * (MOST + 5)])
    lessons = reading_lessons(found, Bench(found, Words(), Reader(), "unused").index, k=1)
    assert len(lessons) == MOST and not any("$1 " in lesson.completion for lesson in lessons)


@pytest.mark.parametrize("seed", range(3))
def test_lessons_of_a_large_half_teach_silence_too(seed):
    training, test = halves(many(), seed)
    found = case_of("The camp", ARTICLES, training, test, Words())
    closed = closed_book_lessons(found)
    reading = reading_lessons(found, DenseIndex(found.passages, Words()), k=1)
    for lessons in (closed, reading):
        assert len(lessons) == MOST and ABSTENTION in [one.completion for one in lessons]


# Kept answers


def ask(*texts):
    return [[{"role": "user", "content": text}] for text in texts]


def test_kept_answers_are_not_asked_for_again(tmp_path):
    for wanted in (3, 0):
        reader = Reader()
        kept = KeptAnswers(tmp_path / "answers.jsonl").of(reader)
        assert kept.complete(ask("a", "b", "c")) == ["It costs $999."] * 3
        assert len(reader.asked) == kept.asked == wanted


@pytest.mark.parametrize(
    ("reader", "adapter", "text"),
    [(Reader("another"), "", "a"), (Reader(), "adapter 1", "a"), (Reader(), "", "a changed prompt")],
)
def test_an_answer_counts_for_its_own_model_and_prompt_only(tmp_path, reader, adapter, text):
    KeptAnswers(tmp_path / "answers.jsonl").of(Reader()).complete(ask("a"))
    KeptAnswers(tmp_path / "answers.jsonl").of(reader, adapter).complete(ask(text))
    assert len(reader.asked) == 1


def test_two_servers_with_a_model_of_one_name_are_two_models():
    def at(url):
        reader = Reader()
        reader.server, reader.model_name = type("Server", (), {"url": url}), "m"
        return identity(reader)

    assert at("http://a/v1") == at("http://a/v1") != at("http://b/v1")


def test_an_empty_answer_is_asked_for_again(tmp_path):
    class Silent(Reader):
        def complete(self, conversations, **_):
            self.asked += conversations
            return ["" for _ in conversations]

    silent_one = Silent()
    for _ in range(2):
        assert KeptAnswers(tmp_path / "answers.jsonl").of(silent_one).complete(ask("a")) == [""]
    assert len(silent_one.asked) == 2


def test_a_file_of_answers_that_cannot_be_opened_is_not_called_damaged(tmp_path, monkeypatch):
    (tmp_path / "answers.jsonl").write_text("")

    def refuse(*_, **__):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("pathlib.Path.read_text", refuse)
    with pytest.raises(CourseError) as caught:
        KeptAnswers(tmp_path / "answers.jsonl")
    said = str(caught.value)
    assert "answers.jsonl cannot be read (Permission denied): close the file in other programs" in said
    assert "delete" not in said


def test_a_damaged_file_of_answers_is_named_with_the_fix(tmp_path):
    (tmp_path / "answers.jsonl").write_text('{"model": "reader"')
    with pytest.raises(CourseError, match="answers.jsonl were changed or cut short: delete that file"):
        KeptAnswers(tmp_path / "answers.jsonl")


# Arms


def bench(folder, reader, **more):
    return Bench(case(**more), Words(), reader, folder)


def test_every_arm_answers_the_test_half(tmp_path):
    reader = Reader()
    arms = answer_arms(bench(tmp_path, reader))
    assert list(arms.answers) == [SILENT, PROMPT, NEAREST, RAG]
    assert all([a.question for a in answers] == list(case().test) for answers in arms.answers.values())
    assert {a.text for a in arms.answers[PROMPT]} == {"It costs $999."}
    assert arms.answers[RAG][0].text == "The lime tent costs $20 a night. [1]" == arms.answers[NEAREST][0].text


def test_the_nearest_sentence_abstains_by_what_the_training_half_shows(tmp_path):
    one = bench(tmp_path, Reader())
    quoted = answer_by_nearest_sentence(one.case.test, one.found, one.embedder)
    careful = answer_arms(one).answers[NEAREST]
    asked = [question.answerable for question in one.case.test]
    assert [is_abstention(answer.text) for answer in careful] == [not answerable for answerable in asked]
    assert not any(is_abstention(answer.text) for answer in quoted)
    assert [a.text for a, answerable in zip(careful, asked, strict=True) if answerable] == [
        a.text for a, answerable in zip(quoted, asked, strict=True) if answerable
    ]


def test_arms_that_need_weights_say_so(tmp_path):
    assert answer_arms(bench(tmp_path, Reader())).left_out == {LORA: NO_WEIGHTS, HYBRID: NO_WEIGHTS}
    assert answer_arms(bench(tmp_path, Reader()), training=False).left_out == {LORA: NOT_WANTED, HYBRID: NOT_WANTED}


class Trained(Reader):
    """Has what looks like weights."""

    def __init__(self, name="trained"):
        super().__init__(name)
        self.model, self.tokenizer = name, type("Tokenizer", (), {"chat_template": "t"})


@pytest.fixture
def training(monkeypatch):
    """train_lora without torch: notes what it was given."""
    runs: list[tuple[Sequence, object]] = []

    def train(base, lessons, plan, *, checkpoint):
        runs.append((lessons, checkpoint))
        return Reader("tuned"), [1.0]

    monkeypatch.setattr("utils.checksums.weights_sha256", lambda model: str(model))
    monkeypatch.setattr("utils.compare.arms.train_lora", train)
    return runs


def test_adapters_learn_from_the_training_half_and_only_once(tmp_path, training):
    answers = answer_arms(bench(tmp_path, Trained())).answers
    assert list(answers) == [SILENT, PROMPT, NEAREST, RAG, LORA, HYBRID] and len(training) == 2
    told = {message["content"] for lessons, _ in training for one in lessons for message in one.messages}
    assert not any(f"What does the {COLOURS[number]} tent cost?" in text for text in told for number in range(10, 20))
    assert len({checkpoint for _, checkpoint in training}) == 2
    assert answer_arms(bench(tmp_path, Trained())).answers == answers and len(training) == 2
    answer_arms(Bench(case(), Words(), Trained(), tmp_path, seed=1))
    assert len(training) == 4


def test_a_training_that_fails_leaves_the_other_arms(tmp_path, training, monkeypatch):
    def fail(*_, **__):
        raise CourseError("Training example 1 is too long.")

    monkeypatch.setattr("utils.compare.arms.train_lora", fail)
    arms = answer_arms(bench(tmp_path, Trained()))
    assert list(arms.answers) == [SILENT, PROMPT, NEAREST, RAG]
    assert set(arms.left_out.values()) == {"Training example 1 is too long."}


def test_an_interrupted_run_goes_on_with_what_is_missing(tmp_path, monkeypatch):
    monkeypatch.setattr("utils.compare.kept_answers.BATCH", 4)
    whole = Reader()
    answers = answer_arms(bench(tmp_path / "whole", whole)).answers
    killed, second = Reader(stop_after=10), Reader()
    with pytest.raises(KeyboardInterrupt):
        answer_arms(bench(tmp_path / "killed", killed))
    assert answer_arms(bench(tmp_path / "killed", second)).answers == answers
    assert len(second.asked) == len(whole.asked) - 8  # two whole batches were kept


def test_a_k_below_one_is_refused():
    with pytest.raises(CourseError, match="^The number of passages is 0"):
        Bench(case(), Words(), Reader(), "unused", k=0)


# The reading check


def test_the_reading_check_asks_the_training_half_with_the_gold_passage(tmp_path):
    reader = Reader()
    reading = check_reading(bench(tmp_path, reader))
    assert (reading.share.mean, reading.questions) == (1.0, 10)
    assert "answers 100 % of 10 questions" in reading.in_words and "well enough" in reading.in_words
    assert all("[2]" not in messages[-1]["content"] for messages in reader.asked)


def test_a_model_that_cannot_read_is_told_plainly(tmp_path):
    reading = check_reading(bench(tmp_path, Reader(blind=True)))
    assert "This model cannot read these texts" in reading.in_words and "--generator" in reading.in_words


def test_without_a_gold_passage_nothing_is_claimed(tmp_path):
    reading = check_reading(bench(tmp_path, Reader(), training=[question(1, value="$1")]))
    assert reading.share is None and "check the questions" in reading.in_words


def results(folder, reader=None, **more):
    one = bench(folder, reader or Reader(), **more)
    return Results(one.case, check_reading(one), one.recall(), answer_arms(one), 0.7, {"seed": "0"})


def test_results_compare_each_arm_with_its_cheaper_rival(tmp_path):
    found = results(tmp_path)
    assert {name: share.mean for name, share in found.right.items()} == pytest.approx(
        {SILENT: 2 / 12, PROMPT: 0, NEAREST: 1, RAG: 10 / 12}
    )
    assert [(one.first, one.second, one.difference.verdict) for one in found.differences] == [
        (RAG, PROMPT, "higher"), (RAG, NEAREST, "no clear difference"),
    ]  # fmt: skip
    assert found.best == NEAREST
    assert found.recall.mean == 1
    assert all("RAG" in advice for advice in found.advice().values())


def test_the_advice_reads_the_trained_arms_that_were_measured(tmp_path):
    shares = {SILENT: 0.1, PROMPT: 0.02, NEAREST: 0.3, RAG: 0.4, LORA: 0.9, HYBRID: 0.95}
    found = replace(results(tmp_path), recall=Interval(0.95, 0.9, 0.99))
    found.__dict__["right"] = {name: Interval(mean, mean - 0.02, mean + 0.02) for name, mean in shares.items()}
    free, bound = found.advice().values()
    assert free.startswith("Stay at: LoRA. 90%") and bound.startswith("Stay at: hybrid. 95%")
    found.__dict__["right"] |= {LORA: Interval(0.3, 0.2, 0.4), HYBRID: Interval(0.4, 0.3, 0.5)}
    assert all(line.startswith("Next step: examples.") for line in found.advice().values())


def test_a_passage_without_the_answer_does_not_count_as_found(tmp_path):
    """A long document has many passages, and most of them hold another answer."""
    one = bench(tmp_path, Reader())
    assert one.recall().mean == 1
    beside = [
        [Passage("other", q.articles[0], "Title", "Nothing of use.")] if q.articles else [] for q in one.case.test
    ]
    one.__dict__["found"] = beside
    assert one.recall().mean == 0


def test_more_passages_hold_more_of_the_answers_to_the_training_half(tmp_path):
    one = bench(tmp_path, Reader())
    shares = [one.training_recall(k).mean for k in (1, 2, len(one.case.passages))]
    assert shares == sorted(shares) and shares[-1] == 1


class Inventive(Reader):
    """Quotes, but invents what a tent costs."""

    def complete(self, conversations, **_):
        quoted = super().complete(conversations)
        return [
            "It costs $999." if "tent cost?" in messages[-1]["content"] else text
            for messages, text in zip(conversations, quoted, strict=True)
        ]


def test_intervals_draw_facts_not_questions(tmp_path):
    wordings = [replace(question(number), id=f"q{number}-{n}") for number in range(10, 20) for n in range(4)]
    alone, several = results(tmp_path / "alone"), results(tmp_path / "several", test=wordings)
    widths = [one.right[NEAREST].high - one.right[NEAREST].low for one in (alone, several)]
    assert several.case.too_few == "" and len(several.case.test) == 40
    assert widths[1] > 0.6 * widths[0]  # four wordings of a fact tell little more than one


def test_few_facts_give_no_verdict_however_many_wordings_they_have(tmp_path):
    wordings = [replace(question(number), id=f"q{number}-{n}") for number in range(10, 13) for n in range(8)]
    found = results(tmp_path, test=wordings)
    assert found.case.too_few.startswith("The questions that judge are about 3 different facts, and at least 10")
    assert set(found.advice().values()) == {found.case.too_few}


def test_failures_come_with_the_most_harmful_first(tmp_path):
    found = results(tmp_path, test=[question(10), silent(1), silent(2)])
    assert [outcome for outcome, _ in found.failures(PROMPT)] == ["unsupported"] * 3
    assert [outcome for outcome, _ in found.failures(RAG)] == ["wrong"] * 2
    assert len(found.failures(PROMPT, most=1)) == 1
    mixed = results(tmp_path / "mixed", Inventive(), test=[silent(1), question(10)])
    assert [outcome for outcome, _ in mixed.failures(RAG)] == ["unsupported", "wrong"]


# Drafts


def test_drafts_are_sentences_with_a_gap_spread_over_the_documents():
    drafts = draft_questions(ARTICLES, most=5)
    assert len(drafts) == 5 == len({document for _, _, document in drafts})
    by_id = {one.id: one.text for one in ARTICLES}
    for asked, answer, document in drafts:
        assert asked.startswith("DRAFT: ") and answer not in asked
        assert asked.partition("? ")[2].replace("____", answer) == by_id[document]
    assert draft_questions(ARTICLES, 5) == drafts != draft_questions(ARTICLES, 5, seed=1)


@pytest.mark.parametrize(
    ("sentence", "answer"),
    [
        ("The shop opens at 9:30 am on weekdays.", "9:30 am"), ("Return it within 30 days of buying.", "30 days"),
        ("We take 12.5 % off the price.", "12.5 %"), ("A night costs €1,250.50 in the summer.", "€1,250.50"),
        ("Ask for form B2 at the desk please.", None), ("No number is in this long sentence.", None),
        ("Costs 5.", None), ("| a row | of 12 | a table |", None),
    ],
)  # fmt: skip
def test_a_draft_asks_for_a_value(sentence, answer):
    drafts = draft_questions([Article("a", "A", "", "public", "", sentence)], 9)
    assert [one[1] for one in drafts] == ([answer] if answer else [])


WRAPPED = """## Fees of 2026 for 3 kinds of tents

A night in the red tent
costs $12 in the summer
for one person.

- The gate closes at 10:30 pm
  on every day of the week.

```
wait for 30 seconds before you try again
```

## The 25 rules of the whole camp
"""


def test_drafts_are_whole_sentences_of_paragraphs_and_lists_however_they_are_wrapped():
    drafts = draft_questions([Article("a", "A", "", "public", "", WRAPPED)], 9)
    assert sorted((one.partition("? ")[2], answer) for one, answer, _ in drafts) == [
        ("A night in the red tent costs ____ in the summer for one person.", "$12"),
        ("The gate closes at ____ on every day of the week.", "10:30 pm"),
    ]


def test_a_drafts_file_is_a_question_file_without_formulas(tmp_path):
    odd = [Article("=1+1", "A", "", "public", "", 'The "big, red" tent costs $12 a night.')]
    (tmp_path / "drafts.csv").write_text(as_csv(draft_questions(odd, 1)))
    (found,) = read_question_file(tmp_path / "drafts.csv", odd)
    assert (found.values, found.articles) == (("$12",), ("=1+1",)) and '"big, red"' in found.text
    cells = [cell for line in as_csv(draft_questions(odd, 1)).splitlines() for cell in line.split(",")]
    assert not any(cell.startswith(("=", "+", "-", "@")) for cell in cells)


# The package


def test_the_tables_load_without_the_rest():
    code = "import sys, utils.compare; print(sorted(m for m in sys.modules if m.startswith(('utils.', 'torch'))))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert "'utils.compare.tables'" in loaded
    assert not any(name in loaded for name in ("torch", "utils.compare.arms", "utils.rag", "utils.compare.report"))

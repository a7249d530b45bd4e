"""Passages: the pieces of text that search finds, cut from articles (built by hand in notebook 01)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import accumulate

from utils.errors import CourseError
from utils.handbook import Article, Passage
from utils.prompts import Titled
from utils.sentences import sentences


def passage_text(passage: Titled) -> str:
    """The text of a passage or an article that is searched: the title has words that the text omits."""
    return f"{passage.title}. {passage.text}"


def chunk(article: Article, words: int, overlap: int = 0) -> list[Passage]:
    """Cuts an article into passages of whole sentences, each of at most this many words.

    overlap: sentences that a passage repeats from the end of the one before it; fewer where a new sentence would
    not fit beside them.  A line break ends a sentence too.  A sentence that is longer than a passage is cut by words.
    The passages of the article "a" have the ids "a#1", "a#2", ...
    Raises ValueError when words < 1 or overlap < 0, CourseError when the article has no text.
    """
    if words < 1 or overlap < 0:
        raise ValueError(f"a passage needs 1 word or more and an overlap of 0 or more, not {words} and {overlap}")
    pieces = _sentences(article.text, words)
    if not pieces:
        raise CourseError(_no_text(article.id))
    texts = [" ".join(pieces[start:end]) for start, end in _windows(pieces, words, overlap)]
    return [_passage(article, f"{article.id}#{number}", text) for number, text in enumerate(texts, start=1)]


def as_passages(articles: Sequence[Article | Passage]) -> list[Passage]:
    """Passages ready for an index: an article becomes one passage that holds all of it, under the article's own id.

    Raises CourseError when there is none, when one has no text, or when two share an id.
    """
    if not articles:
        raise CourseError("There is nothing to index: give at least one article.")
    passages = [one if isinstance(one, Passage) else _passage(one, one.id, one.text) for one in articles]
    for passage in passages:
        if not passage.text.strip():
            raise CourseError(_no_text(passage.id))
    repeated = [name for name, count in Counter(passage.id for passage in passages).items() if count > 1]
    if repeated:
        raise CourseError(f"Two passages share the id {repeated[0]!r}: give each its own.")
    return passages


def _sentences(text: str, words: int) -> list[str]:
    """The sentences of a text, with long ones cut, so that none has more than this many words."""
    split = (sentence.split() for sentence in sentences(text))
    return [" ".join(found[at : at + words]) for found in split for at in range(0, len(found), words)]


def _windows(sentences: Sequence[str], words: int, overlap: int) -> list[tuple[int, int]]:
    """Start and end of each passage, counted in sentences."""
    before = [0, *accumulate(len(sentence.split()) for sentence in sentences)]  # words before each sentence
    windows: list[tuple[int, int]] = []
    start = end = 0
    while end < len(sentences):
        # The sentence at `end` is new: make room for it by repeating less.
        while before[end + 1] - before[start] > words:
            start += 1
        while end < len(sentences) and before[end + 1] - before[start] <= words:
            end += 1
        windows.append((start, end))
        start = max(start, end - overlap)
    return windows


def _passage(article: Article, identifier: str, text: str) -> Passage:
    return Passage(
        id=identifier,
        article_id=article.id,
        title=article.title,
        text=text,
        section=article.section,
        audience=article.audience,
        valid_from=article.valid_from,
    )


def _no_text(identifier: str) -> str:
    return f"The article {identifier!r} has no text: write some, or leave it out."

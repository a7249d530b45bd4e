"""Dense search: passages become unit vectors, and a question's nearest ones are found with FAISS.

Built by hand in notebooks 01 and 04.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import faiss
import numpy as np

from utils.errors import CourseError
from utils.handbook import Article, Change, Passage
from utils.retrieval.base import Allowed, Hit, allowed_mask, check_search
from utils.retrieval.passages import as_passages, passage_text
from utils.retrieval.persistence import read_index, write_index

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer


def embed(texts: Sequence[str], embedder: SentenceTransformer) -> np.ndarray:
    """Unit vectors, float32, (len(texts), dimensions)."""
    vectors = embedder.encode(list(texts), normalize_embeddings=True, show_progress_bar=False, convert_to_numpy=True)
    return np.asarray(vectors, dtype=np.float32)


def token_counts(texts: Sequence[str], embedder: SentenceTransformer) -> list[int]:
    """How many tokens each text has for the embedder, the special ones included; 0 where it has no tokenizer."""
    tokenizer = getattr(embedder, "tokenizer", None)
    if tokenizer is None or not texts:
        return [0 for _ in texts]
    return [len(ids) for ids in tokenizer(list(texts), truncation=False, verbose=False)["input_ids"]]


class DenseIndex:
    """Passages in a FAISS index, searched by meaning.  A hit's score is the cosine similarity, between -1 and 1.

    Every passage has a number of its own in FAISS, so that one can be added or taken out without touching the rest.
    """

    def __init__(self, articles: Sequence[Article | Passage], embedder: SentenceTransformer) -> None:
        """Embeds every passage once; an article counts as one passage.

        The embedder cuts long texts short (all-MiniLM-L6-v2 reads 256 tokens): a line says so, and `chunk` helps.
        Raises CourseError without articles, when one has no text, and when two share an id.
        """
        passages = as_passages(articles)
        self._start(passages, _embed_passages(passages, embedder), embedder)

    @property
    def passages(self) -> tuple[Passage, ...]:
        """Every passage, in the order in which they came."""
        return tuple(self._passages.values())

    @property
    def vectors(self) -> np.ndarray:
        """A copy of the unit vectors in the order of `passages`, float32, (len(self), dimensions)."""
        return self._index.index.reconstruct_n(0, len(self))

    def __len__(self) -> int:
        return len(self._passages)

    def search(self, questions: Sequence[str], k: int = 3, allowed: Allowed | None = None) -> list[list[Hit]]:
        """The k nearest passages to each question, best first; fewer when the index holds fewer.

        allowed: only these passages can be found.  They are chosen before the ranking, so a forbidden passage never
        takes up one of the k places; ids that the index does not hold are no error.
        Raises CourseError when a question is empty or longer than the embedder reads, ValueError when k < 1.
        """
        check_search(questions, k)
        self._refuse_long(questions)
        if not questions or not len(self):
            return [[] for _ in questions]
        chosen = None if allowed is None else faiss.SearchParameters(sel=self._selector(allowed))
        scores, numbers = self._index.search(embed(questions, self._embedder), min(k, len(self)), params=chosen)
        return [self._hits(*row) for row in zip(numbers.tolist(), scores.tolist(), strict=True)]

    def add(self, articles: Sequence[Article | Passage]) -> None:
        """Embeds new passages and puts them in.

        Raises CourseError when an id is in the index already, or as `DenseIndex` does; the index then stays as it was.
        """
        passages = as_passages(articles)
        self._refuse_known(passages, self.passages)
        self._insert(passages, _embed_passages(passages, self._embedder))

    def replace(self, articles: Sequence[Article | Passage]) -> None:
        """Puts new versions of articles in the place of the old ones, with all their passages.

        Raises CourseError when an article is not in the index, or as `add` does; the index then stays as it was.
        """
        passages = as_passages(articles)
        old = self._numbers_of({passage.article_id for passage in passages})
        self._refuse_known(passages, [passage for number, passage in self._passages.items() if number not in old])
        vectors = _embed_passages(passages, self._embedder)
        self._remove(old)
        self._insert(passages, vectors)

    def withdraw(self, article_id: str) -> None:
        """Takes an article out, with all its passages and their vectors.

        A saved copy of the index still holds it until `save` is called again.
        Raises CourseError when it is not in the index.
        """
        self._remove(self._numbers_of({article_id}))

    def carry_out(self, change: Change) -> None:
        """Brings the index up to date with one change of the handbook.  Raises CourseError as the operation does."""
        if change.kind == "withdraw":
            self.withdraw(change.article_id)
        elif change.kind == "add":
            self.add([change.article])
        else:
            self.replace([change.article])

    def save(self, folder: Path) -> None:
        """Writes the index into a folder, in the place of an index that was saved there before.

        Raises CourseError when the folder cannot be written; an older index then stays as it was.
        """
        write_index(folder, self.passages, self.vectors, self._embedder)

    @classmethod
    def load(cls, folder: Path, embedder: SentenceTransformer) -> DenseIndex:
        """The index that was saved in a folder, without embedding anything anew.

        Raises CourseError when there is none, when a file was changed or cut short, or when it was made with another
        embedder than this.
        """
        index = cls.__new__(cls)
        index._start(*read_index(folder, embedder), embedder)
        return index

    def _start(self, passages: Sequence[Passage], vectors: np.ndarray, embedder: SentenceTransformer) -> None:
        self._embedder = embedder
        # Inner products of unit vectors are cosines. IDMap2 keeps our numbers, whatever is taken out later.
        self._index = faiss.IndexIDMap2(faiss.IndexFlatIP(vectors.shape[1]))
        self._passages: dict[int, Passage] = {}
        self._next_number = 0
        self._insert(passages, vectors)

    def _insert(self, passages: Sequence[Passage], vectors: np.ndarray) -> None:
        # A number is never given twice, so an old one cannot come to mean another passage.
        numbers = np.arange(self._next_number, self._next_number + len(passages), dtype=np.int64)
        if len(passages):
            self._index.add_with_ids(vectors, numbers)
        self._passages.update(zip(numbers.tolist(), passages, strict=True))
        self._next_number += len(passages)

    def _remove(self, numbers: Iterable[int]) -> None:
        chosen = np.array(sorted(numbers), dtype=np.int64)
        self._index.remove_ids(chosen)
        for number in chosen.tolist():
            del self._passages[number]

    def _numbers_of(self, article_ids: set[str]) -> set[int]:
        unknown = article_ids - {passage.article_id for passage in self._passages.values()}
        if unknown:
            raise CourseError(
                f"The index has no article with the id {min(unknown)!r}: index.passages holds those that it has."
            )
        return {number for number, passage in self._passages.items() if passage.article_id in article_ids}

    def _refuse_long(self, questions: Sequence[str]) -> None:
        room = getattr(self._embedder, "max_seq_length", None)
        for question, tokens in zip(questions, token_counts(questions, self._embedder), strict=True):
            if room and tokens > room:
                raise CourseError(
                    f"The question {question[:40]!r}… has {tokens:,} tokens, more than the {room} that the embedder "
                    "reads: ask it in fewer words."
                )

    def _refuse_known(self, passages: Sequence[Passage], present: Iterable[Passage]) -> None:
        known = {passage.id for passage in present}
        for passage in passages:
            if passage.id in known:
                raise CourseError(f"The index has {passage.id!r} already: use replace, or give the new one its own id.")

    def _selector(self, allowed: Allowed) -> faiss.IDSelector:
        numbers = np.array(list(self._passages), dtype=np.int64)
        return faiss.IDSelectorBatch(numbers[allowed_mask(self._passages.values(), allowed)])

    def _hits(self, numbers: Sequence[int], scores: Sequence[float]) -> list[Hit]:
        # FAISS fills places that nothing was found for with the number -1.
        found = zip(numbers, scores, strict=True)
        return [Hit(self._passages[number], score) for number, score in found if number >= 0]


def _embed_passages(passages: Sequence[Passage], embedder: SentenceTransformer) -> np.ndarray:
    """The passages' unit vectors.  A printed line says how many passages the embedder cuts, if any."""
    texts = [passage_text(passage) for passage in passages]
    room = getattr(embedder, "max_seq_length", None)
    counts = dict(zip((passage.id for passage in passages), token_counts(texts, embedder), strict=True))
    cut = [name for name, tokens in counts.items() if room and tokens > room]
    if cut:
        longest = max(cut, key=lambda name: counts[name])
        print(
            f"{len(cut)} of {len(passages)} passages {'are' if len(cut) > 1 else 'is'} longer than the {room} tokens "
            "that the embedder reads, so search does not see the end. The longest is "
            f"{longest!r} with {counts[longest]:,} tokens. Cut them with `chunk` first."
        )
    return embed(texts, embedder)

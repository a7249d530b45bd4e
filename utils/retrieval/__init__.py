"""Retrieval: articles become passages, and search finds the passages nearest to a question.

Built by hand in notebooks 01 (chunks, vectors, FAISS, measures), 03 (BM25, fusion) and 04 (updates, filters).
"""

from utils.retrieval.bm25 import Bm25Index
from utils.retrieval.dense import DenseIndex, embed
from utils.retrieval.fusion import FusedIndex, fuse
from utils.retrieval.measures import mrr, ndcg_at_k, recall_at_k, reciprocal_rank
from utils.retrieval.passages import Passage, as_passages, chunk, passage_text
from utils.retrieval.search import Allowed, Hit, SearchIndex, ranked_articles

__all__ = [
    "Allowed", "Bm25Index", "DenseIndex", "FusedIndex", "Hit", "Passage", "SearchIndex",
    "as_passages", "chunk", "embed", "fuse", "mrr", "ndcg_at_k", "passage_text", "ranked_articles", "recall_at_k",
    "reciprocal_rank",
]  # fmt: skip

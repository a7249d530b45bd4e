"""Retrieval: articles become passages, and search finds the passages nearest to a question.

Built by hand in notebooks 01 (chunks, vectors, FAISS, metrics), 03 (BM25, fusion) and 04 (updates, filters).
"""

from utils.handbook import Passage
from utils.retrieval.base import Allowed, Hit, SearchIndex, ranked_articles
from utils.retrieval.bm25 import Bm25Index
from utils.retrieval.dense import DenseIndex, embed
from utils.retrieval.fusion import FusedIndex, fuse
from utils.retrieval.metrics import mrr, ndcg_at_k, recall_at_k, reciprocal_rank
from utils.retrieval.passages import as_passages, chunk, passage_text

__all__ = [
    "Allowed", "Bm25Index", "DenseIndex", "FusedIndex", "Hit", "Passage", "SearchIndex",
    "as_passages", "chunk", "embed", "fuse", "mrr", "ndcg_at_k", "passage_text", "ranked_articles", "recall_at_k",
    "reciprocal_rank",
]  # fmt: skip

"""Checkers of the exercises.

from utils import checks as check
check.top_k(top_k)           # one line: right, not attempted yet, or what went wrong
check.top_k.hint()
check.top_k.solution()
"""

from utils.checks.hybrid import outcome
from utils.checks.rag_pipeline import top_k
from utils.checks.retrieval import cosine_search, mean_recall, sentence_chunks
from utils.checks.start_here import share_right
from utils.checks.style_and_format import lora_parameters

__all__ = ["cosine_search", "lora_parameters", "mean_recall", "outcome", "sentence_chunks", "share_right", "top_k"]

"""Checkers of the exercises.

from utils import checks as check
check.user_prompt(user_prompt)           # one line: right, not attempted yet, or what went wrong
check.user_prompt.hint()
check.user_prompt.solution()
"""

from utils.checks.better_retrieval import failed_half, rrf
from utils.checks.fresh import apply_change
from utils.checks.hybrid import outcome
from utils.checks.rag_pipeline import best_threshold, user_prompt
from utils.checks.retrieval import cosine_search, mean_recall, sentence_chunks
from utils.checks.start_here import share_right
from utils.checks.style_and_format import lora_parameters

__all__ = [
    "apply_change", "best_threshold", "cosine_search", "failed_half", "lora_parameters", "mean_recall", "outcome",
    "rrf", "sentence_chunks", "share_right", "user_prompt",
]  # fmt: skip

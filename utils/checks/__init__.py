"""Checkers of the exercises.

from utils import checks as check
check.user_prompt(user_prompt)           # one line: right, not attempted yet, or what went wrong
check.user_prompt.hint()
check.user_prompt.solution()
"""

from utils.checks.better_retrieval import failed_half, rrf
from utils.checks.carry_over import carries_over, quote_nearest
from utils.checks.comparisons import leaked, same_questions
from utils.checks.fresh import apply_change
from utils.checks.hybrid import outcome
from utils.checks.latency_and_cost import break_even, percentile
from utils.checks.lora import lora_forward, merged_weight
from utils.checks.making_the_choice import next_step
from utils.checks.own_documents import split_questions
from utils.checks.pretraining import merged, number_from
from utils.checks.rag_pipeline import best_threshold, user_prompt
from utils.checks.retrieval import cosine_search, mean_recall, sentence_chunks
from utils.checks.scale import growth_exponent, merge_shards
from utils.checks.start_here import share_right
from utils.checks.style_and_format import masked_loss, training_step
from utils.checks.teaching_facts import extraction_rate, nearest_votes

__all__ = [
    "apply_change", "best_threshold", "break_even", "carries_over", "cosine_search", "extraction_rate",
    "failed_half", "growth_exponent", "leaked", "lora_forward", "masked_loss", "mean_recall",
    "merge_shards", "merged", "merged_weight", "nearest_votes", "next_step", "number_from", "outcome",
    "percentile", "quote_nearest", "rrf", "same_questions", "sentence_chunks", "share_right",
    "split_questions", "training_step", "user_prompt",
]  # fmt: skip

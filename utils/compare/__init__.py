"""Comparing ways to answer: tables and verdicts in words; `python -m utils.compare` measures a case of your own.

Only the tables are imported here, so that a notebook that shows one loads nothing else.
"""

from utils.compare.tables import METRICS, as_percent, as_points, compare, outcome_table, score_arms, summary_table

__all__ = ["METRICS", "as_percent", "as_points", "compare", "outcome_table", "score_arms", "summary_table"]

"""The learner's tools: `python -m utils.course doctor`, `progress` and `reset`; a teacher's `cohort`."""

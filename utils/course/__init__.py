"""The course's own tools: `python -m utils.course doctor`, `build` and `refresh`."""

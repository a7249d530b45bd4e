"""The course's own tools: `python -m utils.course doctor`, `progress`, `reset`, `build` and `refresh`."""

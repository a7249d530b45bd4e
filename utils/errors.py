"""The one kind of error that is written for the learner."""


class CourseError(Exception):
    """A problem with the learner's set-up or input: one sentence that names the thing and the fix."""

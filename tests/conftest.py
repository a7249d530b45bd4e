"""What all unit tests have in common."""

from hypothesis import HealthCheck, settings

# No limits in seconds, since a busy machine would break them, and the same inputs in every run: what fails in
# continuous integration fails here too.
settings.register_profile("course", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("course")

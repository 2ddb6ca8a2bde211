"""What all tests share: how hypothesis searches.

No test may fail because the machine was busy, so nothing here is timed. CI
draws the same examples every time; at a desk each run looks somewhere new.
"""

import os

from hypothesis import HealthCheck, settings

settings.register_profile("desk", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("ci", settings.get_profile("desk"), derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "desk")

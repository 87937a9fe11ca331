"""How much is tried: a little with every test run, fifty times as much by `make fuzz`."""

import os

TIMES = int(os.environ.get("HEALTHGUARD_TEST_FUZZ_TIMES", "1"))

"""How much is tried: a little with every test run, a hundred times as much by `make fuzz`."""

import os

FACTOR = int(os.environ.get("HEALTHGUARD_TEST_FUZZ_FACTOR", "1"))

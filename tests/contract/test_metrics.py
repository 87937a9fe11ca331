"""The README lists every metric there is, and none that there is not."""

import re

from prometheus_client import REGISTRY

import server.app  # noqa: F401 -- imports everything that counts
from tests.collector import ROOT

_ROW = re.compile(r"^\| `(healthguard_[a-z_]+)` \| (\w+) \|", re.MULTILINE)


def test_the_list_of_metrics_is_complete() -> None:
    listed = dict(_ROW.findall((ROOT / "README.md").read_text()))
    found = {
        family.name + ("_total" if family.type == "counter" else ""): family.type
        for family in REGISTRY.collect()
        if family.name.startswith("healthguard_")
    }
    assert listed == found

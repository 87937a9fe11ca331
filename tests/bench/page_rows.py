"""What a person waits for: pages of the dashboard in a headless browser, from the navigation until they can be used."""

import json
import math
import os
import resource
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence

from tests.bench import measure
from tests.bench.budgets import AT, PAGES
from tests.bench.result import Load, Row
from tests.bench.site import BenchFault, Site
from tests.collector import ROOT

SCRIPTS = ROOT / "tests" / "dashboard"
TIMES = 20
MAX_S = 300


def run(site: Site, app_key: str, size: int, note: Callable[[str], None]) -> Iterator[Row]:
    """A row for each page; where there is no browser, a row that says so."""
    missing = _missing()
    if missing:
        yield Row(site.database.name, f"pages: no {missing} here{AT}{size:,}", "requests")
        return
    note(f"{site.database.name}: pages in a browser at {size:,}")
    loads: dict[str, Load] = {}

    def browse() -> Load:
        loads.update(_browse(site, app_key))
        return loads[PAGES[0]]

    row = measure.reads(site, "", browse)
    row.cpu_s_per_10k = None  # one browser opens them all, one after the other
    for page, load in loads.items():
        yield _of_page(row, page, load, size)


def _of_page(row: Row, page: str, load: Load, size: int) -> Row:
    return Row(
        row.engine,
        f"{page}{AT}{size:,}",
        row.unit,
        rate=load.requests / load.seconds,
        p50_ms=load.p50_ms,
        p95_ms=load.p95_ms,
        p99_ms=load.p99_ms,
        generator_cores=row.generator_cores,
        other_cores=row.other_cores,
    )


def _missing() -> str:
    """What is not there that a page needs to be shown."""
    programs = [name for name in ("node", "chromium") if shutil.which(name) is None]
    return programs[0] if programs else "" if (SCRIPTS / "node_modules").is_dir() else "packages of tests/dashboard"


def _browse(site: Site, app_key: str) -> dict[str, Load]:
    """What each of PAGES took."""
    account = {"token": site.account.token, "userId": site.account.id, "email": site.account.email}
    told = {"BASE": site.collector.rest, "APP_KEY": app_key, "ACCOUNT": json.dumps(account), "TIMES": str(TIMES)}
    began_s, used_s = time.monotonic(), _children_cpu_s()
    done = subprocess.run(
        ["node", SCRIPTS / "time.mjs"],
        env=os.environ | told | {"CHROMIUM": shutil.which("chromium") or ""},
        capture_output=True,
        text=True,
        timeout=MAX_S,
        check=False,
    )
    if done.returncode:
        raise BenchFault(f"the browser failed: {done.stderr.strip()}")
    seconds, cpu_s = time.monotonic() - began_s, _children_cpu_s() - used_s
    times: dict[str, list[float]] = json.loads(done.stdout)
    return {f"{name} page": _load(sorted(took), seconds, cpu_s) for name, took in times.items()}


def _load(took: Sequence[float], seconds: float, cpu_s: float) -> Load:
    p50, p95, p99 = (took[math.ceil(q * len(took)) - 1] for q in (0.5, 0.95, 0.99))
    return Load(seconds, len(took), 0, 0, 0, 0, p50, p95, p99, cpu_s)


def _children_cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime

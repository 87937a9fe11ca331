"""Replays the recorded requests with the recordings' own replayer, pair by pair, and keeps what came back."""

import importlib.util
import json
import time
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

SCORED = frozenset(
    {
        "health", "routing", "cors", "auth.register", "auth.login", "auth.me", "apps", "apps.overview",
        "events.ok", "events.reject", "events.limits", "events.duplicates",
        "issues", "issues.detail", "issues.lifecycle", "issues.cap", "http-fingerprint", "overview", "release-compare",
    }
)  # fmt: skip
"""The groups whose every pair must be as recorded or in the table of exceptions. Others are sent, as later pairs may rest on them."""

NEVER_SENT = frozenset({"repair", "agent", "agent-env"})
"""Groups about the original's source repair agent, which this collector does not have."""


@dataclass(frozen=True)
class Outcome:
    """What one pair came to: how it differs from the recording (empty: not at all) and what was answered."""

    name: str
    differences: list[str]
    answer: str


def load_replayer(golden_dir: Path) -> ModuleType:
    """The replayer that comes with the recordings, as a module."""
    spec = importlib.util.spec_from_file_location("replay_golden", golden_dir / "replay_golden.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def replay(golden_dir: Path, base: str, run: str) -> dict[str, Outcome]:
    """Sends all pairs in order and tells the outcome of those scored, by name. `run` makes addresses and keys unique."""
    replayer = load_replayer(golden_dir)
    pairs = json.loads((golden_dir / "healthguard.json").read_text())
    start_ms = int(time.time()) * 1000 - 3_600_000
    captured = {"run": run}
    outcomes = {}
    for pair in pairs:
        if pair.get("profile", "default") != "default" or pair["group"] in NEVER_SENT:
            continue
        outcome = _replay_pair(replayer, base, pair, captured, start_ms)
        if pair["group"] in SCORED:
            outcomes[outcome.name] = outcome
    return outcomes


def _replay_pair(
    replayer: ModuleType, base: str, pair: dict[str, Any], captured: dict[str, str], start_ms: int
) -> Outcome:
    status, headers, body = replayer.send(base, pair["request"], captured, start_ms)
    differences, parsed = replayer.check(pair, status, headers, body, captured, start_ms)
    for name, path in pair.get("capture", {}).items():
        try:
            captured[name] = replayer.get_path(parsed, path)
        except (KeyError, IndexError, TypeError):
            captured.setdefault(name, "missing")
            differences.append(f"nothing to capture at {path}")
    return Outcome(pair["name"], differences, _summary(status, body, differences))


def _summary(status: int, body: bytes, differences: list[str]) -> str:
    """The status, then the code of the error or of the first event refused, or else the fields that differ.

    As in `404 APP_NOT_FOUND`, `202 WRONG_TYPE`, `200 firstSeenAt, id`.
    """
    answer = json.loads(body) if body.startswith(b"{") else {}
    verdicts = answer.get("rejected") or [{}]
    code = answer.get("code") or verdicts[0].get("code")
    if code:
        return f"{status} {code}"
    if not differences or differences[0].startswith("status"):
        return str(status)
    fields = {difference.split(":")[0].rsplit(".", 1)[-1] for difference in differences}
    return f"{status} {', '.join(sorted(fields))}"

"""What one measurement found."""

from dataclasses import dataclass, field, replace


@dataclass
class Load:
    """What a load generator saw: answers and their latencies. `accepted` counts acknowledged events."""

    seconds: float
    requests: int
    accepted: int
    rejected: int
    failed: int
    """Answers that were no success."""
    lost: int
    """Requests without an answer."""
    p50_ms: float
    p95_ms: float
    p99_ms: float
    cpu_s: float
    """CPU the generator itself used."""
    limited: int = 0
    """Answers that told the client to come again later: no faults where they were wanted."""
    processes: int = 1
    """Of the generator: each can use one core."""
    in_flight: int = 0
    """Requests that may have been under way, and so may be stored without an answer, when it stopped."""

    @property
    def faults(self) -> int:
        """Answers that nobody wanted."""
        return self.rejected + self.limited + self.failed + self.lost

    def beside(self, other: "Load") -> "Load":
        """The work of both, with the latencies of this one."""
        sums = ("requests", "accepted", "rejected", "limited", "failed", "lost", "cpu_s", "processes", "in_flight")
        return replace(self, **{name: getattr(self, name) + getattr(other, name) for name in sums})


@dataclass
class Row:
    """One line of the table. None where a column does not apply."""

    engine: str
    name: str
    unit: str
    """What `rate` counts per second: events, requests or MB."""
    rate: float = 0
    p50_ms: float | None = None
    p95_ms: float | None = None
    p99_ms: float | None = None
    cpu_s_per_10k: float | None = None
    """CPU seconds of collector and database for 10,000 events (or requests, or batches)."""
    generator_cores: float | None = None
    """Cores that the load generator used."""
    generator_busy: float = 0
    """The same as a share of the cores that its processes can use: near 1 it was the bottleneck."""
    other_cores: float | None = None
    """Cores that other work on this machine used meanwhile: the row was disturbed by as much."""
    peak_mb: float | None = None
    event_bytes: float | None = None
    """Growth of tables and indexes on disk per stored event (or batch)."""
    share: float | None = None
    """Of the engine's raw bulk insert of the same rows."""
    faults: int = 0
    books: str = ""
    """What is wrong between acknowledged, booked and stored events; empty when all agree."""
    extra: dict[str, float] = field(default_factory=dict)

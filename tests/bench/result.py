"""What one measurement found."""

from dataclasses import dataclass, field


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
    in_flight: int = 0
    """Requests that may have been under way, and so may be stored without an answer, when it stopped."""

    @property
    def faults(self) -> int:
        return self.rejected + self.failed + self.lost


@dataclass
class Row:
    """One line of the table. None where a column does not apply."""

    engine: str
    name: str
    unit: str
    """What `rate` counts per second: events or requests."""
    rate: float
    p50_ms: float | None = None
    p95_ms: float | None = None
    p99_ms: float | None = None
    cpu_s_per_10k: float | None = None
    """CPU seconds of collector and database for 10,000 events (or requests)."""
    generator_cores: float | None = None
    """Cores that the load generator used: near its number of processes, it was the bottleneck."""
    other_cores: float | None = None
    """Cores that other work on this machine used meanwhile: the row was disturbed by as much."""
    peak_mb: float | None = None
    event_bytes: float | None = None
    """Growth of tables and indexes on disk per stored event."""
    share: float | None = None
    """Of the engine's raw bulk insert of the same rows."""
    faults: int = 0
    books: str = ""
    """What is wrong between acknowledged, booked and stored events; empty when all agree."""
    extra: dict[str, float] = field(default_factory=dict)

"""Damage of an SQLite file: found before it is used, told from a file that is merely busy, and answered as a store that is away."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from server.errors import StartupFault, StoreUnavailable
from server.store import integrity
from server.store.engine import Engine

ROWS = 5_000


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "some.db"
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("CREATE TABLE words (word TEXT)")
        connection.executemany("INSERT INTO words VALUES (?)", [(f"word {n}",) for n in range(ROWS)])
    return path


def scribble(path: Path) -> None:
    """Nonsense over the second half of the file."""
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2] + b"\x5a" * (len(content) - len(content) // 2))


def test_a_sound_file_and_none_at_all_have_no_damage(file: Path) -> None:
    assert integrity.damage(file) is None
    assert integrity.damage(file, look_s=10) is None
    assert integrity.damage(file.with_name("none.db")) is None
    assert not file.with_name("none.db").exists()


def test_damaged_pages_are_told_in_one_line(file: Path) -> None:
    scribble(file)
    found = integrity.damage(file)
    assert found
    assert "\n" not in found


def test_a_look_that_takes_too_long_ends_without_a_finding(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scribble(file)
    monkeypatch.setattr(integrity, "_LOOKS_EVERY", 1)
    assert integrity.damage(file, look_s=-1) is None


def test_a_busy_file_is_not_damaged(file: Path) -> None:
    with closing(sqlite3.connect(file)) as other:
        other.execute("BEGIN EXCLUSIVE")
        assert integrity.damage(file, look_s=0.01) is None


def test_the_lock_goes_with_its_holder(file: Path) -> None:
    refused = pytest.raises(StartupFault, match="another HealthGuard Collector")
    with integrity.sole_user(file), refused, integrity.sole_user(file):
        pass
    with integrity.sole_user(file):
        pass


async def test_damage_found_while_serving_is_a_store_that_is_away(file: Path) -> None:
    scribble(file)
    engine = Engine(f"sqlite:///{file}")
    try:
        with pytest.raises(StoreUnavailable):
            await engine.read(
                lambda session: session.connection().exec_driver_sql("SELECT count(word) FROM words").all()
            )
    finally:
        engine.close()

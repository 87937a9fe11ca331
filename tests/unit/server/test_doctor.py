"""The checks of the doctor that need no running collector."""

import socket
from contextlib import closing
from pathlib import Path

import pytest

from server import doctor
from server.config import Settings
from server.doctor import Finding
from server.store.engine import Engine
from server.store.migrate import upgrade

PORTS = {"rest": "127.0.0.1:0", "grpc": "127.0.0.1:0"}


def examined(tmp_path: Path, **flags: object) -> dict[str, Finding]:
    return {finding.name: finding for finding in doctor.examine(PORTS | {"data_dir": tmp_path} | flags)}


def test_a_fresh_machine_has_no_fault_and_nothing_is_made(tmp_path: Path) -> None:
    found = examined(tmp_path / "new")
    assert [finding for finding in found.values() if not finding.ok] == []
    checked = ["settings", "data dir", "disk", "database", "schema", "blobs", "clock", "rest port", "grpc port"]
    assert list(found) == checked
    assert not (tmp_path / "new").exists()


def test_a_database_that_is_there_is_read(tmp_path: Path) -> None:
    engine = Engine(Settings(data_dir=tmp_path).database)
    upgrade(engine)
    engine.close()
    assert examined(tmp_path)["schema"] == Finding(True, "schema", "current")


def test_the_budget_is_told_and_warned_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = Engine(Settings(data_dir=tmp_path).database)
    upgrade(engine)
    with engine.sync_engine().begin() as connection:
        connection.exec_driver_sql("CREATE TABLE filler AS SELECT zeroblob(14000000) AS bytes")
    engine.close()
    assert "no budget is set" in examined(tmp_path)["budget"].detail
    monkeypatch.setenv("HEALTHGUARD_DISK_BUDGET_BYTES", "100000000")
    assert not examined(tmp_path)["budget"].warns
    monkeypatch.setenv("HEALTHGUARD_DISK_BUDGET_BYTES", "17000000")
    found = examined(tmp_path)["budget"]
    assert (found.ok, found.warns) == (True, True)
    assert "% of the disk budget is used" in found.detail
    assert str(found).startswith("WARN  budget")


def test_a_damaged_database_and_a_store_of_blobs_that_is_away_are_faults(tmp_path: Path) -> None:
    (tmp_path / "healthguard.db").write_bytes(b"no database" * 1_000)
    (tmp_path / "blobs").touch()
    found = examined(tmp_path)
    assert (found["database"].ok, found["blobs"].ok) == (False, False)
    assert "is damaged (file is not a database)" in found["database"].detail


def test_books_that_do_not_balance_are_a_fault(tmp_path: Path) -> None:
    engine = Engine(Settings(data_dir=tmp_path).database)
    upgrade(engine)
    with engine.sync_engine().begin() as connection:
        connection.exec_driver_sql("INSERT INTO ledger VALUES (7, 29000000, 'received', '', 0, 3)")
        connection.exec_driver_sql("INSERT INTO ledger VALUES (7, 29000000, 'stored', '', 0, 3)")
    assert examined(tmp_path)["ledger"].ok
    with engine.sync_engine().begin() as connection:
        connection.exec_driver_sql("UPDATE ledger SET events = 2 WHERE outcome = 'stored'")
    engine.close()
    found = examined(tmp_path)["ledger"]
    assert not found.ok
    assert "app 7 at 2025-02-19 21:20 UTC" in found.detail


def test_a_file_that_is_no_database_is_a_fault(tmp_path: Path) -> None:
    (tmp_path / "healthguard.db").write_bytes(b"not a database at all" * 100)
    found = examined(tmp_path)["database"]
    assert not found.ok
    assert "not a database" in found.detail


def test_an_unreachable_database_is_a_fault_without_its_password(tmp_path: Path) -> None:
    found = examined(tmp_path, database_url="postgresql+psycopg://me:swordfish@127.0.0.1:9/x")["database"]
    assert not found.ok
    assert "swordfish" not in str(found)


def test_the_blob_store_is_tried_and_left_as_it_was(tmp_path: Path) -> None:
    blobs = tmp_path / "blobs"
    blobs.mkdir()
    assert examined(tmp_path)["blobs"] == Finding(True, "blobs", f"file:///{blobs}")
    assert list(blobs.iterdir()) == []
    (tmp_path / "file").touch()
    assert not examined(tmp_path, blob_url=f"file://{tmp_path}/file")["blobs"].ok
    assert examined(tmp_path, blob_url="memory://")["blobs"].warns


def test_bad_settings_are_all_told(tmp_path: Path) -> None:
    told = doctor.examine({"rest": "x", "grpc": "y", "data_dir": tmp_path})
    assert [(finding.ok, finding.name) for finding in told] == [(False, "settings")] * 2


def test_a_data_directory_must_be_writable_and_closed_to_others(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert not examined(tmp_path / "file")["data dir"].ok
    (tmp_path / "open").mkdir()
    (tmp_path / "open").chmod(0o777)
    assert "chmod 700" in examined(tmp_path / "open")["data dir"].detail


def test_a_port_of_another_program_is_a_fault(tmp_path: Path) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as other:
        found = examined(tmp_path, grpc=f"127.0.0.1:{other.getsockname()[1]}")["grpc port"]
    assert not found.ok


@pytest.mark.parametrize(
    ("wall", "fault"),
    [((1_900_000_000.0, 1_900_000_000.1), None), ((0.0, 0.1), "past already"), ((1.9e9, 1.9e9 + 60), "jumped")],
)
def test_the_clock_must_be_right_and_steady(wall: tuple[float, float], fault: str | None) -> None:
    walls, steady = iter(wall), iter((5.0, 5.1))
    found = doctor.clock(lambda: next(walls), lambda: next(steady), lambda _: None)
    assert found.ok is (fault is None)
    assert fault is None or fault in found.detail


def test_a_finding_reads_as_one_line() -> None:
    assert str(Finding(True, "disk", "fine")) == "ok    disk      fine"
    assert str(Finding(False, "disk", "full")) == "FAULT disk      full"

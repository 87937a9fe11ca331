"""Page tokens and the secret behind them."""

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from server import secret
from server.config import Settings
from server.errors import InvalidPageToken, StartupFault
from server.paging import PageTokens

TOKENS = PageTokens(b"k" * 32)
SIGNED = TOKENS.sign([1_800_000_000_000, 42], "issues:7:open")


@given(st.lists(st.integers(-(2**63), 2**63 - 1), max_size=4), st.text())
def test_what_was_signed_opens_again(values: list[int], scope: str) -> None:
    assert TOKENS.open(TOKENS.sign(values, scope), scope) == values


@pytest.mark.parametrize(
    "token",
    ["", "x", "====", "é", "a" * 10_000, SIGNED[:-1], SIGNED[1:], "A" + SIGNED[1:], SIGNED + "AAAA", "\ud800"],
)
def test_nobody_can_make_one_up(token: str) -> None:
    with pytest.raises(InvalidPageToken):
        TOKENS.open(token, "issues:7:open")


def test_a_token_opens_neither_another_list_nor_under_another_key() -> None:
    with pytest.raises(InvalidPageToken):
        TOKENS.open(SIGNED, "issues:8:open")
    with pytest.raises(InvalidPageToken):
        PageTokens(b"j" * 32).open(SIGNED, "issues:7:open")


def test_processes_that_share_a_data_directory_open_each_others_tokens(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path / "new")
    with ThreadPoolExecutor(8) as pool:
        keys = list(pool.map(lambda _: secret.load(settings), range(8)))
    assert len(set(keys)) == 1
    assert len(keys[0]) == 32
    files = list((tmp_path / "new").iterdir())
    assert [file.name for file in files] == ["secret.key"]
    assert stat.S_IMODE(files[0].stat().st_mode) == 0o600
    assert PageTokens.load(settings).open(PageTokens.load(settings).sign([1], ""), "") == [1]


def test_a_secret_of_the_operator_needs_no_file(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path / "none", secret="s" * 32)
    assert secret.load(settings) == b"s" * 32
    assert not (tmp_path / "none").exists()


def test_a_damaged_or_unreachable_key_file_is_told_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "secret.key").write_bytes(b"short")
    with pytest.raises(StartupFault, match="damaged"):
        secret.load(Settings(data_dir=tmp_path))
    with pytest.raises(StartupFault, match="cannot keep"):
        secret.load(Settings(data_dir=tmp_path / "secret.key" / "below"))

"""What was written in one turn of the loop leaves together, in order, and never after the end."""

import asyncio

from server.corked import MOST_UNSENT_BYTES, Corked


class Transport:
    """Remembers what it was told to send, one entry per system call."""

    def __init__(self) -> None:
        self.sent: list[bytes] = []
        self.closing = False

    def writelines(self, pieces: list[bytes]) -> None:
        self.sent.append(b"".join(pieces))

    def close(self) -> None:
        self.closing = True

    def is_closing(self) -> bool:
        return self.closing


def corked() -> tuple[Corked, Transport]:
    transport = Transport()
    return Corked(transport, asyncio.get_running_loop()), transport


async def test_head_and_body_leave_together_in_the_next_turn() -> None:
    out, transport = corked()
    out.write(b"head")
    out.write(b"body")
    assert transport.sent == []
    await asyncio.sleep(0)
    assert transport.sent == [b"headbody"]
    out.write(b"next")
    await asyncio.sleep(0)
    assert transport.sent == [b"headbody", b"next"]


async def test_a_long_body_is_not_held() -> None:
    out, transport = corked()
    out.write(b"h")
    out.write(b"x" * MOST_UNSENT_BYTES)
    assert [len(piece) for piece in transport.sent] == [1 + MOST_UNSENT_BYTES]
    await asyncio.sleep(0)
    assert len(transport.sent) == 1


async def test_closing_sends_what_is_left() -> None:
    out, transport = corked()
    out.write(b"last words")
    out.close()
    assert (transport.sent, transport.closing) == ([b"last words"], True)


async def test_nothing_is_sent_to_a_client_that_left() -> None:
    out, transport = corked()
    out.write(b"late")
    transport.closing = True
    await asyncio.sleep(0)
    assert transport.sent == []


async def test_all_else_is_the_transports() -> None:
    out, transport = corked()
    transport.closing = True
    assert out.is_closing()

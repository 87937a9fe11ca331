"""Messages and batches for property tests, and what may happen to bytes on their way."""

from random import Random

from hypothesis import strategies as st

from server.mobile.codec import Message
from server.mobile.messages import BATCH_META, NETWORK_CALL, Head, Layout, all_types, mobile_types
from server.mobile.wire import MAX_UINT

TIMES = st.one_of(st.integers(1_710_000_000_000, 1_710_100_000_000), st.integers(0, MAX_UINT))
VALUES = {
    "u": st.one_of(st.integers(0, 300), st.integers(0, MAX_UINT)),
    "s": st.one_of(st.text(max_size=20), st.text("ab\N{SNOWMAN}", min_size=100, max_size=200)),
    "b": st.booleans(),
}


@st.composite
def messages(draw, layout=Layout.CURRENT, *, clients_only=False):
    """One message of any mobile type but the batch meta; its index is a placeholder."""
    rows = [row for row in mobile_types(layout).values() if row.id != BATCH_META]
    # Without a meta before it, a message that carries no time has none.
    rows = [
        row for row in rows if row.head is Head.TIMESTAMP_LENGTH or (row.head is Head.TIMESTAMP and not clients_only)
    ]
    row = draw(st.sampled_from(rows))
    fields = {name: draw(VALUES[kind]) for name, kind in row.plan}
    if row.id == NETWORK_CALL:
        # Android has four bytes for it and the world no status over 999.
        fields["status"] = draw(st.integers(0, 999))
    return Message(0, row.id, row.name, draw(TIMES), fields)


@st.composite
def batches(draw, layout=Layout.CURRENT, *, clients_only=False):
    """The messages of a batch behind its meta, numbered as a tracker of this layout numbers them."""
    first = draw(st.integers(0, 2**32))
    meta = Message(first, BATCH_META, all_types(layout)[BATCH_META].name, draw(TIMES), {"firstIndex": first})
    rest = draw(st.lists(messages(layout, clients_only=clients_only), max_size=12))
    offset = 1 if layout is Layout.CURRENT else 0
    for position, message in enumerate(rest):
        message.index = first + offset + position
    return [meta, *rest]


def damaged(data: bytes, rng: Random) -> bytes:
    """These bytes after up to four accidents, or noise instead of them: for more inputs than hypothesis can draw."""
    if rng.random() < 0.1:
        return rng.randbytes(rng.randrange(400))
    out = bytearray(data)
    for _ in range(rng.randrange(5)):
        at = rng.randrange(len(out) + 1)
        match rng.randrange(5):
            case 0:
                del out[at:]
            case 1:
                out[at:at] = rng.randbytes(rng.randrange(12))
            case 2:
                out += out[:at]
            case _ if at < len(out):
                out[at] = rng.choice((0, 1, 0x7F, 0x80, 0xFF, rng.randrange(256)))
    return bytes(out[:100_000])

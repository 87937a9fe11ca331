"""Which device an event came from: the model it names, else the kind of machine its User-Agent tells of."""

import re
from functools import lru_cache
from typing import Final

from server.ingest.browser import MAX_LOOKED_AT
from server.ingest.storable import storable

MAX_DEVICE: Final = 64
"""Characters of a device an issue counts its events by."""

# What stands between the version of Android and the end of the bracket.
_BEHIND_ANDROID: Final = re.compile(r"Android[^;)]*;([^)]*)\)")

# Instead of a model, or before it: browsers that hide it say "K", Firefox what kind of screen it is; a language.
_NO_MODEL: Final = re.compile(r"|K|Mobile|Tablet|wv|rv:.*|[a-z]{2}[-_][A-Za-z]{2}")

# The first that is found counts: phones also name the system they descend from.
_MACHINES: Final = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("iPod", "iPod"),
    ("Android", "Android"),
    ("OpenHarmony", "OpenHarmony"),
    ("Windows", "Windows"),
    ("Macintosh", "Mac"),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
)


def device_of(model: str, system: str, user_agent: str) -> str:
    """`Pixel 8`, `iPhone`, `Windows`; the system alone where nothing else is told; empty for what is not known."""
    told = model or _from_user_agent(user_agent[:MAX_LOOKED_AT]) or system
    return storable(told[:MAX_DEVICE].strip())


@lru_cache(maxsize=4_096)
def _from_user_agent(text: str) -> str:
    behind = _BEHIND_ANDROID.search(text)
    for part in behind[1].split(";") if behind else ():
        model = part.partition(" Build/")[0].strip()
        if not _NO_MODEL.fullmatch(model):
            return model
    return next((machine for word, machine in _MACHINES if word in text), "")

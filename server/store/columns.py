"""How columns of bulk parameters are described, to either engine."""

from collections.abc import Mapping, Sequence
from typing import Final, Literal

Kind = Literal["int", "int4", "small", "bool", "text", "blob"]
Columns = Sequence[tuple[str, Kind]]

POSTGRES_TYPES: Final[Mapping[Kind, str]] = {
    "int": "int8",
    "int4": "int4",
    "small": "int2",
    "bool": "bool",
    "text": "text",
    "blob": "bytea",
}

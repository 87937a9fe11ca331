"""Which fields an update means: those its mask names, or else those it sets."""

from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.message import Message

from server.errors import InvalidUpdateMask


def masked_fields(request: Message, mask: FieldMask, allowed: tuple[str, ...]) -> frozenset[str]:
    """The fields among `allowed` to update. `settings` in a mask stands for every allowed `settings.<field>`.

    Raises InvalidUpdateMask where the mask names something else, and where there is nothing to update.
    """
    if not mask.paths:
        paths = frozenset(path for path in allowed if _is_set(request, path))
    else:
        paths = frozenset[str]().union(*(_expanded(path, allowed) for path in mask.paths))
    if not paths:
        raise InvalidUpdateMask
    return paths


def _expanded(path: str, allowed: tuple[str, ...]) -> list[str]:
    found = [name for name in allowed if name == path or name.startswith(f"{path}.")]
    if not found:
        raise InvalidUpdateMask
    return found


def _is_set(message: Message, path: str) -> bool:
    name, _, rest = path.partition(".")
    if message.DESCRIPTOR.fields_by_name[name].is_repeated:
        return len(getattr(message, name)) > 0
    return message.HasField(name) and (not rest or _is_set(getattr(message, name), rest))

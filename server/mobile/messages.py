"""The table of message types that mobile trackers and their backends write, in today's layout and in that of v1.7.0.

Ids, names and fields are those of the OpenReplay message schema. Every client message starts with its type, a `Timestamp`
in epoch milliseconds and a `Length` counting the bytes of the fields behind it; messages written by a backend have no
Length, web messages have neither.
"""

from dataclasses import dataclass
from enum import Enum, StrEnum

# What the code asks for by id; every other type is data.
METADATA = 92
USER_ID = 94
USER_ANONYMOUS_ID = 95
CRASH = 97
CLICK = 100
INPUT = 101
PERFORMANCE = 102
NETWORK_CALL = 105
BATCH_META = 107
WEB_TIMESTAMP = 0
WEB_BATCH_META = 80
WEB_BATCH_METADATA = 81


class Layout(StrEnum):
    """Which generation of the schema a tracker writes; the bytes do not tell, the app's setting does."""

    CURRENT = "current"
    V1_7_0 = "v1.7.0"


class Head(Enum):
    """What stands between the type of a message and its fields."""

    NONE = 0
    TIMESTAMP = 1
    TIMESTAMP_LENGTH = 2


class MessageClass(StrEnum):
    """What a message is about, whatever its layout calls it."""

    BATCH_META = "batchMeta"
    CLICK = "click"
    CRASH = "crash"
    CUSTOM_EVENT = "customEvent"
    GRAPHQL = "graphQL"
    INPUT = "input"
    INTERNAL_ERROR = "internalError"
    LOG = "log"
    METADATA = "metadata"
    NETWORK = "network"
    PERFORMANCE = "performance"
    SERVER = "server"
    SWIPE = "swipe"
    USER_ANONYMOUS_ID = "userAnonymousID"
    USER_ID = "userID"
    VIEW = "view"
    VIEW_GEOMETRY = "viewGeometry"
    WEB = "web"


@dataclass(frozen=True, slots=True)
class MessageType:
    """One row of the table; `kinds` and `plan` list the fields in the order in which they follow the head."""

    id: int
    name: str
    message_class: MessageClass
    head: Head
    # One letter a field: u(int), i(nt), s(tring), b(oolean).
    kinds: str
    # Each field's JSON name, None for what readers get as the message's own time, and its kind.
    plan: tuple[tuple[str | None, str], ...]


def json_name(field_name: str) -> str:
    """The name of a field in JSON: `ScreenName`, `UserUUID`, `URL` become `screenName`, `userUUID`, `url`."""
    return field_name.lower() if field_name.isupper() else field_name[0].lower() + field_name[1:]


def _row(head: Head, type_id: int, name: str, message_class: MessageClass, fields: str) -> MessageType:
    """A row from fields written as `Name:kind`, parted by blanks."""
    pairs = [field.split(":") for field in fields.split()]
    kinds = "".join(kind for _, kind in pairs)
    plan = tuple((None if field_name == "Timestamp" else json_name(field_name), kind) for field_name, kind in pairs)
    return MessageType(type_id, name, message_class, head, kinds, plan)


def _client(type_id: int, name: str, message_class: MessageClass, fields: str) -> MessageType:
    return _row(Head.TIMESTAMP_LENGTH, type_id, name, message_class, fields)


def _server(head: Head, type_id: int, name: str, fields: str) -> MessageType:
    return _row(head, type_id, name, MessageClass.SERVER, fields)


_SESSION_START_FIELDS = "ProjectID:u TrackerVersion:s RevID:s UserUUID:s UserOS:s UserOSVersion:s UserDevice:s UserDeviceType:s UserCountry:s"
_AGGREGATE_FIELDS = "TimestampStart:u TimestampEnd:u " + " ".join(
    f"{bound}{measure}:u" for measure in ("FPS", "CPU", "Memory", "Battery") for bound in ("Min", "Avg", "Max")
)

_CURRENT = (
    _server(Head.TIMESTAMP, 90, "MobileSessionStart", _SESSION_START_FIELDS),
    _server(Head.TIMESTAMP, 91, "MobileSessionEnd", ""),
    _client(92, "MobileMetadata", MessageClass.METADATA, "Key:s Value:s"),
    _client(93, "MobileEvent", MessageClass.CUSTOM_EVENT, "Name:s Payload:s"),
    _client(94, "MobileUserID", MessageClass.USER_ID, "ID:s"),
    _client(95, "MobileUserAnonymousID", MessageClass.USER_ANONYMOUS_ID, "ID:s"),
    _client(96, "MobileScreenChanges", MessageClass.VIEW_GEOMETRY, "X:u Y:u Width:u Height:u"),
    _client(97, "MobileCrash", MessageClass.CRASH, "Name:s Reason:s Stacktrace:s"),
    _client(98, "MobileViewComponentEvent", MessageClass.VIEW, "ScreenName:s ViewName:s Visible:b"),
    _client(100, "MobileClickEvent", MessageClass.CLICK, "Label:s X:u Y:u"),
    _client(101, "MobileInputEvent", MessageClass.INPUT, "Value:s ValueMasked:b Label:s"),
    _client(102, "MobilePerformanceEvent", MessageClass.PERFORMANCE, "Name:s Value:u"),
    _client(103, "MobileLog", MessageClass.LOG, "Severity:s Content:s"),
    _client(104, "MobileInternalError", MessageClass.INTERNAL_ERROR, "Content:s"),
    _client(
        105,
        "MobileNetworkCall",
        MessageClass.NETWORK,
        "Type:s Method:s URL:s Request:s Response:s Status:u Duration:u",
    ),
    _client(106, "MobileSwipeEvent", MessageClass.SWIPE, "Label:s X:u Y:u Direction:s"),
    _client(107, "MobileBatchMeta", MessageClass.BATCH_META, "FirstIndex:u"),
    _client(
        109,
        "MobileGraphQL",
        MessageClass.GRAPHQL,
        "OperationKind:s OperationName:s Variables:s Response:s Duration:u",
    ),
    _server(Head.NONE, 110, "MobilePerformanceAggregated", _AGGREGATE_FIELDS),
    _server(Head.TIMESTAMP, 111, "MobileIssueEvent", "Type:s ContextString:s Context:s Payload:s"),
)

# Where v1.7.0 differs. Types it lacked (106, 109) keep today's rows: their ids were free, so reading them costs nothing.
_V1_7_0_CHANGES = (
    _server(Head.TIMESTAMP, 90, "IOSSessionStart", _SESSION_START_FIELDS),
    _server(Head.TIMESTAMP, 91, "IOSSessionEnd", ""),
    _client(92, "IOSMetadata", MessageClass.METADATA, "Key:s Value:s"),
    _client(93, "IOSCustomEvent", MessageClass.CUSTOM_EVENT, "Name:s Payload:s"),
    _client(94, "IOSUserID", MessageClass.USER_ID, "Value:s"),
    _client(95, "IOSUserAnonymousID", MessageClass.USER_ANONYMOUS_ID, "Value:s"),
    _client(96, "IOSScreenChanges", MessageClass.VIEW_GEOMETRY, "X:u Y:u Width:u Height:u"),
    _client(97, "IOSCrash", MessageClass.CRASH, "Name:s Reason:s Stacktrace:s"),
    _client(98, "IOSScreenEnter", MessageClass.VIEW, "Title:s ViewName:s"),
    _client(99, "IOSScreenLeave", MessageClass.VIEW, "Title:s ViewName:s"),
    _client(100, "IOSClickEvent", MessageClass.CLICK, "Label:s X:u Y:u"),
    _client(101, "IOSInputEvent", MessageClass.INPUT, "Value:s ValueMasked:b Label:s"),
    _client(102, "IOSPerformanceEvent", MessageClass.PERFORMANCE, "Name:s Value:u"),
    _client(103, "IOSLog", MessageClass.LOG, "Severity:s Content:s"),
    _client(104, "IOSInternalError", MessageClass.INTERNAL_ERROR, "Content:s"),
    _client(
        105,
        "IOSNetworkCall",
        MessageClass.NETWORK,
        "Duration:u Headers:s Body:s URL:s Success:b Method:s Status:u",
    ),
    _client(107, "IOSBatchMeta", MessageClass.BATCH_META, "FirstIndex:u"),
    _server(Head.NONE, 110, "IOSPerformanceAggregated", _AGGREGATE_FIELDS),
    _server(Head.TIMESTAMP, 111, "IOSIssueEvent", "Type:s ContextString:s Context:s Payload:s"),
)

# Web batches are not ours to record; these few let one that strays in be read by its own rules and not as noise.
_WEB = (
    _row(Head.TIMESTAMP, WEB_TIMESTAMP, "Timestamp", MessageClass.WEB, ""),
    _row(Head.NONE, WEB_BATCH_META, "BatchMeta", MessageClass.WEB, "PageNo:u FirstIndex:u Timestamp:i"),
    _row(
        Head.NONE,
        WEB_BATCH_METADATA,
        "BatchMetadata",
        MessageClass.WEB,
        "Version:u PageNo:u FirstIndex:u Timestamp:i Location:s",
    ),
    _row(Head.NONE, 120, "TagTrigger", MessageClass.WEB, "TagId:i"),
)

_MOBILE_TYPES = {
    Layout.CURRENT: {row.id: row for row in _CURRENT},
    Layout.V1_7_0: {row.id: row for row in _CURRENT + _V1_7_0_CHANGES},
}
_ALL_TYPES = {layout: rows | {row.id: row for row in _WEB} for layout, rows in _MOBILE_TYPES.items()}


def mobile_types(layout: Layout) -> dict[int, MessageType]:
    """The types a mobile batch may hold, by id; not to be changed."""
    return _MOBILE_TYPES[layout]


def all_types(layout: Layout) -> dict[int, MessageType]:
    """The types of `mobile_types` and those a web batch may hold besides, by id; not to be changed."""
    return _ALL_TYPES[layout]

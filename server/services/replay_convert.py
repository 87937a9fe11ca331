"""Recorded sessions of the store to messages of the contract."""

import zstandard
from google.protobuf.timestamp_pb2 import Timestamp
from healthguard.v1 import (
    mobile_session_pb2 as mobile_session_pb,
    mobile_session_service_pb2 as mobile_session_service_pb,
    replay_pb2 as replay_pb,
    replay_service_pb2 as replay_service_pb,
)

from server.mobile.beats import MAX_BEAT_MS
from server.mobile.codec import Message
from server.services.convert import timestamp_from_ms
from server.store.images import Picture
from server.store.replay import Batch, Detail, Found, Signal

IMAGE_NAME_HASH_CHARS = 32
_EXTENSIONS = {"image/jpeg": "jpeg", "image/png": "png", "image/webp": "webp", "image/avif": "avif"}


def session_to_proto(found: Found) -> mobile_session_pb.MobileSession:
    """The session as lists show it."""
    return mobile_session_pb.MobileSession(
        id=str(found.id),
        app_key=found.app_key,
        start_time=timestamp_from_ms(found.start_ms),
        last_time=timestamp_from_ms(found.last_ms),
        create_time=timestamp_from_ms(found.received_ms),
        platform=found.platform,
        device=found.device,
        device_type=found.device_type,
        os_version=found.os_version,
        tracker_version=found.tracker_version,
        release=found.release,
        user_uuid=found.user_uuid,
        user_id=found.user_id,
        anonymous_id=found.anonymous_id,
        metadata=found.metadata,
        counters=mobile_session_pb.SessionCounters(
            batches=found.batches,
            damaged_batches=found.damaged_batches,
            messages=found.messages,
            crashes=found.crashes,
            rage_taps=found.rage_taps,
            freezes=found.freezes,
            failed_requests=found.failed_requests,
            images=found.images,
            taps=found.taps,
        ),
    )


def detail_to_proto(detail: Detail) -> replay_service_pb.GetSessionResponse:
    """The session with what is beside its timeline."""
    app_key = detail.session.app_key
    issues = dict.fromkeys(signal.fingerprint for signal in detail.signals if signal.fingerprint is not None)
    message = replay_service_pb.GetSessionResponse(
        session=session_to_proto(detail.session),
        message_counts=detail.types,
        signals=[_signal_to_proto(signal, app_key) for signal in detail.signals],
        issue_ids=[f"{app_key}:{fingerprint}" for fingerprint in issues],
    )
    start = mobile_session_service_pb.StartSessionRequest.FromString(zstandard.decompress(detail.start))
    message.start.CopyFrom(start.extra)
    message.start.update(
        {
            "timestamp": start.timestamp,
            "timezone": start.timezone,
            "deviceMemory": start.device_memory,
            "doNotRecord": start.do_not_record,
            "condition": start.condition,
            "width": start.width,
            "height": start.height,
        }
    )
    return message


def message_to_proto(message: Message) -> replay_pb.MobileMessage:
    """One message with its fields."""
    shown = replay_pb.MobileMessage(
        index=message.index, type=message.type, name=message.name, timestamp=message.timestamp_ms
    )
    for name, value in message.fields.items():
        field = shown.fields[name]
        if isinstance(value, str):
            field.text = value
        elif isinstance(value, bool):
            field.flag = value
        elif value < 0:
            field.signed_number = value
        else:
            field.number = value
    return shown


def image_to_proto(picture: Picture) -> replay_pb.SessionImage:
    """One screenshot under a name of ours: what uploads call theirs is not unique, and not to be trusted in a path."""
    return replay_pb.SessionImage(
        name=f"{picture.time_ms}-{picture.hash[:IMAGE_NAME_HASH_CHARS]}.{_EXTENSIONS[picture.mime]}",
        take_time=timestamp_from_ms(picture.time_ms),
        content_type=picture.mime,
        size_bytes=picture.size_bytes,
    )


def batch_to_proto(batch: Batch) -> replay_pb.SessionBatch:
    """One batch without its bytes."""
    return replay_pb.SessionBatch(
        name=batch.content,
        create_time=timestamp_from_ms(batch.received_ms),
        size_bytes=batch.size_bytes,
        messages=batch.messages,
        status=batch.status,
        fault=batch.fault,
    )


def _signal_to_proto(signal: Signal, app_key: str) -> mobile_session_pb.SessionSignal:
    return mobile_session_pb.SessionSignal(
        kind=signal.kind,
        start_time=_timestamp(signal.start_ms),
        end_time=_timestamp(signal.end_ms),
        label=signal.label,
        count=signal.count,
        issue_id=None if signal.fingerprint is None else f"{app_key}:{signal.fingerprint}",
    )


def _timestamp(time_ms: int) -> Timestamp:
    """A Timestamp, at its last one where the device's clock says more than it can hold."""
    return timestamp_from_ms(min(time_ms, MAX_BEAT_MS))

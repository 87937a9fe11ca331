"""Plain values of the store to messages of the contract, and back."""

from collections.abc import Iterable, Mapping

from google.protobuf.timestamp_pb2 import Timestamp
from healthguard.v1 import app_pb2 as app_pb, issue_pb2 as issue_pb

from server.errors import InvalidTimeRange
from server.store.counters import HOUR_MS
from server.store.issues import Issue
from server.store.lifecycle import Comment
from server.store.releases import Release
from server.store.scope import Role
from server.store.totals import Bucket, TimeRange, Totals

_ROLES = {
    Role.VIEWER: app_pb.APP_ROLE_VIEWER,
    Role.EDITOR: app_pb.APP_ROLE_EDITOR,
    Role.OWNER: app_pb.APP_ROLE_OWNER,
}


def timestamp_from_ms(epoch_ms: int) -> Timestamp:
    """A Timestamp of the millisecond."""
    return Timestamp(seconds=epoch_ms // 1000, nanos=epoch_ms % 1000 * 1_000_000)


def ms_from_timestamp(value: Timestamp) -> int:
    """Epoch milliseconds, rounded down."""
    return value.seconds * 1000 + value.nanos // 1_000_000


def time_range(start: Timestamp | None, end: Timestamp | None) -> TimeRange:
    """The inclusive range; None is open. Raises InvalidTimeRange when it starts after its end."""
    found = TimeRange(
        None if start is None else ms_from_timestamp(start), None if end is None else ms_from_timestamp(end)
    )
    if found.start_ms is not None and found.end_ms is not None and found.start_ms > found.end_ms:
        raise InvalidTimeRange
    return found


def role_to_proto(role: Role) -> app_pb.AppRole:
    """The role as the contract names it."""
    return _ROLES[role]


def totals_to_proto(totals: Totals) -> issue_pb.Totals:
    """Totals, field by field."""
    return issue_pb.Totals(
        events=totals.events,
        errors=totals.errors,
        failed_requests=totals.failed_requests,
        affected_users=totals.affected_users,
        issues=totals.issues,
    )


def issue_to_proto(issue: Issue) -> issue_pb.Issue:
    """One issue with its public id."""
    return issue_pb.Issue(
        id=f"{issue.app_key}:{issue.fingerprint}",
        app_key=issue.app_key,
        fingerprint=issue.fingerprint,
        message=issue.message,
        error_type=issue.error_type,
        event_count=issue.event_count,
        affected_users=issue.user_count,
        first_seen_time=timestamp_from_ms(issue.first_seen_ms),
        last_seen_time=timestamp_from_ms(issue.last_seen_ms),
        first_seen_release=issue.first_seen_release,
        last_seen_release=issue.last_seen_release,
        fixed_in_release=issue.fixed_in_release,
        verified_in_release=issue.verified_in_release,
        status=f"ISSUE_STATUS_{issue.status.upper()}",
        platform_distribution=issue.platforms,
        archived=issue.archived,
        archive_time=_optional_time(issue.archived_ms),
        regressed=issue.regressed_ms is not None,
        regress_time=_optional_time(issue.regressed_ms),
        regressed_in_release=issue.regressed_in_release,
        assignee=issue.assignee,
        mute_expire_time=_optional_time(issue.muted_until_ms),
        status_changed_by=issue.status_changed_by,
        status_change_time=_optional_time(issue.status_changed_ms),
        merged_into=None if issue.merged_into is None else f"{issue.app_key}:{issue.merged_into}",
        merged_ids=[f"{issue.app_key}:{member.fingerprint}" for member in issue.merged],
    )


def bucket_to_proto(bucket: Bucket) -> issue_pb.Bucket:
    """Totals of one span of time."""
    return issue_pb.Bucket(
        start_time=timestamp_from_ms(bucket.start_ms),
        events=bucket.events,
        errors=bucket.errors,
        failed_requests=bucket.failed_requests,
        affected_users=bucket.affected_users,
    )


def release_to_proto(release: Release) -> issue_pb.Release:
    """A release and the start of the hour in which it was first seen."""
    first_seen = timestamp_from_ms(release.first_hour * HOUR_MS)
    return issue_pb.Release(name=release.name, first_seen_time=first_seen, events=release.events)


def breakdowns_to_proto(breakdowns: Mapping[str, Iterable[tuple[str, int]]]) -> list[issue_pb.Breakdown]:
    """The most frequent values of each property."""
    return [
        issue_pb.Breakdown(
            property=name,
            values=[issue_pb.BreakdownValue(value=value, event_count=events) for value, events in values],
        )
        for name, values in breakdowns.items()
    ]


def comment_to_proto(comment: Comment) -> issue_pb.IssueComment:
    """One entry of an issue's thread."""
    return issue_pb.IssueComment(
        id=str(comment.id),
        author=comment.author,
        kind=comment.kind,
        text=comment.text,
        create_time=timestamp_from_ms(comment.created_ms),
    )


def _optional_time(epoch_ms: int | None) -> Timestamp | None:
    return None if epoch_ms is None else timestamp_from_ms(epoch_ms)

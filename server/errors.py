"""What can go wrong, as types: each names its reason once, and `status.py` maps its kind to a gRPC code."""

from dataclasses import dataclass
from typing import ClassVar


class DomainError(Exception):
    """A fault with a machine-readable `reason` and a `message` for a person. Only the kinds below are raised."""

    reason: ClassVar[str]
    message: ClassVar[str]

    def __str__(self) -> str:
        return self.message


@dataclass(frozen=True)
class Violation:
    """One faulty field of a request, by its JSON name."""

    field: str
    reason: str
    message: str


class InvalidInput(DomainError):
    """The request is wrong in itself; `field` is the JSON name of what is at fault."""

    field: ClassVar[str]

    @property
    def violations(self) -> tuple[Violation, ...]:
        return (Violation(self.field, self.reason, str(self)),)


class Unauthenticated(DomainError):
    """No credentials, or bad ones."""


class NotFound(DomainError):
    """Not there, or not the caller's: the two answer alike."""


class PermissionDenied(DomainError):
    """The caller can see it and may not do this with it."""


class AlreadyExists(DomainError):
    """It is there already."""


class WrongState(DomainError):
    """It is there, but not in a state that allows this."""


class LimitExceeded(DomainError):
    """A limit or quota; the caller may come back after `retry_after_s` seconds."""

    def __init__(self, retry_after_s: float) -> None:
        super().__init__(retry_after_s)
        self.retry_after_s = retry_after_s


class Unavailable(DomainError):
    """The store or the process cannot serve right now; try again after `retry_after_s` seconds."""

    def __init__(self, retry_after_s: float = 1.0) -> None:
        super().__init__(retry_after_s)
        self.retry_after_s = retry_after_s


class UndecodableMessage(InvalidInput):
    reason = "UNDECODABLE_MESSAGE"
    field = ""
    message = "These bytes are no message of the kind that this method takes."


class InvalidEmail(InvalidInput):
    reason = "INVALID_EMAIL"
    field = "email"
    message = "Please enter a valid email address."


class PasswordTooShort(InvalidInput):
    reason = "PASSWORD_TOO_SHORT"
    field = "password"
    message = "Password must be at least 8 characters."


class PasswordTooLong(InvalidInput):
    reason = "PASSWORD_TOO_LONG"
    field = "password"
    message = "Password must be at most 1,024 bytes."


class CurrentPasswordRequired(InvalidInput):
    reason = "CURRENT_PASSWORD_REQUIRED"
    field = "currentPassword"
    message = "The current password is required."


class AppNameRequired(InvalidInput):
    reason = "APP_NAME_REQUIRED"
    field = "name"
    message = "App name is required."


class AppNameTooLong(InvalidInput):
    reason = "APP_NAME_TOO_LONG"
    field = "name"
    message = "App name must be at most 255 characters."


class UnsupportedAppType(InvalidInput):
    reason = "UNSUPPORTED_APP_TYPE"
    field = "type"
    message = "Unsupported app type."


class InvalidRetentionDays(InvalidInput):
    reason = "INVALID_RETENTION_DAYS"
    field = "settings.retentionDays"
    message = "Retention must be 1 to 3,650 days."


class InvalidRateLimit(InvalidInput):
    reason = "INVALID_RATE_LIMIT"
    field = "settings.rateLimitEventsPerS"
    message = "The rate limit must be 0.1 to 1,000,000 events a second."


class InvalidCaptureRate(InvalidInput):
    reason = "INVALID_CAPTURE_RATE"
    field = "settings.captureRate"
    message = "The capture rate must be 0 to 100 percent."


class InvalidAllowedOrigins(InvalidInput):
    reason = "INVALID_ALLOWED_ORIGINS"
    field = "settings.allowedOrigins"
    message = "Allowed origins are at most 50, each like https://shop.example, or null."


class InvalidScrubKeys(InvalidInput):
    reason = "INVALID_SCRUB_KEYS"
    field = "settings.scrubKeys"
    message = "Names to be masked are at most 50, each of 2 to 64 characters, two of them letters or digits."


class InvalidScrubPatterns(InvalidInput):
    reason = "INVALID_SCRUB_PATTERNS"
    field = "settings.scrubPatterns"
    message = "What can be masked by its looks is card, token, email and ip."


class InvalidRole(InvalidInput):
    reason = "INVALID_ROLE"
    field = "role"
    message = "The role of a member is editor or viewer."


class TooManyApps(InvalidInput):
    reason = "TOO_MANY_APPS"
    field = "appKeys"
    message = "At most 100 apps can be asked for at once."


class AppKeyRequired(InvalidInput):
    reason = "APP_KEY_REQUIRED"
    field = "appKey"
    message = "appKey is required."


class EventsRequired(InvalidInput):
    reason = "EVENTS_REQUIRED"
    field = "events"
    message = "The batch holds no events."


class TooManyEvents(InvalidInput):
    reason = "TOO_MANY_EVENTS"
    field = "events"
    message = "The batch holds more than 1,000 events."


class InvalidTimeRange(InvalidInput):
    reason = "INVALID_TIME_RANGE"
    field = "start"
    message = "Invalid time range."


class InvalidStatus(InvalidInput):
    reason = "INVALID_STATUS"
    field = "status"
    message = "Unsupported issue status."


class InvalidOrder(InvalidInput):
    reason = "INVALID_ORDER"
    field = "orderBy"
    message = "Unsupported order."


class InvalidBucket(InvalidInput):
    reason = "INVALID_BUCKET"
    field = "bucket"
    message = "Buckets need a start, and a range of at most 1,000 of them."


class InvalidPageSize(InvalidInput):
    reason = "INVALID_PAGE_SIZE"
    field = "pageSize"
    message = "The page size must be between 0 and 1,000."


class InvalidPageToken(InvalidInput):
    reason = "INVALID_PAGE_TOKEN"
    field = "pageToken"
    message = "The page token is not valid for this list."


class ProjectRequired(InvalidInput):
    reason = "PROJECT_REQUIRED"
    field = "projectKey"
    message = "The start names no app: projectKey or projectID is required."


class StartTooLarge(InvalidInput):
    reason = "START_TOO_LARGE"
    field = "extra"
    message = "The start is over 131,072 bytes."


class BatchTooLarge(InvalidInput):
    reason = "BATCH_TOO_LARGE"
    field = "batch"
    message = "The batch is over 1,000,000 bytes, or over 8 MiB once unpacked."


class InvalidUpload(InvalidInput):
    reason = "INVALID_UPLOAD"
    field = "file"
    message = "The upload holds something that is neither a picture nor an archive of pictures."


class UploadTooLarge(InvalidInput):
    reason = "UPLOAD_TOO_LARGE"
    field = "file"
    message = "The upload, or a picture in it, is too large, or there are too many."


class FixedInReleaseRequired(InvalidInput):
    reason = "FIXED_IN_RELEASE_REQUIRED"
    field = "fixedInRelease"
    message = "fixedInRelease is required."


class VerifiedInReleaseRequired(InvalidInput):
    reason = "VERIFIED_IN_RELEASE_REQUIRED"
    field = "verifiedInRelease"
    message = "verifiedInRelease is required."


class ReleaseTooLong(InvalidInput):
    reason = "RELEASE_TOO_LONG"
    field = "release"
    message = "A release must be at most 256 characters."


class InvalidUpdateMask(InvalidInput):
    reason = "INVALID_UPDATE_MASK"
    field = "updateMask"
    message = "Nothing to change: set a field that can be updated, or name it in updateMask to clear it."


class CommentRequired(InvalidInput):
    reason = "COMMENT_REQUIRED"
    field = "text"
    message = "The comment is empty."


class CommentTooLong(InvalidInput):
    reason = "COMMENT_TOO_LONG"
    field = "text"
    message = "A comment must be at most 10,000 characters."


class MergeNeedsAnotherIssue(InvalidInput):
    reason = "MERGE_NEEDS_ANOTHER_ISSUE"
    field = "mergedIds"
    message = "Name at least one other issue to merge."


class MergeAcrossApps(InvalidInput):
    reason = "MERGE_ACROSS_APPS"
    field = "mergedIds"
    message = "Only issues of one app can be merged."


class TooManyMergedIssues(InvalidInput):
    reason = "TOO_MANY_MERGED_ISSUES"
    field = "mergedIds"
    message = "At most 100 issues can be merged into one."


class UnknownGroupingVersion(InvalidInput):
    reason = "UNKNOWN_GROUPING_VERSION"
    field = "version"
    message = "This server has no grouping of that version."


class NotSignedIn(Unauthenticated):
    reason = "UNAUTHENTICATED"
    message = "Sign in first: the bearer token is missing, unknown or expired."


class InvalidCredentials(Unauthenticated):
    reason = "INVALID_CREDENTIALS"
    message = "Email or password is incorrect."


class InvalidSessionToken(Unauthenticated):
    reason = "INVALID_SESSION_TOKEN"
    message = "The session token is missing or not ours, or its session is gone. Start a new session."


class SessionTokenExpired(Unauthenticated):
    reason = "SESSION_TOKEN_EXPIRED"
    message = "The session token has expired. Start a new session."


class WrongPassword(PermissionDenied):
    reason = "WRONG_PASSWORD"
    message = "The current password is another one."


class ScopeMissing(PermissionDenied):
    reason = "SCOPE_MISSING"
    message = "The service token has not the scope that this call needs."


class NotAMobileApp(PermissionDenied):
    reason = "NOT_A_MOBILE_APP"
    message = "Sessions of apps of this type are not recorded."


class NotSampled(PermissionDenied):
    reason = "NOT_SAMPLED"
    message = "This session is not recorded: the app records only a part of them."


class ProjectNotFound(NotFound):
    reason = "PROJECT_NOT_FOUND"
    message = "No app has this project key or number."


class SessionNotFound(NotFound):
    reason = "SESSION_NOT_FOUND"
    message = "Session not found."


class ImageNotFound(NotFound):
    reason = "IMAGE_NOT_FOUND"
    message = "The session has no such screenshot."


class BatchNotFound(NotFound):
    reason = "BATCH_NOT_FOUND"
    message = "The session has no such batch."


class AppNotFound(NotFound):
    reason = "APP_NOT_FOUND"
    message = "App not found."


class IssueNotFound(NotFound):
    reason = "ISSUE_NOT_FOUND"
    message = "Issue not found."


class RoleTooLow(PermissionDenied):
    reason = "ROLE_TOO_LOW"
    message = "Your role in this app does not allow this."


class OriginNotAllowed(PermissionDenied):
    reason = "ORIGIN_NOT_ALLOWED"
    message = "The app takes no events from pages of this origin."


class LoginSessionNotFound(NotFound):
    reason = "LOGIN_SESSION_NOT_FOUND"
    message = "You are not signed in by a session of this id."


class UserNotFound(NotFound):
    reason = "USER_NOT_FOUND"
    message = "User not found."


class IssueNotVerified(WrongState):
    reason = "ISSUE_NOT_VERIFIED"
    message = "verifiedInRelease is required before archiving."


class IssueAlreadyArchived(WrongState):
    reason = "ISSUE_ALREADY_ARCHIVED"
    message = "The issue is archived already."


class IssueIsMerged(WrongState):
    reason = "ISSUE_IS_MERGED"
    message = "The issue is merged into another one. Change that one, or unmerge this one first."


class IssueNotMerged(WrongState):
    reason = "ISSUE_NOT_MERGED"
    message = "The issue is not merged into another one."


class OwnerStays(WrongState):
    reason = "OWNER_STAYS"
    message = "The owner of an app stays its owner."


class TooManyMembers(WrongState):
    reason = "TOO_MANY_MEMBERS"
    message = "The app has 1,000 members already."


class EmailAlreadyRegistered(AlreadyExists):
    reason = "EMAIL_ALREADY_REGISTERED"
    message = "Email is already registered."


class TooManyAttempts(LimitExceeded):
    reason = "TOO_MANY_ATTEMPTS"
    message = "Too many failed sign-ins. Try again later."


class TooManyRegistrations(LimitExceeded):
    reason = "TOO_MANY_REGISTRATIONS"
    message = "Too many registrations from this address. Try again later."


class TooManyRequests(LimitExceeded):
    reason = "TOO_MANY_REQUESTS"
    message = "This address asks more often than it may. Try again later."


class TooManyAtOnce(LimitExceeded):
    reason = "TOO_MANY_AT_ONCE"
    message = "This address asks for too much at once. Try again."


class RateLimited(LimitExceeded):
    reason = "RATE_LIMITED"
    message = "The app sends more events than its rate allows."


class TooManyAppKeys(LimitExceeded):
    reason = "TOO_MANY_APP_KEYS"
    message = "Ten old keys of the app are still accepted. Rotate again once one of them has expired."


class StoreUnavailable(Unavailable):
    reason = "STORE_UNAVAILABLE"
    message = "The store cannot be reached. Nothing was stored; try again."


class BlobsUnavailable(Unavailable):
    reason = "BLOBS_UNAVAILABLE"
    message = "The store of screenshots cannot be reached. Nothing was stored; try again."


class DiskFull(Unavailable):
    reason = "DISK_FULL"
    message = "The disk is full. Nothing was stored; try again later."


class Overloaded(Unavailable):
    reason = "OVERLOADED"
    message = "Too much is waiting to be stored. Nothing was stored; try again."


class ShuttingDown(Unavailable):
    reason = "SHUTTING_DOWN"
    message = "The server is shutting down. Try again."


class SignInBusy(LimitExceeded):
    reason = "SIGN_IN_BUSY"
    message = "Too many people are signing in at once. Try again."


class StartupFault(Exception):
    """What keeps the program from starting or a command from running; told in one line, never as a traceback."""

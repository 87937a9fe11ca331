"""The recorded answers from which this collector departs on purpose: what it answers instead, and why that is better for the user."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Family:
    """Departures with one reason. `answers` names each recorded pair and our answer.

    An answer is the status, then the code of the error or of the first event refused; or, where the status is as
    recorded, the fields that are not.
    """

    reason: str
    answers: dict[str, str]


FAMILIES = [
    Family(
        reason=(
            "An app key that nobody registered is told so. Answering 202 to a mistyped key loses every event of "
            "that app in silence; the SDK puts the batch back and it arrives once the key is right. What the "
            "events themselves would get is in VERDICTS."
        ),
        answers={
            "events.unknown-appKey": "404 APP_NOT_FOUND",
            "events.bad.mismatch": "404 APP_NOT_FOUND",
            "events.bad.event-null": "404 APP_NOT_FOUND",
            "events.bad.event-string": "404 APP_NOT_FOUND",
            "events.bad.event-empty": "404 APP_NOT_FOUND",
            "events.bad.error-missing-eventId": "404 APP_NOT_FOUND",
            "events.bad.error-missing-appKey": "404 APP_NOT_FOUND",
            "events.bad.error-missing-timestamp": "404 APP_NOT_FOUND",
            "events.bad.error-missing-sessionId": "404 APP_NOT_FOUND",
            "events.bad.error-missing-anonymousId": "404 APP_NOT_FOUND",
            "events.bad.error-missing-sdkVersion": "404 APP_NOT_FOUND",
            "events.bad.error-missing-type": "404 APP_NOT_FOUND",
            "events.bad.error-missing-errorType": "404 APP_NOT_FOUND",
            "events.bad.error-missing-message": "404 APP_NOT_FOUND",
            "events.bad.error-missing-breadcrumbs": "404 APP_NOT_FOUND",
            "events.bad.http-missing-url": "404 APP_NOT_FOUND",
            "events.bad.http-missing-duration": "404 APP_NOT_FOUND",
            "events.bad.http-missing-success": "404 APP_NOT_FOUND",
            "events.bad.perf-missing-value": "404 APP_NOT_FOUND",
            "events.bad.crumb-missing": "404 APP_NOT_FOUND",
            "events.bad.crumb-incomplete": "404 APP_NOT_FOUND",
            "events.bad.emptystr-eventId": "404 APP_NOT_FOUND",
            "events.bad.emptystr-appKey": "404 APP_NOT_FOUND",
            "events.bad.emptystr-sessionId": "404 APP_NOT_FOUND",
            "events.bad.emptystr-anonymousId": "404 APP_NOT_FOUND",
            "events.bad.emptystr-message": "404 APP_NOT_FOUND",
            "events.bad.emptystr-fingerprint": "404 APP_NOT_FOUND",
            "events.bad.empty-perf-name": "404 APP_NOT_FOUND",
            "events.bad.type-03-timestamp-null": "404 APP_NOT_FOUND",
            "events.bad.type-04-timestamp-bool": "404 APP_NOT_FOUND",
            "events.bad.type-05-platform-string": "404 APP_NOT_FOUND",
            "events.bad.type-06-platform-null": "404 APP_NOT_FOUND",
            "events.bad.type-07-platform-number": "404 APP_NOT_FOUND",
            "events.bad.type-08-type-string": "404 APP_NOT_FOUND",
            "events.bad.type-09-type-null": "404 APP_NOT_FOUND",
            "events.bad.type-10-userId-null": "404 APP_NOT_FOUND",
            "events.bad.type-11-userId-number": "404 APP_NOT_FOUND",
            "events.bad.type-12-release-null": "404 APP_NOT_FOUND",
            "events.bad.type-13-release-number": "404 APP_NOT_FOUND",
            "events.bad.type-14-environment-string": "404 APP_NOT_FOUND",
            "events.bad.type-17-deviceInfo-null": "404 APP_NOT_FOUND",
            "events.bad.type-18-deviceInfo-string": "404 APP_NOT_FOUND",
            "events.bad.type-19-deviceInfo-object": "404 APP_NOT_FOUND",
            "events.bad.type-20-errorType-string": "404 APP_NOT_FOUND",
            "events.bad.type-21-message-null": "404 APP_NOT_FOUND",
            "events.bad.type-23-stack-null": "404 APP_NOT_FOUND",
            "events.bad.type-25-lineno-null": "404 APP_NOT_FOUND",
            "events.bad.type-28-breadcrumbs-array": "404 APP_NOT_FOUND",
            "events.bad.type-29-breadcrumbs-array": "404 APP_NOT_FOUND",
            "events.bad.type-30-breadcrumbs-array": "404 APP_NOT_FOUND",
            "events.bad.type-32-context-null": "404 APP_NOT_FOUND",
            "events.bad.type-33-context-array": "404 APP_NOT_FOUND",
            "events.bad.type-34-context-string": "404 APP_NOT_FOUND",
            "events.bad.type-35-context-object": "404 APP_NOT_FOUND",
            "events.bad.type-37-scene-number": "404 APP_NOT_FOUND",
            "events.bad.type-38-fingerprint-number": "404 APP_NOT_FOUND",
            "events.bad.http-duration-number-2": "404 APP_NOT_FOUND",
            "events.bad.http-status-string-5": "404 APP_NOT_FOUND",
            "events.bad.http-status-null-4": "404 APP_NOT_FOUND",
            "events.bad.http-success-string-7": "404 APP_NOT_FOUND",
            "events.bad.http-success-number-1": "404 APP_NOT_FOUND",
            "events.bad.http-success-null-4": "404 APP_NOT_FOUND",
            "events.bad.http-method-number-1": "404 APP_NOT_FOUND",
            "events.bad.http-errorMessage-null-4": "404 APP_NOT_FOUND",
            "events.bad.http-requestData-array-2": "404 APP_NOT_FOUND",
            "events.bad.http-fingerprint-null-4": "404 APP_NOT_FOUND",
            'events.bad.perf-value-"1"': "404 APP_NOT_FOUND",
            'events.bad.perf-rating-"ok"': "404 APP_NOT_FOUND",
            "events.bad.perf-rating-null": "404 APP_NOT_FOUND",
            "events.bad.perf-name-1": "404 APP_NOT_FOUND",
            "events.bad.crumb-null": "404 APP_NOT_FOUND",
            "events.bad.many-problems": "404 APP_NOT_FOUND",
            "events.bad.order-of-messages": "404 APP_NOT_FOUND",
            "events.bad.dirty-plus-mismatch": "404 APP_NOT_FOUND",
            "events.bad.type-plus-mismatch": "404 APP_NOT_FOUND",
            "events.bad.one-bad-of-three": "404 APP_NOT_FOUND",
            "events.pg.appKey-65": "404 APP_NOT_FOUND",
            "detail.unregistered-app-visible": "404 ISSUE_NOT_FOUND",
        },
    ),
    Family(
        reason="JSON sent as text/plain is read: navigator.sendBeacon sends that, and it needs no preflight.",
        answers={
            "register.text-plain": "201",
        },
    ),
    Family(
        reason=(
            "What is too long or no usable number is the caller's fault and named as such; the original answered "
            "500 with the text of a database error."
        ),
        answers={
            "register.email-too-long": "400 INVALID_EMAIL",
            "apps.create.name-256": "400 APP_NAME_TOO_LONG",
            "overview.odd.start-fraction": "400 INVALID_TIME_RANGE",
            "overview.odd.start-huge": "400 INVALID_TIME_RANGE",
            "issues.odd.start-huge": "400 INVALID_TIME_RANGE",
        },
    ),
    Family(
        reason=(
            "An event that the original's columns could not hold is kept, or refused by its own verdict. Its 500 "
            "made the SDK resend the whole batch for ever."
        ),
        answers={
            "events.pg.timestamp-fraction": "202",
            "events.pg.timestamp-huge": "202 INVALID_TIMESTAMP",
            "events.pg.sessionId-65": "202",
            "events.pg.userId-65": "202",
            "events.pg.anonymousId-65": "202",
            "events.pg.sdkVersion-33": "202",
            "events.pg.release-256": "202",
            "events.pg.fingerprint-256": "202",
            "events.pg.issue-id-over-255": "202",
            "events.pg.nul-in-message": "202",
        },
    ),
    Family(
        reason="Totals after the family above: those events were stored.",
        answers={
            "events.pg.nothing-stored": "200 errors, events, issues",
        },
    ),
    Family(
        reason="A key named __proto__ is data like any other: nothing here interprets it, and it comes back as sent.",
        answers={
            "events.bad.nested-proto-in-context": "202",
        },
    ),
    Family(
        reason=(
            "A resent event is acknowledged and counted once, per app. The original answered 500 and threw away "
            "the new events of the same batch."
        ),
        answers={
            "dup.resend-same": "202",
            "dup.resend-with-new": "202",
            "dup.within-batch": "202",
            "dup.other-app-same-id": "202",
        },
    ),
    Family(
        reason="Counts after the family above: the new events of a batch with duplicates were stored.",
        answers={
            "dup.issues-after": "200 eventCount, lastSeenAt, web",
        },
    ),
    Family(
        reason=(
            "Somebody else's app answers like one that does not exist. The original showed every tenant's data to "
            "everybody."
        ),
        answers={
            "overview.foreign-app": "200 errors, events, failedRequests, issues",
            "appsov.foreign": "200 errors, events, failedRequests, issues",
            "issues.list.foreign": "200 issues",
        },
    ),
    Family(
        reason=(
            "An app can be read and deleted. The original had no such routes: an app, once created, and all its data "
            "stayed for ever."
        ),
        answers={
            "apps.get-one": "200",
            "apps.delete": "204",
        },
    ),
    Family(
        reason=(
            "Failed requests are grouped by path template with 128 bits, so /orders/17 and /orders/18 are one "
            "issue and two causes never share one. The original hashed the raw path into 32 bits."
        ),
        answers={
            "issues.list": "200 fingerprint, id",
            "issues.list.range": "200 fingerprint, id",
            "httpfp.urls.list": "200 fingerprint, id",
            "detail.http-fp": "200 fingerprint, id",
        },
    ),
    Family(
        reason=(
            "An event that arrives late lowers first seen to the time it happened. (The lists that show a failed "
            "request differ in its fingerprint too.)"
        ),
        answers={
            "issues.list.after-late-old-event": "200 fingerprint, firstSeenAt, id",
            "issues.list.status-open": "200 fingerprint, firstSeenAt, id",
            "issues.list.status-all": "200 fingerprint, firstSeenAt, id",
            "issues.list.platform-web": "200 fingerprint, firstSeenAt, id",
            "issues.list.start": "200 fingerprint, firstSeenAt, id",
            "issues.list.platform-range": "200 firstSeenAt",
            "issues.odd.start-empty": "200 fingerprint, firstSeenAt, id",
            "issues.odd.start-hex": "200 fingerprint, firstSeenAt, id",
            "issues.odd.start-exp": "200 fingerprint, firstSeenAt, id",
            "issues.odd.start-negative": "200 fingerprint, firstSeenAt, id",
            "issues.odd.unknown-param": "200 fingerprint, firstSeenAt, id",
            "issues.odd.start-blank": "200 fingerprint, firstSeenAt, id",
        },
    ),
    Family(
        reason="Long issue ids are served. The original's router matched no path segment over 100 characters.",
        answers={
            "detail.odd.len80": "200",
        },
    ),
    Family(
        reason=(
            "A method written in lower case is the same method: `get` and `GET` of one path are one issue, which also moves "
            "the issues behind it up the list."
        ),
        answers={"httpfp.variants.list": "200 eventCount, fingerprint, firstSeenAt, id, issues, message, web"},
    ),
    Family(
        reason=(
            "A change that needs no body takes none, whatever the content type says: dashboards announce "
            "application/json on every request. JSON that came as text/plain is read as JSON."
        ),
        answers={
            "life.archive.json-ct-no-body": "404 ISSUE_NOT_FOUND",
            "life.reopen.json-ct-no-body": "404 ISSUE_NOT_FOUND",
            "life.fixed.text-plain": "200",
        },
    ),
    Family(
        reason="A release of 256 characters, which events may carry, can also be the one that fixes an issue; it answered 500.",
        answers={"life.fixed.too-long": "200"},
    ),
    Family(
        reason=(
            "Pre-releases are older than their release: 1.2.0-beta does not reopen what 1.2.0 fixed, and 1.2.0 does reopen "
            "what 1.2.0-beta was said to fix."
        ),
        answers={"relcmp.result": "200 status"},
    ),
]

VERDICTS = {
    "events.bad.mismatch": "202 APP_KEY_MISMATCH",
    "events.bad.event-null": "202 NOT_AN_OBJECT",
    "events.bad.event-string": "202 NOT_AN_OBJECT",
    "events.bad.event-empty": "202 EVENT_ID_REQUIRED",
    "events.bad.error-missing-eventId": "202 EVENT_ID_REQUIRED",
    "events.bad.error-missing-appKey": "202",
    "events.bad.error-missing-timestamp": "202 TIMESTAMP_REQUIRED",
    "events.bad.error-missing-sessionId": "202",
    "events.bad.error-missing-anonymousId": "202",
    "events.bad.error-missing-sdkVersion": "202",
    "events.bad.error-missing-type": "202 TYPE_REQUIRED",
    "events.bad.error-missing-errorType": "202",
    "events.bad.error-missing-message": "202",
    "events.bad.error-missing-breadcrumbs": "202",
    "events.bad.http-missing-url": "202",
    "events.bad.http-missing-duration": "202",
    "events.bad.http-missing-success": "202",
    "events.bad.perf-missing-value": "202",
    "events.bad.crumb-missing": "202",
    "events.bad.crumb-incomplete": "202",
    "events.bad.emptystr-eventId": "202 EVENT_ID_REQUIRED",
    "events.bad.emptystr-appKey": "202 APP_KEY_MISMATCH",
    "events.bad.emptystr-sessionId": "202",
    "events.bad.emptystr-anonymousId": "202",
    "events.bad.emptystr-message": "202",
    "events.bad.emptystr-fingerprint": "202",
    "events.bad.empty-perf-name": "202",
    "events.bad.type-03-timestamp-null": "202 TIMESTAMP_REQUIRED",
    "events.bad.type-04-timestamp-bool": "202 WRONG_TYPE",
    "events.bad.type-05-platform-string": "202",
    "events.bad.type-06-platform-null": "202",
    "events.bad.type-07-platform-number": "202 WRONG_TYPE",
    "events.bad.type-08-type-string": "202",
    "events.bad.type-09-type-null": "202 TYPE_REQUIRED",
    "events.bad.type-10-userId-null": "202",
    "events.bad.type-11-userId-number": "202 WRONG_TYPE",
    "events.bad.type-12-release-null": "202",
    "events.bad.type-13-release-number": "202 WRONG_TYPE",
    "events.bad.type-14-environment-string": "202",
    "events.bad.type-17-deviceInfo-null": "202",
    "events.bad.type-18-deviceInfo-string": "202 WRONG_TYPE",
    "events.bad.type-19-deviceInfo-object": "202 WRONG_TYPE",
    "events.bad.type-20-errorType-string": "202",
    "events.bad.type-21-message-null": "202",
    "events.bad.type-23-stack-null": "202",
    "events.bad.type-25-lineno-null": "202",
    "events.bad.type-28-breadcrumbs-array": "202 WRONG_TYPE",
    "events.bad.type-29-breadcrumbs-array": "202",
    "events.bad.type-30-breadcrumbs-array": "202 WRONG_TYPE",
    "events.bad.type-32-context-null": "202",
    "events.bad.type-33-context-array": "202 WRONG_TYPE",
    "events.bad.type-34-context-string": "202 WRONG_TYPE",
    "events.bad.type-35-context-object": "202",
    "events.bad.type-37-scene-number": "202 WRONG_TYPE",
    "events.bad.type-38-fingerprint-number": "202 WRONG_TYPE",
    "events.bad.http-duration-number-2": "202",
    "events.bad.http-status-string-5": "202 WRONG_TYPE",
    "events.bad.http-status-null-4": "202",
    "events.bad.http-success-string-7": "202 WRONG_TYPE",
    "events.bad.http-success-number-1": "202 WRONG_TYPE",
    "events.bad.http-success-null-4": "202",
    "events.bad.http-method-number-1": "202 WRONG_TYPE",
    "events.bad.http-errorMessage-null-4": "202",
    "events.bad.http-requestData-array-2": "202 WRONG_TYPE",
    "events.bad.http-fingerprint-null-4": "202",
    'events.bad.perf-value-"1"': "202 WRONG_TYPE",
    'events.bad.perf-rating-"ok"': "202",
    "events.bad.perf-rating-null": "202",
    "events.bad.perf-name-1": "202 WRONG_TYPE",
    "events.bad.crumb-null": "202",
    "events.bad.many-problems": "202 EVENT_ID_REQUIRED",
    "events.bad.order-of-messages": "202 WRONG_TYPE",
    "events.bad.dirty-plus-mismatch": "202 APP_KEY_MISMATCH",
    "events.bad.type-plus-mismatch": "202 WRONG_TYPE",
    "events.bad.one-bad-of-three": "202",
}
"""What the pairs of the first family would get had their app key been registered: the good events are kept, each bad
one gets a verdict of its own, and the SDK is never sent back with the whole batch. The original answered 400 to all.
"""

"""Tests of which issue an event belongs to, what the issue is called, and why."""

import re

import pytest
from hypothesis import given, strategies as st

from server.ingest.grouping import VERSIONS, explain, group, v1
from tests.unit.ingest.events import event_from_json, make_event

STACK = "TypeError: x\n    at pay (https://shop.test/main.js:1:2)\n    at run (https://shop.test/main.js:3:4)"


def error(**fields):
    return make_event(**({"error_type": "js", "message": "Boom", "stack": STACK} | fields))


def request(**fields):
    defaults = {
        "type": "http",
        "method": "GET",
        "url": "/api/orders",
        "status": 500,
        "success": False,
        "platform": "web",
    }
    return make_event(**(defaults | fields))


def fingerprint(event):
    return group(event).fingerprint


def test_group_goes_by_the_sdks_fingerprint():
    grouping = group(error(fingerprint="js:abc123"))
    assert (grouping.fingerprint, grouping.version) == ("js:abc123", "sdk")
    assert (grouping.title, grouping.error_type) == ("Boom", "js")


def test_group_computes_a_versioned_fingerprint_where_the_sdk_sent_none():
    grouping = group(error(fingerprint=""))
    assert grouping.version == v1.VERSION
    assert re.fullmatch("v1:[0-9a-f]{32}", grouping.fingerprint)


def test_group_of_version_1_never_changes():
    """Stored issues go by these; if this fails, an edit belongs into a new version."""
    assert {"v1": v1} == VERSIONS
    assert fingerprint(error()) == "v1:365bc3d5a994cba5bc08a92cd0138bd8"
    assert fingerprint(request(url="/api/orders/1?x=2")) == "http:7596454a7011201ad3154d4093dfa407"


@pytest.mark.parametrize(
    "event",
    [
        make_event(type="performance", name="LCP"),
        make_event(type="breadcrumb", fingerprint="js:x"),
        make_event(type="log", message="x"),
        request(success=True, fingerprint="http:client"),
        make_event(type="http", method="GET", url="/x", status=500),
    ],
)
def test_group_makes_no_issue_of_other_events(event):
    assert group(event) is None
    assert explain(event) is None


@pytest.mark.parametrize(
    "changes",
    [
        {"message": "Bang"},
        {"error_type": "promise"},
        {"stack": STACK.replace("pay", "refund")},
        {"stack": STACK.replace("main.js:1", "cart.js:1")},
        {"stack": ""},
    ],
)
def test_group_keeps_different_errors_apart(changes):
    assert fingerprint(error(**changes)) != fingerprint(error())


@pytest.mark.parametrize(
    "changes",
    [
        {"stack": STACK.replace(":1:2", ":77:8")},
        {"stack": STACK.replace("main.js", "main.js?v=2")},
        {"stack": STACK.replace("main.js", "main.3f2a1bc9.js")},
        {"stack": f"{STACK}\n    at commit (https://shop.test/node_modules/react/index.js:1:1)"},
        {"stack": STACK.replace("https://shop.test", "https://cdn.shop.test/v2")},
        {"release": "2.0.0", "platform": "uniapp-h5", "user_id": "other", "page_url": "/other"},
    ],
)
def test_group_keeps_one_error_together_across_builds_and_users(changes):
    assert fingerprint(error(**changes)) == fingerprint(error())


@given(st.integers(0, 10**9), st.uuids(version=4), st.integers(1, 10**6))
def test_group_is_stable_under_other_numbers_and_ids(number, uuid, line):
    def occurrence(number, uuid, line):
        return error(
            message=f"Order {number} of {uuid} is gone", stack=f"Error\n    at pay (/app/cart.js:{line}:{number})"
        )

    assert fingerprint(occurrence(number, uuid, line)) == fingerprint(
        occurrence(17, "550e8400-e29b-41d4-a716-446655440000", 1)
    )


def test_group_reads_the_stack_out_of_the_message_where_there_is_no_other():
    lines = STACK.partition("\n")[2]
    inside = error(message=f"Boom\n{lines}", stack="")
    assert fingerprint(inside) == fingerprint(error(stack=lines))
    assert group(inside).title == f"Boom\n{lines}"


def test_group_keeps_resources_apart_by_their_file():
    def missing(url):
        return error(error_type="resource", stack="", message=f"Resource load failed: IMG {url}", filename=url)

    logo = fingerprint(missing("https://h.test/logo.png?v=1"))
    assert fingerprint(missing("https://cdn.test/img/logo.png?v=2")) == logo
    assert fingerprint(missing("https://h.test/cart.png")) != logo


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"error_type": "promise", "message": ""}, "Promise rejected without a reason"),
        ({"error_type": "js", "message": " \n"}, "Error without a message"),
        ({"error_type": "resource", "message": "", "filename": "/a.png"}, "Resource failed to load: /a.png"),
        ({"error_type": "crash", "message": ""}, "crash without a message"),
        ({"error_type": "", "message": ""}, "Error without a message"),
        ({"message": "m" * 100_000}, "m" * 4095 + "…"),
        ({"message": "0"}, "0"),
    ],
)
def test_group_always_has_a_title(fields, expected):
    assert group(error(**fields)).title == expected


def test_group_names_the_type_of_errors_that_came_without():
    assert group(make_event(message="x")).error_type == "error"


def test_group_of_a_failed_request_ignores_the_sdks_fingerprint():
    grouping = group(request(fingerprint="http:client"))
    assert re.fullmatch("http:[0-9a-f]{32}", grouping.fingerprint)
    assert (grouping.version, grouping.error_type) == ("v1", "http")


@pytest.mark.parametrize(
    "changes",
    [
        {"method": "POST"},
        {"url": "/api/carts"},
        {"status": 404},
        {"status": 0},
        {"status": None},
        {"platform": "uniapp-h5"},
    ],
)
def test_group_keeps_different_requests_apart(changes):
    assert fingerprint(request(**changes)) != fingerprint(request())


@pytest.mark.parametrize(
    "changes",
    [
        {"method": "get"},
        {"url": "https://h.test/api/orders?page=2#x"},
        {"error_message": "timeout"},
        {"duration": 5.0, "release": "2"},
    ],
)
def test_group_keeps_one_request_together(changes):
    assert fingerprint(request(**changes)) == fingerprint(request())


def test_group_tells_no_status_from_status_0_and_reads_odd_ones_from_extra():
    def with_extra(status):
        event = request(status=None)
        event.extra.update({"status": status})
        return fingerprint(event)

    statuses = [fingerprint(request(status=None)), fingerprint(request(status=0)), with_extra(500.5), with_extra(1e21)]
    assert len(set(statuses)) == len(statuses)


def test_group_gives_failed_requests_the_recorded_titles(recorded_pairs):
    """The title is the first event's, so each issue is looked up by when it was first seen."""
    events = recorded_pairs["httpfp.variants"]["request"]["body"]["events"]
    titles = {}
    for sent in events:
        titles[sent["timestamp"]["$t"]] = group(event_from_json(sent | {"timestamp": 0})).title
    issues = recorded_pairs["httpfp.variants.list"]["response"]["json"]["issues"]
    assert {issue["firstSeenAt"]["$t"]: issue["message"] for issue in issues}.items() <= titles.items()


def test_group_finds_the_issue_of_everything_sdks_sent(sdk_events):
    for event in sdk_events:
        grouping = group(event)
        failed = event.type == "http" and not event.success
        assert (grouping is not None) == (event.type == "error" or failed)
        if event.type == "error" and event.fingerprint:
            assert grouping.fingerprint == event.fingerprint


def test_group_separates_recorded_errors_about_as_the_sdks_do(sdk_events):
    """Ours may join what the SDK splits by number (burst 0, burst 1), but never splits what the SDK keeps together."""
    ours = {}
    for event in sdk_events:
        given, event.fingerprint = event.fingerprint, ""
        if event.type == "error":
            ours.setdefault((given, event.message), set()).add(fingerprint(event))
    assert len(ours) > 50
    assert {pair: found for pair, found in ours.items() if len(found) > 1} == {}


def test_explain_shows_the_inputs_raw_and_normalised_and_what_was_masked():
    explanation = explain(error(message="Order 17 of ann@shop.test gone: status 404"))
    assert explanation.fingerprint == fingerprint(error(message="Order 17 of ann@shop.test gone: status 404"))
    assert [tuple(given) for given, _ in explanation.inputs] == [
        ("errorType", "js", "js"),
        (
            "message",
            "Order 17 of ann@shop.test gone: status 404",
            "Order <number> of <email> gone: status 404",
        ),
        ("frame1", "at pay (https://shop.test/main.js:1:2)", "pay main.js"),
        ("frame2", "at run (https://shop.test/main.js:3:4)", "run main.js"),
    ]
    masked = [list(parts) for _, parts in explanation.inputs]
    assert masked == [[], [("17", "<number>"), ("ann@shop.test", "<email>")], [], []]


def test_explain_shows_the_template_of_a_request():
    explanation = explain(request(url="https://h.test/api/orders/17?x=1", method="get"))
    assert [tuple(given) for given, _ in explanation.inputs] == [
        ("method", "get", "GET"),
        ("path", "/api/orders/17", "/api/orders/:id"),
        ("status", "500", "500"),
        ("platform", "web", "web"),
    ]
    assert [list(parts) for _, parts in explanation.inputs] == [[], [("17", ":id")], [], []]


@given(st.text(alphabet="ab1290 :/-.@#x", max_size=60))
def test_what_was_masked_is_all_that_differs(message):
    """Put back at their places, the masked parts give the message that came."""
    _, (text, parts), *_ = explain(error(message=message)).inputs
    rest, rebuilt = text.normalised, ""
    for part in parts:
        before, mask, rest = rest.partition(part.mask)
        assert mask == part.mask
        rebuilt += before + part.text
    assert rebuilt + rest == message


def test_explain_names_the_sdk_where_it_decided():
    explanation = explain(error(fingerprint="js:1"))
    assert (explanation.version, list(explanation.inputs)) == ("sdk", [(("fingerprint", "js:1", "js:1"), ())])

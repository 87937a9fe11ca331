"""Who gets in: every RPC through both doors, asked by everybody there is, with the answer each must get."""

from collections.abc import Callable, Iterator
from dataclasses import replace

import grpc
import pytest

from tests.access.doors import METHODS, OK, OPERATIONS, ROUTES, Answer, ask_grpc, ask_rest
from tests.access.rows import OPEN_ROUTES, ROLES, ROWS, Access, Row, Spent
from tests.access.world import People, Site, Who, build_site, enter_tokens, people_on
from tests.client import Json, Rest
from tests.collector import Collector

Ask = Callable[[str, Json, str | None], Answer]

NOT_SIGNED_IN: Answer = ("UNAUTHENTICATED", "UNAUTHENTICATED")
NO_TRACKER: Answer = ("UNAUTHENTICATED", "INVALID_SESSION_TOKEN")
ROLE_TOO_LOW: Answer = ("PERMISSION_DENIED", "ROLE_TOO_LOW")

SCOPE_MISSING: Answer = ("PERMISSION_DENIED", "SCOPE_MISSING")

MAY: dict[Access, set[Who]] = {
    Access.ANYONE: set(Who),
    Access.ACCOUNT: {Who.STRANGER, Who.VIEWER, Who.EDITOR, Who.OWNER},
    Access.VIEWER: {Who.VIEWER, Who.EDITOR, Who.OWNER},
    Access.EDITOR: {Who.EDITOR, Who.OWNER},
    Access.OWNER: {Who.OWNER},
    Access.TRACKER: {Who.TRACKER},
}
WITH_ACCOUNT = MAY[Access.ACCOUNT]
SERVICES = {Who.SERVICE, Who.OTHER_SERVICE}


def expected(row: Row, who: Who) -> Answer:
    """The answer of the row to this caller."""
    if who in MAY[row.access] or (who is Who.SERVICE and row.scope):
        return ("NOT_FOUND", row.missing) if row.missing else OK
    if row.access is Access.TRACKER:
        return NO_TRACKER
    if who in SERVICES:
        return SCOPE_MISSING
    if who not in WITH_ACCOUNT:
        return NOT_SIGNED_IN
    return ("NOT_FOUND", row.hidden) if who is Who.STRANGER else ROLE_TOO_LOW


def test_every_rpc_and_every_route_has_its_row() -> None:
    assert set(ROWS) == set(METHODS)
    assert set(ROUTES) == set(METHODS)
    assert {o.id for o in OPERATIONS} == {o.id for o in ROUTES.values()} | OPEN_ROUTES


def test_every_row_about_one_app_says_how_it_hides() -> None:
    assert [name for name, row in ROWS.items() if (row.access in ROLES) != bool(row.hidden)] == []


@pytest.fixture(scope="module")
def rest(shared_sqlite: Collector) -> Iterator[Rest]:
    with Rest(shared_sqlite.rest) as client:
        yield client


@pytest.fixture(scope="module")
def people(shared_sqlite: Collector, rest: Rest) -> People:
    people = people_on(rest)
    enter_tokens(shared_sqlite.database_url, people)
    return people


@pytest.fixture(scope="module")
def site(people: People) -> Site:
    return build_site(people)


@pytest.fixture(scope="module")
def over_grpc(shared_sqlite: Collector) -> Iterator[Ask]:
    with grpc.insecure_channel(shared_sqlite.grpc) as channel:
        yield lambda *asked: ask_grpc(channel, *asked)


@pytest.fixture(scope="module")
def over_rest(rest: Rest) -> Ask:
    return lambda *asked: ask_rest(rest.http, *asked)


@pytest.fixture(params=["over_grpc", "over_rest"])
def ask(request: pytest.FixtureRequest) -> Ask:
    door: Ask = request.getfixturevalue(request.param)
    return door


@pytest.mark.parametrize("name", sorted(METHODS))
def test_everybody_gets_the_answer_of_the_row(name: str, ask: Ask, site: Site) -> None:
    row = ROWS[name]
    answers, wanted = {}, {}
    for who in Who:
        wanted[who] = expected(row, who)
        asked = spare_site(site, row) if row.spends != Spent.NOTHING and wanted[who] == OK else site
        answers[who] = ask(name, row.request(asked), asked.bearer(who, row.scope))
    assert answers == wanted


def spare_site(site: Site, row: Row) -> Site:
    """A site with an app, or with people, that the call may spend."""
    if row.spends is Spent.ACCOUNT:
        return replace(site, people=people_on(site.people.rest))
    spare = build_site(site.people)
    row.prepare(spare)
    return spare


@pytest.mark.parametrize("operation", sorted(OPEN_ROUTES))
def test_what_is_open_is_open_to_all(operation: str, rest: Rest, site: Site) -> None:
    (path,) = (o.path for o in OPERATIONS if o.id == operation)
    for who in Who:
        token = site.bearer(who, "")
        answer = rest.http.get(path, headers={"authorization": f"Bearer {token}"} if token else {})
        assert answer.status_code == 200
        assert site.app["appKey"] not in answer.text

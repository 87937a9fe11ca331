"""The table of message types is whole, and its names read as JSON names should."""

import pytest

from server.mobile.messages import Layout, all_types, json_name, mobile_types


def test_current_layout_knows_every_mobile_id():
    assert set(mobile_types(Layout.CURRENT)) == {*range(90, 99), *range(100, 108), 109, 110, 111}


def test_v170_layout_differs_where_its_ids_do():
    current, v170 = mobile_types(Layout.CURRENT), mobile_types(Layout.V1_7_0)
    assert set(v170) == set(current) | {99}
    reshaped = {i for i in current if [kind for _, kind in current[i].plan] != [kind for _, kind in v170[i].plan]}
    assert reshaped == {98, 105}


@pytest.mark.parametrize("layout", Layout)
def test_types_fit_their_row(layout):
    for type_id, row in all_types(layout).items():
        assert row.id == type_id < 256
        assert len(row.kinds) == len(row.plan)
        assert set(row.kinds) <= set("uisb")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("ScreenName", "screenName"),
        ("URL", "url"),
        ("ID", "id"),
        ("X", "x"),
        ("UserUUID", "userUUID"),
        ("MinFPS", "minFPS"),
    ],
)
def test_json_name(name, expected):
    assert json_name(name) == expected

"""Teams in the database: what a move changes and tells."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import pytest

from gateway.domain import events
from gateway.domain.errors import TeamBelowItself, TeamNotFound
from gateway.domain.teams import Team
from gateway.store import queries
from gateway.usecases.change_teams import create_team, update_team
from gateway.wiring import GatewayApp
from kernel.pure.errors import CrmError, Invalid, StaleEtag
from kernel.pure.grants import Principal
from kernel.pure.ids import new_id
from tests.contracts.examples import promised, same_shape
from tests.gateway.conftest import told

GATEWAY = Principal.service("gateway")


def new(app: GatewayApp, name: str, parent: Team | None = None) -> Team:
    with app.work(GATEWAY) as work:
        return create_team(work, name, parent.id if parent else None)


def move(app: GatewayApp, team: Team, parent: Team | None, etag: str = "") -> Team:
    with app.work(GATEWAY) as work:
        return update_team(work, team.id, etag, "", parent.id if parent else None, {"parent_id"})


def paths(app: GatewayApp) -> dict[UUID, list[UUID]]:
    return {row.id: row.path for row in queries.list_teams(app.reader, None, 1000)}


def test_a_new_team_is_told_with_its_path(app: GatewayApp) -> None:
    east = new(app, "华东")
    shanghai = new(app, "上海", east)
    assert [said["data"]["teams"][0]["path"] for said in told(app)] == [
        [str(east.id)],
        [str(east.id), str(shanghai.id)],
    ]
    for promise in promised("crm.gateway.v1.TeamsRecorded"):
        same_shape(told(app)[-1], promise)


def test_a_move_takes_all_below_along_and_tells_of_them(app: GatewayApp) -> None:
    east, north = new(app, "east"), new(app, "north")
    city = new(app, "city", east)
    street = new(app, "street", city)
    move(app, city, north)
    assert paths(app) == {
        east.id: [east.id],
        north.id: [north.id],
        city.id: [north.id, city.id],
        street.id: [north.id, city.id, street.id],
    }
    items = {item["teamId"]: item for item in told(app)[-1]["data"]["teams"]}
    assert items == {
        str(city.id): {"teamId": str(city.id), "version": 2, "path": [str(north.id), str(city.id)]},
        str(street.id): {
            "teamId": str(street.id),
            "version": 2,
            "path": [str(north.id), str(city.id), str(street.id)],
        },
    }


def test_a_large_move_is_told_in_several_events(app: GatewayApp, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "MOST_ITEMS", 2)
    east, north = new(app, "east"), new(app, "north")
    for number in range(4):
        new(app, str(number), east)
    before = len(told(app))
    move(app, east, north)
    assert [len(said["data"]["teams"]) for said in told(app)[before:]] == [2, 2, 1]


def test_a_move_to_the_top_makes_a_root(app: GatewayApp) -> None:
    east = new(app, "east")
    city = new(app, "city", east)
    assert move(app, city, None).path == (city.id,)


def test_a_rename_keeps_the_place(app: GatewayApp) -> None:
    city = new(app, "city", new(app, "east"))
    with app.work(GATEWAY) as work:
        renamed = update_team(work, city.id, "1", "town", None, {"name"})
    assert (renamed.name, renamed.path, renamed.version) == ("town", city.path, 2)


def test_a_move_below_itself_is_refused(app: GatewayApp) -> None:
    east = new(app, "east")
    city = new(app, "city", east)
    for parent in (east, city):
        with pytest.raises(TeamBelowItself):
            move(app, east, parent)


def test_two_moves_at_once_make_no_ring(app: GatewayApp) -> None:
    """Each is right alone; together they would put east below north and north below east."""
    east, north = new(app, "east"), new(app, "north")

    def moved(pair: tuple[Team, Team]) -> str:
        try:
            move(app, *pair)
        except CrmError as refusal:
            return refusal.reason
        return "moved"

    with ThreadPoolExecutor(2) as both:
        outcomes = sorted(both.map(moved, [(east, north), (north, east)]))
    assert outcomes == ["TEAM_BELOW_ITSELF", "moved"]
    assert sorted(len(path) for path in paths(app).values()) == [1, 2]


def test_a_stale_etag_an_unknown_team_and_a_nameless_one_are_refused(app: GatewayApp) -> None:
    east = new(app, "east")
    with pytest.raises(StaleEtag):
        move(app, east, new(app, "north"), etag="7")
    with app.work(GATEWAY) as work:
        with pytest.raises(TeamNotFound):
            update_team(work, new_id(), "", "x", None, {"name"})
        with pytest.raises(Invalid) as refusal:
            create_team(work, " ", new_id())
    assert [v.field for v in refusal.value.violations] == ["team.name", "team.parent_id"]

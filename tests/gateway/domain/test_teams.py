"""The tree of teams stays a tree, whatever is moved where."""

from __future__ import annotations

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.errors import TeamBelowItself, TeamsTooDeep
from gateway.domain.teams import DEEPEST, Team, move, new_team

Tree = dict[int, Team]


def number(n: int) -> UUID:
    return UUID(int=n)


def grown(parents: list[int]) -> Tree:
    """A forest in which the team n + 1 was made below the team parents[n] (0 = as a root), if that is
    not too deep."""
    tree: Tree = {}
    for n, parent in enumerate(parents, start=1):
        above = tree.get(parent % n)
        if above is None or len(above.path) < DEEPEST:
            tree[n] = new_team(number(n), f"team {n}", above)
    return tree


def subtree(tree: Tree, top: Team) -> list[Team]:
    return [team for team in tree.values() if top.id in team.path]


def assert_tree(tree: Tree) -> None:
    """Each team's path is its parent's path and itself, and holds nobody twice."""
    by_id = {team.id: team for team in tree.values()}
    for team in tree.values():
        assert team.path[-1] == team.id
        assert len(set(team.path)) == len(team.path) <= DEEPEST
        above = by_id[team.parent_id].path if team.parent_id else ()
        assert team.path == (*above, team.id)


forests = st.lists(st.integers(0, 40), min_size=1, max_size=25).map(grown)
moves = st.lists(st.tuples(st.integers(1, 25), st.integers(0, 25)), max_size=30)


@given(forests, moves)
def test_moves_keep_the_tree(tree: Tree, wanted: list[tuple[int, int]]) -> None:
    for moved, below in wanted:
        team, parent = tree.get(moved), tree.get(below)
        if team is None:
            continue
        try:
            changed = move(team, subtree(tree, team), parent)
        except (TeamBelowItself, TeamsTooDeep):
            continue
        for member in changed:
            tree[member.id.int] = member
        assert tree[moved].parent_id == (parent.id if parent else None)
        assert_tree(tree)


@given(forests, st.integers(1, 25), st.integers(0, 25))
def test_a_move_changes_the_subtree_and_nothing_else(tree: Tree, moved: int, below: int) -> None:
    team = tree.get(moved, tree[1])
    try:
        changed = move(team, subtree(tree, team), tree.get(below))
    except (TeamBelowItself, TeamsTooDeep):
        return
    if changed:
        assert {member.id for member in changed} == {member.id for member in subtree(tree, team)}
        assert all(member.version == tree[member.id.int].version + 1 for member in changed)


@given(forests, st.integers(1, 25), st.integers(1, 25))
def test_a_team_never_lands_below_itself(tree: Tree, moved: int, below: int) -> None:
    team, parent = tree.get(moved), tree.get(below)
    if team is not None and parent is not None and team.id in parent.path:
        with pytest.raises(TeamBelowItself):
            move(team, subtree(tree, team), parent)


def test_a_move_to_where_it_is_changes_nothing() -> None:
    root = new_team(number(1), "root", None)
    child = new_team(number(2), "child", root)
    assert move(child, [child], root) == []
    assert move(root, [root, child], None) == []


def test_the_tree_has_a_deepest_level() -> None:
    team = new_team(number(1), "1", None)
    for n in range(2, DEEPEST + 1):
        team = new_team(number(n), str(n), team)
    with pytest.raises(TeamsTooDeep):
        new_team(number(99), "99", team)


def test_a_rename_to_the_same_name_is_no_change() -> None:
    team = new_team(number(1), "East", None)
    assert team.renamed("East") is team
    assert team.renamed("West").version == 2

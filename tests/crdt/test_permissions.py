"""Permissions: the table, as PROTOCOL.md shows it, and its consequences."""

import re
from itertools import pairwise
from pathlib import Path

import pytest

from crdt.errors import Code
from crdt.permissions import PERMISSIONS, Action, Role, forbidden, may, strongest

REFERENCE = Path(__file__).parents[2] / "server" / "PROTOCOL.md"


def test_the_protocol_draws_the_same_table() -> None:
    section = REFERENCE.read_text().partition("### Who may what")[2].partition("## From the server")[0]
    lines = [[cell.strip() for cell in line.strip("|").split("|")] for line in re.findall(r"^\|.*\|$", section, re.M)]
    header, _, *rows = lines
    drawn = {
        (role, row[0].strip("`")): cell == "yes" for row in rows for role, cell in zip(header[2:], row[2:], strict=True)
    }
    assert drawn == {(role.value, action.value): may(role, action) for role in Role for action in Action}


def test_each_role_includes_the_weaker_ones() -> None:
    by_strength = [Role.OWNER, Role.EDITOR, Role.COMMENTER, Role.VIEWER]
    for stronger, weaker in pairwise(by_strength):
        assert PERMISSIONS[weaker] < PERMISSIONS[stronger]
        assert strongest(weaker, None, stronger) is stronger


def test_nobody_may_do_nothing() -> None:
    assert strongest(None, None) is None
    assert not any(may(None, action) for action in Action)


@pytest.mark.parametrize("action", Action)
def test_a_refusal_names_the_role_and_what_it_does_not_include(action: Action) -> None:
    refusal = forbidden(Role.EDITOR, action)
    assert refusal.code is Code.FORBIDDEN
    assert re.fullmatch(r"You are an editor of this document: you may not .+\.", refusal.message)

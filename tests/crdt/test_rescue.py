"""Words survive structure: recorded edits of real editors, in all orders, through real rooms.

`rescue_cases.json.gz` holds some 1,900 cases, recorded with the page's own editor by
client_web/editor/test/rescue/cases.test.ts. In each, one person changes a block and one or two
others write there, all from the same state. `expected` holds what the same edits give one after the
other, in both orders. `level` says what a result must have in common with one of them.
"""

import base64
import gzip
import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from crdt.ids import Seq
from crdt.log.compaction import restored
from crdt.protocol.row import Row
from crdt.rescue.rescue import Said, answer
from crdt.rescue.sequences import words_of
from tests.harness.rescuing_nodes import Nodes

CASES: list[dict[str, Any]] = json.loads(gzip.decompress(Path(__file__).with_name("rescue_cases.json.gz").read_bytes()))
QUICK = {"heading", "bullet list", "split", "join with previous"}
OPS = sorted({case["op"] for case in CASES})
SETTINGS: tuple[dict[str, int], ...] = ({}, {"nodes": 2}, {"fold_every": 2}, {"nodes": 3, "fold_every": 3})
INLINE = {"text", "hardBreak", "mention", "image"}
RESTRUCTURER, FIRST_AUTHOR = 500, 1000
Update = tuple[bytes, int]


def orders(case: dict[str, Any]) -> list[list[Update]]:
    """Return the orders in which the log may take the updates."""
    first = 900 if case["flip"] else 10
    typists = [[(base64.b64decode(u), first + n) for u in typed] for n, typed in enumerate(case["typists"])]
    typed = [update for each in typists for update in each]
    structure = [(base64.b64decode(u), RESTRUCTURER) for u in case["restructurer"]]
    found = [typed + structure, structure + typed]
    if len(typed) > 1:
        found.append(typed[:1] + structure + typed[1:])
    if len(structure) > 1:
        found.append(structure[:1] + typed + structure[1:])
    return found


def run(
    case: dict[str, Any],
    order: list[Update],
    *,
    nodes: int = 1,
    fold_every: int = 0,
    rescue: bool = True,
    cuts: int = 0,
) -> list[str]:
    """Send the updates through the nodes; return the blocks of words that are left."""
    several = Nodes(nodes, fold_every, rescue=rescue, cuts=cuts)
    several.say(base64.b64decode(case["base"]), None, FIRST_AUTHOR)
    for update, author in order:
        several.say(update, 1, author, author)
    assert not several.refusals
    log = several.log
    sequences = restored(log.snapshot, log.memory, log.rows[log.snapshot_seq :])
    told = re.sub("<(hardBreak|mention|image)></>", "\n", words_of(sequences.root("default")))
    return [block for block in re.split("<[^>]*>", told) if block]


def blocks_of(node: dict[str, Any]) -> list[str]:
    """Return the blocks of words of an editor's document."""
    if node["type"] in INLINE:
        return [node.get("text", "\n")]
    children = node.get("content", ())
    inner = [block for child in children for block in blocks_of(child)]
    return ["".join(inner)] if inner and all(child["type"] in INLINE for child in children) else inner


def words(blocks: list[str]) -> Counter[str]:
    return Counter(word for block in blocks for word in block.split())


def runs(op: str) -> list[tuple[dict[str, Any], list[Update], dict[str, int]]]:
    chosen = [case for case in CASES if case["op"] == op]
    each = [(case, order) for case in chosen for order in orders(case)]
    return [(case, order, dict(SETTINGS[number % len(SETTINGS)])) for number, (case, order) in enumerate(each)]


def fault_of(case: dict[str, Any], got: list[str]) -> str:
    """Say what is wrong with the blocks that are left; nothing if all is well."""
    expected = [blocks_of(each) for each in case["expected"]]
    if case["level"] in {"once", "kept"}:
        told = " ".join(got)
        typed = {word for word in ("TYPED", "SECOND") if any(word in block for each in expected for block in each)}
        lost = [word for word in typed if word not in told]
        doubled = [word for word, times in words(got).items() if times > 1]
        return f"lost {lost}, doubled {doubled}" if lost or doubled else ""
    if words(got) not in [words(each) for each in expected]:
        return "other words"
    return "" if case["level"] == "words" or got in expected else "other blocks"


@pytest.mark.parametrize("op", [op if op in QUICK else pytest.param(op, marks=pytest.mark.slow) for op in OPS])
def test_words_survive_where_their_line_lives_on(op: str) -> None:
    for case, order, settings in runs(op):
        got = run(case, order, nodes=settings.get("nodes", 1), fold_every=settings.get("fold_every", 0))
        fault = fault_of(case, got)
        assert not fault, f"{op} x {case['typing']}, {settings}: {fault}: {got} for {case['expected']}"


@pytest.mark.slow
def test_nodes_and_folds_change_nothing() -> None:
    for case in CASES[:: len(CASES) // 30]:
        for order in orders(case):
            found = [
                run(case, order, nodes=settings.get("nodes", 1), fold_every=settings.get("fold_every", 0))
                for settings in SETTINGS
            ]
            assert all(each == found[0] for each in found), (case["op"], case["typing"])


@pytest.mark.slow
def test_where_pieces_are_cut_changes_nothing() -> None:
    """Every piece that a rescue has noted may be cut in two before it is looked at."""
    for case in CASES[:: len(CASES) // 60]:
        for order in orders(case):
            found = [run(case, order, cuts=cuts) for cuts in (0, 1, 3)]
            assert all(each == found[0] for each in found), (case["op"], case["typing"], found)


def test_a_copy_that_is_cut_while_a_rescue_looks_at_it_lives_in_both_parts() -> None:
    """Rows of a simulated document, and the updates of its next row: a word died with them once."""
    told = json.loads(Path(__file__).with_name("rescue_rows.json").read_text())
    stored = [[base64.b64decode(each) for each in row] for row in told["rows"]]
    rows = [Row(Seq(number), batch, heirs=heirs) for number, (batch, heirs) in enumerate(stored, 1)]
    sequences = restored(None, b"", rows)
    before = words([re.sub("<[^>]*>", " ", words_of(sequences.root("default")))])
    answer(sequences, len(rows) + 1, [Said(base64.b64decode(update), *who) for update, *who in told["said"]])
    after = words([re.sub("<[^>]*>", " ", words_of(sequences.root("default")))])
    assert set(after.values()) == {1}
    assert {*before} <= {*after}


def test_without_a_rescue_words_die() -> None:
    """A planted fault: what these cases are good for."""
    lost = 0
    for case, order, _ in runs("heading"):
        lost += bool(words(blocks_of(case["expected"][0])) - words(run(case, order, rescue=False)))
    assert lost > 10

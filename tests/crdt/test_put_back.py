"""Putting back: an update that was set aside is written again, in its old place.

The place is the same on replicas that hold the stand-in and on those that hold the original.
"""

from collections.abc import Callable
from typing import Any

import pytest
from pycrdt import Array, Doc, Map, Text, XmlElement, XmlFragment, XmlText

from crdt.gate.gate import Knowledge
from crdt.ids import Epoch, Seq
from crdt.log.put_back import put_back
from crdt.log.replica import Replica
from crdt.log.stand_ins import batch_of
from crdt.protocol.batch import decode_batch, encode_batch
from crdt.protocol.row import Row, Stored
from crdt.yjs.limits import GateLimits
from crdt.yjs.reader import inspect
from server.rooms.mending import marked
from tests.harness.engine import Choosy
from tests.harness.update_writer import text, update
from tests.harness.yjs_oracle import YjsOracle

AUTHOR, FRESH = 5, 1
LIMITS = GateLimits()
UNKNOWN_PAST = update({AUTHOR: (7, [text("behind what nobody has seen", left=(AUTHOR, 6))])})
Edit = Callable[[Doc[Any]], None]


def story(doc: Doc[Any]) -> Any:
    return doc.get("story", type=Text)


def things(doc: Doc[Any]) -> Any:
    return doc.get("map", type=Map)


def page(doc: Doc[Any]) -> Any:
    return doc.get("default", type=XmlFragment)


def text_in_the_middle(doc: Doc[Any]) -> None:
    story(doc).insert(4, "<POISON>")


def two_texts_and_a_deletion(doc: Doc[Any]) -> None:
    with doc.transaction():
        story(doc).insert(8, "<POISON>")
        story(doc).insert(0, "<start>")
        del story(doc)[8:10]


def a_format(doc: Doc[Any]) -> None:
    story(doc).format(0, 3, {"POISON": True})


def a_value(doc: Doc[Any]) -> None:
    things(doc)["key"] = "POISON"


def a_list_in_a_map(doc: Doc[Any]) -> None:
    with doc.transaction():
        things(doc)["list"] = Array(["POISON", 2, Map({"deep": "x"})])


def a_paragraph(doc: Doc[Any]) -> None:
    with doc.transaction():
        page(doc).children.insert(1, XmlElement("paragraph", {"POISON": "a"}, [XmlText("inner words")]))


EDITS: tuple[Edit, ...] = (
    text_in_the_middle,
    two_texts_and_a_deletion,
    a_format,
    a_value,
    a_list_in_a_map,
    a_paragraph,
)


def written(edit: Edit, *, behind: bool) -> tuple[list[Row], Doc[Any]]:
    """Return a log with this edit in the middle, and the text on its author's screen.

    With `behind`, others have written behind the edit.
    """
    doc: Doc[Any] = Doc(client_id=AUTHOR)
    rows: list[Row] = []

    def step(act: Edit) -> None:
        before = doc.get_state()
        act(doc)
        rows.append(Row(Seq(len(rows) + 1), encode_batch([doc.get_update(before)])))

    def first(each: Doc[Any]) -> None:
        with each.transaction():
            story(each).insert(0, "one two three")
            things(each)["key"] = "before"
            page(each).children.append(XmlElement("paragraph", {}, [XmlText("first")]))
            page(each).children.append(XmlElement("paragraph", {}, [XmlText("last")]))

    step(first)
    step(edit)
    if behind:
        step(lambda each: story(each).insert(len(str(story(each))), " four"))
        step(lambda each: things(each).update({"other": 1}))
    return rows, doc


def mended(rows: list[Row]) -> tuple[Stored, bytes]:
    """Return the stored log after the edit was set aside, and the edit written again."""
    stored = Stored(Epoch(1), None, Seq(0), rows, {})
    replica = Replica(stored, LIMITS, Choosy("POISON"))
    (found,) = replica.found
    assert found.seq == 2
    return marked(stored, [found]), put_back(found.raw, found.set_aside, lambda: FRESH)


def shown(doc: Doc[Any]) -> tuple[object, ...]:
    return str(story(doc)), story(doc).diff(), things(doc).to_py(), str(page(doc))


@pytest.mark.parametrize("behind", [False, True])
@pytest.mark.parametrize("edit", EDITS, ids=lambda edit: edit.__name__)
def test_it_stands_where_it_stood(edit: Edit, behind: bool) -> None:
    rows, original = written(edit, behind=behind)
    stored, again = mended(rows)
    replica = Replica(stored, LIMITS)
    assert replica.knowledge.would_take([inspect(again, LIMITS)])
    assert not Knowledge(LIMITS).would_take([inspect(UNKNOWN_PAST, LIMITS)])
    mine: Doc[Any] = Doc()
    mine.apply_update(replica.document.missing_for(b"\0"))
    assert shown(mine) != shown(original)
    mine.apply_update(again)
    assert shown(mine) == shown(original)


@pytest.mark.parametrize("edit", EDITS, ids=lambda edit: edit.__name__)
def test_browsers_show_the_same_whether_they_held_the_original_or_not(edit: Edit, yjs: YjsOracle) -> None:
    rows, _ = written(edit, behind=True)
    stored, again = mended(rows)
    told = [update for row in stored.rows for update in decode_batch(batch_of(row))]
    whole = Replica(stored, LIMITS).document.missing_for(b"\0")
    live = yjs.view([*told, again])
    late = yjs.view([whole, again])
    held_the_original = yjs.view([*(update for row in rows for update in decode_batch(row.batch)), whole, again])
    assert not isinstance(live, str), live
    assert live == late == held_the_original


@pytest.mark.parametrize("edit", EDITS, ids=lambda edit: edit.__name__)
def test_without_it_browsers_agree_as_well(edit: Edit, yjs: YjsOracle) -> None:
    rows, _ = written(edit, behind=True)
    stored, _ = mended(rows)
    told = [update for row in stored.rows for update in decode_batch(batch_of(row))]
    whole = Replica(stored, LIMITS).document.missing_for(b"\0")
    originals = [update for row in rows for update in decode_batch(row.batch)]
    assert yjs.view(told) == yjs.view([whole]) == yjs.view([*originals, whole])


def test_a_later_value_of_a_key_stays_the_later_one() -> None:
    doc: Doc[Any] = Doc(client_id=AUTHOR)
    rows = []
    for number, value in enumerate(("before", "POISON", "after"), 1):
        before = doc.get_state()
        things(doc)["key"] = value
        rows.append(Row(Seq(number), encode_batch([doc.get_update(before)])))
    stored, again = mended(rows)
    mine: Doc[Any] = Doc()
    mine.apply_update(Replica(stored, LIMITS).document.missing_for(b"\0"))
    mine.apply_update(again)
    assert things(mine).to_py() == {"key": "after"}

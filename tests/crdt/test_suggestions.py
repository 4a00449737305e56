"""The judge of suggestions: what honest sessions write passes, and whatever else is refused.

`suggestion_cases.jsonl` was recorded from y-tiptap 3.0.9: the concurrent updates in both orders of
client ids. One honest update is refused. It is a race, which the page settles by suggesting anew.
`suggestion_sessions.json.gz` holds random sessions of the real editor: two people suggest beside
one who edits, some of them at a table. With `OUT=<folder>`,
editor/test/suggesting/together.test.ts writes others.
"""

import gzip
import json
import re
from base64 import b64decode
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from random import Random
from typing import Any

import pytest
from pycrdt import Doc, XmlElement, XmlText

from crdt.content.blocks import Blocks
from crdt.content.edits import AnchorComment, Append, DeleteBlocks, Edit, Insert, Order, ReplaceBlocks, ReplaceText
from crdt.content.making import made
from crdt.content.proposing import Proposer
from crdt.content.schema import SCHEMA
from crdt.content.suggested import View, seen
from crdt.content.tree import tree
from crdt.errors import Code, ProtocolError
from crdt.suggestions import form, marks, views
from crdt.suggestions import judge as judging
from crdt.suggestions.judge import Candidate, Judge
from crdt.suggestions.marks import key_of, proposal_key_of
from crdt.suggestions.views import view_of
from crdt.yjs.contents import TYPE, XML_TEXT
from crdt.yjs.items import ItemReader
from crdt.yjs.limits import GateLimits
from crdt.yjs.reader import inspect
from tests.harness.suggester import (
    ATTACKS,
    EDITING,
    FORM_ATTACKS,
    HONEST,
    OURS_ALONE,
    Writer,
    a_text,
    own_block,
    own_element,
    own_words_with,
    suggests_words,
)

CASES = [json.loads(line) for line in (Path(__file__).parent / "suggestion_cases.jsonl").read_text().splitlines()]
SESSIONS = json.loads(gzip.decompress((Path(__file__).parent / "suggestion_sessions.json.gz").read_bytes()))
LIMITS = GateLimits()
SEEDS = range(20)
ROOT = Path(__file__).parents[2]


def candidates(updates: Sequence[bytes]) -> list[Candidate]:
    inspected = [inspect(update, LIMITS, durable=True) for update in updates]
    return [Candidate(each.raw, each.engine) for each in inspected]


def judge_of(state: bytes) -> Judge:
    return Judge(inspect(state, LIMITS, durable=True).engine)


def refusal(judge: Judge, updates: Sequence[bytes], user: str, format_name: str | None = SCHEMA.name) -> str | None:
    """Return why a batch is refused, or None, and let the judge go on without it or with it."""
    said = candidates(updates)
    try:
        judge.judge(said, user, format_name)
    except ProtocolError as error:
        judge.follow([], took_last=False)
        return error.message if error.code is Code.NOT_A_SUGGESTION else None
    judge.follow([], took_last=True)
    return None


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_what_the_editor_s_binding_writes_is_judged_as_recorded(case: dict[str, Any]) -> None:
    judge = judge_of(b64decode(case["before"]))
    assert (refusal(judge, [b64decode(case["update"])], case["user"], None) is None) == case["ok"]


@pytest.mark.parametrize("session", SESSIONS, ids=lambda session: session["seed"])
def test_what_people_suggest_with_the_real_editor_passes(session: dict[str, Any]) -> None:
    judge = judge_of(b64decode(session["start"]))
    suggested = 0
    for step in session["steps"]:
        update = b64decode(step["update"])
        if step["isEditor"]:
            judge.follow([each.engine for each in candidates([update])], took_last=False)
        else:
            suggested += 1
            assert refusal(judge, [update], step["user"]) is None, step["act"]
    assert suggested > 3


NUMBERS = {"id": "a", "user": "u", "at": 0.1, "run": -70_000, "break": 1}
NESTED = {"type": "link", "attrs": {"href": "x", "n": -7, "f": 0.5, "t": True}}


@pytest.mark.parametrize(
    ("attributes", "key"),
    [
        ({"id": "s9", "user": "w"}, "HeG9oWqd"),
        ({"id": "s", "user": "u", "at": 1_764_525_600_000, "run": 5, "break": None}, "xTuEA2Yy"),
        ({"id": "ß😀", "user": "u", "at": 2**31, "add": [NESTED], "remove": ["bold"]}, "RpA0ITGG"),
        (NUMBERS, "G/FUEh07"),
        ({}, "xjWmW8N6"),
    ],
)
def test_keys_are_those_of_the_editor_s_binding(attributes: dict[str, object], key: str) -> None:
    """The keys were computed by client_web/binding/src/marks.ts."""
    assert key_of("insertion", attributes) == f"insertion--{key}"


@pytest.mark.parametrize(("user", "key"), [("ann", "4vgnGPYe"), ("ben", "OAPr9ziR")])
def test_keys_of_proposals_are_those_of_the_editor_s_binding(user: str, key: str) -> None:
    assert proposal_key_of(user) == f"suggestion--{key}"


@pytest.mark.parametrize("seed", SEEDS)
def test_honest_sessions_pass(seed: int) -> None:
    random = Random(seed)
    editor, state = a_text(random)
    writer = Writer("u", 30, random)
    writer.hears(state)
    judge = judge_of(state)
    for _ in range(30):
        made = writer.does(random.choice(HONEST))
        if made:
            assert refusal(judge, made, "u") is None
            for update in made:
                editor.hears(update)
        if random.random() < 0.3:
            for update in editor.does(random.choice(EDITING)):
                writer.hears(update)
                judge.follow([each.engine for each in candidates([update])], took_last=False)


@pytest.mark.parametrize("name", ATTACKS)
def test_attacks_are_refused_alone_and_among_suggestions(name: str) -> None:
    assert len(list(attacks_taken(name, range(30), enough=4))) == 0


def attacks_taken(name: str, seeds: Iterable[int], enough: int) -> Iterator[int]:
    """Try an attack behind and among suggestions; yield the seeds with which the judge takes it."""
    tried = 0
    for seed in seeds:
        random = Random(seed)
        _, state = a_text(random)
        writer = Writer("u", 30, random)
        writer.hears(state)
        judge = judge_of(state)
        for _ in range(random.randint(0, 8)):
            if made := writer.does(random.choice(HONEST)):
                judge.judge(candidates(made), "u")
                judge.follow([], took_last=True)
        honest = writer.does(random.choice(HONEST)) if seed % 2 else []
        if made := writer.does({**ATTACKS, **OURS_ALONE}[name]):
            tried += 1
            if refusal(judge, [*honest, *made], "u") is None:
                yield seed
        if tried == enough:
            return
    assert tried == enough


def test_the_form_is_what_the_page_and_the_format_s_description_say() -> None:
    page = (ROOT / "client_web/editor/src/extensions/foreign.ts").read_text().replace("_", "")
    largest = re.search(r"LARGEST = \{ parts: \d+, depth: (\d+), columns: (\d+), tableWork: (\d+) \}", page)
    assert largest is not None
    assert int(largest[1]) >= 2 * form.MOST_LEVELS
    assert (int(largest[2]), int(largest[3])) == (form.MOST_COLUMNS, form.MOST_TABLE_WORK)
    described = (ROOT / "docs/format.md").read_text()
    for kind in marks.KINDS:
        (row,) = re.findall(rf"^\| `{kind}` \| (.*?) \|", described, re.MULTILINE)
        assert set(re.findall(r"`(\w+)` =", row)) == form._OWN[kind]
    (keys,) = re.findall(r"`suggestion` of any node is null or `{(.*?)}`", described)
    assert set(keys.split(", ")) == form._OWN[marks.ATTRIBUTE]


@pytest.mark.parametrize("name", OURS_ALONE)
def test_what_a_proposal_would_do_is_of_manyhands_format_in_its_documents(name: str) -> None:
    assert len(list(attacks_taken(name, range(30), enough=4))) == 0


def test_a_shared_type_as_an_attribute_is_refused() -> None:
    """pycrdt writes none, so an update's bytes are changed."""
    writer = Writer("u", 8, Random(1))
    writer.root.children.append(XmlElement("paragraph", {}, [XmlText("Hello")]))
    judge = judge_of(writer.doc.get_update())
    writer.updates.clear()
    (made,) = writer.does(FORM_ATTACKS["long value"])
    reader = ItemReader(made)
    (head, content, end) = next(
        (reader.head_at, reader.content_at, reader.at) for item in reader.items() if item.key == "textAlign"
    )
    forged = made[:head] + bytes((made[head] & 0xE0 | TYPE,)) + made[head + 1 : content] + bytes((XML_TEXT,))
    assert "no editor writes" in (refusal(judge, [forged + made[end:]], "u") or "")


def of_another_editor() -> tuple[Judge, Writer]:
    """A document of another schema, and somebody who suggests there."""
    editor = Writer("ann", 7, Random(1))
    editor.root.children.append(XmlElement("line", {"mood": "calm"}, [XmlText("Hello brave world")]))
    editor.root.children[0].children[0].format(0, 5, {"loud": {"by": 2.0}})
    writer = Writer("u", 8, Random(1))
    writer.hears(editor.doc.get_update())
    return judge_of(editor.doc.get_update()), writer


@pytest.mark.parametrize("name", [None, "another"])
def test_in_another_format_what_stands_in_the_document_is_known(name: str | None) -> None:
    judge, writer = of_another_editor()
    for act in (suggests_words, own_element("line", {"mood": "wild"}), own_words_with({"loud": {"by": 3.0}})):
        assert refusal(judge, writer.does(act), "u", name) is None
    odd = own_words_with({"loud": {"evil": 1.0}}), own_element("line", {"mood": {"a": 1.0}})
    for evil in (own_element("evil"), own_element("line", {"evil": "1"}), own_words_with({"evil": {}}), *odd):
        judge, writer = of_another_editor()
        assert refusal(judge, writer.does(evil), "u", name) is not None
    judge, writer = of_another_editor()
    ours = writer.does(own_element("paragraph"))
    assert (refusal(judge, ours, "u", name) is None) == (name is None)


@pytest.mark.parametrize(("name", "rounds"), [("empty texts", 5), ("empty blocks", 1)])
def test_what_has_no_words_is_bounded_as_well(name: str, rounds: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(judging, "MOST_PENDING", 1100)
    writer = Writer("u", 8, Random(1))
    writer.root.children.append(XmlElement("paragraph", {}, [XmlText("Hello")]))
    judge = judge_of(writer.doc.get_update())
    writer.updates.clear()

    def fill(writer: Writer) -> None:
        for _ in range(20):
            if name == "empty texts":
                writer.root.children[0].children.append(XmlText(""))
            else:
                writer.root.children.append(own_block(writer, ""))

    for _ in range(rounds):
        judge.judge(candidates(writer.does(fill)), "u")
        judge.follow([], took_last=True)
    with pytest.raises(ProtocolError, match="too many suggestions"):
        judge.judge(candidates(writer.does(fill)), "u")


EDITS: dict[str, list[Edit]] = {
    "append": [Append("# New\n\n- one\n- two")],
    "insert": [Insert("New", before="7.0")],
    "replace words": [ReplaceText("7.0", "brave old", "bold new")],
    "replace a block": [ReplaceBlocks("Other", blocks=["7.0"])],
    "delete a block": [DeleteBlocks(["7.0"])],
    "comment": [AnchorComment("7.0", "old", "thread-1")],
}


@pytest.mark.parametrize("name", EDITS)
def test_what_programs_suggest_passes_and_what_they_edit_does_not(name: str) -> None:
    writer = Writer("ann", 7, Random(1))
    writer.root.children.append(XmlElement("paragraph", {}, [XmlText("Hello brave old world")]))
    state = writer.doc.get_update()
    assert Blocks(writer.doc).all[0].id == (7, 0)
    for proposes in (True, False):
        doc: Doc[Any] = Doc(client_id=30)
        doc.apply_update(state)
        done = made(doc, Order(30, "https://x", EDITS[name], (), Proposer("u", "s1", 1_764_525_600_000), proposes))
        assert done.update
        passes = proposes or name == "comment"
        assert (refusal(judge_of(state), [done.update], "u") is None) == passes
        if proposes:
            read = seen(tree(doc), View.ACCEPTED).to_json()
            plain: Doc[Any] = Doc(client_id=31)
            plain.apply_update(state)
            made(plain, Order(31, "https://x", EDITS[name], (), Proposer("u", "s1", 1)))
            assert name == "comment" or read == seen(tree(plain), View.ACCEPTED).to_json()
            assert seen(tree(doc), View.WITHOUT) != seen(tree(doc), View.ACCEPTED) or name == "comment"


FORM = ("document's format", "stand", "too many levels", "too large")
"""Words in the sentences about what no page can show."""


def whole(judge: Judge, user: str) -> list[object]:
    seen = [view_of(child, user) for child in judge._base.root.children]
    return [each.content for each in seen if each.content]


@pytest.mark.parametrize("seed", SEEDS)
def test_looking_at_touched_blocks_says_what_looking_at_everything_says(seed: int) -> None:
    """With concurrent edits, of which the author knows nothing, and several updates at once."""
    random = Random(1000 + seed)
    editor, state = a_text(random, blocks=6)
    writer = Writer("u", random.choice([5, 30]), random)
    writer.hears(state)
    judge = judge_of(state)
    for _ in range(8):
        for _ in range(random.randint(0, 3)):
            for update in editor.does(random.choice(EDITING)):
                judge.follow([each.engine for each in candidates([update])], took_last=False)
        made: list[bytes] = []
        for _ in range(random.randint(1, 3)):
            act = random.choice(list(ATTACKS.values()) if random.random() < 0.2 else HONEST)
            made += writer.does(act)
        if not made:
            continue
        before = whole(judge, "u")
        why = refusal(judge, made, "u")
        if why is None:
            assert whole(judge, "u") == before
        else:
            both = judge_of(judge._base.doc.get_update())
            both.follow([each.engine for each in candidates(made)], took_last=False)
            special = ("name", "beside the text", "no editor writes", "key", "no rich text", *FORM)
            assert whole(both, "u") != before or any(word in why for word in special), why
            return  # Yjs takes nothing back, so this author is out


def taken_for_anybody_s(value: object, _: str) -> bool:
    return isinstance(value, dict)


def without_deletions(key: str) -> str | None:
    return None if key.startswith("deletion") else marks.kind_of(key)


def anything(*_: object) -> bool:
    return True


class AnyKey(str):
    """A key that is like each other one."""

    __slots__ = ()
    __hash__ = str.__hash__

    def __eq__(self, other: object) -> bool:
        return True


ANY_KEY = AnyKey()

HOLES: dict[str, list[tuple[object, str, object]]] = {
    "names are not compared": [(marks, "is_of", taken_for_anybody_s), (views, "is_of", taken_for_anybody_s)],
    "strikes have no owner": [(views, "kind_of", without_deletions)],
    "a proposal has no key": [(views, "proposal_key_of", lambda _: ANY_KEY)],
    "attributes do not count": [(views._Viewer, "_attributes", lambda *_: ((), False))],
    "new and deleted blocks are not looked at": [(judging._Touched, "_between", lambda *_: iter(()))],
    "bytes are not looked at": [(judging, "check_new", lambda *_: [])],
    "names inside of own content are not looked at": [(judging, "_is_lent_alike", anything)],
    "values of formats do not count": [(views, "canonical", lambda _: "")],
    "the form is not looked at": [(judging, "Form", lambda *_: None)],
    "own words count although they are pending": [(judging, "_is_alike", anything)],
}


@pytest.mark.slow
@pytest.mark.parametrize("hole", HOLES)
def test_a_planted_hole_is_found(hole: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for target, name, instead in HOLES[hole]:
        monkeypatch.setattr(target, name, instead)
    assert any(seed is not None for attack in ATTACKS for seed in attacks_taken_or_raised(attack))


def attacks_taken_or_raised(name: str) -> Iterator[int]:
    """With a hole, honest suggestions may be refused as well. That shows the hole, too."""
    try:
        yield from attacks_taken(name, range(30), enough=4)
    except ProtocolError:
        yield -1

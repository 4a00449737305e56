"""Hostile rows: a rescue ends, costs what its bytes cost, and raises nothing but InvariantError."""

import pytest

from crdt.errors import InvariantError
from crdt.ids import Seq
from crdt.log import compaction
from crdt.protocol.batch import encode_batch
from crdt.protocol.links import Links, encode_links
from crdt.protocol.row import Row
from crdt.rescue.rescue import Said, answer
from crdt.rescue.sequences import Sequences, words_of
from crdt.yjs.contents import STRING, TYPE, XML_ELEMENT, XML_TEXT
from crdt.yjs.items import Id, Item
from crdt.yjs.varint import varuint
from crdt.yjs.writing import write_struct, write_update


class Writer:
    """One update after another, struct by struct."""

    def __init__(self) -> None:
        self.ends: dict[int, int] = {}
        self._blocks: dict[int, tuple[int, list[bytes]]] = {}
        self._deleted: list[tuple[int, int, int]] = []

    def text(self, client: int, words: str, **place: Id | str | None) -> Id:
        raw = words.encode()
        length = len(words.encode("utf-16-le")) // 2
        return self._add(client, STRING, varuint(len(raw)) + raw, length, **place)

    def element(self, client: int, name: str, **place: Id | str | None) -> Id:
        content = varuint(XML_ELEMENT) + varuint(len(name)) + name.encode()
        return self._add(client, TYPE, content, 1, **place)

    def line(self, client: int, words: str, name: str = "paragraph", origin: Id | None = None) -> Id:
        """Write a block with a text; return the id of its first character."""
        block = self.element(client, name, origin=origin, parent="default")
        return self.text(client, words, parent=self._add(client, TYPE, varuint(XML_TEXT), 1, parent=block))

    def delete(self, client: int, first: int, end: int) -> None:
        self._deleted.append((client, first, end))

    def update(self) -> bytes:
        update = write_update(dict(sorted(self._blocks.items(), reverse=True)), sorted(self._deleted))
        self._blocks, self._deleted = {}, []
        return update

    def _add(  # noqa: PLR0913 - a struct has so many fields
        self,
        client: int,
        kind: int,
        content: bytes,
        length: int,
        *,
        origin: Id | str | None = None,
        right: Id | str | None = None,
        parent: Id | str | None = None,
    ) -> Id:
        clock = self.ends.get(client, 0)
        assert not isinstance(origin, str)
        assert not isinstance(right, str)
        within = None if origin or right else parent
        item = Item(client, clock, length, kind, origin, right, within, None, None)
        self._blocks.setdefault(client, (clock, []))[1].append(write_struct(item, content, keyed=False))
        self.ends[client] = clock + length
        return client, clock


class Document:
    def __init__(self) -> None:
        self.sequences = Sequences(frozenset({"default"}))
        self.seq = 0

    def hear(self, update: bytes, after: int | None, author: int) -> bytes | None:
        self.seq += 1
        return answer(self.sequences, self.seq, [Said(update, after, author)]).answers[0]

    def words(self) -> str:
        return words_of(self.sequences.root("default"))


def test_a_deletion_that_comes_in_a_state_without_new_content_counts() -> None:
    """Clients that send states say known content again. What others type there is saved."""
    document, writer = Document(), Writer()
    words = writer.line(10, "hello")
    document.hear(line := writer.update(), None, 10)
    writer.delete(10, 0, writer.ends[10])
    document.hear(line[:-1] + writer.update()[1:], None, 12)
    assert not document.words()
    writer.text(11, "new", origin=words)
    document.hear(writer.update(), 1, 11)
    assert document.words() == "<paragraph>new</>"


def test_a_fold_remembers_within_bounds_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """A job that runs out of processor time ends, and the log would not be folded."""
    writer = Writer()
    lines: list[bytes] = []
    for client in range(10, 60):
        writer.line(client, "x")
        lines.append(writer.update())
    batch = encode_batch(lines)
    assert compaction.remembered(None, [batch], 0, b"", [b""]) == b""
    monkeypatch.setattr(compaction, "MOST_REMEMBERING", 100)
    with pytest.raises(InvariantError, match="too much work"):
        compaction.remembered(None, [batch], 0, b"", [b""])


@pytest.mark.parametrize("turns", [1, 2, 1000])
def test_people_who_take_turns_are_read_from_one_update(turns: int) -> None:
    """A snapshot holds all of them, and each builds on the others again and again."""
    document, writer = Document(), Writer()
    last = writer.line(10, "x")
    for turn in range(turns):
        for client in (11, 12, 10):
            last = writer.text(client, str(turn % 10), origin=last)
    document.hear(writer.update(), None, 10)
    assert document.words() == f"<paragraph>x{''.join(str(turn % 10) * 3 for turn in range(turns))}</>"


def test_what_is_typed_into_a_block_that_was_rebuilt_500_times_arrives() -> None:
    document, writer = Document(), Writer()
    first = writer.line(10, "abcdefghij")
    document.hear(writer.update(), None, 10)
    before = (10, 0, 12)
    for turn in range(500):
        client = 11 + turn % 2
        begin = writer.ends.get(client, 0)
        writer.line(client, "abcdefghij", "heading" if turn % 2 else "paragraph")
        writer.delete(*before)
        before = client, begin, writer.ends[client]
        document.hear(writer.update(), document.seq, client)
    writer.text(20, "X", origin=(first[0], first[1] + 4), right=(first[0], first[1] + 5))
    document.hear(writer.update(), 1, 20)
    assert document.words() == "<heading>abcdeXfghij</>"


def test_keys_into_two_blocks_that_were_rebuilt_at_once_come_in_their_order() -> None:
    """Each key is typed before its author sees what has become of the block."""
    document, writer = Document(), Writer()
    line = writer.line(10, "ab")
    document.hear(writer.update(), None, 10)
    heading = writer.line(11, "ab", "heading")
    writer.delete(10, 0, 4)
    document.hear(writer.update(), 1, 11)
    writer.line(11, "ab")
    writer.delete(11, 0, 4)
    document.hear(writer.update(), 2, 11)
    for (client, clock), after, key in ((line, 1, "w"), (heading, 2, "0")):
        writer.text(20, key, origin=(client, clock + 1))
        document.hear(writer.update(), after, 20)
    assert document.words() == "<paragraph>abw0</>"


def test_a_row_that_asks_for_too_much_work_is_given_up() -> None:
    document, writer = Document(), Writer()
    first = writer.line(10, "a")
    for number in range(2000):
        writer.text(100 + number, "b", origin=first)
    document.hear(writer.update(), None, 10)
    for _ in range(500):
        writer.text(5000, "c", origin=first)  # each passes all that stand there
    document.sequences.allow(100_000)
    with pytest.raises(InvariantError):
        document.hear(writer.update(), 1, 5000)


def test_heirs_that_form_a_circle_end() -> None:
    document, writer = Document(), Writer()
    one = writer.line(10, "one")
    other = writer.line(11, "two")
    document.hear(writer.update(), None, 10)
    writer.delete(10, 0, 5)
    writer.delete(11, 0, 5)
    document.hear(writer.update(), 1, 12)
    document.sequences.adopt(Links(((*one, 3, *other, 0), (*other, 3, *one, 0))), 2)
    document.sequences.allow(100_000)
    writer.text(13, "X", origin=one)
    with pytest.raises(InvariantError):
        document.hear(writer.update(), 1, 13)


def test_a_person_whose_rescue_fails_goes_without_and_nobody_else_does() -> None:
    writer = Writer()
    one, other, third = writer.line(10, "one"), writer.line(11, "two"), writer.line(12, "three")
    lines = Row(Seq(1), encode_batch([writer.update()]))
    for client in (10, 11, 12):
        writer.delete(client, 0, writer.ends[client])
    circle = encode_links([Links(((*one, 3, *other, 0), (*other, 3, *one, 0)))])
    rows = [lines, Row(Seq(2), encode_batch([writer.update()]), heirs=circle)]
    said = []
    for client, place in ((13, one), (14, third), (13, one)):
        writer.text(client, "X", origin=place)
        said.append(Said(writer.update(), 1, client))
    rescued = compaction.answered(None, b"", rows, 3, said, most_work=100_000)
    assert [answer is None for answer in rescued.answers] == [True, False, True]
    assert "too much work" in rescued.failed


def test_deep_nesting_ends() -> None:
    document, writer = Document(), Writer()
    block = writer.element(10, "blockquote", parent="default")
    for _ in range(250):
        block = writer.element(10, "blockquote", parent=block)
    paragraph = writer.element(10, "paragraph", parent=block)
    words = writer.text(10, "deep", parent=writer._add(10, TYPE, varuint(XML_TEXT), 1, parent=paragraph))
    document.hear(writer.update(), None, 10)
    writer.delete(10, 0, writer.ends[10])
    document.hear(writer.update(), 1, 11)
    writer.text(12, "late", origin=words)
    document.hear(writer.update(), 1, 12)
    assert document.words() == "<paragraph>late</>"


def test_equal_words_everywhere_cost_no_more_than_others() -> None:
    document, writer = Document(), Writer()
    for client, name in ((10, "paragraph"), (11, "heading")):
        before: Id | None = None
        for _ in range(1000):
            first = writer.line(client, "same", name, before)
            before = client, first[1] - 2
        if client == 10:
            document.hear(writer.update(), None, 10)
    writer.delete(10, 0, writer.ends[10])
    document.sequences.allow(10_000)
    assert document.hear(writer.update(), 1, 11) is None
    assert document.words() == "<heading>same</>" * 1000


def test_similar_texts_cost_a_bounded_time() -> None:
    document, writer = Document(), Writer()
    for number in range(100):
        writer.line(10, "".join("ab"[(number * n * n + n) % 7 % 2] for n in range(400)))
    document.hear(writer.update(), None, 10)
    for number in range(100):
        writer.line(11, "".join("ab"[(number * n * n + n + 3) % 5 % 2] for n in range(400)), "heading")
    writer.delete(10, 0, writer.ends[10])
    document.sequences.allow(2_000_000)
    document.hear(writer.update(), 1, 11)
    assert document.words().count("<heading>") == 100


def test_halves_of_characters_are_no_trouble() -> None:
    document, writer = Document(), Writer()
    first = writer.line(10, "\U0001f600" * 20)
    document.hear(writer.update(), None, 10)
    for number in range(20):
        writer.text(12, "b", origin=(10, first[1] + 2 * number), right=(10, first[1] + 2 * number + 1))
    document.hear(writer.update(), 1, 12)
    writer.line(14, "\U0001f600" * 20, "heading")
    writer.delete(10, 0, writer.ends[10])
    document.hear(writer.update(), 1, 14)
    assert document.words().count("b") == 20


def test_deletions_of_what_nobody_knows_are_refused() -> None:
    document, writer = Document(), Writer()
    writer.line(10, "words")
    document.hear(writer.update(), None, 10)
    writer.delete(10, 0, 100)
    writer.delete(99, 0, 5)
    with pytest.raises(InvariantError):
        document.hear(writer.update(), 1, 11)


def test_words_that_are_put_in_another_order_in_a_dead_block_all_arrive() -> None:
    """The copy is recognised in part only, so the new text is cut in two."""
    document, writer = Document(), Writer()
    first = writer.line(10, "abcdef ghijkl")
    there = writer.line(10, "there", origin=(10, first[1] - 2))
    document.hear(writer.update(), None, 10)
    writer.line(11, "there", "heading", origin=(10, there[1] - 2))
    writer.delete(10, there[1] - 2, writer.ends[10])
    document.hear(writer.update(), 1, 11)
    writer.text(12, " ghijklabcdef", right=there)
    writer.delete(10, 0, there[1] - 2)
    document.hear(writer.update(), 1, 12)
    assert document.words() == "<heading> ghijklabcdefthere</>"

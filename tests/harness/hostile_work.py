"""Inputs that cause far more work than their bytes suggest: one function for each kind.

Each function takes a size that can be doubled.

An input has batches that prepare the document, and then the batches of the blow. A batch is a list
of updates. Every input is within the limits on bytes. The server decides what becomes of it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from crdt.yjs.contents import ARRAY
from tests.harness.update_writer import collected, mark, shared, text, update, values

Batch = Sequence[bytes]


@dataclass(frozen=True)
class Input:
    """The batches that are sent first, and the batches of the blow."""

    blow: Sequence[Batch]
    before: Sequence[Batch] = ()

    @property
    def octets(self) -> int:
        """Bytes of the blow."""
        return sum(len(each) for batch in self.blow for each in batch)


DEPTH = 255
_NOTHING = "7e"


def neighbours_deep_under_a_deleted_parent(size: int) -> Input:
    """Each struct has one neighbour in garbage, and one 255 types deep in a deleted type."""
    nest = [shared(ARRAY, parent="t"), *[shared(ARRAY, parent=(1, floor)) for floor in range(DEPTH - 1)]]
    before = [
        update({1: (0, nest)}),
        update({1: (DEPTH, [values(_NOTHING, parent=(1, DEPTH - 1))])}),
        update({}, {1: [(0, 1)]}),
        update({2: (0, [collected(1)])}),
    ]
    between = values(_NOTHING, left=(2, 0), right=(1, DEPTH))
    return Input([[update({3: (0, [between] * size)})]], [before])


def garbage_in_many_updates(size: int) -> Input:
    """Structs of two bytes, in five updates of one batch."""
    return Input([[update({3: (at * size, [collected(1)] * size)}) for at in range(5)]])


def garbage_in_small_batches(size: int) -> Input:
    """Structs of two bytes, in batches as large as are checked at once."""
    each = min(size, 16_000)
    return Input([[update({3: (at, [collected(1)] * each)})] for at in range(0, size, each)])


def sound_garbage(size: int) -> Input:
    """As many garbage structs as one batch may hold."""
    return Input([[update({3: (0, [collected(1)] * size)})]])


def formats_in_one_batch(size: int) -> Input:
    """The most structs of a kind that cannot be joined."""
    marks = [mark("b", "1", parent="t"), *[mark("b", "1", left=(1, at)) for at in range(size - 1)]]
    return Input([[update({1: (0, marks)})]])


LETTERS = 500
"""Bytes of a large text for each cut: 4 MB for 8,000 cuts."""


def _large_text(size: int, letter: str = "x") -> Batch:
    return [update({1: (0, [text(letter * (LETTERS * size // len(letter.encode())), parent="t")])})]


def deletions_that_cut_a_large_text(size: int) -> Input:
    """One large string, and a deletion at every fourth letter of its beginning."""
    return Input([[update({}, {1: [(at * 4, 1) for at in range(size)]})]], [_large_text(size)])


def insertions_that_cut_a_large_text(size: int) -> Input:
    """The same with letters that are put in between."""
    between = [text("y", left=(1, at * 4), right=(1, at * 4 + 1)) for at in range(size)]
    return Input([[update({2: (0, between)})]], [_large_text(size)])


def cuts_in_small_batches(size: int) -> Input:
    """The same deletions, each in a batch of its own."""
    return Input([[update({}, {1: [(at * 4, 1)]})] for at in range(size)], [_large_text(size)])


def cuts_in_front_of_many_structs(size: int) -> Input:
    """A text that is cut, with very many structs of the same client id behind it."""
    many = size * 12
    first = [text("x" * (size * 4), parent="t")]
    marks = [mark("b", "1", left=(1, size * 4 - 1 + at)) for at in range(many)]
    return Input([[update({}, {1: [(at * 4, 1) for at in range(size)]})]], [[update({1: (0, first + marks)})]])


def ranges_in_front_of_ranges(size: int) -> Input:
    """Deleted ranges that do not touch, each in front of all others, in updates of their own."""
    backwards = [update({}, {1: [(at * 2, 1)]}) for at in reversed(range(size))]
    parts = [backwards[at : at + 5000] for at in range(0, size, 5000)]
    return Input(parts, [[update({1: (0, [collected(size * 2)])})]])


def cuts_between_surrogate_pairs(size: int) -> Input:
    """A text of emoji, and deletions of whole ones."""
    return Input([[update({}, {1: [(at * 4, 2) for at in range(size)]})]], [_large_text(size, "😀")])


def many_at_one_place(size: int) -> Input:
    """A chain of formats, and letters that all claim to come from the empty text."""
    chain = size * 2
    marks = [mark("b", "1", parent="t"), *[mark("b", "1", left=(1, at)) for at in range(chain - 1)]]
    return Input([[update({2: (0, [text("y", parent="t")] * size)})]], [[update({1: (0, marks)})]])


def many_people_at_one_place(size: int) -> Input:
    """Client ids that all begin a text, lowest first, each in an update of its own."""
    return Input([[update({client: (0, [text("y", parent="t")])}) for client in range(1, size + 1)]])


def many_values_of_one_key(size: int) -> Input:
    """Values of one key that do not know one another."""
    return Input([[update({1: (0, [values(_NOTHING, parent="m", key="k")] * size)})]])


def keys_of_one_map(size: int) -> Input:
    """A map in which every value has a key of its own."""
    return Input([[update({1: (0, [values(_NOTHING, parent="m", key=f"k{at}") for at in range(size)])})]])


def shared_types(size: int) -> Input:
    """Lists, one behind the other, with nothing in them."""
    types = [shared(ARRAY, parent="t"), *[shared(ARRAY, left=(1, at)) for at in range(size - 1)]]
    return Input([[update({1: (0, types)})]])


def living_values(size: int) -> Input:
    """Objects that stay in the document, up to its limit of values, in the largest batches."""
    objects, step = size // 2, 50_000
    object_of_one = "760101617e"
    return Input(
        [
            [update({1: (at, [values(*[object_of_one] * min(step, objects - at), parent="a")])})]
            for at in range(0, objects, step)
        ]
    )


def large_texts(size: int) -> Input:
    """Plain text in updates of 4 MB, which come in parts."""
    mebibyte = 4 * 2**20
    first = [update({1: (0, [text("x" * mebibyte, parent="t")])})]
    rest = [
        [update({1: (at, [text("x" * mebibyte, left=(1, at - 1))])})]
        for at in range(mebibyte, size * mebibyte, mebibyte)
    ]
    return Input([first, *rest])


def client_ids(size: int) -> Input:
    """Very many authors in one update."""
    return Input([[update({client: (0, [collected(1)]) for client in range(1, size + 1)})]])


def nulls(size: int) -> Input:
    """`Any` values of one byte."""
    return Input([[update({1: (0, [values(*[_NOTHING] * size, parent="a")])})]])


def nested_lists(size: int) -> Input:
    """`Any` lists of lists, as deep as may be."""
    return Input([[update({1: (0, [values(*["7501" * 31 + _NOTHING] * size, parent="a")])})]])


def json_in_formats(size: int) -> Input:
    """JSON objects, each to be parsed."""
    value = '{"a":[1,{"b":[]},"c"]}'
    marks = [mark("b", value, parent="t"), *[mark("b", value, left=(1, at)) for at in range(size - 1)]]
    return Input([[update({1: (0, marks)})]])


def one_large_json(size: int) -> Input:
    """One value of very many small ones."""
    return Input([[update({1: (0, [mark("b", "[" + ",".join(["{}"] * size) + "]", parent="t")])})]])


KINDS: dict[str, tuple[Callable[[int], Input], int]] = {
    "neighbours under a deleted parent": (neighbours_deep_under_a_deleted_parent, 20_000),
    "garbage in many updates": (garbage_in_many_updates, 200_000),
    "garbage in small batches": (garbage_in_small_batches, 240_000),
    "the most structs of a batch": (formats_in_one_batch, 99_000),
    "deletions that cut a large text": (deletions_that_cut_a_large_text, 8000),
    "insertions that cut a large text": (insertions_that_cut_a_large_text, 8000),
    "cuts in small batches": (cuts_in_small_batches, 4000),
    "cuts in front of many structs": (cuts_in_front_of_many_structs, 7000),
    "ranges in front of ranges": (ranges_in_front_of_ranges, 40_000),
    "cuts between surrogate pairs": (cuts_between_surrogate_pairs, 8000),
    "many at one place": (many_at_one_place, 5000),
    "many people at one place": (many_people_at_one_place, 3000),
    "many values of one key": (many_values_of_one_key, 4000),
    "keys of one map": (keys_of_one_map, 99_000),
    "shared types": (shared_types, 69_000),
    "living values": (living_values, 490_000),
    "client ids": (client_ids, 20_000),
    "nulls": (nulls, 240_000),
    "nested lists": (nested_lists, 7500),
    "JSON in formats": (json_in_formats, 90_000),
    "one large JSON value": (one_large_json, 240_000),
}
"""Each kind, with about the largest size that is allowed."""

"""Copies: which of an update's new characters repeat which of the characters that it deletes.

Editors rebuild a block by deleting the block and inserting a copy. Nothing in the update says so,
so the texts are compared: first equal texts, then a text that is a part of another, then texts that
have much in common.
"""

from bisect import bisect_left
from functools import cache, partial
from typing import NamedTuple

from msgspec import Struct

from crdt.rescue.sequences import Branch, Change, Piece, Sequences
from crdt.yjs.contents import STRING

Pair = tuple[Piece, Piece]
"""A deleted piece, and the new piece of the same length that repeats it."""

LEAST_ELSEWHERE = 4
"""Characters that a text must have to be recognised in a block that was there before.

In a new block one character is enough.
"""

LEAST_SHARED = 3
"""Characters of the shortest part that two different texts may have in common."""

MOST_COMPARED = 1_000_000
"""Characters of different texts that are compared for one update. A pair of texts counts both.

What is beyond is not recognised as a copy. Equal texts do not count.
"""

_OF_A_PAIR = 50
"""Characters that a pair counts beside its own."""


class _Run(Struct, frozen=True, eq=False):
    """Pieces that follow on one another in a branch. They may be cut later, so their ids count."""

    first: Piece
    spans: list[tuple[int, int, int]]
    text: str

    def part(self, sequences: Sequences, at: int, length: int) -> list[Piece]:
        """Return a part of the run, cut at its ends, last piece first."""
        part: list[Piece] = []
        for client, first, end in self.spans:
            begin, size = max(at, 0), end - first
            if begin < size and length > 0:
                until = min(size, begin + length)
                part += sequences.between(client, first + begin, first + until)
                length -= until - begin
            at -= size
        part.reverse()
        return part


def copies(sequences: Sequences, change: Change) -> list[Pair]:
    """Return which new pieces repeat which deleted ones, cut to the same lengths.

    Copies within one text do not count, because nothing has moved there.
    """
    old = [piece for piece in (*change.named, *change.already) if piece.kind == STRING]
    new = [
        piece
        for piece in change.fresh
        if piece.kind == STRING and piece.named != change.turn and piece.branch is not None
    ]
    if not old or not new:
        return []
    olds, news = _runs(old, None), _runs(new, change.turn)
    if len({run.text for run in news}) < len(news) or len({run.text for run in olds}) < len(olds):
        # The same words stand there twice: the document's order decides.
        order = _Order()
        olds.sort(key=lambda run: order.of(run.first))
        news.sort(key=lambda run: order.of(run.first))
    pairs: list[Pair] = []
    is_struck = cache(partial(_is_struck, sequences, change, _seen_by_author(sequences, change)))
    compared = 0
    for run in _take_equal(sequences, olds, news, pairs):
        least = 1 if _is_new(run.first.branch, change.turn) else LEAST_ELSEWHERE
        found: list[_Likeness] = []
        for each in olds:
            if each.first.branch is run.first.branch:
                continue
            size = len(each.text) + len(run.text) + _OF_A_PAIR
            compared += size
            sequences.spend(size // 4)
            if compared > MOST_COMPARED:
                return pairs
            common = _common(each.text, run.text, least)
            letters = sum([length for _, _, length in common])
            # A word that is struck in a line is not the same letters in a line that comes.
            if letters * 2 >= len(run.text) or not is_struck(each):
                found.append(_Likeness(each, common, letters))
        for each, common, _ in _without_overlaps(found):
            for old_at, new_at, length in common:
                pairs += _pair(sequences, each, run, length, old_at, new_at)
    return pairs


class _Likeness(NamedTuple):
    """Common parts of an old text and a new one: offsets in both and lengths, and their sum."""

    old: _Run
    common: list[tuple[int, int, int]]
    letters: int


def _without_overlaps(found: list[_Likeness]) -> list[_Likeness]:
    """Leave out what was struck in a text that lives on, where another old text has more in common.

    Otherwise a struck word would be found in the letters of a line that moves. Blocks that died may
    be earlier and later forms of one block, which all live on in the new one.
    """
    taken: list[tuple[int, int]] = []
    kept: set[_Run] = set()
    for old, common, _ in sorted(found, key=lambda each: -each.letters):
        spans = [(at, at + length) for _, at, length in common]
        lives_on = old.first.branch is not None and old.first.branch.is_alive
        if lives_on and any(begin < end and start < until for start, end in spans for begin, until in taken):
            continue
        taken += spans
        kept.add(old)
    return [each for each in found if each.old in kept]


def _is_struck(sequences: Sequences, change: Change, seen: int, run: _Run) -> bool:
    """Whether words stand behind an old text that the author knew and has left there."""
    client, _, end = run.spans[-1]
    behind = sequences.ending(client, end - 1).right
    while behind is not None:
        sequences.spend(1)
        is_left = behind.kind == STRING and not behind.dead and behind.turn != change.turn
        if is_left and (behind.client == change.author or sequences.row_of(behind) <= seen):
            return True
        behind = behind.right
    return False


def _seen_by_author(sequences: Sequences, change: Change) -> int:
    """Return the last row that an update's author has applied for sure.

    Nobody deletes what they do not have, and rows come in their order.
    """
    if change.after is not None:
        return change.after
    return max((sequences.row_of(piece) for piece in change.named if piece.client != change.author), default=0)


def _take_equal(sequences: Sequences, olds: list[_Run], news: list[_Run], pairs: list[Pair]) -> list[_Run]:
    """Pair equal texts, and take them out of `olds`; return the new texts that are left."""
    by_text: dict[str, list[_Run]] = {}
    for run in olds:
        by_text.setdefault(run.text, []).append(run)
    rest: list[_Run] = []
    for run in news:
        equal = by_text.get(run.text, [])
        found = next((each for each in equal if each.first.branch is not run.first.branch), None)
        if found is None:
            rest.append(run)
        else:
            equal.remove(found)
            pairs += _pair(sequences, found, run, len(run.text))
    olds[:] = [run for run in olds if any(run is each for each in by_text[run.text])]
    return rest


def _runs(pieces: list[Piece], turn: int | None) -> list[_Run]:
    """Return the pieces as runs, by branch and in their order there.

    Something else that lives ends a run of the update `turn`. Deleted runs go on across everything.
    """
    chosen = set(pieces)
    runs: list[list[Piece]] = []
    for branch in dict.fromkeys(piece.branch for piece in pieces):
        run: list[Piece] = []
        for piece in branch.pieces() if branch is not None else ():
            if piece in chosen:
                run.append(piece)
            elif run and turn is not None and piece.kind == STRING and not piece.dead and piece.turn != turn:
                runs.append(run)
                run = []
        if run:
            runs.append(run)
    return [
        _Run(
            run[0],
            [(each.client, each.clock, each.clock + each.length) for each in run],
            "".join([each.text or "" for each in run]),
        )
        for run in runs
    ]


def _is_new(branch: Branch | None, turn: int) -> bool:
    return branch is not None and branch.piece is not None and branch.piece.turn == turn


def _common(old: str, new: str, least: int) -> list[tuple[int, int, int]]:
    """Return what two texts have in common, as offsets in both and lengths."""
    if len(old) >= least and (at := new.find(old)) >= 0:
        return [(0, at, len(old))]
    if len(new) >= least and (at := old.find(new)) >= 0:
        return [(at, 0, len(new))]
    most = min(len(old), len(new))
    head = next((i for i in range(most) if old[i] != new[i]), most)
    tail = next((i for i in range(most - head) if old[-1 - i] != new[-1 - i]), most - head)
    found = [(0, 0, head)] if head >= LEAST_SHARED else []
    found += _anchored(old[: len(old) - tail], new[: len(new) - tail], head)
    if tail >= LEAST_SHARED:
        found.append((len(old) - tail, len(new) - tail, tail))
    return found if sum(length for _, _, length in found) * 2 >= most else []


def _anchored(old: str, new: str, at: int) -> list[tuple[int, int, int]]:
    """Return what two texts have in common behind `at`, around parts that each has only once.

    The time is linear, unlike that of a comparison of everything with everything.
    """
    places_old, places_new = _places_of(old, at), _places_of(new, at)
    anchors = sorted(
        (place, places_new[part]) for part, place in places_old.items() if place >= 0 <= places_new.get(part, -1)
    )
    found: list[tuple[int, int, int]] = []
    old_end = new_end = at
    for i, j in _ascending(anchors):
        if i < old_end or j < new_end:
            continue
        most = min(i - old_end, j - new_end)
        more = next((n for n in range(most) if old[i - 1 - n] != new[j - 1 - n]), most)
        i, j = i - more, j - more
        most = min(len(old) - i, len(new) - j)
        length = next((n for n in range(most) if old[i + n] != new[j + n]), most)
        found.append((i, j, length))
        old_end, new_end = i + length, j + length
    return found


def _places_of(text: str, at: int) -> dict[str, int]:
    """Return where each part of `LEAST_SHARED` characters stands; -1 for twice."""
    places: dict[str, int] = {}
    for n in range(at, len(text) - LEAST_SHARED + 1):
        part = text[n : n + LEAST_SHARED]
        places[part] = -1 if part in places else n
    return places


def _ascending(anchors: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return the longest part of sorted pairs whose second numbers ascend too."""
    ends: list[int] = []
    last: list[int] = []
    before: list[int | None] = []
    for n, (_, j) in enumerate(anchors):
        place = bisect_left(ends, j)
        before.append(last[place - 1] if place else None)
        if place == len(ends):
            ends.append(j)
            last.append(n)
        else:
            ends[place], last[place] = j, n
    chosen: list[tuple[int, int]] = []
    at = last[-1] if last else None
    while at is not None:
        chosen.append(anchors[at])
        at = before[at]
    return chosen[::-1]


def _pair(sequences: Sequences, old: _Run, new: _Run, length: int, old_at: int = 0, new_at: int = 0) -> list[Pair]:
    left, right = old.part(sequences, old_at, length), new.part(sequences, new_at, length)
    pairs: list[Pair] = []
    while left and right:
        one, other = left.pop(), right.pop()
        if one.length > other.length:
            left.append(sequences.cut(one, other.length))
        elif other.length > one.length:
            right.append(sequences.cut(other, one.length))
        pairs.append((one, other))
    return pairs


class _Order:
    """The order of pieces in the document, counted once for each branch."""

    def __init__(self) -> None:
        self._numbers: dict[Branch, dict[Piece, int]] = {}

    def of(self, piece: Piece | None) -> list[int]:
        path: list[int] = []
        while piece is not None and piece.branch is not None:
            numbers = self._numbers.get(piece.branch)
            if numbers is None:
                numbers = self._numbers[piece.branch] = {each: n for n, each in enumerate(piece.branch.pieces())}
            path.append(numbers[piece])
            piece = piece.branch.piece
        path.reverse()
        return path

"""Judge: the proof that an update of somebody who may only suggest is nothing but suggestions.

The document without its author's own pending content (crdt/suggestions/views.py) must be the same
before and after the update. From that follows:

1. Accepted words, their formats, and the structure stay as they are.
2. Other people's suggestions, and the anchors of their comments, stay as well.
3. What the update brings is in its author's name.

What is new must also be of the document's format (crdt/suggestions/form.py).

The judge keeps two copies of the document. One has all that was admitted, the other one also what
is judged now: Yjs takes nothing back. An update touches few blocks, and only the views of these are
compared. In all others nothing has changed, as Yjs changes a type only by items that are in it.

A batch is judged as a whole, because nobody sees a part of it. The server's answer to an update
(crdt/rescue) is judged with the update: it may bring words to life that stood in a dead place.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from pycrdt import Doc, XmlElement, XmlFragment, XmlText

from crdt.content.schema import SCHEMA
from crdt.errors import Code, ProtocolError
from crdt.permissions import not_a_suggestion
from crdt.suggestions.form import Form, Names, names_in
from crdt.suggestions.marks import Pair, check_new
from crdt.suggestions.views import View, view_of
from crdt.yjs.varint import check_state_vector

MOST_PENDING = 200_000
"""Characters that one person may have pending in one document: a book chapter.

Marks and blocks count more (`PART` in crdt/suggestions/views.py).
"""

_TEXTS = XmlElement, XmlText, XmlFragment
_MADE = -1


class Candidate(NamedTuple):
    """An update, in the clients' and in the engine's form, and whether the server has made it."""

    raw: bytes
    engine: bytes
    is_answer: bool = False


class Entry(NamedTuple):
    """Updates of one submission in a row, as they will stand there.

    Attributes:
        user: whose suggestions they must be; None for an editor's updates, which are not judged.
    """

    user: str | None
    updates: tuple[Candidate, ...]


class Judge:
    """The judge of one document. `state`: the document in the engine's form.

    Only the sandbox may use it, because hostile content can make reading endless.
    """

    def __init__(self, state: bytes, fragment: str = "default") -> None:
        self._fragment = fragment
        self._base = _Copy(state, fragment)
        self._tried: _Copy | None = None
        self._last: tuple[bytes, ...] = ()
        """The updates that were judged last. Only `_tried` has them."""
        self._pending: dict[str, int] = {}
        """What people have pending, as far as it was counted: never too little."""
        self._names: Names | None = None
        """The names in the document, where they say what may be proposed."""

    def follow(self, updates: Sequence[bytes], *, took_last: bool) -> None:
        """Take in what was admitted since, in the engine's form. Updates may come again.

        `took_last`: what was judged last was admitted.
        """
        last, self._last = self._last, ()
        if took_last:
            self._base.follow(last)
        elif last:
            self._tried = None
        for copy in (self._base, self._tried):
            if copy is not None:
                copy.follow(updates)

    def judge(self, candidates: Sequence[Candidate], user: str, format_name: str | None = SCHEMA.name) -> None:
        """Raise ProtocolError(not_a_suggestion) unless a batch is only somebody's suggestions.

        `format_name`: the document's format; None if it has none, or takes any. Then say to
        `follow` whether the batch was taken.
        """
        clocks = check_state_vector(self._base.doc.get_state())
        said = [each for each in candidates if not each.is_answer]
        doubts = [doubt for each in said for doubt in check_new(each.raw, clocks, self._fragment)]
        tried, self._tried = self._tried or _Copy(self._base.doc.get_update(), self._fragment), None
        touched = tried.apply([each.engine for each in candidates])
        rescued = len(said) < len(candidates)
        stretches = touched.stretches(self._base.root, tried.root)
        form = Form(format_name, self._held)
        growth = sum(_compared(stretches, user, doubts, form, rescued=rescued))
        if growth > 0:
            self._check_size(user, growth)
        self._tried, self._last = tried, tuple([each.engine for each in candidates])

    def _held(self) -> Names:
        if self._names is None:
            self._names = names_in(self._base.root)
        return self._names

    def _check_size(self, user: str, growth: int) -> None:
        pending = self._pending.get(user)
        if pending is None:
            pending = self._base.pending(user) if self._base.holds(user) else 0
        if pending + growth > MOST_PENDING:
            pending = self._base.pending(user)
        self._pending[user] = pending + growth
        if pending + growth > MOST_PENDING:
            self._pending[user] = pending
            raise ProtocolError(
                Code.DOCUMENT_FULL,
                "You have too many suggestions in this document. Wait until some of them are accepted or withdraw some.",
            )


def _compared(
    stretches: Iterable[tuple[list[Any], list[Any]]], user: str, doubts: Sequence[Pair], form: Form, *, rescued: bool
) -> Iterator[int]:
    """Compare the touched stretches before and after; yield how much more each has pending."""
    known: set[Pair] = set()
    for before, after in stretches:
        was = _joined([view_of(node, user, collects=bool(doubts)) for node in before])
        views = [view_of(node, user, form=form) for node in after]
        now = _joined(views)
        if not (_is_alike(was, now) or (rescued and _is_alike(was, _joined(_without_empty(views))))):
            raise not_a_suggestion(_difference(was, now))
        if not _is_lent_alike(was, now):
            raise not_a_suggestion("writes in another person's name")
        if _texts(after) > _texts(before):
            raise not_a_suggestion("writes words where only blocks can stand")
        known |= was.marks
        yield now.own - was.own
    if not known.issuperset(doubts):
        raise not_a_suggestion("holds a mark whose key does not belong to it")


def _joined(views: Sequence[View]) -> View:
    if len(views) == 1:
        return views[0]
    return View(
        tuple([each for view in views for each in view.content]),
        sum(view.own for view in views),
        tuple([each for view in views for each in view.lent]),
        frozenset().union(*[view.lent_marks for view in views]),
        frozenset().union(*[view.marks for view in views]),
    )


def _without_empty(views: Sequence[View]) -> list[View]:
    return [view for view in views if not _holds_nothing(view)]


def _holds_nothing(view: View) -> bool:
    """Whether a block has no words: the server has made it for words that are only suggested."""
    return len(view.content) == 1 and view.content[0][0] not in ("#", "@", "?") and not view.content[0][2]


def _texts(nodes: Sequence[Any]) -> int:
    """Count bare texts among blocks. Even an empty one is more than a page can show."""
    return sum(isinstance(node, XmlText) for node in nodes)


def _is_alike(was: View, now: View) -> bool:
    return was.content == now.content


def _is_lent_alike(was: View, now: View) -> bool:
    """Whether nothing new is in another's name. Something may be gone."""
    rest = iter(was.lent)
    return now.lent_marks <= was.lent_marks and all(each in rest for each in now.lent)


def _difference(was: View, now: View) -> str:
    if not was.content:
        return "writes words or a block that no suggestion marks as yours"
    if not now.content:
        return "takes away or claims what is not your suggestion"
    return "changes accepted text, its form, or other people's suggestions"


class _Touched:
    """What transactions have done to the children of the text's root, `count` before them."""

    def __init__(self, count: int) -> None:
        self._places = list(range(count))
        """For each child where it stood before; `_MADE` for one that was not there."""
        self._inside: set[int] = set()
        self._gone: list[int] = []

    def take(self, delta: Sequence[dict[str, Any]], inside: Iterable[int]) -> None:
        """Take in one transaction: how the children have changed, and in which something has."""
        at = 0
        for step in delta:
            if "retain" in step:
                at += step["retain"]
            elif "delete" in step:
                end = at + step["delete"]
                self._gone += self._places[at:end]
                del self._places[at:end]
            else:
                self._places[at:at] = [_MADE] * len(step["insert"])
                at += len(step["insert"])
        self._inside.update(self._places[place] for place in inside)

    def stretches(self, before: XmlFragment, after: XmlFragment) -> Iterator[tuple[list[Any], list[Any]]]:
        """Yield the children of each changed stretch, before and after.

        Around a stretch stand children that were not touched. A block may be made anew beside one
        that goes, so what stands between them is looked at as a whole.
        """
        gone, places = sorted(was for was in self._gone if was != _MADE), self._places
        inside = self._inside.difference(gone, (_MADE,))
        made = [place for place, was in enumerate(places) if was == _MADE] if _MADE in places else []
        if gone or made:
            yield from self._between(before, after, gone, made, inside)
        for was in inside:
            yield [before.children[was]], [after.children[places.index(was)]]

    def _between(
        self, before: XmlFragment, after: XmlFragment, gone: list[int], made: list[int], inside: set[int]
    ) -> Iterator[tuple[list[Any], list[Any]]]:
        """Yield the stretches with children that were made or deleted, and empty `inside` of them.

        Children in `inside` that stand in a stretch are looked at with it.
        """
        places, left = self._places, set(gone)
        first = min(gone[0] if gone else made[0], made[0] if made else gone[0])
        next_was, old, new = first, list[Any](), list[Any]()
        for place in range(first, len(places) + 1):
            was = places[place] if place < len(places) else next_was + len(left)
            if was == _MADE:
                new.append(after.children[place])
                continue
            while next_was < was and next_was in left:
                old.append(before.children[next_was])
                left.discard(next_was)
                next_was += 1
            next_was = was + 1
            if was in inside:
                inside.discard(was)
                old.append(before.children[was])
                new.append(after.children[place])
                continue
            if old or new:
                yield old, new
                old, new = [], []
            if not left and (not made or place > made[-1]):
                return


class _Copy:
    """One copy of the document."""

    def __init__(self, state: bytes, fragment: str) -> None:
        self.doc: Doc[Any] = Doc()
        if state:
            self.doc.apply_update(state)
        self.root = self.doc.get(fragment, type=XmlFragment)
        self._delta: list[dict[str, Any]] = []
        self._inside: set[int] = set()
        self._strange = False
        self._watching = self.root.observe_deep(self._note)

    def apply(self, updates: Sequence[bytes]) -> _Touched:
        """Apply updates one by one, and return what they have touched.

        Raises ProtocolError(not_a_suggestion) for changes in types that are no rich text.
        """
        touched = _Touched(len(self.root.children))
        for update in updates:
            self._delta, self._inside = [], set()
            self.doc.apply_update(update)
            touched.take(self._delta, self._inside)
        strange, self._strange = self._strange, False
        if strange:
            raise not_a_suggestion("changes something that is no rich text")
        return touched

    def follow(self, updates: Sequence[bytes]) -> None:
        """Apply updates, whatever they change."""
        for update in updates:
            self.doc.apply_update(update)
        self._strange = False

    def _note(self, events: list[Any]) -> None:
        for event in events:
            path = event.path
            if not isinstance(event.target, _TEXTS) or not all(isinstance(step, int) for step in path):
                self._strange = True
            elif path:
                self._inside.add(path[0])
            elif event.keys:
                self._strange = True
            else:
                self._delta = event.delta

    def holds(self, user: str) -> bool:
        """Whether a person's name stands anywhere in the document."""
        return user.encode() in self.doc.get_update()

    def pending(self, user: str) -> int:
        """Return how much a person has pending."""
        return sum(view_of(child, user).own for child in self.root.children)

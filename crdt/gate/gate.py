"""The gate: the check of strangers' updates before pycrdt sees them.

`inspect` reads an update's bytes by themselves. `Knowledge` judges the update against the document,
including the updates in flight to the log. An update that passes keeps these promises, on which the
whole server stands:

1. **The update is sound.** yrs and yjs both read all of its bytes, and read the same from them.
2. **The update is complete.** There is no clock gap. Every origin, parent and deleted range is
   known or comes with the update, and not in a circle. So pycrdt never holds anything back as
   pending, where it diverges (y-crdt#632). And the next state vector is known beforehand.
3. **The update fits.** Content is where its kind may be (crdt/gate/places.py). Types are not nested
   deeper than recursion allows.
4. **The update cuts no surrogate pair.** Yjs counts UTF-16 units. At a border inside of a pair, yjs
   makes two U+FFFD and yrs something else, for ever.
5. **The author may write.** New structs under a client id need the consent of `may_write`. Known
   structs that come again need none. Clients upload overlapping parts, and also whole documents
   with other people's work.
6. **The author knows the format.** `closed` names the roots in which an author may change nothing,
   because the author's editor could delete what it does not know.

Duplicates are judged like all other updates, because Yjs and yrs look at the references of structs
that they already have. The gate does not notice a second, different struct under a known id. The
log's order decides between the two, and everybody gets the same log.

The gate leaves two things to others. It does not judge values: HTML in attributes passes, and only
the sandbox reads a document out. It does not check the order of neighbours in a sequence, because
that takes the whole sequence. So an author can forge a struct whose right neighbour stands left of
the left one. Nothing breaks, but yjs and yrs may order the two differently. They do in 0.9 % of the
documents that are made only of such forgeries.
"""

from collections.abc import Generator, Iterator, Mapping, Sequence

from crdt.errors import ProtocolError
from crdt.gate.admission import NO_ROOTS, Admission, Except, MayWrite, Roots, other_format, taken, too_costly
from crdt.gate.deletions import Deletions
from crdt.gate.engine_cost import EngineCost
from crdt.gate.growth import check_authors, check_places, check_structs
from crdt.gate.interweaving import RANGES_AT_ONCE, SLICE, UPDATES_AT_ONCE, Cursor, missing_past, take_in_order
from crdt.gate.places import NOWHERE, Mark, Places
from crdt.gate.surrogates import Surrogates
from crdt.gate.typing_runs import TypingRuns
from crdt.permissions import nearly_full, not_a_suggestion
from crdt.yjs.contents import DELETED, GC, STRING
from crdt.yjs.limits import GateLimits
from crdt.yjs.reader import KEYED, Inspected, Struct, inspect
from crdt.yjs.values import bad_update

Deleted = tuple[tuple[int, tuple[tuple[int, int], ...]], ...]
"""Client ids and their deleted ranges, as in `Inspected`."""

PLAIN_RANGES = 16
"""Most deleted ranges of one client id in a plain edit (`Knowledge._admit_plain`)."""


class Knowledge:
    """The gate's index of one document: clocks, places, surrogate pairs, deletions.

    Can be pickled.
    """

    def __init__(self, limits: GateLimits) -> None:
        self._limits = limits
        self._limits_for_suggestions = limits.for_suggestions()
        self._clocks: dict[int, int] = {}
        self.state_vector: Mapping[int, int] = self._clocks
        """The clock behind the last known struct of each client id, as a live view."""
        self.places = Places(limits)
        self._surrogates = Surrogates()
        self.deletions = Deletions()
        self._cost = EngineCost(self.deletions)
        self._touched: dict[int, tuple[int, int, int]] = {}
        """Client ids of the updates under judgement: clock, runs and low surrogates before them."""
        self._closed = NO_ROOTS
        """Roots that the author of the updates under judgement may not change."""
        self._closed_branches: dict[int, bool] = {}
        """Whether a branch is in such a root, for branches that were looked at."""
        self._dead_branches: set[int] = set()
        """Branches that `_reconcile` has found inside of something deleted."""
        self._overwritten: list[tuple[int, int, int]] = []
        """(client id, clock, end) of structs with several values under a map key.

        Yjs' undo manager keeps such structs. They must be deleted by the end of their update.
        """
        self._mark = self.places.mark()
        self.typing_runs = TypingRuns(limits)
        self.values = 0
        """Number of values in lists and objects that came.

        Deleted values are counted as well, until the sandbox counts the living ones.
        """

    @classmethod
    def from_snapshot(cls, update: bytes, limits: GateLimits) -> "Knowledge":
        """Index a document from its full state, in the clients' or the engine's form.

        The state was admitted once, so it is not judged again. Structs whose place cannot be told
        are nowhere. Raises ProtocolError if the bytes are no update.
        """
        knowledge = cls(limits)
        knowledge.absorb(inspect(update, limits, durable=True))
        return knowledge

    @property
    def structs(self) -> int:
        """The number of structs and deleted ranges that cannot be joined."""
        return self._cost.structs + self.deletions.ranges

    def admit(
        self,
        updates: Sequence[Inspected],
        may_write: MayWrite,
        own: int | None = None,
        *,
        measured: bool = False,
        closed: Roots = NO_ROOTS,
    ) -> Admission:
        """Check updates against the document one after the other, and take in all or none.

        `may_write` is asked once for each client id with new structs. `own` is the session's client
        id. `measured` says that the engine has already been measured with these updates. `closed`
        are roots in which the author may neither insert nor delete.

        Raises ProtocolError, and then nothing has changed: `missing_past`, `client_id_taken`,
        `bad_update`, `document_full`, `other_format` or `not_a_suggestion` for a change in a closed
        root, or `too_costly` for updates that must be measured first.
        """
        admission = None if closed else self.typing_runs.admit(updates, self._clocks, may_write)
        if admission is None and not (closed or measured):
            admission = self._admit_plain(updates, may_write)
        if admission is not None:
            return admission
        self._closed = closed
        try:
            for update in updates:
                if not self._take_small(update):
                    for _ in self._take(update):
                        pass
            return self._conclude(updates, may_write, own, measured=measured)
        except BaseException:
            self._roll_back()
            raise

    def _admit_plain(self, updates: Sequence[Inspected], may_write: MayWrite) -> Admission | None:
        """Let in one update with a new text beside known structs, or with deletions, or with both.

        Everything is checked before anything changes, so there is nothing to roll back. Return None
        for every other update, and for one that is to be refused: the ordinary way says why.
        """
        if len(updates) != 1 or not self._may_delete(updates[0].deletions):
            return None
        update, clocks, cost = updates[0], self._clocks, self._cost
        writes: tuple[int, ...] = ()
        if update.structs:
            struct, (client, first, end) = update.structs[0][0], update.clients[0]
            place = self._place_of_text(update)
            if place == NOWHERE or not may_write(client):
                return None
            writes = (client,)
            cost.add(client, struct, place, clocks)
            clocks[client] = end
        for each, ranges in update.deletions:
            cost.add_deletions(each, len(ranges), clocks)
        if cost.is_too_much:
            cost.roll_back()
            if writes:
                clocks[client] = first
            return None
        if writes:
            self.places.extend(client, first, place, STRING)
            self.typing_runs.begin(client, struct)
        for each, ranges in update.deletions:
            self.deletions.add(each, ranges)
        admission = Admission(bool(writes or self.deletions.added), (), writes, cost.now)
        self.deletions.settle()
        cost.settle()
        return admission

    def _may_delete(self, deletions: Deleted) -> bool:
        """Whether these deletions are few, and pass for sure."""
        count = self.structs
        for client, ranges in deletions:
            count += len(ranges)
            if len(ranges) > PLAIN_RANGES or max([end for _, end in ranges]) > self._clocks.get(client, 0):
                return False
            if self._surrogates and self._ranges_cut(client, ranges):
                return False
        return count < self._limits.document_structs

    def _place_of_text(self, update: Inspected) -> int:
        """Return the place of an update's only struct, if it is a plain text in a sequence.

        Return nowhere for all other structs, and for those that are to be refused.
        """
        (client, first, _), struct, clocks, places = update.clients[0], update.structs[0][0], self._clocks, self.places
        _, _, kind, origin, origin_clock, right, right_clock, _, lows = struct
        if len(update.structs) > 1 or len(update.structs[0]) > 1 or kind != STRING or lows:
            return NOWHERE
        if first != clocks.get(client) or origin_clock >= clocks.get(origin, 0) or right_clock >= clocks.get(right, 0):
            return NOWHERE
        if self._surrogates and self._cuts(client, struct, first):
            return NOWHERE
        place = beside = NOWHERE
        if right >= 0:
            place = beside = places.of(right, right_clock)
        if origin >= 0:
            place = places.of(origin, origin_clock)
            if right >= 0 and (beside != place or (right == origin and right_clock == origin_clock)):
                return NOWHERE
        return place if places.takes_text(place) else NOWHERE

    def admit_in_slices(
        self,
        updates: Sequence[Inspected],
        may_write: MayWrite,
        own: int | None = None,
        *,
        measured: bool = False,
        closed: Roots = NO_ROOTS,
    ) -> Generator[None, None, Admission]:
        """Do the same as `admit`, with pauses in which the event loop can turn.

        No other method of this object may be called until the generator has ended.
        """
        self._closed = closed
        try:
            for taken, update in enumerate(updates):
                if taken % UPDATES_AT_ONCE == UPDATES_AT_ONCE - 1:
                    yield
                yield from self._take(update)
            return self._conclude(updates, may_write, own, measured=measured)
        except BaseException:
            self._roll_back()
            raise

    def _conclude(
        self, updates: Sequence[Inspected], may_write: MayWrite, own: int | None, *, measured: bool
    ) -> Admission:
        writes, new_clients = self._ask(may_write)
        mark = self.places.mark()
        structs, ranges, limits = self._cost.structs, self.deletions.ranges, self._limits
        if isinstance(self._closed, Except) and self._cost.growing:
            limits = self._limits_for_suggestions
        try:
            if new_clients:
                check_authors(limits, self._clocks, new_clients, own)
            if mark != self._mark:
                check_places(limits, self.places, self._mark)
            if structs + ranges > limits.document_structs:
                check_structs(limits, structs, ranges, growing=self._cost.growing)
        except ProtocolError as refusal:
            if limits is self._limits:
                raise
            raise nearly_full() from refusal
        admission = Admission(bool(writes or self.deletions.added), new_clients, writes, self._cost.now)
        values = sum([update.values for update in updates]) if admission.news else 0
        if measured:
            self.measured()
        elif admission.news and self._cost.is_too_much:
            raise too_costly()
        elif values and self.values + values > limits.document_values:
            raise too_costly()  # the sandbox must first count the values that are not deleted
        self.values += values
        if len(updates) == 1:
            self.typing_runs.expect(updates[0], self._touched, self.places)
        self._settle(mark)
        return admission

    def absorb(self, update: Inspected) -> int:
        """Take in a durable update without judging it.

        Returns an upper bound of the engine's time for the update, in nanoseconds. An update that
        today's rules would refuse is taken in with unknown places.
        """
        try:
            if not self._take_small(update):
                for _ in self._take(update):
                    pass
        except ProtocolError:
            self._roll_back()
            self._take_blindly(update)
        cost = self._cost.now
        self.values += update.values
        self._settle(self.places.mark())
        return cost

    def would_take(self, updates: Sequence[Inspected]) -> bool:
        """Whether updates fit into the document one after the other, for any author.

        Changes nothing.
        """
        try:
            for update in updates:
                for _ in self._take(update):
                    pass
        except ProtocolError:
            return False
        finally:
            self._roll_back()
        return True

    @property
    def work(self) -> int:
        """The engine's work for all updates so far, in nanoseconds. It only grows."""
        return self._cost.work

    @property
    def unmeasured(self) -> int:
        """The part of `work` with which the engine has not opened the document yet."""
        return self._cost.unmeasured

    def measured(self, work: int | None = None) -> None:
        """Note that the engine has opened the document with so much of its `work`, or with all."""
        self._cost.measured(self.work if work is None else work)

    def _ask(self, may_write: MayWrite) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Ask `may_write` for each client id with new structs.

        Returns these client ids, and those among them that are new to the document. Raises
        ProtocolError(client_id_taken).
        """
        writes: list[int] = []
        new_clients: list[int] = []
        for client, (before, _, _) in self._touched.items():
            if self._clocks[client] > before:
                if not may_write(client):
                    raise taken()
                writes.append(client)
                if not before:
                    new_clients.append(client)
        return tuple(writes), tuple(new_clients)

    def _take_small(self, update: Inspected) -> bool:
        """Take in an update with few structs of one client id and few deletions, without pauses.

        Return False for other updates, which need `_take`.
        """
        structs, deletions = update.structs, update.deletions
        if (
            len(structs) > 1
            or (structs and len(structs[0]) > SLICE)
            or sum([len(each[1]) for each in deletions]) > SLICE
        ):
            return False
        if structs:
            client, first, end = update.clients[0]
            if first > self._clocks.get(client, 0) or self._advance(Cursor(client, structs[0]), end) is not None:
                raise missing_past()
        for client, ranges in deletions:
            self._delete(client, ranges)
        if self._overwritten:
            self._check_overwritten()
        return True

    def _take(self, update: Inspected) -> Iterator[None]:
        """Take in one update, and pause between slices."""
        yield from take_in_order(update, self._clocks, self._advance)
        for client, ranges in update.deletions:
            for at in range(0, len(ranges), RANGES_AT_ONCE):
                self._delete(client, ranges[at : at + RANGES_AT_ONCE])
                if at + RANGES_AT_ONCE < len(ranges):
                    yield
        self._check_overwritten()

    def _check_overwritten(self) -> None:
        for client, clock, end in self._overwritten:
            if not self.deletions.covers(client, clock, end):
                raise bad_update("A map key has several values at once.")
        self._overwritten.clear()

    def _advance(self, cursor: Cursor, target: int) -> tuple[int, int] | None:
        """Take in a slice of one client id's structs up to a clock.

        Stops at a struct with an unknown reference, and returns the id that the struct refers to.
        """
        client, structs, index = cursor.client, cursor.structs, cursor.index
        clocks = self._clocks
        reached = clocks.get(client, 0)
        if client not in self._touched:  # before the first change, for `_roll_back`
            self._touched[client] = (reached, self.places.runs(client), self._surrogates.count(client))
        needed = None
        stop = min(len(structs), index + SLICE)
        while index < stop and structs[index][0] < target:
            struct = structs[index]
            _, end, _, origin, origin_clock, right, right_clock, parent, lows = struct
            # References within one client id need no look: the reader has refused those to a later
            # struct, and every earlier one is taken in. An absent origin (client id -1, clock -1)
            # is never above the clock 0 that stands in for an unknown client id.
            if origin != client and origin_clock >= clocks.get(origin, 0):
                needed = (origin, origin_clock)
                break
            if right != client and right_clock >= clocks.get(right, 0):
                needed = (right, right_clock)
                break
            if isinstance(parent, tuple) and parent[0] != client and parent[1] >= clocks.get(parent[0], 0):
                needed = parent
                break
            # most documents have no surrogate pair at all
            if (lows or self._surrogates) and self._cuts(client, struct, reached):
                raise _cut()
            # A duplicate is judged as well: yjs and yrs look at its references. A struct may also
            # be known in part only, because clients join structs that came one by one.
            place = self._place(struct) if struct[0] >= reached else self._place_of_rest(client, struct, reached)
            if end > reached:
                self._record(client, struct, place, reached)
                reached = end
            index += 1
        cursor.index = index
        if reached:  # a clock of 0 would enter a client id that has no struct
            clocks[client] = reached
        return needed

    def _place(self, struct: Struct) -> int:
        """Return the place of a struct whose references are known."""
        _, _, kind, origin, origin_clock, right, right_clock, parent, _ = struct
        if parent is not None:
            return self._place_in(parent, keyed=kind & KEYED)
        places = self.places
        if origin >= 0:
            place = places.of(origin, origin_clock)
            if right >= 0:
                beside = places.of(right, right_clock)
                if beside != place:
                    return self._reconcile(place, beside)
                # Under a map key there is only a left neighbour, the key's value before.
                if place & 1 or (right == origin and right_clock == origin_clock):
                    raise bad_update("A struct has neighbours that it cannot have.")
            return place
        return places.of(right, right_clock) if right >= 0 else NOWHERE

    def _place_in(self, parent: str | tuple[int, int], *, keyed: int) -> int:
        if isinstance(parent, str):
            place = self.places.root(parent)
        else:
            branch = self.places.types.get(parent)
            if branch is None:
                if self.deletions.covers(*parent):
                    return NOWHERE
                raise bad_update("A parent is not a shared type.")
            place = branch * 2
        return place + 1 if keyed else place

    def _place_of_rest(self, client: int, struct: Struct, reached: int) -> int:
        """Return the place of a struct whose beginning, or all of it, is known already.

        The rest must be in the same place as the beginning. yjs throws otherwise.
        """
        place = self._place(struct)
        before = self.places.of(client, reached - 1)
        if struct[1] <= reached or place == before or struct[2] == GC:
            return place
        return self._reconcile(place, before)

    def _reconcile(self, place: int, beside: int) -> int:
        """Return nowhere for two different places, if one is nowhere and the other one deleted.

        Raises ProtocolError(bad_update) for all other pairs: their structs cannot be neighbours.
        """
        # Two real places never match: 0 has no owner, and the loop's `else` refuses them.
        living = 0 if place and beside else place or beside
        climbed: list[int] = []
        while (owner := self.places.owner(living)) is not None:
            if living >> 1 in self._dead_branches:
                break
            climbed.append(living >> 1)
            living = self.places.of(*owner)
            if living == NOWHERE or self.deletions.covers(*owner):
                break
        else:
            raise bad_update("A struct's neighbours live in different places.")
        # Deleted types stay deleted, so each branch is climbed through only once.
        self._dead_branches.update(climbed)
        return NOWHERE

    def _record(self, client: int, struct: Struct, place: int, reached: int) -> None:
        clock, end, kind = struct[:3]
        lows = struct[8]
        kind &= KEYED - 1
        start = clock if clock > reached else reached  # only the rest of a struct may be new
        if self._closed and (place or kind > DELETED):
            self._check_open(place)
        self.places.extend(client, start, place, kind)
        self._cost.add(client, struct, place, self._clocks)
        if kind <= DELETED:
            self.deletions.add_struct(client, start, end)
        elif place & 1 and end - clock > 1:
            self._overwritten.append((client, clock, end))
        if lows:
            self._surrogates.add(client, lows if clock == start else [low for low in lows if low > reached])

    def _cuts(self, client: int, struct: Struct, reached: int) -> bool:
        """Whether a struct, known up to the clock `reached`, cuts a surrogate pair."""
        clock, _, _, origin, origin_clock, right, right_clock, _, lows = struct
        cut = self._surrogates.cut
        return (
            (clock < reached and (reached in lows or cut(client, clock)))
            or cut(origin, origin_clock + 1)
            or cut(right, right_clock)
        )

    def _ranges_cut(self, client: int, ranges: tuple[tuple[int, int], ...]) -> bool:
        cut = self._surrogates.cut
        return any(cut(client, start) or cut(client, end) for start, end in ranges)

    def _delete(self, client: int, ranges: tuple[tuple[int, int], ...]) -> None:
        known = self._clocks.get(client, 0)
        # Ranges are sorted by their beginnings, but may overlap: an earlier one can end last.
        if ranges[-1][1] > known or max([end for _, end in ranges]) > known:
            raise missing_past()
        if self._surrogates and self._ranges_cut(client, ranges):
            raise _cut()
        if self._closed:
            for start, end in ranges:
                self._check_deletion(client, start, end)
        self._cost.add_deletions(client, len(ranges), self._clocks)
        self.deletions.add(client, ranges)

    def _check_deletion(self, client: int, start: int, end: int) -> None:
        """Raise ProtocolError if something living in a closed root is deleted."""
        if not self.deletions.covers(client, start, end):
            for first, last, place in self.places.pieces(client, start, end):
                if not self.deletions.covers(client, first, last):
                    self._check_open(place)

    def _check_open(self, place: int) -> None:
        """Raise ProtocolError (other_format or not_a_suggestion) for a place in a closed root."""
        known, climbed = self._closed_branches, list[int]()
        while place >> 1 not in known:
            climbed.append(place >> 1)
            owner = self.places.owner(place)
            if owner is None:
                known[place >> 1] = self._is_closed(None if place == NOWHERE else self.places.root_of(place))
            else:
                place = self.places.of(*owner)
        answer = known[place >> 1]
        known.update(dict.fromkeys(climbed, answer))
        if answer:
            raise (
                not_a_suggestion("changes something beside the text")
                if isinstance(self._closed, Except) and not self._closed.is_all
                else other_format()
            )

    def _is_closed(self, root: str | None) -> bool:
        if isinstance(self._closed, Except) and not self._closed.is_all:
            # What is nowhere is dead, and whoever judges the author also judges what revives it.
            return root is not None and root in self._closed
        # What is nowhere may be anywhere: perhaps an older version has let it in.
        return root is None or root in self._closed

    def _take_blindly(self, update: Inspected) -> None:
        """Take in a durable update that today's rules refuse, with every new struct nowhere."""
        for (client, _, _), structs in zip(update.clients, update.structs, strict=True):
            self._touched.setdefault(client, (0, 0, 0))
            for struct in structs:
                reached = self._clocks.get(client, 0)
                if struct[1] > reached:
                    self._record(client, struct, NOWHERE, reached)
                    self._clocks[client] = struct[1]
        for client, ranges in update.deletions:
            self.deletions.add(client, ranges)
        self._overwritten.clear()

    def _settle(self, mark: Mark) -> None:
        """Make the changes of the updates under judgement final."""
        self._closed = NO_ROOTS
        self._closed_branches.clear()
        self._touched.clear()
        self.deletions.settle()
        self._cost.settle()
        self._mark = mark

    def _roll_back(self) -> None:
        self.deletions.roll_back()
        self._cost.roll_back()
        self._dead_branches.clear()
        for client, (clock, runs, lows) in self._touched.items():
            self.places.undo_runs(client, runs)
            self._surrogates.undo(client, lows)
            if clock:
                self._clocks[client] = clock
            else:
                self._clocks.pop(client, None)
        self.places.undo(self._mark)
        self._overwritten.clear()
        self._settle(self._mark)


def _cut() -> ProtocolError:
    return bad_update("The update cuts a character in half (a surrogate pair).")

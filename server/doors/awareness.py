"""Awareness: everybody's presence, as clients of y-protocols are told of it.

Clients heed a state only under a greater clock than the last one, and forget a state that nobody
has told them for 30 seconds. The clock of such a client goes with its state (`CLOCK`), through the
room and to other nodes. Tabs of one browser tell each other as well, and must not meet one state
under two clocks. People at other doors have no clock: theirs are made here, from the time of day,
so that they grow from one node to the next.
"""

from collections.abc import Callable, Collection, Mapping, Sequence

from msgspec import to_builtins

from crdt.ids import ClientId, DocumentId
from crdt.protocol.messages import Json, PresenceChange
from crdt.protocol.yprotocols import encode_states
from crdt.yjs.varint import MAX_SAFE
from server.auth.appearance import is_color

CLOCK = "y:clock"
"""The key under which a presence state carries its client's clock."""

CLOCKS_PER_SECOND = 16
CLOCKS_SINCE = 1_767_225_600
"""Unix seconds at clock 0. In the clients that count in 32 bits, there is room until 2034."""


def with_clock(state: Mapping[str, Json] | None, clock: int) -> dict[str, Json] | None:
    """Return a state that carries its client's clock."""
    return None if state is None else {**state, CLOCK: clock}


class AwarenessClocks:
    """The clocks that clients were told last, by document. `now`: unix seconds."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._clocks: dict[DocumentId, dict[ClientId, int]] = {}

    def written(self, document_id: DocumentId, changes: Sequence[PresenceChange]) -> bytes:
        """Write presence as an awareness update."""
        clocks = self._clocks.setdefault(document_id, {})
        here = {each.client_id for each in changes if each.state is not None}
        told = [each for each in changes if each.state is not None or each.client_id not in here]
        states = [(each, self._clock(clocks, each)) for each in told]
        return encode_states([(each.client_id, clock, _shown(each)) for each, clock in states if clock is not None])

    def keep(self, document_ids: Collection[DocumentId]) -> None:
        """Forget the clocks of all other documents."""
        for document_id in [each for each in self._clocks if each not in document_ids]:
            del self._clocks[document_id]

    def _clock(self, clocks: dict[ClientId, int], change: PresenceChange) -> int | None:
        """Return the clock for a state.

        Somebody who leaves goes with the last one. None for somebody who leaves and of whom nobody
        was told: under a clock that is made, they would hide who comes later under the same id.
        """
        if change.state is None:
            return clocks.pop(change.client_id, None)
        made = max(clocks.get(change.client_id, 0) + 1, int((self._now() - CLOCKS_SINCE) * CLOCKS_PER_SECOND))
        said = change.state.get(CLOCK)
        clock = said if type(said) is int and 0 <= said <= MAX_SAFE else made
        clocks[change.client_id] = clock
        return clock


def _shown(change: PresenceChange) -> Mapping[str, Json] | None:
    """Return a state as clients show it. Who somebody is, the server says."""
    if change.state is None:
        return None
    state = {key: value for key, value in change.state.items() if key != CLOCK}
    said = state.get("user")
    fields = said if isinstance(said, dict) else {}
    color = next((each for each in (state.get("color"), fields.get("color")) if is_color(each)), change.user.color)
    return {**state, "user": {**fields, **to_builtins(change.user), "color": color}}

"""Nodes of one document over one log: real rooms, whose words are rescued, without a network.

As a program (`python -m tests.harness.rescuing_nodes`) it reads a JSON line for each step from its
input, and writes a line with the new rows, so that tests with real editors can use it:

    {"reset": 1, "nodes": 2, "fold": 7, "rescue": true}
    {"update": "base64", "after": 3, "client": 11, "node": 0}
    {"batches": [{"updates": ["base64"], "after": 3}], "client": 11, "node": 0}

With `after` null, the author does not say what they knew. The batches of one step wait together, as
those that a room gathers do.
"""

import base64
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from crdt.ids import ClientId, Epoch, IdFactory, PresenceId, Seq, UpdateId
from crdt.log.compaction import fold, remembered, restored
from crdt.protocol.batch import encode_batch
from crdt.protocol.links import decode_links
from crdt.protocol.messages import DocumentInfo, JoinRequest, Limits, Request, Role, User
from crdt.protocol.row import Row, Stored
from crdt.rescue.rescue import Rescued, answer
from crdt.room.effects import Acknowledge, AppendRow, Effect, ReadRows, Refuse, Reload, Rescue
from crdt.room.pace import Pace
from crdt.room.room import Room
from crdt.room.session import Session
from crdt.yjs.limits import GateLimits

Said = tuple[Sequence[bytes], int | None]
"""The updates of one batch, and the last row that their author had applied."""


@dataclass
class Log:
    """The store: the rows, the last snapshot, and who must know what."""

    rows: list[Row] = field(default_factory=list)
    snapshot: bytes | None = None
    memory: bytes = b""
    snapshot_seq: int = 0
    moved_seq: int = 0
    behind: int = 0
    """How many appends were refused because their node did not know enough."""

    def append(self, effect: AppendRow) -> Seq | None:
        """Append a row; return None if it must know more."""
        if effect.known < (len(self.rows) if effect.moves else self.moved_seq):
            self.behind += 1
            return None
        seq = Seq(len(self.rows) + 1)
        self.rows.append(Row(seq, effect.batch, heirs=effect.heirs))
        if effect.moves:
            self.moved_seq = seq
        return seq

    def fold(self) -> None:
        """Fold all rows into a snapshot."""
        rows = self.rows[self.snapshot_seq :]
        batches, heirs = [row.batch for row in rows], [row.heirs for row in rows]
        memory = remembered(self.snapshot, batches, self.snapshot_seq, self.memory, heirs)
        self.snapshot, _ = fold(self.snapshot, batches)
        self.memory, self.snapshot_seq = memory, len(self.rows)

    def stored(self) -> Stored:
        rows = self.rows[self.snapshot_seq :]
        return Stored(Epoch(1), self.snapshot, Seq(self.snapshot_seq), rows, {}, memory=self.memory)


class Node:
    """One node's room, which hears of others' rows only when it must."""

    def __init__(self, log: Log, *, rescue: bool, cuts: int = 0) -> None:
        """`cuts`: characters of each piece before a rescue begins; 0 leaves pieces as they are."""
        self._log = log
        self._cuts = cuts
        self._rescue = rescue
        self._count = 0
        mint = IdFactory(lambda: UpdateId(f"u{id(self)}-{self._next()}"), lambda: PresenceId(self._next()))
        self.room = Room(log.stored(), DocumentInfo("Title", None), Limits(), GateLimits(), mint, Pace(lambda: 0.0))
        self._now = 100.0
        self._sessions: dict[int, Session] = {}
        self.refusals: list[str] = []
        self.acknowledged: list[int] = []

    def _next(self) -> int:
        self._count += 1
        return self._count

    def hear(self, up_to: int) -> None:
        """Take in the rows of others up to one."""
        for row in self._log.rows[self.room.seq : up_to]:
            self._carry_out(self.room.remote(row))

    def say(self, client_id: int, batches: Sequence[Said]) -> None:
        """Send batches, and let the room append them."""
        session = self._session(client_id)
        for updates, after in batches:
            session.after = None if after is None else Seq(after)
            self.hear(after or 0)
            inspected = self.room.replica.read(encode_batch(updates))
            self._carry_out(self.room.receive(session, inspected, cast(Request, client_id)))
        for _ in range(100):
            if self.room.settled:
                return
            self._now += 1.0
            self._carry_out(self.room.flush(self._now))
        raise AssertionError("The room never appends what it has taken.")

    def _session(self, client_id: int) -> Session:
        found = self._sessions.get(client_id)
        if found is None:
            found = self._sessions[client_id] = Session()
            user = User(f"u{client_id}", f"U{client_id}", "#336699")
            self.room.join(
                found, JoinRequest(b"\0", ClientId(client_id), f"key-of-{client_id}-012345"), user, Role.EDITOR
            )
        return found

    def reopen(self) -> None:
        """Close the document, and open what is stored."""
        self.__init__(self._log, rescue=self._rescue, cuts=self._cuts)  # type: ignore[misc]

    def _carry_out(self, effects: Sequence[Effect]) -> None:
        for effect in effects:
            match effect:
                case AppendRow():
                    seq = self._log.append(effect)
                    if seq is None:
                        head = Seq(len(self._log.rows))
                        self._carry_out(self.room.append_behind(effect.update_id, head))
                    else:
                        self._carry_out(self.room.committed(effect.update_id, seq))
                case Rescue():
                    self._carry_out(self.room.rescued(effect, self._answer(effect)))
                case ReadRows(after):
                    self._carry_out(self.room.fetched(self._log.rows[after:]))
                case Acknowledge(requests, seq):
                    self.acknowledged += [seq for _ in requests]
                case Refuse(_, _, refused):
                    self.refusals.append(f"{refused.code}: {refused.message}")
                case Reload(reason):
                    raise AssertionError(f"The document is in doubt: {reason}")
                case _:
                    pass

    def _answer(self, effect: Rescue) -> Rescued | None:
        if not self._rescue:
            return None
        if effect.known < self._log.snapshot_seq:
            return Rescued((None,) * len(effect.said), b"")  # the log refuses a row that knows so little
        rows = self._log.rows[self._log.snapshot_seq : effect.known]
        sequences = restored(self._log.snapshot, self._log.memory, rows)
        for piece in list(sequences.all()) if self._cuts else ():
            rest = piece
            while rest.length > self._cuts:
                rest = sequences.cut(rest, self._cuts)
        return answer(sequences, effect.known + 1, effect.said)


class Nodes:
    """Several nodes of one document.

    `fold_every`: rows after which the log is folded, and one node opens the document again; 0 for
    never.
    """

    def __init__(self, nodes: int = 1, fold_every: int = 0, *, rescue: bool = True, cuts: int = 0) -> None:
        self.log = Log()
        self._fold_every = fold_every
        self._nodes = [Node(self.log, rescue=rescue, cuts=cuts) for _ in range(nodes)]

    @property
    def refusals(self) -> list[str]:
        return [refusal for node in self._nodes for refusal in node.refusals]

    def say(self, update: bytes, after: int | None, client_id: int, node: int = 0) -> list[Row]:
        """Send an update through a node; return the new rows."""
        return self.say_all([([update], after)], client_id, node)

    def say_all(self, batches: Sequence[Said], client_id: int, node: int = 0) -> list[Row]:
        """Send batches through a node, of which the last may wait for the first."""
        before = len(self.log.rows)
        self._nodes[node % len(self._nodes)].say(client_id, batches)
        if self._fold_every and len(self.log.rows) - self.log.snapshot_seq >= self._fold_every:
            self.log.fold()
            self._nodes[len(self.log.rows) % len(self._nodes)].reopen()
        return self.log.rows[before:]


def main() -> None:
    nodes = Nodes()
    for line in sys.stdin:
        step: dict[str, Any] = json.loads(line)
        try:
            if "reset" in step:
                nodes = Nodes(step.get("nodes", 1), step.get("fold", 0), rescue=step.get("rescue", True))
                told: dict[str, object] = {}
            else:
                batches = step.get("batches") or [{"updates": [step["update"]], "after": step.get("after")}]
                said = [([base64.b64decode(each) for each in said["updates"]], said["after"]) for said in batches]
                rows = nodes.say_all(said, step["client"], step.get("node", 0))
                told = {"rows": [_told(row) for row in rows], "refusals": nodes.refusals, "behind": nodes.log.behind}
        except Exception as error:  # noqa: BLE001 - the test shall name the seed
            told = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(told), flush=True)  # noqa: T201


def _told(row: Row) -> dict[str, object]:
    heirs = [heir[:5] for heir in decode_links(row.heirs).heirs]
    return {"seq": row.seq, "batch": base64.b64encode(row.batch).decode(), "heirs": heirs}


if __name__ == "__main__":
    main()

"""The sandbox's work done in this process: for tests that feed it honest content, where a wall would only cost time."""

from collections.abc import Sequence

from pycrdt import Doc

from crdt.compaction import fold, updates_of
from crdt.gate_limits import GateLimits
from crdt.state_vector import check_state_vector, encode_state_vector
from crdt.update_reader import Inspected, inspect
from server.store.base import Folded


class InProcessSandbox:
    """What rooms ask of a sandbox, without one."""

    async def fold(self, snapshot: bytes | None, batches: Sequence[bytes]) -> Folded:
        return Folded(*fold(snapshot, batches))

    async def trial(self, snapshot: bytes | None, batches: Sequence[bytes]) -> bytes:
        doc: Doc = Doc()  # type: ignore[type-arg]
        for update in updates_of(snapshot, batches):
            doc.apply_update(update)
        return encode_state_vector(check_state_vector(doc.get_state()))

    async def inspect(self, updates: Sequence[bytes], limits: GateLimits) -> list[Inspected]:
        return [inspect(update, limits) for update in updates]

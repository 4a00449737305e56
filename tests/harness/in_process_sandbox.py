"""The sandbox's work done in this process: for tests that feed it honest content, where a wall would only cost time."""

from collections.abc import Sequence

from crdt.compaction import fold
from crdt.gate_limits import GateLimits
from crdt.replica import Replica, Stored
from crdt.update_reader import Inspected, inspect
from server.sandbox import SandboxRejected, Trial
from server.store.base import Folded


class InProcessSandbox:
    """What rooms ask of a sandbox, without one."""

    async def fold(self, snapshot: bytes | None, batches: Sequence[bytes]) -> Folded:
        return Folded(*fold(snapshot, batches))

    async def trial(self, stored: Stored, limits: GateLimits, person: str = "") -> Trial:
        replica = Replica(stored, limits)
        if replica.quarantined is not None:
            raise SandboxRejected(replica.quarantined)
        return Trial(replica.document.state_vector(), 0.0, replica.found)

    async def inspect(self, updates: Sequence[bytes], limits: GateLimits, person: str = "") -> list[Inspected]:
        return [inspect(update, limits) for update in updates]

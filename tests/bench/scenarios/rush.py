"""Many documents with contents are opened in one rush and left again: memory before, while all are open, and afterwards."""

import asyncio
from pathlib import Path

from pycrdt import merge_updates

from tests.bench.contents import Lost, prose, resting_bytes, settle, text_of
from tests.bench.dialects import Member
from tests.bench.fleet import join, leave
from tests.bench.meter import Meter
from tests.bench.scenario import Pace, Scenario
from tests.bench.servers import HOCUSPOCUS_SQLITE, OURS, PYCRDT_SQLITE, Kind, Running
from tests.bench.table import Figures

DOCUMENTS = 200
DOCUMENT_BYTES = 20_000
"""Few enough that one person may have all of them open."""

AT_ONCE = 20
"""People who come in at the same time."""

REST_SECONDS = 30.0
"""After the last has left."""


async def rush(kind: Kind, directory: Path, _pace: Pace) -> Figures:
    """Have documents written, restart, and let somebody open each and leave."""
    updates, text = prose(DOCUMENT_BYTES)
    written = merge_updates(*updates)
    async with Running(kind, directory) as server:
        documents = await server.new_documents(DOCUMENTS)
        for at in range(0, DOCUMENTS, AT_ONCE):
            writers = await _come_in(server, documents[at : at + AT_ONCE])
            for writer in writers:
                writer.transport.write(writer.write_update(writer.meter.send(writer, 0), written))
            await settle(server)
            leave(writers)
        await server.restart()
        # What a server imports with its first document stays.
        leave(await _come_in(server, documents[:1]))
        before = await resting_bytes(server) / 1e6
        readers = await _come_in(server, documents)
        if lost := sum(text_of(reader.missing or b"\0\0") != text for reader in readers):
            raise Lost(f"{kind.name} has lost words of {lost} of {DOCUMENTS} documents")
        peak = await resting_bytes(server) / 1e6
        leave(readers)
        await asyncio.sleep(REST_SECONDS)
        after = await resting_bytes(server) / 1e6
    kept = (after - before) / (peak - before) * 100
    return {"before MB": before, "all open MB": peak, "30 s after MB": after, "kept %": kept}


async def _come_in(server: Running, documents: list[str]) -> list[Member]:
    members: list[Member] = []
    for at in range(0, len(documents), AT_ONCE):
        joining = (join(server, document, 1, Meter()) for document in documents[at : at + AT_ONCE])
        members += [member for (member,) in await asyncio.gather(*joining)]
    return members


SCENARIO = Scenario(
    f"{DOCUMENTS} documents of {DOCUMENT_BYTES // 1000} kB are opened and left",
    (OURS, HOCUSPOCUS_SQLITE, PYCRDT_SQLITE),
    {"left 30 s ago": rush},
    ("before MB", "all open MB", "30 s after MB"),
)

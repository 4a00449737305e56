"""The gate in the sandbox finds what the gate finds, and refuses as it refuses."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.msgpack import encode
from pycrdt import Array, Doc, Map, Text, XmlElement, XmlFragment, XmlText

from crdt.errors import Code, InvariantError, ProtocolError
from crdt.yjs.limits import GateLimits
from crdt.yjs.reader import Inspected, inspect
from server.sandbox import Sandbox
from server.sandbox.messages import decode_findings, encode_findings

LIMITS = GateLimits()


def rich_updates() -> list[bytes]:
    """One update each of text with emoji, deletions, formats, maps, arrays and XML."""
    updates: list[bytes] = []
    document: Doc[Any] = Doc(client_id=2**53 - 1)
    document.observe(lambda event: updates.append(event.update))
    text = document.get("t", type=Text)
    text += "a😀b😀"
    text.insert(1, "wörld", {"bold": True})
    del text[2:4]
    document.get("m", type=Map)["key"] = {"a": [1, None, True]}
    document.get("a", type=Array).extend([1.5, "x", Map({"inner": Text("y")})])
    fragment = document.get("default", type=XmlFragment)
    fragment.children.append(XmlElement("p", {"id": "1"}, [XmlText("in")]))
    return [*updates, document.get_update()]


async def test_findings_are_the_same_here_and_there() -> None:
    updates = rich_updates()
    async with Sandbox() as sandbox:
        assert await sandbox.inspect(updates, LIMITS) == [inspect(update, LIMITS) for update in updates]
        assert await sandbox.inspect([], LIMITS) == []


async def test_a_refusal_is_the_gates_own() -> None:
    huge = GateLimits(update_bytes=4)
    async with Sandbox() as sandbox:
        with pytest.raises(ProtocolError) as too_large:
            await sandbox.inspect(rich_updates(), huge)
        with pytest.raises(ProtocolError) as bad:
            await sandbox.inspect([*rich_updates(), b"\x01"], LIMITS)
    assert too_large.value.code == Code.TOO_LARGE
    assert bad.value.code == Code.BAD_UPDATE
    with pytest.raises(ProtocolError) as here:
        inspect(b"\x01", LIMITS)
    assert bad.value.message == here.value.message


def test_findings_that_are_none_are_not_believed() -> None:
    client, struct = (7, 0, 2), (0, 2, 4, -1, -1, -1, -1, "root", ())
    sound = (b"", [client], [[struct]], ((7, ((0, 1),)),), 0)
    assert decode_findings(b"raw", encode(sound)) == Inspected(b"raw", b"raw", [client], [[struct]], sound[3])
    for index, wrong in [
        (0, "text"),
        (1, [(7, 0)]),
        (1, []),
        (1, [client, client]),
        (1, [(7, 0, 2.0)]),
        (2, [[struct[:8]]]),
        (2, [[(*struct[:7], 5, ())]]),
        (2, [[(*struct[:7], (1, 2, 3), ())]]),
        (3, ((7, ((0, 1, 2),)),)),
        (4, "0"),
    ]:
        findings = list(sound)
        findings[index] = wrong
        with pytest.raises(InvariantError):
            decode_findings(b"raw", encode(findings))


@given(st.binary(max_size=64))
def test_bytes_that_are_no_findings_are_not_believed(data: bytes) -> None:
    with pytest.raises(InvariantError):
        decode_findings(b"", data)


@given(st.data())
def test_damaged_findings_are_read_in_full_or_not_at_all(data: st.DataObject) -> None:
    update = rich_updates()[-1]
    damaged = bytearray(encode_findings(inspect(update, LIMITS)))
    damaged[data.draw(st.integers(0, len(damaged) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    try:
        read = decode_findings(update, bytes(damaged))
    except InvariantError:
        return
    assert len(read.clients) == len(read.structs)

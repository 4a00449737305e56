"""The gate in the sandbox finds what the gate finds, and refuses as it refuses."""

from array import array
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pycrdt import Array, Doc, Map, Text, XmlElement, XmlFragment, XmlText

from crdt.errors import Code, InvariantError, ProtocolError
from crdt.gate.gate import GateLimits, inspect
from server.sandbox import Sandbox, inspected

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


@given(st.lists(st.binary(max_size=64), min_size=inspected.PARTS, max_size=inspected.PARTS))
def test_findings_that_are_none_are_not_believed(parts: list[bytes]) -> None:
    try:
        inspected.decode(b"", parts)
    except InvariantError:
        return


@given(st.data())
def test_damaged_findings_are_read_in_full_or_not_at_all(data: st.DataObject) -> None:
    update = rich_updates()[-1]
    parts = inspected.encode(inspect(update, LIMITS))
    index = data.draw(st.integers(0, inspected.PARTS - 1))
    integers = array("q")
    integers.frombytes(parts[index][: len(parts[index]) // 8 * 8])
    if integers:
        integers[data.draw(st.integers(0, len(integers) - 1))] = data.draw(st.integers(-(2**63), 2**63 - 1))
    parts[index] = integers.tobytes()
    try:
        read = inspected.decode(update, parts)
    except InvariantError:
        return
    assert len(read.clients) == len(read.structs)

"""Client arguments under fuzzing: a typed request or a ProtocolError, nothing else."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from crdt.errors import Code, ProtocolError
from crdt.protocol.requests import CLIENT_EVENTS, Presence, decode_connect, decode_request

DOCUMENT_IDS = st.from_regex(r"[A-Za-z0-9_-]{8,64}", fullmatch=True)
KEYS = st.sampled_from(
    [
        "state_vector",
        "client_id",
        "key",
        "epoch",
        "index",
        "offset",
        "total",
        "state",
        "guest",
        "token",
        "link",
        "name",
        "color",
        "_placeholder",
    ]
)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.binary(max_size=20)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS | st.text(max_size=5), inner, max_size=6),
    max_leaves=20,
)
ARGUMENTS = st.lists(VALUES, max_size=4) | st.builds(
    lambda first, rest: [first, *rest], DOCUMENT_IDS, st.lists(VALUES, max_size=2)
)


def refusal_of(decode: Callable[[], object]) -> Code | None:
    try:
        decode()
    except ProtocolError as refusal:
        return refusal.code
    return None


@given(st.sampled_from(sorted(CLIENT_EVENTS)) | VALUES, ARGUMENTS)
def test_any_event_is_a_request_or_a_refusal(event: Any, arguments: list[Any]) -> None:
    code = refusal_of(lambda: decode_request(event, arguments))
    assert code in (None, Code.MALFORMED, Code.UNKNOWN_EVENT)


@given(VALUES)
def test_any_connect_payload_is_a_guest_or_a_refusal(payload: Any) -> None:
    assert refusal_of(lambda: decode_connect(payload)) in (None, Code.MALFORMED)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
    max_leaves=12,
)


@given(DOCUMENT_IDS, st.dictionaries(st.text(max_size=9), JSON, max_size=3))
def test_a_state_that_is_json_arrives_as_it_was(document_id: str, state: dict[str, Any]) -> None:
    assert decode_request("presence", [document_id, {"state": state}]) == Presence(document_id, state)  # type: ignore[arg-type]


def test_every_event_is_in_the_reference() -> None:
    reference = (Path(__file__).parents[2] / "server" / "PROTOCOL.md").read_text()
    section = reference.split("## From the client")[1].split("###")[0]
    assert set(re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE)) == CLIENT_EVENTS

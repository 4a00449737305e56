"""Bodies and queries of the REST API: exactly what is declared is taken, and a refusal names what is wrong."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import httpx
import pytest
import pytest_asyncio
from hypothesis import given
from hypothesis import strategies as st

from crdt.errors import Code, ProtocolError
from server.features import APIS
from server.http.operation import Operation, operations_of
from server.http.requests import as_form
from tests.harness.whole_server import whole_server
from tests.server.http_site import error_of

OPERATIONS = list(operations_of(*APIS))
TAKING = [each for each in OPERATIONS if each.body is not None]
ASKED = [(each, name) for each in TAKING if each.body for name in each.body.__struct_encode_fields__]
JSON = {"Content-Type": "application/json"}

on_one_loop = pytest.mark.asyncio(loop_scope="module")


class Owner:
    """Somebody at a browser, who owns a document."""

    def __init__(self, browser: httpx.AsyncClient, document_id: str) -> None:
        self._browser = browser
        self._document_id = document_id

    async def refusal_of(self, each: Operation, content: bytes, query: str = "") -> str:
        """What the sentence of the refusal says, which is `malformed`."""
        ids = {"user_id": "somebody", "sha256": "0" * 64, "suggestion_id": "s1", "emoji": "👍"}
        ids |= dict.fromkeys(("thread_id", "comment_id"), str(UUID(int=1)))
        path = each.path.format(document_id=self._document_id, **ids)
        response = await self._browser.request(each.method, path + query, content=content, headers=JSON)
        assert error_of(response) == (400, "malformed"), response.text
        return str(response.json()["error"]["message"])


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def owner() -> AsyncIterator[Owner]:
    """One server and one document for all of these tests: what is refused changes nothing."""
    async with whole_server() as server, server.browser() as browser:
        yield Owner(browser, (await browser.post("/api/documents")).json()["id"])


def named(each: Operation | str) -> str:
    return each.name if isinstance(each, Operation) else each


@on_one_loop
@pytest.mark.parametrize("each", TAKING, ids=named)
async def test_nothing_but_what_is_declared_is_taken(owner: Owner, each: Operation) -> None:
    assert each.body is not None
    takes = ", ".join(each.body.__struct_encode_fields__) or "nothing"
    sentence = await owner.refusal_of(each, b'{"surprise": 1}')
    assert sentence == f"Unknown in this request: surprise. It takes: {takes}."
    half = await owner.refusal_of(each, b'{"\\ud800\\u0000": 1}')
    assert half.startswith("Unknown in this request: \\ud800")


@on_one_loop
@pytest.mark.parametrize(("each", "name"), ASKED, ids=named)
@pytest.mark.parametrize("value", ["[]", "{}", "7", "1.0", "9007199254740993", "1e999", "-0"])
async def test_a_value_of_another_type_is_refused_by_name(owner: Owner, each: Operation, name: str, value: str) -> None:
    """No type is bent into another: 1 is not true, and 7 is not "7"."""
    if name in {"labels", "ids"} and value == "[]":
        value = "[7]"  # none at all are some, too
    sentence = await owner.refusal_of(each, f'{{"{name}": {value}, {filled(each, name)}}}'.replace(", }", "}").encode())
    assert sentence.startswith(f"`{name}` must be "), sentence
    assert sentence.endswith(".")


@on_one_loop
@pytest.mark.parametrize(("each", "name"), [(each, name) for each, name in ASKED if name == "role"], ids=named)
async def test_half_a_surrogate_pair_is_no_role(owner: Owner, each: Operation, name: str) -> None:
    body = f'{{"{name}": "\\ud800", {filled(each, name)}}}'.replace(", }", "}").encode()
    assert (await owner.refusal_of(each, body)).startswith("`role` must be ")


def filled(each: Operation, without: str) -> str:
    """What else an operation must be sent, as it should be."""
    sound = {"invite": {"role": '"viewer"'}, "set_link": {"role": '"viewer"'}}.get(each.name, {})
    return ", ".join(f'"{name}": {value}' for name, value in sound.items() if name != without)


@on_one_loop
@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b'{"title": "a", "title": "b"}', "`title` stands in the body twice: say it once."),
        (b'{"title": "a", "x": {"\\ud800": 1, "\\ud800": 2}}', "`\\ud800` stands in the body twice"),
        (b"{}", "`title` is missing: it must be a string"),
        (b'{"title": null}', "`title` must be a string"),
        (b'{"title": NaN}', "not valid JSON"),
        (b'{"title": Infinity}', "not valid JSON"),
        (b'{"title": -Infinity}', "not valid JSON"),
        (b'{"title": ' + b"9" * 5000 + b"}", "not valid JSON"),
        (b'{"title": "a\x00b"}', "not valid JSON"),
        (b'{"title": "\xff"}', "not valid JSON"),
        (b'{"title": "\xed\xa0\x80"}', "not valid JSON"),  # half a pair in UTF-8
        (b'\xef\xbb\xbf{"title": "a"}', "not valid JSON"),  # a mark of the byte order
        (b'{"title": "a"} ' + b"{}", "not valid JSON"),
        (b"{'title': 1}", "not valid JSON"),
        (b'{"title": "a",}', "not valid JSON"),
        (b"[" * 60_000, "nested too deeply"),
        (b'{"title":' * 7_000, "nested too deeply"),
        (b'"title"', "must be a JSON object"),
        (b"null", "must be a JSON object"),
    ],
)
async def test_hostile_json_is_refused_with_a_reason(owner: Owner, body: bytes, says: str) -> None:
    (rename,) = [each for each in OPERATIONS if each.name == "rename_document"]
    assert says in await owner.refusal_of(rename, body)


@on_one_loop
async def test_keys_without_end_are_refused_soon(owner: Owner) -> None:
    (rename,) = [each for each in OPERATIONS if each.name == "rename_document"]
    keys = ",".join(f'"{number:x}":0' for number in range(6000))
    assert "twice" in await owner.refusal_of(rename, f'{{{keys},"0":0}}'.encode())


@on_one_loop
@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("limit=0", "`limit` must be a whole number from 1 to 200"),
        ("limit=1e999", "`limit` must be"),
        ("limit=true", "`limit` must be"),
        ("trashed=1", "`trashed` must be true or false"),
        ("trashed=True", "`trashed` must be true or false"),
        ("shared=", "`shared` must be true"),
        ("sort=size", "`sort` must be edited, title, created or opened"),
        ("order=title", "Unknown in the query: order. It takes: query, trashed, shared, starred, label, sort, limit"),
    ],
)
async def test_a_query_is_as_strict(owner: Owner, query: str, says: str) -> None:
    (listing,) = [each for each in OPERATIONS if each.name == "list_documents"]
    assert says in await owner.refusal_of(listing, b"", f"?{query}")


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=8),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=8), inner, max_size=2),
    max_leaves=4,
)


@given(st.data())
def test_any_object_is_a_body_or_refused(data: st.DataObject) -> None:
    form = data.draw(st.sampled_from([each.body for each in TAKING if each.body is not None]))
    names = st.sampled_from([*form.__struct_encode_fields__, "other"])
    value: dict[str, Any] = data.draw(
        st.dictionaries(names, VALUES | st.sampled_from(["viewer", "owner", "\ud800"]), max_size=3)
    )
    code = None
    try:
        formed = as_form(value, form, "this request", strict=True)
    except ProtocolError as refusal:
        code, ends = refusal.code, refusal.message.endswith(".")
    assert isinstance(formed, form) if code is None else (code, ends) == (Code.MALFORMED, True)

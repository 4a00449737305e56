"""The REST API's documents, as server/PROTOCOL.md draws them."""

import gc
import json
from collections.abc import AsyncIterator, Collection, Mapping
from typing import Any

import httpx
import pytest

from crdt.errors import Code, Unavailable
from crdt.ids import DocumentId, is_document_id
from crdt.protocol.hints import ClosedHint, DocumentHint
from crdt.protocol.messages import DocumentInfo
from server.http.errors import STATUS
from server.rooms.rooms import notice_of
from server.store.database import utc_now
from server.store.sharing import SqlSharing
from server.store.sharing_base import Standing
from tests.harness.memory_store import memory_store
from tests.server.http_site import Site, error_of


@pytest.fixture
def site() -> Site:
    return Site()


@pytest.fixture
async def client(site: Site) -> AsyncIterator[httpx.AsyncClient]:
    async with site.client() as client:
        yield client


async def make(client: httpx.AsyncClient, title: str) -> dict[str, Any]:
    body = json.dumps({"title": title})  # with escapes, so that it can hold what is no text
    response = await client.post("/api/documents", content=body, headers={"Content-Type": "application/json"})
    assert response.status_code == 201
    made: dict[str, Any] = response.json()
    return made


async def titles(client: httpx.AsyncClient, **query: str) -> list[str]:
    response = await client.get("/api/documents", params=query)
    return [document["title"] for document in response.json()["documents"]]


async def test_a_document_is_made_and_found_again(client: httpx.AsyncClient) -> None:
    made = await make(client, "Minutes")
    assert set(made) == {
        "id", "title", "created_at", "updated_at", "trashed_at", "size", "role", "owner", "format", "any_format",
        "preview", "edited_by", "starred", "opened_at", "labels", "requests",
    }  # fmt: skip
    assert (made["format"], made["any_format"]) == (None, False)
    assert is_document_id(made["id"])
    assert len(made["id"]) == 22
    assert made["trashed_at"] is None
    assert (await client.get(f"/api/documents/{made['id']}")).json() == made
    assert (await client.head(f"/api/documents/{made['id']}")).status_code == 200


async def test_each_document_has_an_epoch_of_its_own(site: Site, client: httpx.AsyncClient) -> None:
    epochs = set()
    for _ in range(5):
        loaded = await site.store.log.load((await make(client, "x"))["id"])
        assert loaded is not None
        assert 1 <= loaded.epoch < 2**53
        epochs.add(loaded.epoch)
    assert len(epochs) == 5


@pytest.mark.parametrize(
    ("typed", "shown"),
    [
        ("  Minutes \n of\tMonday ", "Minutes of Monday"),
        ("", "Untitled document"),
        (" \u2028\x00 ", "Untitled document"),
        ("e\u0301te\u0301", "été"),
        ("abc\u202egpj.exe", "abcgpj.exe"),
        ("👩\u200d👩\u200d👧 family", "👩\u200d👩\u200d👧 family"),
        ("<script>alert(1)</script>", "<script>alert(1)</script>"),
        ("x" * 300, "x" * 300),
        ("half \ud83d a pair", "half a pair"),
    ],
)
async def test_a_title_is_made_fit_to_be_shown(client: httpx.AsyncClient, typed: str, shown: str) -> None:
    assert (await make(client, typed))["title"] == shown


async def test_a_title_may_be_left_out(client: httpx.AsyncClient) -> None:
    assert (await client.post("/api/documents")).json()["title"] == "Untitled document"
    assert (await client.post("/api/documents", json={})).json()["title"] == "Untitled document"


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b'{"title": 5}', (400, "malformed")),
        (b'{"title": null}', (400, "malformed")),
        (b'{"titel": "x"}', (400, "malformed")),
        (b'{"title": "a", "title": "b"}', (400, "malformed")),
        (b'{"title": "a"', (400, "malformed")),
        (b'{"title": NaN}', (400, "malformed")),
        (b'{"title": "\xff"}', (400, "malformed")),
        (b'{"title": ' + b"9" * 5000 + b"}", (400, "malformed")),
        (b"[]", (400, "malformed")),
        (b"[" * 60_000, (400, "malformed")),
        (b'{"title": "' + b"x" * 301 + b'"}', (413, "too_large")),
        (b'{"title": "' + b"x" * 2**20 + b'"}', (413, "too_large")),
    ],
)
async def test_a_bad_body_is_refused_by_name(client: httpx.AsyncClient, body: bytes, expected: tuple[int, str]) -> None:
    # What earlier tests have left would be finalised in the depth of the recursion, where that fails.
    gc.collect()
    response = await client.post("/api/documents", content=body, headers={"Content-Type": "application/json"})
    assert error_of(response) == expected
    assert await titles(client) == []


async def test_a_body_in_chunks_is_bounded_too(client: httpx.AsyncClient) -> None:
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        while True:
            sent += 2**16
            yield b"x" * 2**16

    response = await client.post("/api/documents", content=endless(), headers={"Content-Type": "application/json"})
    assert error_of(response) == (413, "too_large")
    assert sent < 8 * 2**20


async def test_a_body_of_another_type_is_refused(client: httpx.AsyncClient) -> None:
    assert error_of(await client.post("/api/documents", data={"title": "x"})) == (415, "malformed")


async def test_the_list_has_the_last_edited_first_in_pages(client: httpx.AsyncClient) -> None:
    for number in range(5):
        await make(client, f"Report {number}")
    first = (await client.get("/api/documents", params={"limit": 3})).json()
    rest = (await client.get("/api/documents", params={"limit": 3, "cursor": first["cursor"]})).json()
    assert [each["title"][-1] for each in first["documents"] + rest["documents"]] == ["4", "3", "2", "1", "0"]
    assert rest["cursor"] is None


async def test_titles_are_searched(client: httpx.AsyncClient) -> None:
    for title in ("Äpfel", "Birnen", "100 %"):
        await make(client, title)
    assert await titles(client, query="äPF") == ["Äpfel"]
    assert await titles(client, query="%") == ["100 %"]
    assert await titles(client, query="_") == []


@pytest.mark.parametrize(
    "query",
    [
        "limit=0",
        "limit=201",
        "limit=x",
        "limit=-1",
        "limit=٣",
        "trashed=maybe",
        "cursor=zzz",
        "sort=colour",
        "starred=maybe",
    ],
)
async def test_a_bad_query_is_refused(client: httpx.AsyncClient, query: str) -> None:
    assert error_of(await client.get(f"/api/documents?{query}")) == (400, "malformed")


async def test_renaming_tells_open_pages(site: Site, client: httpx.AsyncClient) -> None:
    made = await make(client, "Draft")
    renamed = await client.patch(f"/api/documents/{made['id']}", json={"title": "Final"})
    assert renamed.json()["title"] == "Final"
    (told,) = site.pages.told
    assert notice_of(told) == DocumentHint(DocumentInfo("Final", None))
    assert error_of(await client.patch(f"/api/documents/{made['id']}", json={})) == (400, "malformed")


async def test_the_trash_and_the_way_back(site: Site, client: httpx.AsyncClient) -> None:
    path = f"/api/documents/{(await make(client, 'Old'))['id']}"
    trashed = (await client.post(f"{path}/trash")).json()
    assert trashed["trashed_at"] is not None
    assert (await client.post(f"{path}/trash")).json() == trashed
    assert await titles(client) == []
    assert await titles(client, trashed="true") == ["Old"]
    assert (await client.post(f"{path}/restore")).json()["trashed_at"] is None
    assert await titles(client) == ["Old"]
    moments = (trashed["trashed_at"], None)
    assert list(map(notice_of, site.pages.told)) == [DocumentHint(DocumentInfo("Old", at)) for at in moments]


async def test_only_what_is_in_the_trash_is_deleted_for_ever(site: Site, client: httpx.AsyncClient) -> None:
    made = await make(client, "Old")
    path = f"/api/documents/{made['id']}"
    assert error_of(await client.delete(path)) == (409, "forbidden")
    await client.post(f"{path}/trash")
    deleted = await client.delete(path)
    assert (deleted.status_code, deleted.content) == (204, b"")
    assert notice_of(site.pages.told[-1]) == ClosedHint(Code.DELETED, "This document was deleted.")
    assert error_of(await client.get(path)) == (404, "not_found")
    assert error_of(await client.delete(path)) == (404, "not_found")


@pytest.mark.parametrize("document_id", ["absent-document", "x", "a" * 65, "%00%00%00%00%00%00%00%00", "ä" * 10])
async def test_absent_and_impossible_documents_are_answered_alike(client: httpx.AsyncClient, document_id: str) -> None:
    answers = {
        error_of(await client.request(method, f"/api/documents/{document_id}{rest}", json=body))
        for method, rest, body in [
            ("GET", "", None),
            ("PATCH", "", {"title": "x"}),
            ("DELETE", "", None),
            ("POST", "/trash", None),
            ("POST", "/restore", None),
            ("POST", "/attachments", None),
            ("GET", f"/attachments/{'0' * 64}", None),
        ]
    }
    assert answers in ({(404, "not_found")}, {(404, "not_found"), (405, "malformed")})


async def test_what_an_address_does_not_do_is_answered_with_what_it_does(client: httpx.AsyncClient) -> None:
    response = await client.put("/api/documents")
    assert error_of(response) == (405, "malformed")
    assert set(response.headers["allow"].split(", ")) == {"GET", "HEAD", "POST"}


@pytest.mark.parametrize("path", ["/api/", "/api/nothing", "/api/documents/", "/api/documents/a/b/c/d"])
async def test_an_unknown_address_of_the_api_is_answered_in_json(client: httpx.AsyncClient, path: str) -> None:
    assert error_of(await client.get(path)) == (404, "not_found")


class AwaySharing(SqlSharing):
    """Sharing whose database does not answer."""

    async def access(
        self, document_ids: Collection[DocumentId], user_ids: Collection[str]
    ) -> Mapping[DocumentId, Standing]:
        raise Unavailable(f"The disk with {document_ids} is full.")


async def test_a_store_that_does_not_answer_is_no_missing_document() -> None:
    store = memory_store()
    store.sharing = AwaySharing(store.database, utc_now)
    async with Site(store).client() as client:
        answer = await client.get("/api/documents/some-document")
        assert error_of(answer) == (503, "unavailable")
        assert answer.headers["retry-after"] == "2"


async def test_a_mistake_of_ours_is_answered_and_hides_its_inside(site: Site, client: httpx.AsyncClient) -> None:
    made = await make(client, "x")
    site.pages.told = None  # type: ignore[assignment]  # breaks the next announcement
    response = await client.patch(f"/api/documents/{made['id']}", json={"title": "y"})
    assert error_of(response) == (500, "internal")
    assert "NoneType" not in response.text


def test_every_code_has_a_status() -> None:
    assert set(STATUS) == set(Code)


async def test_a_star_and_an_opening_are_one_s_own(client: httpx.AsyncClient) -> None:
    made = await make(client, "Minutes")
    await make(client, "Diary")
    path, anna, bert = f"/api/documents/{made['id']}", {"x-name": "anna"}, {"x-name": "bert"}
    starred = await client.put(f"{path}/star", json={"starred": True}, headers=anna)
    assert starred.json()["starred"] is True
    assert (await client.post(f"{path}/opened", headers=anna)).status_code == 204
    listed = [(await client.get("/api/documents", params=query, headers=anna)).json()["documents"] for query in (
        {"starred": "true"}, {"sort": "opened", "limit": "1"}, {"sort": "title", "limit": "1"}
    )]  # fmt: skip
    assert [[each["title"] for each in page] for page in listed] == [["Minutes"], ["Minutes"], ["Diary"]]
    assert listed[0][0]["opened_at"] is not None
    theirs = (await client.get(path, headers=bert)).json()
    assert (theirs["starred"], theirs["opened_at"]) == (False, None)


async def test_who_is_not_known_again_keeps_no_star(client: httpx.AsyncClient) -> None:
    made = await make(client, "Minutes")
    path = f"/api/documents/{made['id']}"
    assert error_of(await client.put(f"{path}/star", json={"starred": True})) == (409, "forbidden")
    assert (await client.post(f"{path}/opened")).status_code == 204
    assert (await client.get(path)).json()["opened_at"] is None


async def test_labels_are_cleaned_shared_and_listed(client: httpx.AsyncClient) -> None:
    made = await make(client, "Minutes")
    await make(client, "Diary")
    path = f"/api/documents/{made['id']}"
    labelled = await client.put(f"{path}/labels", json={"labels": [" Road  map ", "plan", "PLAN", ""]})
    assert labelled.json()["labels"] == ["Road map", "plan"]
    assert await titles(client, label="Road map") == ["Minutes"]
    assert (await client.get("/api/labels")).json() == {"labels": ["Road map", "plan"]}


@pytest.mark.parametrize(
    ("labels", "refusal"),
    [
        (["x" * 41], (413, "too_large")),
        ([f"label {number}" for number in range(21)], (429, "too_many")),
        ([1], (400, "malformed")),
        ("plan", (400, "malformed")),
    ],
)
async def test_labels_that_are_too_long_too_many_or_none_are_refused(
    client: httpx.AsyncClient, labels: object, refusal: tuple[int, str]
) -> None:
    made = await make(client, "Minutes")
    response = await client.put(f"/api/documents/{made['id']}/labels", json={"labels": labels})
    assert error_of(response) == refusal
    assert (await client.get(f"/api/documents/{made['id']}")).json()["labels"] == []


async def test_a_document_under_a_secret_is_made_once(client: httpx.AsyncClient) -> None:
    body, anna = {"title": "Made on a train", "secret": "s" * 22}, {"x-name": "anna"}
    made = [(await client.post("/api/documents", json=body, headers=anna)).json() for _ in range(2)]
    assert [(each["id"], each["title"], each["role"]) for each in made] == [
        ("AcTnsndLvVNVmt04YQq1AR", "Made on a train", "owner")
    ] * 2
    path = f"/api/documents/{made[0]['id']}"
    await client.put(f"{path}/link", json={"role": None}, headers=anna)
    theirs = await client.post("/api/documents", json=body, headers={"x-name": "bert"})
    assert error_of(theirs) == (404, "not_found")


@pytest.mark.parametrize("secret", ["short", "x" * 65, "ä" * 22, 7])
async def test_a_secret_that_is_none_is_refused(client: httpx.AsyncClient, secret: object) -> None:
    response = await client.post("/api/documents", json={"secret": secret})
    assert error_of(response) == (400, "malformed")

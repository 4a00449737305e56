"""Pictures that belong to a document."""

import asyncio
import hashlib
import io
from collections.abc import AsyncIterator

import httpx
import pytest
import pytest_asyncio
from PIL import Image

from crdt.budget import Budget
from crdt.errors import size_in_words
from crdt.permissions import Role
from server.http.attachments import UploadLimits
from server.sandbox import Sandbox
from server.store.sharing_base import Link
from tests.harness.live_server import until
from tests.server.http_site import Site, error_of

pytestmark = pytest.mark.asyncio(loop_scope="module")


def picture(form: str = "PNG", size: tuple[int, int] = (40, 30)) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", size, "teal").save(out, form)
    return out.getvalue()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def sandbox() -> AsyncIterator[Sandbox]:
    async with Sandbox() as sandbox:
        yield sandbox


@pytest.fixture
def site(sandbox: Sandbox) -> Site:
    return Site(sandbox=sandbox)


@pytest_asyncio.fixture(loop_scope="module")
async def client(site: Site) -> AsyncIterator[httpx.AsyncClient]:
    async with site.client() as client:
        yield client


@pytest_asyncio.fixture(loop_scope="module")
async def attachments(client: httpx.AsyncClient) -> str:
    return f"/api/documents/{(await client.post('/api/documents')).json()['id']}/attachments"


@pytest.mark.parametrize(("form", "media_type"), [("PNG", "image/png"), ("JPEG", "image/jpeg"), ("WEBP", "image/webp")])
async def test_a_picture_is_kept_and_served_as_what_it_is(
    client: httpx.AsyncClient, attachments: str, form: str, media_type: str
) -> None:
    data = picture(form)
    kept = await client.post(attachments, content=data, headers={"Content-Type": "text/html"})
    sha256 = hashlib.sha256(data).hexdigest()
    assert kept.status_code == 201
    assert kept.json() == {
        "url": f"{attachments}/{sha256}",
        "sha256": sha256,
        "media_type": media_type,
        "size": len(data),
        "width": 40,
        "height": 30,
    }
    served = await client.get(kept.json()["url"])
    assert (served.content, served.headers["content-type"]) == (data, media_type)
    assert "immutable" in served.headers["cache-control"]
    assert served.headers["content-security-policy"] == "default-src 'none'; sandbox"
    assert served.headers["x-content-type-options"] == "nosniff"
    again = await client.get(kept.json()["url"], headers={"If-None-Match": served.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"no image at all",
        b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>",
        b"<!doctype html><script>alert(1)</script>",
        picture()[:60],
        b"\x89PNG\r\n\x1a\n" + b"\0" * 100,
    ],
)
async def test_what_is_no_picture_is_refused(client: httpx.AsyncClient, attachments: str, data: bytes) -> None:
    refused = await client.post(attachments, content=data, headers={"Content-Type": "image/png"})
    assert error_of(refused) == (415, "unsupported_content")
    absent = await client.get(f"{attachments}/{hashlib.sha256(data).hexdigest()}")
    assert error_of(absent) == (404, "not_found")


async def test_a_picture_over_the_limit_is_refused(client: httpx.AsyncClient, attachments: str) -> None:
    refused = await client.post(attachments, content=b"x" * 100_001)
    assert error_of(refused) == (413, "too_large")
    assert refused.json()["error"]["message"] == "This is too large: 100 kB at most can be sent at once."
    declared = {"Content-Length": str(10**12)}
    assert error_of(await client.post(attachments, content=b"x", headers=declared)) == (413, "too_large")


async def test_sizes_are_written_as_people_write_them() -> None:
    sizes = [999, 1_000, 1_500_000, 10_000_000, 2_000_000_000]
    assert [size_in_words(size) for size in sizes] == ["999 bytes", "1 kB", "1.5 MB", "10 MB", "2 GB"]


async def test_a_documents_pictures_are_bounded_together(sandbox: Sandbox) -> None:
    small, other = picture(), picture(size=(41, 30))
    limits = UploadLimits(upload_bytes=100_000, uploads=1, document_bytes=len(small) + len(other) - 1)
    async with Site(sandbox=sandbox, uploads=limits).client() as client:
        attachments = f"/api/documents/{(await client.post('/api/documents')).json()['id']}/attachments"
        assert (await client.post(attachments, content=small)).status_code == 201
        assert error_of(await client.post(attachments, content=other)) == (413, "document_full")
        assert (await client.post(attachments, content=small)).status_code == 201


async def test_a_commenters_pictures_leave_room_for_those_of_editors(sandbox: Sandbox) -> None:
    pictures = [picture(size=(40 + number, 30)) for number in range(5)]
    limits = UploadLimits(upload_bytes=100_000, uploads=1, document_bytes=sum(map(len, pictures)) - 1)
    site = Site(sandbox=sandbox, uploads=limits)
    async with site.client() as client:
        document_id = (await client.post("/api/documents", headers={"x-name": "owner"})).json()["id"]
        await site.store.sharing.set_link(document_id, Link(Role.COMMENTER))
        attachments = f"/api/documents/{document_id}/attachments"
        answers = [await client.post(attachments, content=each, headers={"x-name": "bob"}) for each in pictures[:4]]
        assert [each.status_code for each in answers] == [201, 201, 201, 413]
        assert answers[-1].json()["error"]["code"] == "document_full"
        assert (await client.post(attachments, content=pictures[3], headers={"x-name": "owner"})).status_code == 201


async def test_a_trashed_document_takes_no_pictures_but_shows_them(client: httpx.AsyncClient, attachments: str) -> None:
    url = (await client.post(attachments, content=picture())).json()["url"]
    await client.post(attachments.replace("/attachments", "/trash"))
    assert error_of(await client.post(attachments, content=picture())) == (409, "forbidden")
    assert (await client.get(url)).status_code == 200


async def test_a_picture_is_not_found_under_another_document(client: httpx.AsyncClient, attachments: str) -> None:
    url = (await client.post(attachments, content=picture())).json()["url"]
    other = (await client.post("/api/documents")).json()["id"]
    assert error_of(await client.get(f"/api/documents/{other}/attachments/{url[-64:]}")) == (404, "not_found")
    assert error_of(await client.get(f"{attachments}/../../../etc/passwd")) == (404, "not_found")
    assert error_of(await client.get(url.upper().replace(attachments.upper(), attachments))) == (404, "not_found")


async def test_a_picture_belongs_to_each_document_that_has_it(client: httpx.AsyncClient, attachments: str) -> None:
    """Also when the document that had it first is deleted for ever."""
    url = (await client.post(attachments, content=picture())).json()["url"]
    first, sha256 = attachments.split("/")[3], url[-64:]
    second = f"/api/documents/{(await client.post('/api/documents')).json()['id']}"
    copied = f"{second}/attachments/{sha256}"
    for _ in range(2):
        assert (await client.put(copied, json={"document_id": first})).status_code == 204
    await client.post(f"/api/documents/{first}/trash")
    assert (await client.delete(f"/api/documents/{first}")).status_code == 204
    served = await client.get(copied)
    assert (served.content, served.headers["content-type"]) == (picture(), "image/png")


async def test_a_picture_is_copied_only_from_where_it_is_and_where_one_may_read(
    client: httpx.AsyncClient, attachments: str
) -> None:
    mallory, alice = {"X-Name": "mallory"}, {"X-Name": "alice"}
    mine = (await client.post("/api/documents", headers=mallory)).json()["id"]
    hers = (await client.post("/api/documents", headers=alice)).json()["id"]
    await client.put(f"/api/documents/{hers}/link", json={"role": None}, headers=alice)
    sent = await client.post(f"/api/documents/{hers}/attachments", content=picture(), headers=alice)
    sha256 = sent.json()["sha256"]
    here = f"/api/documents/{mine}/attachments/{sha256}"

    for source in (hers, "no-such-document-at-all", "short"):
        refused = await client.put(here, json={"document_id": source}, headers=mallory)
        assert error_of(refused) == (404, "not_found")
    assert error_of(await client.put(here, json={"document_id": mine}, headers=mallory)) == (404, "not_found")
    assert error_of(await client.put(here[:-1], json={"document_id": mine}, headers=mallory)) == (404, "not_found")
    stranger = await client.put(f"/api/documents/{hers}/attachments/{sha256}", json={"document_id": mine})
    assert error_of(stranger) == (404, "not_found")
    await client.post(f"/api/documents/{mine}/trash", headers=mallory)
    trashed = await client.put(here, json={"document_id": mine}, headers=mallory)
    assert error_of(trashed) == (409, "forbidden")


async def test_copied_pictures_count_where_they_are_copied_to(sandbox: Sandbox) -> None:
    small, other = picture(), picture(size=(41, 30))
    limits = UploadLimits(upload_bytes=100_000, uploads=1, document_bytes=len(small) + len(other) - 1)
    async with Site(sandbox=sandbox, uploads=limits).client() as client:
        first, second = [(await client.post("/api/documents")).json()["id"] for _ in range(2)]
        sha256 = (await client.post(f"/api/documents/{first}/attachments", content=small)).json()["sha256"]
        await client.post(f"/api/documents/{second}/attachments", content=other)
        full = await client.put(f"/api/documents/{second}/attachments/{sha256}", json={"document_id": first})
        assert error_of(full) == (413, "document_full")
        assert (await client.get(f"/api/documents/{second}/attachments/{sha256}")).status_code == 404


async def test_uploads_at_once_are_bounded(client: httpx.AsyncClient, attachments: str) -> None:
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def slow() -> AsyncIterator[bytes]:
        begun.set()
        await go_on.wait()
        yield picture()

    async with asyncio.TaskGroup() as tasks:
        first = tasks.create_task(client.post(attachments, content=slow()))
        await begun.wait()
        second = await client.post(attachments, content=picture())
        assert error_of(second) == (429, "too_many")
        assert second.headers["retry-after"]
        go_on.set()
    assert first.result().status_code == 201
    assert (await client.post(attachments, content=picture())).status_code == 201


async def test_one_person_s_slow_uploads_hold_up_nobody_else(site: Site) -> None:
    """They wait for each other, unread; others have turns of their own."""
    site.uploads = UploadLimits(upload_bytes=100_000, uploads=4, document_bytes=200_000)
    begun: list[int] = []
    go_on = asyncio.Event()

    async def slow(number: int) -> AsyncIterator[bytes]:
        begun.append(number)
        await go_on.wait()
        yield picture()

    async with site.client() as client, asyncio.TaskGroup() as tasks:
        attachments = f"/api/documents/{(await client.post('/api/documents')).json()['id']}/attachments"
        mallory, alice = {"X-Name": "mallory"}, {"X-Name": "alice"}
        slow_ones = [
            tasks.create_task(client.post(attachments, content=slow(number), headers=mallory)) for number in range(4)
        ]
        await until(lambda: len(begun) == 2)
        assert error_of(await client.post(attachments, content=picture(), headers=mallory)) == (429, "too_many")
        assert (await client.post(attachments, content=picture(), headers=alice)).status_code == 201
        assert len(begun) == 2
        go_on.set()
    assert [answer.result().status_code for answer in slow_ones] == [201] * 4


async def test_bodies_are_paid_for_from_their_sender_s_share_until_they_are_stored(site: Site) -> None:
    site.budget = Budget(1_000_000, 10_000, lambda: 0.0)
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def slow() -> AsyncIterator[bytes]:
        yield b"x" * 9_000
        begun.set()
        await go_on.wait()

    async with site.client() as client, asyncio.TaskGroup() as tasks:
        attachments = f"/api/documents/{(await client.post('/api/documents')).json()['id']}/attachments"
        tasks.create_task(client.post(attachments, content=slow()))
        await begun.wait()
        await until(lambda: site.budget is not None and site.budget.held == 9_000)
        assert error_of(await client.post(attachments, content=b"x" * 2_000)) == (429, "too_many")
        title = "x" * 100
        assert (await client.post("/api/documents", json={"title": title})).status_code == 201
        go_on.set()
    assert site.budget.held == 0


async def test_a_body_gives_way_to_whoever_holds_less(site: Site) -> None:
    site.budget = Budget(10_000, 10_000, lambda: 0.0)
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def slow() -> AsyncIterator[bytes]:
        yield b"x" * 9_990
        begun.set()
        await go_on.wait()

    async with site.client() as client, asyncio.TaskGroup() as tasks:
        attachments = f"/api/documents/{(await client.post('/api/documents')).json()['id']}/attachments"
        greedy = tasks.create_task(client.post(attachments, content=slow(), headers={"X-Name": "mallory"}))
        await begun.wait()
        await until(lambda: site.budget is not None and site.budget.held == 9_990)
        assert (await client.post("/api/documents", json={"title": "mine"})).status_code == 201
    assert error_of(greedy.result()) == (503, "unavailable")

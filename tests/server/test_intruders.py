"""Somebody tries to get at Ann's document with what is not theirs: refused by name, and the document is as it was for everybody."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

import httpx
import pytest
from msgspec.structs import replace
from websockets.exceptions import InvalidStatus

from crdt.ids import DocumentId
from server.config.people import PeopleSettings
from tests.harness.person import Person, person
from tests.harness.raw_socket import raw_socket
from tests.harness.tokens import NOW, SECRET, token
from tests.harness.whole_server import WholeServer, whole_server

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("both_ways")]

TOKENS = PeopleSettings(auth="jwt", jwt_secret=SECRET, secret_key="k" * 40)
TRANSPORTS = ["websocket", "polling"]
EVENTS: tuple[tuple[Any, ...], ...] = (
    ("update", b"\x02\x00\x00"),
    ("upload", {"offset": 0, "total": 3}, b"\x02\x00\x00"),
    ("presence", {"state": {"at": 1}}),
    ("fetch", {"index": 0}),
)
REQUESTS: tuple[tuple[str, str, Any], ...] = (
    ("GET", "", None),
    ("PATCH", "", {"title": "Eve's"}),
    ("DELETE", "", None),
    ("POST", "/trash", {}),
    ("GET", "/people", None),
    ("POST", "/people", {"user_id": "eve", "role": "editor"}),
    ("PUT", "/people/eve", {"role": "owner"}),
    ("PUT", "/link", {"role": "editor"}),
    ("GET", "/audit", None),
    ("POST", "/attachments", None),
)


def bearer(text: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {text}"}


class House:
    """Ann's document, with her in it, and another one that is Eve's."""

    def __init__(self, server: WholeServer, http: httpx.AsyncClient, exits: AsyncExitStack) -> None:
        self.server = server
        self.http = http
        self._exits = exits
        self.document_id = self.eves = ""

    async def furnish(self) -> None:
        self.document_id = await self._new_document(token())
        self.eves = await self._new_document(token(sub="eve"))
        self.ann = await self.comes(token())
        await self.ann.join(self.document_id)
        assert await self.ann.ask("update", self.document_id, self.ann.types("Ann's words. ")) == {"seq": 1}
        await self.ann.ask("presence", self.document_id, {"state": {"at": 5}})
        self._before = await self._all()

    async def comes(self, shown: str, transport: str = "websocket") -> Person:
        return await self._exits.enter_async_context(person(self.server, transport, token=shown))

    async def is_untouched(self) -> None:
        """Whoever was there has heard of no change, whoever comes sees none, and none was written."""
        assert await self._all() == self._before
        late = await self.comes(token())
        answer = await late.join(self.document_id)
        assert str(late.text) == str(self.ann.text) == "Ann's words. "
        assert [(each["user"]["name"], each["state"]) for each in answer["presence"]] == [("Ann", {"at": 5})]
        heard = [self.ann.heard.get_nowait()[0] for _ in range(self.ann.heard.qsize())]
        assert "update" not in heard

    async def link_of(self, document_id: str, owner: str, **wish: Any) -> str:
        """The token of the link that opens a document, made as wished."""
        path = f"/api/documents/{document_id}/link"
        made = await self.http.put(path, json={"role": "editor", **wish}, headers=bearer(token(sub=owner)))
        return str(made.json()["url"].partition("#link=")[2])

    async def refuses_requests(self, shown: str, status: int, code: str, document_id: str | None = None) -> None:
        """Whatever is asked of the document over HTTP."""
        for method, path, body in REQUESTS:
            address = f"/api/documents/{document_id or self.document_id}{path}"
            answer = await self.http.request(method, address, json=body, headers=bearer(shown))
            assert (answer.status_code, answer.json()["error"]["code"]) == (status, code), (method, path)

    async def _new_document(self, owner: str) -> str:
        return str((await self.http.post("/api/documents", json={}, headers=bearer(owner))).json()["id"])

    async def _all(self) -> object:
        document_id = DocumentId(self.document_id)
        store = self.server.store
        people = await store.sharing.people(document_id)
        entry = await store.catalogue.get(document_id)
        assert entry is not None
        # The first lines are noted some time after the row that wrote them.
        return replace(entry, excerpt_seq=0), await store.log.load(document_id), people


@pytest.fixture
async def house() -> AsyncIterator[House]:
    async with whole_server(TOKENS) as server, server.browser() as http, AsyncExitStack() as exits:
        house = House(server, http, exits)
        await house.furnish()
        yield house


async def join(somebody: Person, document_id: str, link: str | None = None) -> str:
    """The refusal."""
    options = {"state_vector": b"\0", "client_id": 7} | ({} if link is None else {"link": link})
    return str((await somebody.ask("join", document_id, options))["error"]["code"])


async def stays_outside(house: House, eve: Person, link: str | None = None) -> None:
    assert await join(eve, house.document_id, link) == "not_found"
    for event, *arguments in EVENTS:
        assert (await eve.ask(event, house.document_id, *arguments))["error"]["code"] == "not_joined", event
    await house.is_untouched()


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_a_token_for_another_document_opens_that_one_alone(house: House, transport: str) -> None:
    for_another = token(sub="eve", documents={house.eves: "owner"})
    eve = await house.comes(for_another, transport)
    assert (await eve.join(house.eves))["role"] == "owner"
    await house.refuses_requests(for_another, 404, "not_found")
    await stays_outside(house, eve)


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_a_link_opens_its_own_document_as_long_as_it_is_not_made_anew(house: House, transport: str) -> None:
    eve = await house.comes(token(sub="eve"), transport)
    first = await house.link_of(house.document_id, "ann", address_alone=False)
    second = await house.link_of(house.document_id, "ann", renew=True)
    await house.http.put(f"/api/documents/{house.document_id}/link", json={"role": None}, headers=bearer(token()))
    closed = second  # nobody comes by a link that opens nothing
    of_another = await house.link_of(house.eves, "eve", address_alone=False)
    assert first != second != of_another
    for link in (of_another, first, closed, house.document_id, ""):
        assert await join(eve, house.document_id, link) == "not_found"
    await stays_outside(house, eve)


async def test_a_token_that_has_run_out_is_worth_nothing_wherever_it_is_shown(house: House) -> None:
    stolen = token(exp=NOW + 60)
    assert (await house.http.get("/api/me", headers=bearer(stolen))).is_success
    house.server.clock.seconds += 61
    await house.refuses_requests(stolen, 401, "unauthenticated")
    async with raw_socket(house.server.port) as eve:
        await eve.send('40{"token":"' + stolen + '"}')
        refusal = str(await eve.receive())
        assert refusal.startswith("44")
        assert '"unauthenticated"' in refusal
        assert "expired" in refusal
    await house.is_untouched()


async def test_a_token_that_was_changed_is_worth_nothing(house: House) -> None:
    head, _, signature = token(sub="eve").split(".")
    body = token(sub="eve", documents={"*": "owner"}).split(".")[1]
    unsigned = token(algorithm="none", secret="")
    for forged in (f"{head}.{body}.{signature}", f"{head}.{body}.", unsigned, token(secret="x" * 40)):
        await house.refuses_requests(forged, 401, "unauthenticated")
        async with raw_socket(house.server.port) as eve:
            await eve.send('40{"token":"' + forged + '"}')
            assert '"unauthenticated"' in str(await eve.receive())
    await house.is_untouched()


@pytest.mark.parametrize("role", ["viewer", "commenter"])
@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_nobody_writes_by_saying_again_what_a_writer_has_said(house: House, role: str, transport: str) -> None:
    """Neither as it was, nor with something behind it, nor after it was taken for the writer's."""
    eve = await house.comes(token(sub="eve", documents={house.document_id: role}), transport)
    assert (await eve.join(house.document_id))["role"] == role
    loaded = await house.server.store.log.load(DocumentId(house.document_id))
    assert loaded is not None
    said = loaded.rows[0].batch
    for batch in (said, said + said, eve.types("Eve's words.")):
        for event, *arguments in (("update", batch), ("upload", {"offset": 0, "total": len(batch)}, batch)):
            answer = await eve.ask(event, house.document_id, *arguments)
            if role == "viewer":
                assert answer["error"]["code"] == "forbidden"
            elif batch in (said, said + said):
                assert answer == {"seq": 1}  # it brings nothing new, as when a suggestion is sent again
            else:
                assert answer["error"]["code"] == "not_a_suggestion"
    await eve.ask("leave", house.document_id)
    await house.is_untouched()


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_nobody_shows_a_cursor_in_another_s_name(house: House, transport: str) -> None:
    eve = await house.comes(token(sub="eve", name="Eve", documents={house.document_id: "viewer"}), transport)
    ann = (await eve.join(house.document_id))["presence"][0]
    forged = {"user": ann["user"], "presence_id": ann["presence_id"], "client_id": ann["client_id"], "state": {"at": 9}}
    assert await eve.ask("presence", house.document_id, forged) == {}
    while (change := (await house.ann.hears("presence"))[1][-1])["state"] != {"at": 9}:
        pass  # what Ann said herself
    assert (change["user"]["id"], change["user"]["name"]) == ("eve", "Eve")
    assert change["presence_id"] != ann["presence_id"]
    assert await eve.ask("presence", house.document_id, {**forged, "state": None}) == {}
    await eve.ask("leave", house.document_id)
    await house.is_untouched()


async def test_ids_and_paths_are_guessed_in_vain(house: House) -> None:
    eve, real = await house.comes(token(sub="eve")), house.document_id
    for guess in (real, real[:-1], real + "A", real.swapcase(), real[:8], "default", "a" * 64):
        if guess == "default":
            assert await join(eve, guess) == "malformed"
        else:
            assert await join(eve, guess) == "not_found"
        await house.refuses_requests(token(sub="eve"), 404, "not_found", guess)
    mine = f"/api/documents/{house.eves}"
    for path in (f"{mine}/../{real}", f"{mine}%2F..%2F{real}", f"{mine}/people/..%2F..%2F{real}", f"{mine};/{real}"):
        answer = await house.http.get(path, headers=bearer(token(sub="eve")))
        assert answer.status_code in (404, 405), path
        assert "Ann" not in answer.text
    await house.is_untouched()


async def test_another_site_s_page_does_nothing_with_ann_s_cookie(house: House) -> None:
    begun = await house.http.post("/api/session", json={"token": token()})
    cookie = {"Cookie": begun.headers["set-cookie"].partition(";")[0], "Origin": "https://evil.example"}
    with pytest.raises(InvalidStatus):
        async with raw_socket(house.server.port, additional_headers=cookie):
            pass
    poll = await house.http.get("/socket.io/?EIO=4&transport=polling", headers=cookie)
    assert poll.status_code == 403
    for method, path, body in REQUESTS:
        if method != "GET":
            address = f"/api/documents/{house.document_id}{path}"
            answer = await house.http.request(method, address, json=body, headers=cookie)
            assert (answer.status_code, answer.json()["error"]["code"]) == (403, "wrong_origin")
    await house.is_untouched()

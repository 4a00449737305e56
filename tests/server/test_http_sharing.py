"""Sharing over REST, as server/PROTOCOL.md draws it: people, the link, who owns what, and the record of all that."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from crdt.ids import DocumentId
from crdt.permissions import Role
from crdt.protocol.messages import User
from server.store.sharing_base import KnownUser, Link
from tests.server.http_site import Site, error_of

Answer = dict[str, Any]


@pytest.fixture
def site() -> Site:
    return Site()


@pytest.fixture
async def client(site: Site) -> AsyncIterator[httpx.AsyncClient]:
    async with site.client() as client:
        yield client


class Somebody:
    """Who asks, by name."""

    def __init__(self, client: httpx.AsyncClient, name: str | None) -> None:
        self._client = client
        self._headers = {} if name is None else {"x-name": name}

    async def asks(self, method: str, path: str = "", json: Any = None) -> httpx.Response:
        return await self._client.request(method, f"/api/documents{path}", json=json, headers=self._headers)

    async def gets(self, method: str, path: str = "", json: Any = None) -> Any:
        response = await self.asks(method, path, json)
        assert response.is_success, response.text
        return response.json() if response.content else None

    async def asks_for_access(self, document_id: str) -> httpx.Response:
        body = {"document_id": document_id}
        return await self._client.post("/api/access-requests", json=body, headers=self._headers)

    async def makes(self, title: str = "Story") -> str:
        return str((await self.gets("POST", json={"title": title}))["id"])

    async def lists(self, query: str = "") -> list[str]:
        return [each["title"] for each in (await self.gets("GET", query))["documents"]]


@pytest.fixture
def anna(client: httpx.AsyncClient) -> Somebody:
    return Somebody(client, "anna")


@pytest.fixture
def bert(client: httpx.AsyncClient) -> Somebody:
    return Somebody(client, "bert")


async def shown(somebody: Somebody, document_id: str) -> list[tuple[str, str, str]]:
    people = (await somebody.gets("GET", f"/{document_id}/people"))["people"]
    return [(person["user"]["id"], person["role"], person["via"]) for person in people]


async def test_who_makes_a_document_owns_it(anna: Somebody, bert: Somebody) -> None:
    made = await anna.gets("POST", json={"title": "Mine"})
    assert (made["role"], made["owner"]) == ("owner", {"id": "anna", "name": "Anna", "color": "#112233"})
    seen = await bert.gets("GET", f"/{made['id']}")
    assert (seen["role"], seen["owner"]["id"]) == ("editor", "anna")
    assert await shown(anna, made["id"]) == [("anna", "owner", "grant"), ("bert", "editor", "link")]


async def test_a_program_without_a_cookie_makes_documents_that_belong_to_everybody(client: httpx.AsyncClient) -> None:
    program, another = Somebody(client, None), Somebody(client, None)
    document_id = await program.makes()
    assert (await another.gets("GET", f"/{document_id}"))["role"] == "owner"
    assert await another.lists() == ["Story"]
    await another.gets("POST", f"/{document_id}/trash")
    await another.gets("DELETE", f"/{document_id}")


async def test_a_stranger_cannot_take_what_nobody_owns_and_whoever_shares_it_first_can(
    client: httpx.AsyncClient, anna: Somebody, bert: Somebody
) -> None:
    stranger = Somebody(client, None)
    document_id = await stranger.makes()
    assert error_of(await stranger.asks("PUT", f"/{document_id}/link", {"role": None})) == (409, "forbidden")
    await bert.gets("GET", f"/{document_id}")
    await anna.gets("PUT", f"/{document_id}/link", {"role": None})
    assert await shown(anna, document_id) == [("anna", "owner", "grant")]
    assert error_of(await bert.asks("GET", f"/{document_id}")) == (404, "not_found")


async def test_a_list_is_ones_own(anna: Somebody, bert: Somebody) -> None:
    own, given, hidden = [await anna.makes(title) for title in ("Own", "Given", "Hidden")]
    await bert.makes("Bert's")
    for document_id in (own, given, hidden):
        await anna.gets("PUT", f"/{document_id}/link", {"role": None})
    await anna.gets("POST", f"/{given}/people", {"user_id": "bert", "role": "commenter"})
    assert await bert.lists() == ["Bert's", "Given"]
    assert await bert.lists("?shared=true") == ["Given"]
    assert await bert.lists("?shared=false") == ["Bert's"]
    assert await anna.lists() == ["Hidden", "Given", "Own"]
    listed = (await bert.gets("GET", "?shared=true"))["documents"][0]
    assert (listed["role"], listed["owner"]["name"]) == ("commenter", "Anna")
    assert error_of(await bert.asks("GET", "?shared=maybe")) == (400, "malformed")


async def test_somebody_who_is_known_is_invited_by_their_address(site: Site, anna: Somebody, bert: Somebody) -> None:
    document_id = await anna.makes()
    await site.store.users.remember(KnownUser(User("bert", "Bert", "#112233"), "oidc", "bert@example.com"))
    made = await anna.gets("POST", f"/{document_id}/people", {"email": "Bert@Example.com", "role": "viewer"})
    assert made == {"user_id": "bert", "role": "viewer"}
    await anna.gets("PUT", f"/{document_id}/link", {"role": None})
    assert (await bert.gets("GET", f"/{document_id}"))["role"] == "viewer"


async def test_somebody_who_is_not_known_yet_is_shown_by_their_address(anna: Somebody) -> None:
    document_id = await anna.makes()
    await anna.gets("POST", f"/{document_id}/people", {"email": "Carl@Example.com", "role": "viewer"})
    person = (await anna.gets("GET", f"/{document_id}/people"))["people"][1]
    assert person == {
        "user": {"id": "email:carl@example.com", "name": "carl@example.com", "color": "#5f6368"},
        "email": "carl@example.com",
        "role": "viewer",
        "via": "grant",
    }
    await anna.gets("PUT", f"/{document_id}/people/email%3Acarl%40example.com", {"role": "editor"})
    assert await shown(anna, document_id) == [
        ("anna", "owner", "grant"),
        ("email:carl@example.com", "editor", "grant"),
    ]
    assert error_of(await anna.asks("PUT", f"/{document_id}/people/email%3Acarl%40example.com", {"role": "owner"})) == (
        409,
        "forbidden",
    )
    await anna.gets("DELETE", f"/{document_id}/people/email%3Acarl%40example.com")
    assert await shown(anna, document_id) == [("anna", "owner", "grant")]


async def test_ids_of_other_programs_may_hold_anything_printable(anna: Somebody) -> None:
    document_id = await anna.makes()
    await anna.gets("POST", f"/{document_id}/people", {"user_id": "auth0|a/b c", "role": "viewer"})
    await anna.gets("PUT", f"/{document_id}/people/auth0%7Ca%2Fb%20c", {"role": "editor"})
    assert await shown(anna, document_id) == [("anna", "owner", "grant"), ("auth0|a/b c", "editor", "grant")]


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("POST people", {"user_id": "x"}),
        ("POST people", {"role": "viewer"}),
        ("POST people", {"user_id": "x", "email": "x@example.com", "role": "viewer"}),
        ("POST people", {"user_id": "x", "role": "owner"}),
        ("POST people", {"user_id": "x", "role": "king"}),
        ("POST people", {"user_id": "", "role": "viewer"}),
        ("POST people", {"user_id": "a\nb", "role": "viewer"}),
        ("POST people", {"user_id": "x" * 300, "role": "viewer"}),
        ("POST people", {"email": "nobody", "role": "viewer"}),
        ("POST people", {"email": "a b@example.com", "role": "viewer"}),
        ("POST people", {"email": "a@" + "x" * 300 + ".com", "role": "viewer"}),
        ("PUT people/bert", {"role": ["viewer"]}),
        ("PUT people/bert", {}),
        ("PUT link", {}),
        ("PUT link", {"role": "owner"}),
        ("PUT link", {"role": "viewer", "renew": "yes"}),
        ("PUT link", {"role": "viewer", "address_alone": 1}),
    ],
)
async def test_what_has_not_its_form_is_refused_and_changes_nothing(anna: Somebody, path: str, body: Answer) -> None:
    document_id = await anna.makes()
    method, _, where = path.partition(" ")
    before = await anna.gets("GET", f"/{document_id}/people")
    assert error_of(await anna.asks(method, f"/{document_id}/{where}", body)) == (400, "malformed")
    assert await anna.gets("GET", f"/{document_id}/people") == before


async def test_ownership_is_passed_on_by_the_owner_alone(anna: Somebody, bert: Somebody) -> None:
    document_id = await anna.makes()
    await bert.gets("GET", f"/{document_id}")
    assert error_of(await bert.asks("PUT", f"/{document_id}/people/bert", {"role": "owner"})) == (403, "forbidden")
    await anna.gets("PUT", f"/{document_id}/people/bert", {"role": "owner"})
    assert await shown(bert, document_id) == [("bert", "owner", "grant"), ("anna", "editor", "grant")]
    assert (await anna.gets("GET", f"/{document_id}"))["owner"]["name"] == "Bert"


async def test_an_owner_cannot_be_lost(anna: Somebody) -> None:
    document_id = await anna.makes()
    assert error_of(await anna.asks("DELETE", f"/{document_id}/people/anna")) == (409, "forbidden")
    assert error_of(await anna.asks("PUT", f"/{document_id}/people/anna", {"role": "viewer"})) == (409, "forbidden")
    await anna.gets("PUT", f"/{document_id}/people/anna", {"role": "owner"})
    assert await shown(anna, document_id) == [("anna", "owner", "grant")]


async def test_everybody_may_leave_and_nobody_else_may_be_removed(anna: Somebody, bert: Somebody) -> None:
    document_id = await anna.makes()
    await anna.gets("PUT", f"/{document_id}/link", {"role": None})
    for name in ("bert", "carl"):
        await anna.gets("POST", f"/{document_id}/people", {"user_id": name, "role": "viewer"})
    assert error_of(await bert.asks("DELETE", f"/{document_id}/people/carl")) == (403, "forbidden")
    await bert.gets("DELETE", f"/{document_id}/people/bert")
    assert error_of(await bert.asks("GET", f"/{document_id}")) == (404, "not_found")
    assert error_of(await anna.asks("DELETE", f"/{document_id}/people/bert")) == (404, "not_found")


async def test_a_document_is_given_to_so_many_people_and_their_roles_still_change() -> None:
    site = Site(most_people=3)
    async with site.client() as client:
        anna = Somebody(client, "anna")
        document_id = await anna.makes()
        for name in ("bert", "carl"):
            await anna.gets("POST", f"/{document_id}/people", {"user_id": name, "role": "viewer"})
        dora = {"user_id": "dora", "role": "viewer"}
        assert error_of(await anna.asks("POST", f"/{document_id}/people", dora)) == (429, "too_many")
        await anna.gets("PUT", f"/{document_id}/people/bert", {"role": "editor"})
        await anna.gets("DELETE", f"/{document_id}/people/carl")
        await anna.gets("POST", f"/{document_id}/people", dora)
        assert [each[:2] for each in await shown(anna, document_id)] == [
            ("anna", "owner"),
            ("bert", "editor"),
            ("dora", "viewer"),
        ]


async def test_a_link_is_shown_to_owners_and_is_the_same_each_time(anna: Somebody, bert: Somebody) -> None:
    document_id = await anna.makes()
    await anna.gets("PUT", f"/{document_id}/link", {"role": "editor", "address_alone": False})
    await anna.gets("POST", f"/{document_id}/people", {"user_id": "bert", "role": "editor"})
    links = [(await somebody.gets("GET", f"/{document_id}/people"))["link"] for somebody in (anna, anna, bert)]
    assert links[0] == links[1]
    assert links[0]["url"].startswith(f"/d/{document_id}#link=")
    assert len(links[0]["url"].partition("=")[2]) == 22
    assert links[2] == {**links[0], "url": None}


async def test_a_link_made_anew_is_another_one(anna: Somebody) -> None:
    document_id = await anna.makes()
    first = await anna.gets("PUT", f"/{document_id}/link", {"role": "viewer", "address_alone": False})
    second = await anna.gets("PUT", f"/{document_id}/link", {"role": "viewer", "renew": True})
    assert first["url"] != second["url"]
    closed = await anna.gets("PUT", f"/{document_id}/link", {"role": None})
    assert closed == {"role": None, "address_alone": False, "url": f"/d/{document_id}", "reopens": True}
    assert await anna.gets("PUT", f"/{document_id}/link", {"role": "viewer"}) == second


async def test_the_address_stays_the_link_while_only_its_role_changes(anna: Somebody) -> None:
    document_id = await anna.makes()
    address = f"/d/{document_id}"
    viewing = await anna.gets("PUT", f"/{document_id}/link", {"role": "viewer"})
    assert viewing == {"role": "viewer", "address_alone": True, "url": address, "reopens": False}
    closed = await anna.gets("PUT", f"/{document_id}/link", {"role": None})
    assert closed["reopens"] is False
    # Who knew the address was shut out for a reason: it does not open the document again by itself.
    opened = await anna.gets("PUT", f"/{document_id}/link", {"role": "viewer"})
    assert (opened["address_alone"], opened["url"] != address) == (False, True)
    again = await anna.gets("PUT", f"/{document_id}/link", {"role": "viewer", "address_alone": True})
    assert again == viewing


async def test_a_link_from_another_secret_works_but_cannot_be_shown(site: Site, anna: Somebody) -> None:
    document_id = await anna.makes()
    await site.store.sharing.set_link(DocumentId(document_id), Link(Role.VIEWER, b"x" * 32))
    link = (await anna.gets("GET", f"/{document_id}/people"))["link"]
    assert link == {"role": "viewer", "address_alone": False, "url": None, "reopens": False}


async def test_the_record_tells_who_did_what_and_outlives_the_document(site: Site, anna: Somebody) -> None:
    document_id = await anna.makes()
    await anna.gets("POST", f"/{document_id}/people", {"user_id": "bert", "role": "viewer"})
    await anna.gets("PUT", f"/{document_id}/people/bert", {"role": "editor"})
    await anna.gets("DELETE", f"/{document_id}/people/bert")
    await anna.gets("PUT", f"/{document_id}/link", {"role": "viewer", "renew": True})
    await anna.gets("POST", f"/{document_id}/trash")
    await anna.gets("POST", f"/{document_id}/restore")
    deeds = (await anna.gets("GET", f"/{document_id}/audit"))["audit"]
    assert [(deed["actor_id"], deed["action"], deed["details"]) for deed in reversed(deeds)] == [
        ("anna", "create", {}),
        ("anna", "grant", {"user_id": "bert", "role": "viewer"}),
        ("anna", "grant", {"user_id": "bert", "role": "editor"}),
        ("anna", "revoke", {"user_id": "bert"}),
        ("anna", "link", {"role": "viewer", "renewed": "yes"}),
        ("anna", "trash", {}),
        ("anna", "restore", {}),
    ]
    assert deeds[0]["at"] > deeds[1]["at"]
    first = await anna.gets("GET", f"/{document_id}/audit?limit=4")
    last = await anna.gets("GET", f"/{document_id}/audit?limit=4&cursor={first['cursor']}")
    assert (first["audit"], last["audit"], last["cursor"]) == (deeds[:4], deeds[4:], None)
    assert error_of(await anna.asks("GET", f"/{document_id}/audit?cursor=x")) == (400, "malformed")
    await anna.gets("POST", f"/{document_id}/trash")
    await anna.gets("DELETE", f"/{document_id}")
    assert (await site.store.deeds.list(DocumentId(document_id)))[0].kind == "delete"
    assert error_of(await anna.asks("GET", f"/{document_id}/audit")) == (404, "not_found")


async def test_no_token_and_no_secret_is_in_the_record_or_the_database(site: Site, anna: Somebody) -> None:
    document_id = await anna.makes()
    link = await anna.gets("PUT", f"/{document_id}/link", {"role": "editor", "renew": True})
    token = link["url"].partition("=")[2]
    standing = (await site.store.sharing.access([DocumentId(document_id)], ["anna"]))[DocumentId(document_id)]
    assert token not in str(await site.store.deeds.list(DocumentId(document_id)))
    assert token not in str(standing)


async def test_who_asks_for_access_waits_for_the_owner_and_comes_in(anna: Somebody, bert: Somebody) -> None:
    document_id = await anna.makes()
    await anna.gets("PUT", f"/{document_id}/link", {"role": None})
    for _ in range(2):
        assert (await bert.asks_for_access(document_id)).status_code == 204
    listed = await anna.gets("GET", "")
    assert [each["requests"] for each in listed["documents"] if each["id"] == document_id] == [1]
    (request,) = (await anna.gets("GET", f"/{document_id}/requests"))["requests"]
    assert (request["user"]["id"], request["user"]["name"]) == ("bert", "Bert")
    await anna.gets("POST", f"/{document_id}/people", {"user_id": "bert", "role": "editor"})
    assert (await anna.gets("GET", f"/{document_id}/requests"))["requests"] == []
    theirs = await bert.gets("GET", f"/{document_id}")
    assert (theirs["role"], theirs["requests"]) == ("editor", 0)
    assert (await bert.asks_for_access(document_id)).status_code == 204
    assert (await anna.gets("GET", f"/{document_id}/requests"))["requests"] == []


async def test_who_was_refused_asks_nobody_any_more_and_is_not_told(anna: Somebody, bert: Somebody) -> None:
    document_id = await anna.makes()
    await anna.gets("PUT", f"/{document_id}/link", {"role": None})
    await bert.asks_for_access(document_id)
    await anna.gets("DELETE", f"/{document_id}/requests/bert")
    assert (await bert.asks_for_access(document_id)).status_code == 204
    assert (await anna.gets("GET", f"/{document_id}/requests"))["requests"] == []
    again = await anna.asks("DELETE", f"/{document_id}/requests/bert")
    assert error_of(again) == (404, "not_found")


async def test_asking_tells_nobody_whether_there_is_such_a_document(bert: Somebody) -> None:
    assert (await bert.asks_for_access("there-is-no-such-document")).status_code == 204
    assert error_of(await bert.asks_for_access("x")) == (400, "malformed")

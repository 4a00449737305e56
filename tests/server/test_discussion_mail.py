"""Mail about what stays unread, to a real mail server on this machine."""

import asyncio
import re
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any, cast

import httpx
import pytest
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from msgspec.structs import replace
from starlette.applications import Starlette

from crdt.ids import DocumentId
from crdt.permissions import Role
from crdt.protocol.messages import User
from server.auth.cookies import SecretKey
from server.config.loading import SettingsError, load
from server.features.discussion import mail as mails
from server.features.discussion.mail import AT_MOST, WAIT, Mailer, Post
from server.features.discussion.mail_words import words_in
from server.features.discussion.unsubscribing import LASTING, Unsubscribing
from server.people.access import Access
from server.store.inbox_base import Place, Reason
from server.store.sharing_base import KnownUser, Link
from server.store.sql import SqlStore
from server.store.sqlite import sqlite_url
from server.store.threads_base import Delete
from tests.contracts.storages import NOON
from tests.contracts.test_threads_contract import ANN, CARL, act, begin, made, reply, uid
from tests.harness.certificates import Authority
from tests.harness.live_server import until

PUBLIC = "https://docs.example.com"


class PostOffice:
    """A mail server that keeps what it gets, and refuses when told to."""

    def __init__(self) -> None:
        self.mail: list[EmailMessage] = []
        self.says = "250 Message accepted for delivery"
        self.says_of: dict[str, str] = {}
        """Answers to single recipients."""
        self.hangs_up_behind = 10**6
        """How many messages are taken before the connection is cut."""
        self.port = 0

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        if address in self.says_of:
            return self.says_of[address]
        envelope.rcpt_tos.append(address)
        return "250 Ok"

    async def handle_DATA(self, server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's name
        if self.says.startswith("250"):
            message = message_from_bytes(cast(bytes, envelope.content), policy=policy.default)
            assert isinstance(message, EmailMessage)
            assert envelope.rcpt_tos == [message["To"]]
            self.mail.append(message)
        if len(self.mail) >= self.hangs_up_behind:
            assert isinstance(server.transport, asyncio.Transport)
            server.transport.abort()
        return self.says

    def subjects(self) -> list[str]:
        return [f"{message['To']}: {message['Subject']}" for message in self.mail]


@asynccontextmanager
async def opened(office: PostOffice, **options: Any) -> AsyncIterator[None]:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: SMTP(office, hostname="office", loop=loop, **options), "127.0.0.1", 0)
    async with server:
        office.port = server.sockets[0].getsockname()[1]
        yield


class Clock:
    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        self.now += timedelta(microseconds=1)
        return self.now


class Desk:
    """A database with people who have addresses, and nodes that send mail about it."""

    def __init__(self, store: SqlStore, clock: Clock, office: PostOffice) -> None:
        self.store, self.clock, self.office = store, clock, office

    def node(self) -> Mailer:
        post = Post(f"smtp://127.0.0.1:{self.office.port}", "Manyhands <docs@example.com>", PUBLIC)
        return Mailer(self.store, Access(self.store, guests=True), post, self.unsubscribing)

    @property
    def unsubscribing(self) -> Unsubscribing:
        return Unsubscribing(self.store.inboxes, SecretKey("a secret"), PUBLIC, lambda: self.clock.now.timestamp())

    async def looks(self, later: timedelta = timedelta()) -> list[str]:
        """Have a node look, and return what mail has come by it."""
        self.clock.now += later
        self.office.mail.clear()
        await self.node().look()
        return self.office.subjects()


@asynccontextmanager
async def desk_of(tmp_path: Path) -> AsyncIterator[Desk]:
    office, clock = PostOffice(), Clock()
    async with opened(office), SqlStore(sqlite_url(tmp_path), clock=clock) as store:
        await made(store)
        for name in ("bert", "carl"):
            known = KnownUser(User(name, name.title(), "#112233"), "oidc", f"{name}@example.com")
            await store.users.remember(known)
            await store.sharing.grant(DocumentId("a-document"), name, Role.EDITOR, by=name)
        yield Desk(store, clock, office)


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    async with desk_of(tmp_path) as found:
        yield found


async def test_what_is_not_read_for_ten_minutes_comes_in_one_mail(desk: Desk) -> None:
    await act(desk.store, ANN, begin(1, "<b>Look</b>", "bert"))
    assert await desk.looks(WAIT - timedelta(seconds=1)) == []
    await act(desk.store, CARL, reply(101, "It is.", "bert", "ann"))
    assert await desk.looks(timedelta(seconds=1)) == ["bert@example.com: Ann mentioned you: Title (and 1 more)"]
    (message,) = desk.office.mail
    assert (message["From"], message["Auto-Submitted"]) == ("Manyhands <docs@example.com>", "auto-generated")
    plain, rich = [part.get_content().replace("\r\n", "\n") for part in message.iter_parts()]
    link = f"{PUBLIC}/d/a-document#thread={uid(1)}"
    assert f"Ann mentioned you: <b>Look</b>@bert\n{link}\n" in plain
    assert plain.index("Ann mentioned you") < plain.index("Carl mentioned you: It is.@bert@ann")
    assert re.search(f'<a href="{link}"[^>]*>Ann mentioned you</a><br><q[^>]*>&lt;b&gt;Look&lt;/b&gt;@bert</q>', rich)
    assert "Hello Bert,\n\n2 things are new for you:\n" in plain
    assert "<b>" not in rich
    assert await desk.looks(timedelta(hours=1)) == [], "once"


async def test_mail_is_in_the_language_of_who_gets_it(desk: Desk) -> None:
    assert [await desk.store.inboxes.language(each) for each in ("bert", "ann", "nobody")] == ["", None, None]
    for language in ("fr", "de"):
        await desk.store.inboxes.set_language("bert", language)
    await desk.store.inboxes.set_language("carl", "fr")
    assert await desk.store.inboxes.language("bert") == "de"
    await act(desk.store, ANN, begin(1, "Look", "bert", "carl"))
    assert sorted(await desk.looks(WAIT)) == [
        "bert@example.com: Ann hat dich erwähnt: Title",
        "carl@example.com: Ann mentioned you: Title",
    ]
    of_bert = min(desk.office.mail, key=lambda message: str(message["To"]))
    plain, rich = [part.get_content() for part in of_bert.iter_parts()]
    assert (of_bert["Content-Language"], '<html lang="de">' in rich) == ("de", True)
    assert "Hallo Bert," in plain
    assert "Keine solchen Mails mehr" in plain


def test_each_language_says_everything() -> None:
    english, german = words_in("en"), words_in("de")
    assert set(english.says) == set(german.says) == set(Reason)
    for name in english.__struct_fields__:
        pair = [_names(getattr(words, name)) for words in (english, german)]
        assert pair[0] == pair[1], name


def _names(words: object) -> list[str]:
    """What stands in braces, wherever it does."""
    return sorted(re.findall(r"{(\w+)}", repr(words)))


async def test_one_click_in_a_mail_ends_mail_and_a_scanner_s_look_does_not(desk: Desk) -> None:
    await act(desk.store, ANN, begin(1, "Look", "bert"))
    await desk.looks(WAIT)
    (message,) = desk.office.mail
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    link = message["List-Unsubscribe"].strip("<>")
    assert link in message.get_body(("plain",)).get_content()  # type: ignore[union-attr]
    assert link.startswith(f"{PUBLIC}/unsubscribe/")
    app = Starlette(routes=desk.unsubscribing.routes())
    path = link.removeprefix(PUBLIC)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=PUBLIC) as pages:
        page = await pages.get(path)
        assert "Send me no more mail" in page.text
        assert "form-action 'self'" in page.headers["content-security-policy"], "the button can be pressed"
        assert "Schick mir keine Mails mehr" in (await pages.get(path, headers={"Accept-Language": "de"})).text
        assert await desk.store.inboxes.wants_mail("bert") is True
        answer = await pages.post(path, data={"List-Unsubscribe": "One-Click"})
        assert (answer.status_code, "You get no more mail" in answer.text) == (200, True)
        assert await desk.store.inboxes.wants_mail("bert") is False
        for broken in (f"{path}x", path[:-2], "/unsubscribe/bert"):
            assert [(await pages.get(broken)).status_code, (await pages.post(broken)).status_code] == [404, 404]
        desk.clock.now += timedelta(seconds=LASTING + 1)
        assert (await pages.post(path)).status_code == 404


async def test_nothing_is_mailed_that_somebody_has_read_or_may_not_see(desk: Desk) -> None:
    store = desk.store
    await act(store, ANN, begin(1, "Look", "bert", "carl"))
    await store.inboxes.mark_until("bert", 10**6)
    await store.sharing.set_link(DocumentId("a-document"), Link(None))
    await store.sharing.revoke(DocumentId("a-document"), "carl", by="ann")
    assert await desk.looks(WAIT) == []
    await act(store, ANN, begin(2, "Look", "bert"), begin(3, "Look", "bert"), Delete(uid(2)))
    await store.inboxes.set_mail("bert", wanted=False)
    assert await store.inboxes.wants_mail("bert") is False
    assert await desk.looks(WAIT) == []
    await store.inboxes.set_mail("bert", wanted=True)
    assert [await store.inboxes.wants_mail(each) for each in ("bert", "ann", "nobody")] == [True, None, None]
    assert await desk.looks() == ["bert@example.com: Ann mentioned you: Title"]
    await act(store, ANN, begin(4, "Look", "bert"))
    assert await desk.looks(AT_MOST + WAIT) == [], "too old"


async def test_two_nodes_send_one_mail(desk: Desk) -> None:
    await act(desk.store, ANN, begin(1, "Look", "bert", "carl"))
    desk.clock.now += WAIT
    counts = await asyncio.gather(*(desk.node().look() for _ in range(4)))
    assert sum(counts) == 2
    assert sorted(desk.office.subjects()) == [
        f"{each}@example.com: Ann mentioned you: Title" for each in ("bert", "carl")
    ]


async def test_what_cannot_be_sent_now_is_sent_later_and_what_is_refused_for_good_is_not(desk: Desk) -> None:
    await act(desk.store, ANN, begin(1, "Look", "bert", "carl"))
    desk.office.says = "451 Try again"
    assert await desk.looks(WAIT) == []
    port, desk.office.port = desk.office.port, 1
    assert await desk.looks() == []
    desk.office.port, desk.office.says = port, "250 Ok"
    assert len(await desk.looks()) == 2
    await act(desk.store, ANN, begin(2, "Look", "bert"))
    desk.office.says = "554 No"
    assert await desk.looks(WAIT) == []
    desk.office.says = "250 Ok"
    assert await desk.looks() == []
    assert len(await desk.store.inboxes.page("bert", 10, Place())) == 2, "it stays in the inbox"


@pytest.mark.parametrize("answer", ["452 Mailbox full", "550 No such person"])
async def test_a_recipient_who_is_refused_holds_up_nobody_else(desk: Desk, answer: str) -> None:
    await act(desk.store, ANN, begin(1, "Look", "bert", "carl"))
    desk.office.says_of["bert@example.com"] = answer
    assert await desk.looks(WAIT) == ["carl@example.com: Ann mentioned you: Title"]
    desk.office.says_of.clear()
    later = await desk.looks()
    assert later == (["bert@example.com: Ann mentioned you: Title"] if answer.startswith("4") else [])


@pytest.mark.parametrize(
    "address",
    [
        "bert@example.com\r\nBcc: evil@example.com",
        "no address",
        "=?utf-8?q?bert=0D=0ABcc:_evil?=@example.com",
        "bért@example.com",
    ],
)
async def test_an_address_that_is_none_holds_up_nobody_else(desk: Desk, address: str) -> None:
    await desk.store.users.remember(KnownUser(User("bert", "Bert", "#112233"), "oidc", address))
    await act(desk.store, ANN, begin(1, "Look", "bert", "carl"))
    assert "carl@example.com: Ann mentioned you: Title" in await desk.looks(WAIT)
    assert not any("evil" in str(message) for message in desk.office.mail)
    assert await desk.looks() == [], "once"


OF_MAIL = {
    *("from", "to", "subject", "date", "message-id", "auto-submitted", "list-unsubscribe", "list-unsubscribe-post"),
    *("mime-version", "content-type", "content-language"),
}
NAMES = (
    "Ann\r\nBcc: evil@example.com",
    "Änn Ünö 安 🐙",
    "Ann, Bert <evil@example.com>",
    "=?utf-8?q?x=0D=0ABcc:_evil@example.com?=",
    "x" * 300,
)


@pytest.mark.parametrize("name", NAMES)
async def test_names_and_titles_stay_words_in_the_headers(desk: Desk, name: str) -> None:
    for user in ("ann", "bert"):
        await desk.store.users.remember(KnownUser(User(user, name, "#112233"), "oidc", f"{user}@example.com"))
    await desk.store.catalogue.rename(DocumentId("a-document"), name, NOON)
    ann = replace(ANN, who=replace(ANN.who, name=name))
    await act(desk.store, ann, begin(1, "Look\r\n.\r\nRCPT TO:<evil@example.com>", "bert"))
    seen = " ".join(name.split()).replace("=?", "= ?")
    (subject,) = await desk.looks(WAIT)
    assert subject.split() == f"bert@example.com: {seen} mentioned you: {seen}".split()
    (message,) = desk.office.mail
    assert not {each.lower() for each in message} - OF_MAIL
    assert [each for each in message if each in ("To", "From", "Subject")] == ["From", "To", "Subject"]
    plain, rich = [part.get_content() for part in message.iter_parts()]
    assert " ".join(name.split()) in " ".join(plain.split())
    assert "<evil@example.com>" not in rich


async def test_a_mail_server_that_goes_away_and_comes_back_gets_each_mail_once(desk: Desk) -> None:
    await act(desk.store, ANN, begin(1, "Look", "bert", "carl"))
    desk.office.hangs_up_behind = 1
    first = await desk.looks(WAIT)
    desk.office.hangs_up_behind = 10**6
    second = await desk.looks()
    assert len(first) == 1
    assert sorted({*first, *second}) == [f"{each}@example.com: Ann mentioned you: Title" for each in ("bert", "carl")]
    assert await desk.looks() == []


async def test_a_password_goes_over_tls_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    authority = Authority(tmp_path)
    certificate, key = authority.sign()
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)
    given: list[tuple[bytes, bytes]] = []

    def check(_server: SMTP, _session: Session, _envelope: Envelope, _mechanism: str, data: object) -> AuthResult:
        assert isinstance(data, LoginPassword)
        given.append((data.login, data.password))
        return AuthResult(success=True)

    office, message = PostOffice(), EmailMessage()
    message["From"] = message["To"] = "a@example.com"
    async with opened(office, tls_context=context, authenticator=check, auth_required=True):
        post = Post(f"smtp://us%40er:pass%2Fword@127.0.0.1:{office.port}", "a@example.com", PUBLIC)
        assert await asyncio.to_thread(post.send, [message]) == [message], "a certificate that nobody vouches for"
        monkeypatch.setenv("SSL_CERT_FILE", str(authority.certificate))
        assert await asyncio.to_thread(post.send, [message]) == []
    assert given == [(b"us@er", b"pass/word")]
    assert len(office.mail) == 1


async def test_a_running_mailer_looks_by_itself(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mails, "LOOK_SECONDS", 0.001)
    await act(desk.store, ANN, begin(1, "Look", "bert"))
    async with desk.node():
        desk.clock.now += WAIT
        await until(lambda: len(desk.office.mail) == 1)


def test_mail_needs_a_sender_and_the_servers_address() -> None:
    smtp, sender = {"MANYHANDS_SMTP_URL": "smtp://u:secret@host"}, {"MANYHANDS_MAIL_FROM": "Docs <docs@example.com>"}
    for half in (smtp, sender, smtp | sender, smtp | {"MANYHANDS_PUBLIC_URL": PUBLIC}):
        with pytest.raises(SettingsError) as refused:
            load(half, {})
        assert "secret" not in str(refused.value)
    whole = load(smtp | sender | {"MANYHANDS_PUBLIC_URL": PUBLIC}, {})
    assert whole.mail.smtp_url == "smtp://u:secret@host"
    for name, bad in (
        ("SMTP_URL", "http://host"),
        ("SMTP_URL", "smtp://"),
        ("SMTP_URL", "smtp://h:x"),
        ("MAIL_FROM", "docs"),
    ):
        with pytest.raises(SettingsError, match=name):
            load(smtp | sender | {"MANYHANDS_PUBLIC_URL": PUBLIC} | {f"MANYHANDS_{name}": bad}, {})

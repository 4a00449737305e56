"""Mail about what stays unread in people's inboxes: one for each person in ten minutes at most.

What goes into a mail is claimed in the database first. So every entry is mailed once, whichever
nodes look, and whenever they are started again. When the mail server does not answer, the claims
are given back. A node that dies between claim and mail loses the mail: the entry stays unread in
the inbox, and is not mailed twice.
"""

import asyncio
import html
import re
import smtplib
import ssl
from collections.abc import Mapping, Sequence
from datetime import timedelta
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from typing import Self
from urllib.parse import unquote, urlsplit

from msgspec import Struct
from msgspec.structs import replace

from crdt.errors import ManyhandsError
from crdt.ids import DocumentId
from server.auth.base import Identity
from server.background import Background
from server.config.forms import is_loopback
from server.features.discussion.bodies import excerpt_of
from server.features.discussion.inbox import is_open
from server.features.discussion.mail_words import Words, words_in
from server.features.discussion.unsubscribing import Unsubscribing
from server.observe import log
from server.people.access import Access
from server.store.base import Store
from server.store.inbox_base import Due, InboxEntry

WAIT = timedelta(minutes=10)
"""Time in which somebody may read an entry before it is mailed."""

AT_MOST = timedelta(days=1)
"""Age of the oldest entries that are mailed, e.g. after mail was switched on."""

LOOK_SECONDS = 60.0
PEOPLE_AT_ONCE = 50
_ADDRESS = re.compile(r"[^\s@]+@[^\s@]+")
_ENCODED = "=?"
"""The beginning of an encoded word (RFC 2047).

EmailMessage decodes such words when it is given a header. Older releases of Python then write what
comes of it as it is, line ends as well (CVE-2024-6923). So a title could add headers to a mail.
"""

ANSWER_SECONDS = 20.0
"""Seconds in which the mail server has to answer."""


class Post(Struct, frozen=True):
    """A mail server, and what mails say of themselves.

    Attributes:
        url: smtp or smtps, with user and password if the server asks for them.
        sender: an address, perhaps with a name.
        public_url: where people reach this server.
    """

    url: str
    sender: str
    public_url: str

    def send(self, messages: Sequence[EmailMessage]) -> list[EmailMessage]:
        """Send messages. Return those that were not sent. Blocks.

        A message that the mail server refuses for good counts as sent, and the log says so. One
        that it refuses for now, e.g. because a mailbox is full, holds up no other.
        """
        left, later = list(messages), list[EmailMessage]()
        try:
            with self._connected() as server:
                while left:
                    try:
                        server.send_message(left[0])
                    except _OF_ONE_MESSAGE as error:
                        log.warning("mail_refused", reason=str(error)[:200])
                        if _may_pass(error):
                            later.append(left[0])
                    del left[0]
        except (OSError, smtplib.SMTPException) as error:
            log.warning("mail_not_sent", messages=len(left), reason=str(error)[:200])
        return later + left

    def _connected(self) -> smtplib.SMTP:
        parts = urlsplit(self.url)
        host, tls = parts.hostname or "", ssl.create_default_context()
        if parts.scheme == "smtps":
            server: smtplib.SMTP = smtplib.SMTP_SSL(host, parts.port or 465, timeout=ANSWER_SECONDS, context=tls)
        else:
            server = smtplib.SMTP(host, parts.port or 25, timeout=ANSWER_SECONDS)
            server.ehlo()
            if server.has_extn("starttls"):
                server.starttls(context=tls)
            elif parts.password is not None and not is_loopback(host):
                server.close()
                raise smtplib.SMTPException("The mail server offers no TLS, and the password would go in the open.")
        if parts.username is not None:
            server.login(unquote(parts.username), unquote(parts.password or ""))
        return server


_OF_ONE_MESSAGE = (
    smtplib.SMTPRecipientsRefused,
    smtplib.SMTPDataError,
    smtplib.SMTPNotSupportedError,  # an address with letters that this mail server does not know
    ValueError,  # an address that is none
)
"""What is raised because of one message, while the connection goes on."""


def _may_pass(error: Exception) -> bool:
    """Whether the mail server may take the message later."""
    match error:
        case smtplib.SMTPRecipientsRefused(recipients=recipients):
            return any(400 <= code < 500 for code, _ in recipients.values())
        case smtplib.SMTPResponseException(smtp_code=code):
            return 400 <= code < 500
        case _:
            return False


class Mailer:
    """Looks for what is due, every minute. Runs as `async with`, within the store's lifetime."""

    def __init__(self, store: Store, access: Access, post: Post, unsubscribing: Unsubscribing) -> None:
        self._unsubscribing = unsubscribing
        self._inboxes = store.inboxes
        self._access = access
        self._post = post
        self._background = Background()

    async def __aenter__(self) -> Self:
        self._background.spawn(self._run(), "mailer")
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self._background.stop()

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            try:
                while await self.look() == PEOPLE_AT_ONCE:
                    pass
            except ManyhandsError as error:
                log.warning("mail_not_looked_for", reason=str(error))
            except Exception:  # noqa: BLE001 - the task's border: what failed is logged, the next look comes
                log.exception("task_failed", task="mailer")

    async def look(self) -> int:
        """Send what is due now, for some people. Return how many people got mail."""
        claimed = await self._inboxes.claim_mail(WAIT, AT_MOST, PEOPLE_AT_ONCE)
        entries: dict[str, list[int]] = {}
        messages: list[EmailMessage] = []
        for due in claimed:
            identity = Identity(due.user, "guest", due.email)
            rulings = await self._access.rulings(identity, {entry.document_id for entry in due.entries})
            seen = [entry for entry in due.entries if is_open(entry, rulings)]
            if seen:
                stop = self._unsubscribing.link(due.user.user_id)
                try:
                    message = written(replace(due, entries=seen), self._post, stop)
                except ValueError as error:  # an address that no header can hold
                    log.warning("mail_refused", reason=str(error))
                    continue
                messages.append(message)
                entries[message["Message-ID"]] = [entry.entry_id for entry in seen]
        if not messages:
            return 0
        left = await asyncio.to_thread(self._post.send, messages)
        await self._inboxes.release_mail([each for message in left for each in entries[message["Message-ID"]]])
        return len(messages) - len(left)


def written(due: Due, post: Post, stop: str) -> EmailMessage:
    """Write the mail about what a person has not read. `stop`: the address that ends mail.

    Raises ValueError for an address that is none.
    """
    if _ADDRESS.fullmatch(due.email) is None or _ENCODED in due.email:
        raise ValueError(f"{due.user.user_id} has no address that mail can be sent to.")
    words = words_in(due.language)
    message = EmailMessage()
    message["From"], message["To"] = post.sender, due.email
    message["Subject"] = _subject(due.entries, words)
    message["Date"] = formatdate(usegmt=True)
    message["Message-ID"] = make_msgid(domain=urlsplit(post.public_url).hostname)
    message["Auto-Submitted"] = "auto-generated"
    message["List-Unsubscribe"] = f"<{stop}>"
    message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    message.set_content(_plain(due, post, words, stop))
    message.add_alternative(_rich(due, post, words, stop), subtype="html")
    message["Content-Language"] = words.language  # behind the content, which takes such headers away
    return message


def _plain(due: Due, post: Post, words: Words, stop: str) -> str:
    lines = [words.hello.format(name=due.user.name), "", _waiting(due, words), ""]
    for document_id, entries in _by_document(due.entries).items():
        title = entries[0].title
        lines += [title, "=" * min(len(title), 60)]
        for entry in entries:
            said, link = excerpt_of(entry.body), _link(post.public_url, document_id, entry)
            lines += [_what(entry, words) + (f": {said}" if said else ""), link, ""]
    farewell = [words.inbox.format(address=f"{post.public_url}/"), words.why, f"{words.stop}: {stop}", ""]
    return "\n".join([*lines, "-- ", *farewell])


_PAGE = """<!doctype html><html lang="{language}"><body style="margin:0;padding:24px 12px;background:#f4f4f5">
<div style="max-width:34em;margin:0 auto;padding:24px;border-radius:10px;background:#ffffff;color:#1f2328;\
font:16px/1.5 system-ui,sans-serif">{content}</div></body></html>
"""
_TITLE = '<h2 style="margin:20px 0 8px;font-size:18px">{title}</h2>'
_ENTRY = '<p style="margin:0 0 16px"><a href="{link}" style="color:#1d4ed8;font-weight:600">{what}</a>{quote}</p>'
_QUOTE = '<br><q style="display:block;padding-left:12px;border-left:3px solid #d4d4d8;quotes:none">{said}</q>'
_SMALL = '<p style="margin:8px 0 0;color:#5f6368;font-size:13px">{words}</p>'


def _rich(due: Due, post: Post, words: Words, stop: str) -> str:
    escape = html.escape
    parts = [f"<p>{escape(words.hello.format(name=due.user.name))}<br>{escape(_waiting(due, words))}</p>"]
    for document_id, entries in _by_document(due.entries).items():
        parts.append(_TITLE.format(title=escape(entries[0].title)))
        for entry in entries:
            said = excerpt_of(entry.body)
            quote = _QUOTE.format(said=escape(said)) if said else ""
            link = escape(_link(post.public_url, document_id, entry))
            parts.append(_ENTRY.format(link=link, what=escape(_what(entry, words)), quote=quote))
    address = f'<a href="{escape(post.public_url)}/">{escape(post.public_url)}/</a>'
    end = f'<a href="{escape(stop)}">{escape(words.stop)}</a>'
    parts.append('<hr style="border:0;border-top:1px solid #e4e4e7">')
    parts += [_SMALL.format(words=each) for each in (words.inbox.format(address=address), escape(words.why), end)]
    return _PAGE.format(language=words.language, content="".join(parts))


def _waiting(due: Due, words: Words) -> str:
    one, several = words.waits
    return one if len(due.entries) == 1 else several.format(count=len(due.entries))


def _what(entry: InboxEntry, words: Words) -> str:
    return words.says[entry.reason].format(name=entry.by.name)


def _subject(entries: Sequence[InboxEntry], words: Words) -> str:
    first = entries[-1]
    about = " ".join(f"{_what(first, words)}: {first.title}".split()).replace(_ENCODED, "= ?")
    return about if len(entries) == 1 else words.more.format(about=about, count=len(entries) - 1)


def _by_document(entries: Sequence[InboxEntry]) -> Mapping[DocumentId, list[InboxEntry]]:
    found: dict[DocumentId, list[InboxEntry]] = {}
    for entry in reversed(entries):
        found.setdefault(entry.document_id, []).append(entry)
    return found


def _link(public_url: str, document_id: DocumentId, entry: InboxEntry) -> str:
    place = f"#thread={entry.thread_id}" if entry.thread_id else ""
    return f"{public_url}/d/{document_id}{place}"

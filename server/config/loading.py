"""Loading of the settings, once, at start.

Settings come from environment variables `MANYHANDS_<NAME>`. The command line's `--<name>` overrides
them. An empty value counts as not given. Unknown, badly formed and contradictory settings are
refused by name, all at once.
"""

import difflib
import re
from collections.abc import Iterator, Mapping
from functools import cache
from importlib import metadata
from typing import Any

from server.config import PREFIX, Config, Declared, all_declared, declared, parts
from server.config.forms import is_loopback
from server.config.people import PeopleSettings

GONE = {
    "WORKERS": 'Several cores are several nodes: read "More than one core" in deploy/README.md.',
    "MAX_GREETING_BYTES": "The limit is always 64 KiB: leave the setting out.",
    "MAX_PRESENCE_BYTES": "The limit is always 4 KiB: leave the setting out.",
    "MAX_UPLOADS": "The limit is always 32 uploads of one person: leave the setting out.",
}
"""Former settings, each with a sentence on what to do now."""

_SERVICE_LINK = re.compile(
    PREFIX + r"(\w+_)?(SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)"
)


class SettingsError(Exception):
    """The settings cannot be used. `problems` has a sentence for each problem."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


def load(environ: Mapping[str, str], options: Mapping[str, str | None]) -> Config:
    """Read the settings. `options` (by field name) override `environ` (by variable).

    An option that is None is not given. Service links count as not given.

    Raises:
        SettingsError: with a sentence for every unknown variable, bad value and bad combination.
    """
    links = service_links(environ)
    environ = {name: text for name, text in environ.items() if name not in links}
    problems = list(_unknown(environ, options))
    built: dict[str, Any] = {}
    for name, part in parts():
        given: dict[str, Any] = {}
        for each in declared(part):
            source, text = _given(each, environ, options)
            if not text:
                continue
            try:
                given[each.name] = each.setting.form.parse(text)
            except ValueError:
                shown = "" if each.setting.secret else f", not {text[:100]!r}"
                problems.append(f"{source} must be {each.setting.form.wants}{shown}.")
        built[name] = part(**given)
    config = Config(**built)
    problems += _contradictions(config)
    if problems:
        raise SettingsError(problems)
    return config


def service_links(environ: Mapping[str, str]) -> list[str]:
    """Return the variables that Kubernetes sets for services whose name begins with "manyhands".

    One of them is MANYHANDS_PORT, with an address in it.
    """
    return sorted(
        name
        for name, text in environ.items()
        if _SERVICE_LINK.fullmatch(name) or (re.fullmatch(PREFIX + r"(\w+_)?PORT", name) and "://" in text)
    )


def _given(each: Declared, environ: Mapping[str, str], options: Mapping[str, str | None]) -> tuple[str, str]:
    option = options.get(each.name)
    if option is not None:
        return each.option, option.strip()
    return each.variable, environ.get(each.variable, "").strip()


def _unknown(environ: Mapping[str, str], options: Mapping[str, str | None]) -> Iterator[str]:
    known = {each.name.upper() for each in all_declared()}
    named = {each.removeprefix(PREFIX) for each in environ if each.startswith(PREFIX)}
    for name in sorted(named | {each.upper() for each, text in options.items() if text is not None}):
        if name not in known:
            near = difflib.get_close_matches(name.upper(), known, n=1)
            meant = f"Did you mean {PREFIX}{near[0]}?" if near else "`manyhands settings` lists them all."
            hint = GONE.get(name, meant)
            yield f"There is no setting {PREFIX}{name}. {hint}"


def _contradictions(config: Config) -> Iterator[str]:
    """Yield a sentence for each combination of settings that cannot be."""
    listen, documents = config.listen, config.documents
    if config.people.auth == "guest" and not is_loopback(listen.host) and not listen.insecure_public:
        yield (
            f"Refusing to listen on {listen.host}: with {PREFIX}AUTH=guest everybody who reaches that address may make documents, and "
            f"open those whose address they know. Listen on 127.0.0.1, set {PREFIX}AUTH to jwt or oidc, or set "
            f"{PREFIX}INSECURE_PUBLIC=1 if that is what you want."
        )
    yield from _contradictions_of_people(config.people)
    mail = config.mail
    if mail.smtp_url is not None and (mail.mail_from is None or config.people.public_url is None):
        yield f"{PREFIX}SMTP_URL needs {PREFIX}MAIL_FROM, and {PREFIX}PUBLIC_URL for the links in the mail."
    if mail.smtp_url is None and mail.mail_from is not None:
        yield f"{PREFIX}MAIL_FROM would not be used: set {PREFIX}SMTP_URL, or leave it out."
    if not documents.max_part_bytes <= documents.max_update_bytes <= documents.max_document_bytes:
        yield (
            f"{PREFIX}MAX_PART_BYTES may not be larger than {PREFIX}MAX_UPDATE_BYTES, "
            f"and {PREFIX}MAX_UPDATE_BYTES not larger than {PREFIX}MAX_DOCUMENT_BYTES."
        )
    if config.connections.max_held_bytes_per_user > config.connections.max_held_bytes:
        yield f"{PREFIX}MAX_HELD_BYTES_PER_USER may not be larger than {PREFIX}MAX_HELD_BYTES, which is for everybody."
    if documents.max_document_bytes * 2 > config.connections.max_held_bytes:
        yield f"{PREFIX}MAX_HELD_BYTES must be at least twice {PREFIX}MAX_DOCUMENT_BYTES: a client that opens a document fetches all of it."
    if documents.max_backlog_bytes < 2 * documents.max_part_bytes:
        yield f"{PREFIX}MAX_BACKLOG_BYTES must be at least twice {PREFIX}MAX_PART_BYTES: parts are sent while other parts wait."


def _contradictions_of_people(people: PeopleSettings) -> Iterator[str]:
    """Yield a sentence for each unfinished way to sign in, which must not let everybody in."""
    for way in ("jwt", "oidc"):
        given = [each for each in declared(PeopleSettings) if each.name.startswith(f"{way}_")]
        set_here = [each.variable for each in given if getattr(people, each.name) != each.default]
        if people.auth != way and set_here:
            yield f"{' and '.join(set_here)} would not be used: set {PREFIX}AUTH={way}, or leave them out."
    keys = [people.jwt_secret, people.jwt_public_key, people.jwt_jwks_url]
    if people.auth == "jwt" and sum(key is not None for key in keys) != 1:
        yield f"{PREFIX}AUTH=jwt needs one of {PREFIX}JWT_SECRET, {PREFIX}JWT_PUBLIC_KEY and {PREFIX}JWT_JWKS_URL, and only one."
    if people.auth == "oidc":
        needed = {
            "oidc_issuer": people.oidc_issuer,
            "oidc_client_id": people.oidc_client_id,
            "public_url": people.public_url,
        }
        missing = [PREFIX + name.upper() for name, value in needed.items() if value is None]
        if missing:
            yield f"{PREFIX}AUTH=oidc needs {' and '.join(missing)} as well."


@cache
def version() -> str:
    try:
        return metadata.version("manyhands")
    except metadata.PackageNotFoundError:
        return "0.dev"

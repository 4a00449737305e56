"""The settings as text: Markdown tables for server/SETTINGS.md, or the present values."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from crdt.budget import Rate
from server.config import Config, Declared, all_declared, declared, parts

_HEADER = """# Settings

Each setting is an environment variable. `manyhands serve` takes each as an option as well, which
overrides the variable: `MANYHANDS_DATA_DIR` is `--data-dir`. An empty value counts as not given. A
variable that begins with `MANYHANDS_` and is not listed here is refused at start.

`manyhands settings` prints the values that hold here; `manyhands settings --markdown` writes this
page from the declarations in `server/config/`.
"""


FIRST = (
    "host",
    "port",
    "data_dir",
    "database_url",
    "redis_url",
    "public_url",
    "allowed_origins",
    "trusted_proxies",
    "auth",
    "secret_key",
    "log_format",
    "max_document_bytes",
    "max_attachment_bytes",
)
"""The settings that a newcomer needs, in the order of the page."""

WAYS_IN = {
    "jwt": "With `MANYHANDS_AUTH=jwt`: people of another application",
    "oidc": "With `MANYHANDS_AUTH=oidc`: people of an identity provider",
}
"""Titles of the settings that belong to one way to sign in, by their names' prefix."""


def markdown() -> str:
    """Return the text of server/SETTINGS.md: a newcomer's settings first, the others by part."""
    return "\n".join(_markdown_lines()).rstrip("\n") + "\n"


def _markdown_lines() -> Iterator[str]:
    yield _HEADER
    every = {each.name: each for each in all_declared()}
    yield "## The ones to look at first\n"
    yield from _table(every[name] for name in FIRST)
    for way, title in WAYS_IN.items():
        yield f"### {title}\n"
        yield from _table(each for each in every.values() if each.name.startswith(f"{way}_"))
    yield "## Rarely needed\n"
    for _, part in parts():
        rare = [each for each in declared(part) if not _is_shown_first(each)]
        if rare:
            yield f"### {(part.__doc__ or '').splitlines()[0].partition(';')[0].rstrip('.')}\n"
            yield from _table(rare)


def _is_shown_first(each: Declared) -> bool:
    return each.name in FIRST or each.name.partition("_")[0] in WAYS_IN


def _table(settings: Iterable[Declared]) -> Iterator[str]:
    yield "| setting | unit | must be | default | why |"
    yield "|---|---|---|---|---|"
    for each in settings:
        unit, wants, reason = each.setting.unit, each.setting.form.wants, each.setting.reason
        yield f"| `{each.variable}` | {unit} | {wants} | {_default(each)} | {reason} |"
    yield ""


def default_of(each: Declared) -> str:
    """Return a default as an operator would write it, or "" if there is none."""
    return _shown(each, each.default)


def _default(each: Declared) -> str:
    return f"`{shown}`" if (shown := default_of(each)) else ""


def values(config: Config) -> str:
    """Return a line for each setting with its value. A secret is only said to be set."""
    by_name: Mapping[str, Any] = {
        each.name: getattr(getattr(config, field_name), each.name)
        for field_name, part in parts()
        for each in declared(part)
    }
    width = max(len(each.variable) for each in all_declared())
    return "\n".join(
        f"{each.variable:<{width}}  {_shown(each, by_name[each.name])}".rstrip() for each in all_declared()
    )


def _shown(each: Declared, value: Any) -> str:
    if value is None or value == ():
        return ""
    if each.setting.secret:
        return "(set)"
    match value:
        case bool():
            return "1" if value else "0"
        case tuple():
            return ",".join(value)
        case Rate(per_second, burst):
            return f"{per_second:.0f}/{burst:.0f}"
        case float():
            return f"{value:g}"
        case _:
            return str(value)

"""Updates with one value each: every kind of content and value in every place, also forged."""

import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random

from crdt.yjs.contents import ARRAY, MAP, XML_ELEMENT, XML_TEXT
from crdt.yjs.wrapping import MARK, MARK_BYTES
from tests.harness.forger import Forger
from tests.harness.update_writer import item, number, shared, string, text, update, values

_JSON, _BINARY, _STRING, _EMBED, _FORMAT, _ANY = 2, 3, 4, 5, 6, 8
_AUTHOR = 7
_INTEGERS = (
    0, 1, 63, 64, 2**31 - 1, 2**31, 2**31 + 1, 2**32, 2**53 - 1, 2**53, 2**53 + 1, 2**54, 2**63 - 1, 2**63,
    2**64 - 1, 2**64, 10**19, 10**25, 10**400,
)  # fmt: skip
_KEYS = ("a", "b", "", "a", "__proto__", "constructor", "ключ", "😀", "then", "\ufeff", MARK.decode())
_TEXTS = (
    "",
    "x",
    "😀",
    "\x00",
    "\x7f",
    "\u2028",
    "\ufeffx",
    "\ufffd",
    MARK.decode(),
    MARK_BYTES.decode(),
    '"\\/',
    "undefined",
    "://",
    ":",
)
_BODIES = (b"", b"\0", b"\xff\xfe", MARK_BYTES, MARK, MARK + b"AAAA.", bytes(40), b"\xf1\xbf\xbf", b"\xef\xb7\x90")


@dataclass(frozen=True, slots=True)
class ValueCase:
    """One update. `honest` means that a Yjs client could have written it, so it must be let in."""

    update: bytes
    honest: bool


def _is_odd(kind: int, content: bytes) -> bool:
    """Whether no honest client writes the value.

    These are U+7FFFE as text, and ContentJSON with escapes that JSON.stringify learned later.
    """
    return (kind == _STRING and MARK_BYTES in content) or (kind == _JSON and b"\\ud" in content)


class ValueCases:
    """One seed's cases. `json` and `any_values` are the values that honest clients write."""

    def __init__(self, seed: int, json: Sequence[bytes], any_values: Sequence[bytes]) -> None:
        self._random = Random(seed)
        self._forger = Forger(seed)
        self._json = json
        self._any = any_values

    def next(self) -> ValueCase:
        """Return one more case."""
        r = self._random
        honest = r.random() < 0.5
        kind, content = self._content(honest=honest)
        before, place, honest_place = self._place(kind)
        structs = [*before, item(kind, content, **place)]  # type: ignore[arg-type]
        whole = update({_AUTHOR: (0, structs)})
        if r.random() < 0.1:
            return ValueCase(self._forger.mangles(whole), honest=False)
        return ValueCase(whole, honest and honest_place and not _is_odd(kind, content))

    def _content(self, *, honest: bool) -> tuple[int, bytes]:
        r = self._random
        json: Callable[[], bytes] = (lambda: r.choice(self._json)) if honest else self._forged_json
        value: Callable[[], bytes] = (lambda: r.choice(self._any)) if honest else (lambda: self._forged_any(0))
        match r.randrange(12):
            case 0 | 1 | 2:
                return _EMBED, string(json())
            case 3 | 4:
                name = "bold" if honest else r.choice(_KEYS)
                return _FORMAT, string(name) + string(json())
            case 5 | 6 | 7 | 8:
                return _ANY, self._several(value)
            case 9 | 10:
                return _JSON, self._several(
                    lambda: string(json() if r.random() < 0.9 else b"undefined"), miscount=not honest
                )
            case _:
                body = r.choice(_BODIES) + (r.choice(_BODIES) if r.random() < 0.5 else b"")
                return (_BINARY, string(body)) if r.random() < 0.5 else (_STRING, string(r.choice(_TEXTS) or "y"))

    def _several(self, one: Callable[[], bytes], *, miscount: bool = False) -> bytes:
        r = self._random
        count = r.choice((1, 1, 1, 2, 3))
        said = count + r.choice((0, 0, 0, 1, -1)) if miscount else count
        return number(max(0, said)) + b"".join([one() for _ in range(count)])

    def _place(self, kind: int) -> tuple[list[bytes], dict[str, object], bool]:
        """Return the structs before, the place, and whether honest clients write such content."""
        r = self._random
        in_text = kind in (_STRING, _EMBED, _FORMAT)
        author = _AUTHOR
        places: list[tuple[list[bytes], dict[str, object], bool]] = [
            ([], {"parent": "t"}, True),
            ([text("ab", parent="t")], {"left": (author, 1)}, True),
            ([text("ab", parent="t")], {"right": (author, 0)}, True),
            ([text("ab", parent="t")], {"left": (author, 0), "right": (author, 1)}, True),
            ([shared(XML_TEXT, parent="x"), text("ab", parent=(author, 0))], {"left": (author, 2)}, True),
            ([], {"parent": "l"}, not in_text),
            ([values("7d01", "7e", parent="l")], {"left": (author, 1)}, not in_text),
            ([shared(ARRAY, parent="l")], {"parent": (author, 0)}, not in_text),
            ([], {"parent": "m", "key": r.choice(_KEYS)}, False),
            ([], {"parent": "m", "key": "k"}, False),
            ([values("7d01", parent="m", key="k")], {"left": (author, 0)}, False),
            ([shared(MAP, parent="m", key="k")], {"parent": (author, 0), "key": "k"}, False),
            ([shared(XML_ELEMENT, parent="x")], {"parent": (author, 0), "key": "style"}, False),
        ]
        return r.choice(places[:5] if in_text and r.random() < 0.8 else places)

    def _forged_json(self) -> bytes:
        r = self._random
        if r.random() < 0.15:
            return self._forger.mangles(r.choice(self._json))
        return self._json_value(0).encode("utf-8", "surrogatepass")

    def _json_value(self, depth: int) -> str:
        r = self._random
        match r.randrange(9 if depth < 3 else 6):
            case 0 | 1 | 2:
                return self._json_number()
            case 3:
                return r.choice(("true", "false", "null", "undefined", "NaN", "Infinity", "-Infinity", "tru", ""))
            case 4:
                return self._json_text(r.choice(_TEXTS))
            case 5:
                return r.choice(
                    (
                        " 1 ",
                        "\n{}\t",
                        "\ufeff1",
                        '"\\u005f\\ud83d"',
                        '"\\ud9bf\\udffe\\uD9BF\\uDFFE"',
                        '"\x01"',
                        '"\\x41"',
                        "'a'",
                    )
                )
            case 6:
                return "[" + ",".join(self._json_value(depth + 1) for _ in range(r.randrange(4))) + "]"
            case _:
                keys = [self._json_text(r.choice(_KEYS)) for _ in range(r.randrange(4))]
                return "{" + ",".join(f"{key}:{self._json_value(depth + 1)}" for key in keys) + "}"

    def _json_text(self, value: str) -> str:
        r = self._random
        escaped = "".join(f"\\u{ord(each):04x}" if ord(each) < 0x10000 and r.random() < 0.3 else each for each in value)
        return '"' + escaped.replace('"', "").replace("\x00", "\\u0000") + '"'

    def _json_number(self) -> str:
        r = self._random
        sign = r.choice(("", "", "-", "+" if r.random() < 0.1 else ""))
        match r.randrange(4):
            case 0:
                return sign + str(r.choice(_INTEGERS) + r.randrange(-1, 2))
            case 1:
                return sign + "".join(r.choice("0123456789") for _ in range(r.randrange(1, 25)))
            case 2:
                return sign + repr(abs(self._double()))
            case _:
                digits = "".join(r.choice("0123456789") for _ in range(r.randrange(0, 20)))
                fraction = "." + digits if digits or r.random() < 0.1 else ""
                exponent = r.choice(("", "e", "E")) and f"{r.choice('eE')}{r.choice(('', '+', '-'))}{r.randrange(400)}"
                return f"{sign}{r.randrange(100)}{fraction}{exponent}"

    def _double(self) -> float:
        value: float = struct.unpack(">d", self._random.randbytes(8))[0]
        return value

    def _forged_any(self, depth: int) -> bytes:
        r = self._random
        kinds: list[Callable[[], bytes]] = [
            lambda: b"\x7d" + self._signed(),
            lambda: b"\x7d" + self._signed(),
            lambda: b"\x7b" + r.choice((r.randbytes(8), struct.pack(">d", -0.0), b"\x7f\xf0\0\0\0\0\0\1", MARK)),
            lambda: b"\x7c" + r.choice((r.randbytes(4), struct.pack(">f", -0.0), MARK_BYTES)),
            lambda: b"\x7a" + r.choice((r.randbytes(8), bytes(8), b"\x80" + bytes(7), MARK)),
            lambda: b"\x77" + string(r.choice(_TEXTS)),
            lambda: b"\x74" + string(r.choice(_BODIES)),
            lambda: bytes((r.choice((127, 126, 121, 120, 115, 128, 0)),)),
        ]
        nested: list[Callable[[], bytes]] = [
            lambda: b"\x75" + self._several(lambda: self._forged_any(depth + 1)),
            lambda: b"\x76" + self._several(lambda: string(r.choice(_KEYS)) + self._forged_any(depth + 1)),
            lambda: b"\x76" + self._several(lambda: string(r.choice(_KEYS)) + self._forged_any(depth + 1)),
        ]
        return r.choice(kinds + nested if depth < 3 else kinds)()

    def _signed(self) -> bytes:
        r = self._random
        size = r.choice(_INTEGERS[:14]) if r.random() < 0.6 else r.randrange(2 ** r.randrange(1, 60))
        first = size & 0x3F | r.choice((0, 0x40))
        rest, out = size >> 6, bytearray()
        while rest:
            out.append(rest & 0x7F | 0x80)
            rest >>= 7
        if out:
            out[-1] &= 0x7F
        return bytes((first | (0x80 if out else 0), *out))

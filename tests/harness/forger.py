"""Hostile updates from a seed: random structs, and honest updates with a few bytes changed."""

from collections.abc import Mapping
from random import Random

from crdt.yjs.contents import ARRAY, MAP, TEXT, XML_ELEMENT, XML_FRAGMENT, XML_TEXT
from tests.harness.update_writer import Id, collected, embed, mark, shared, text, tombstone, update, values

FORGERS = (1, 2, 3_000_000_000)
_ROOTS = ("text", "map", "list", "default")
_TYPES = (ARRAY, MAP, TEXT, XML_ELEMENT, XML_ELEMENT, XML_FRAGMENT, XML_TEXT, XML_TEXT)


class Forger:
    """The hostile updates of one seed."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)

    def forges(self, known: Mapping[int, int]) -> bytes:
        """Write one update of random structs and deletions that mostly refer to known structs."""
        r = self.random
        blocks: dict[int, tuple[int, list[bytes]]] = {}
        for client in r.sample(FORGERS, 1 if r.random() < 0.8 else 2) if r.random() < 0.85 else ():
            first = clock = max(0, known.get(client, 0) - (r.randrange(3) if r.random() < 0.1 else 0))
            structs: list[bytes] = []
            for _ in range(r.randrange(1, 4)):
                struct, length = self._struct(known, client, clock)
                structs.append(struct)
                clock += length
            blocks[client] = (first, structs)
        deleted: dict[int, list[Id]] = {}
        if known and r.random() < 0.3:
            client = r.choice(list(known))
            start = r.randrange(known[client])
            deleted[client] = [(start, r.randrange(1, known[client] - start + 1))]
        return update(blocks, deleted)

    def mangles(self, honest: bytes) -> bytes:
        """Change, drop, repeat or insert a few bytes."""
        r = self.random
        out = bytearray(honest)
        for _ in range(r.randrange(1, 4)):
            at = r.randrange(len(out) + 1)
            end = at + r.randrange(4)
            match r.randrange(4):
                case 0:
                    out[at : at + 1] = bytes([r.randrange(256)])
                case 1:
                    del out[at:end]
                case 2:
                    out[at:at] = out[at:end]
                case _:
                    out[at : at + 1] = bytes([out[at] ^ 1 << r.randrange(8)]) if at < len(out) else b""
        return bytes(out)

    def _id(self, known: Mapping[int, int], own: int, clock: int) -> Id:
        client = self.random.choice(list(known)) if known else own
        if client == own or self.random.random() < 0.1:
            return own, self.random.randrange(max(1, clock))
        return client, self.random.randrange(max(1, known[client]))

    def _place(self, known: Mapping[int, int], own: int, clock: int) -> dict[str, object]:
        r = self.random
        place: dict[str, object] = {}
        chance = r.random()
        if known or clock:
            if chance < 0.45:
                left = self._id(known, own, clock)
                place["left"] = left
                if r.random() < 0.3:
                    place["right"] = (left[0], left[1] + 1)
            if chance < 0.2 or 0.45 < chance < 0.55:
                place["right"] = self._id(known, own, clock)
        if not place:
            place["parent"] = self._id(known, own, clock) if r.random() < 0.5 and (known or clock) else r.choice(_ROOTS)
        if r.random() < (0.3 if "parent" in place else 0.05):
            place["key"] = r.choice("ab")
        return place

    def _struct(self, known: Mapping[int, int], own: int, clock: int) -> tuple[bytes, int]:
        """Write one struct; return it with its length."""
        r = self.random
        place = self._place(known, own, clock)
        length = r.randrange(1, 4)
        match r.randrange(12):
            case 0 | 1 | 2 | 3:
                written = r.choice(["a", "bcd", "x😀y", "é"])
                return text(written, **place), len(written.encode("utf-16-le")) // 2
            case 4:
                return embed('{"a":1}', **place), 1
            case 5:
                return mark("bold", r.choice(["true", "null"]), **place), 1
            case 6 | 7:
                return shared(r.choice(_TYPES), **place), 1
            case 8 | 9:
                return values(*["7d01"] * length, **place), length
            case 10:
                return tombstone(length, **place), length
            case _:
                return collected(length), length

"""A person who writes rich text in the simulation, and changes the blocks around others' words.

The browser does what an editor's binding does: it changes a block by deleting the block and
inserting a copy. It keeps its steps until they are acknowledged, and says with each what it knew.
Every word is typed once and never deleted, so every word must be there once in the end.
"""

from dataclasses import dataclass
from typing import Any, cast

from pycrdt import Doc, XmlElement, XmlFragment, XmlText

from crdt.protocol.batch import encode_batch
from crdt.protocol.messages import Acknowledged, Refused
from tests.simulation.client import SimClient

KINDS = ("paragraph", "heading", "codeBlock")
Block = tuple[str, str]
"""A block's name, and its words."""


@dataclass(frozen=True, slots=True)
class _Step:
    update: bytes
    after: int
    token: str


class Writer(SimClient):
    """One replica with rich text in the root `default`."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.page = cast(XmlFragment, self.doc.get("default", type=XmlFragment))
        self._steps: list[_Step] = []
        """The steps that are not acknowledged, in order."""
        self._sent = 0
        """How many of the steps are on their way."""
        self._token = ""
        self.typed: set[str] = set()
        """The words that this person has typed."""

    def _observe(self, event: Any) -> None:
        if not self._applying:
            self._steps.append(_Step(event.update, self.seq, self._token))

    def edit(self) -> str:
        """Type a word, or change a block. Return the edit's token."""
        self.edits += 1
        self._token = token = f"{self.name}.{self.edits}"
        blocks = self._blocks()
        with self.doc.transaction():
            if not blocks:
                self.page.children.append(_made(("paragraph", f"{token} ")))
                self.typed.add(token)
            elif self.random.random() < 0.6:
                self._type(blocks, token)
                self.typed.add(token)
            else:
                self._restructure(blocks)
            self.tokens[token] = True
        return token

    @property
    def unsaved(self) -> bool:
        return bool(self._steps)

    def _blocks(self) -> list[tuple[Any, int, XmlElement]]:
        """Return the blocks of words: parent, index there, element."""
        found: list[tuple[Any, int, XmlElement]] = []

        def look(parent: Any) -> None:
            for index, child in enumerate(parent.children):
                if isinstance(child, XmlElement):
                    if child.tag == "blockquote":
                        look(child)
                    else:
                        found.append((parent, index, child))

        look(self.page)
        return found

    def _type(self, blocks: list[tuple[Any, int, XmlElement]], token: str) -> None:
        _, _, block = self.random.choice(blocks)
        texts = [child for child in block.children if isinstance(child, XmlText)]
        if not texts:
            block.children.append(XmlText(f"{token} "))
            return
        text = self.random.choice(texts)
        said = str(text)
        places = [0, *[at + 1 for at, letter in enumerate(said) if letter == " "], len(said)]
        at = self.random.choice(places)
        before = " " if at and said[at - 1] != " " else ""
        text.insert(at, f"{before}{token} ")

    def _restructure(self, blocks: list[tuple[Any, int, XmlElement]]) -> None:
        parent, index, block = self.random.choice(blocks)
        name, words = str(block.tag), _words(block)
        dice = self.random.random()
        if dice < 0.4:
            other = self.random.choice([kind for kind in KINDS if kind != name])
            del parent.children[index]
            parent.children.insert(index, _made((other, words)))
        elif dice < 0.6 and " " in words.strip():
            self._split(parent, index, block)
        elif dice < 0.8 and index and str(parent.children[index - 1].tag) != "blockquote":
            before = parent.children[index - 1]
            texts = [child for child in before.children if isinstance(child, XmlText)]
            del parent.children[index]
            if texts:
                glue = "" if str(texts[-1]).endswith(" ") or not str(texts[-1]) else " "
                texts[-1].insert(len(str(texts[-1])), glue + words)
            else:
                before.children.append(XmlText(words))
        elif parent is self.page:
            del parent.children[index]
            parent.children.insert(index, XmlElement("blockquote", {}, [_made((name, words))]))
        else:
            del parent.children[index]
            parent.children.insert(index, _made(("paragraph", words)))

    def _split(self, parent: Any, index: int, block: XmlElement) -> None:
        texts = [child for child in block.children if isinstance(child, XmlText)]
        text = texts[0]
        said = str(text)
        places = [at + 1 for at, letter in enumerate(said) if letter == " "]
        if not places:
            return
        at = self.random.choice(places)
        rest = said[at:] + "".join(str(each) for each in texts[1:])
        del text[at : len(said)]
        for child in reversed(range(1, len(list(block.children)))):
            del block.children[child]
        parent.children.insert(index + 1, _made(("paragraph", rest)))

    # Towards the server.

    def _recall(self) -> None:
        self._in_flight.clear()
        self._sent = 0

    def send_gathered(self) -> None:
        """Send the steps that are not on their way, each batch with what was known."""
        while self.joined and self.connection is not None and self._sent < len(self._steps):
            first = self._steps[self._sent]
            batch = [first]
            for step in self._steps[self._sent + 1 :]:
                if step.after != first.after:
                    break
                batch.append(step)
            self._requests += 1
            request = (self.name, self._requests)
            self._in_flight[request] = {step.token for step in batch}
            self._sent += len(batch)
            updates = encode_batch([step.update for step in batch])
            self.server.update(self.connection, updates, request, first.after)

    # From the server.

    def _offer(self, state_vector: bytes) -> None:
        self.send_gathered()

    def answered(self, request: object, answer: Acknowledged | Refused) -> None:
        """Forget the steps that are acknowledged."""
        tokens = self._in_flight.get(request)
        if tokens is not None and isinstance(answer, Acknowledged):
            kept = [step for step in self._steps if step.token not in tokens]
            self._sent -= len(self._steps) - len(kept)
            self._steps = kept
        super().answered(request, answer)

    def state(self) -> tuple[str, frozenset[str]]:
        """The page on the screen."""
        return str(self.page), frozenset(self.tokens.keys())


def _made(block: Block) -> XmlElement:
    name, words = block
    return XmlElement(name, {}, [XmlText(words)])


def _words(block: XmlElement) -> str:
    return "".join(str(child) for child in block.children if isinstance(child, XmlText))


def words_in(doc: "Doc[Any]") -> list[str]:
    """Return all words of a stored page, in order."""
    found: list[str] = []

    def look(parent: Any) -> None:
        said = ""
        for child in parent.children:
            if isinstance(child, XmlText):
                said += str(child)
            else:
                look(child)
        found.extend(said.split())

    look(doc.get("default", type=XmlFragment))
    return found

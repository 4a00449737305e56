"""Proposals: edits that programs ask for and that become suggestions (docs/suggestions.md).

Nothing that is there is deleted or rebuilt. New words and blocks get their author's mark, and words
and blocks to delete are struck. Only what is the author's own suggestion already is taken back.
"""

from typing import Any

from msgspec import Struct
from pycrdt import XmlElement, XmlText

from crdt.content.building import length_of, stored
from crdt.errors import Code, ProtocolError
from crdt.suggestions.marks import ATTRIBUTE, INSERT, INSERTION, is_of, key_of, kind_of


class Proposer(Struct, frozen=True):
    """The person who suggests.

    Attributes:
        user: their user id.
        name: the suggestion's id.
        at: when, in milliseconds since 1970.
    """

    user: str
    name: str
    at: int

    def _given(self) -> dict[str, Any]:
        return {"id": self.name, "user": self.user, "at": self.at}

    def _mark(self, kind: str, more: dict[str, Any]) -> dict[str, Any]:
        given = {**self._given(), **more}
        return {key_of(kind, given): stored(given)}

    def insertion(self) -> dict[str, Any]:
        """Return the format of proposed words."""
        return self._mark(INSERTION, {"run": 1, "break": None})

    def deletion(self) -> dict[str, Any]:
        """Return the format of words to delete."""
        return self._mark("deletion", {})

    def mark_new(self, block: Any) -> None:
        """Let a new block be a proposed one. Raises ProtocolError for bare words among blocks."""
        if not isinstance(block, XmlElement):
            raise ProtocolError(Code.MALFORMED, "Only blocks can be suggested here.")
        block.attributes[ATTRIBUTE] = stored({"kind": INSERT, **self._given()})

    def may_take_back(self, block: Any) -> bool:
        """Whether a block is the person's own proposal."""
        held: Any = block.attributes.get(ATTRIBUTE) if isinstance(block, XmlElement) else None
        return is_of(held, self.user) and held.get("kind") == INSERT

    def strike(self, block: Any) -> None:
        """Propose to delete a block.

        Raises ProtocolError(conflict) if somebody else has a suggestion for it.
        """
        if isinstance(block, XmlElement):
            held = block.attributes.get(ATTRIBUTE)
            if held is not None and not is_of(held, self.user):
                raise ProtocolError(Code.CONFLICT, "Somebody else has a suggestion for this block already.")
            block.attributes[ATTRIBUTE] = stored({"kind": "delete", **self._given()})
        self._strike_words(block)

    def _strike_words(self, node: Any) -> None:
        if isinstance(node, XmlText):
            if len(node):
                node.format(0, len(node), self.deletion())
        else:
            for child in node.children:
                self._strike_words(child)

    def rewrite(self, text: XmlText, at: int, gone: str, words: str, formats: dict[str, Any]) -> None:
        """Strike words, and propose others behind them."""
        end = at + length_of(gone)
        if gone:
            text.format(at, end, self.deletion())
        if words:
            without = {key: None if kind_of(key) else value for key, value in formats.items()}
            text.insert(end, words, {**without, **dict.fromkeys(self.deletion()), **self.insertion()})

    def comment(self, text: XmlText, at: int, words: str, thread: str) -> None:
        """Anchor a thread of comments at words."""
        given = {"id": thread, "user": self.user}
        text.format(at, at + length_of(words), {key_of("comment", given): given})

"""What the server says of a document besides its content: who is here, and who may do what."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

_WRITERS = frozenset({"owner", "editor"})


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody else who has the document open, with what they say of themselves."""

    user_id: str
    name: str
    color: str
    state: Mapping[str, Any]


@dataclass(slots=True)
class About:
    """The newest word of the server. A word of another form raises KeyError or TypeError."""

    role: str | None = None
    title: str = ""
    durability: str = "ok"
    people: dict[int, Person] = field(default_factory=dict)
    """Everybody else who has presence, by the number of their session."""
    required_format: Mapping[str, Any] | None = None
    """The format without which nobody may write the rich text; None if everybody may."""
    part_bytes: int = 0
    """Bytes of the largest batch that is not sent in parts."""
    trashed: bool = False
    quarantined: bool = False

    @property
    def may_write(self) -> bool:
        return self.role in _WRITERS and not self.trashed and not self.quarantined

    def joined(self, answer: Mapping[str, Any]) -> None:
        """Take the answer to a join."""
        self.role = answer["role"]
        self.durability = answer["durability"]
        self.quarantined = answer["quarantined"]
        self.part_bytes = answer["limits"]["part_bytes"]
        self.people.clear()
        self.meet(answer["presence"])
        self.describe(answer["document"])

    def describe(self, document: Mapping[str, Any]) -> None:
        """Take the catalogue's entry."""
        self.title = document["title"]
        self.trashed = document.get("trashed_at") is not None
        self.required_format = None if document.get("any_format") else document.get("format")

    def meet(self, changes: Sequence[Mapping[str, Any]]) -> None:
        """Take changes of presence."""
        for change in changes:
            number, state, known = change["presence_id"], change["state"], self.people.get(change["presence_id"])
            if state is None:
                self.people.pop(number, None)
            elif (user := change.get("user")) is not None:
                self.people[number] = Person(user["id"], user["name"], user["color"], state)
            elif known is not None:  # who they are is told once; somebody unknown is in the next answer to a join
                self.people[number] = replace(known, state=state)

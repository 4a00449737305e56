"""People who suggest, edit and cheat in one text: what the editor writes, made with pycrdt.

Each act changes the person's own document, and is one update. `HONEST` are the acts of somebody who
only suggests, `EDITING` those of an editor, and `ATTACKS` what nobody may do who only suggests.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

from pycrdt import Doc, Map, Text, XmlElement, XmlFragment, XmlText

from crdt.suggestions.marks import is_proposal_key, key_of, kind_of, proposal_key_of
from crdt.yjs.wrapping import unwrap

WORDS = ["the", "quick", "brown", "fox", "jumps", "over", "a", "lazy", "dog", "while", "nobody", "looks"]
TAGS = ("paragraph", "heading", "blockquote")


@dataclass
class Writer:
    """A person with a replica. `updates` are the own updates that nobody has taken yet."""

    user: str
    client_id: int
    random: Random
    doc: "Doc[Any]" = field(init=False)
    updates: list[bytes] = field(default_factory=list)
    _count: int = 0
    _applies: bool = False

    def __post_init__(self) -> None:
        self.doc = Doc(client_id=self.client_id)
        self.root = self.doc.get("default", type=XmlFragment)
        self.doc.observe(self._heard)

    def _heard(self, event: Any) -> None:
        if not self._applies:
            self.updates.append(unwrap(event.update))

    def hears(self, update: bytes) -> None:
        self._applies = True
        self.doc.apply_update(update)
        self._applies = False

    def does(self, act: Callable[["Writer"], object]) -> list[bytes]:
        """Do something in one transaction; return the updates, none if there was nothing to do."""
        before = len(self.updates)
        with self.doc.transaction():
            act(self)
        made, self.updates = self.updates[before:], self.updates[:before]
        return [update for update in made if update != b"\0\0"]

    # Where something can be done.

    def words(self) -> str:
        return " ".join(self.random.choices(WORDS, k=self.random.randint(1, 3))) + " "

    def texts(self) -> list[XmlText]:
        return [text for block in self.root.children for text in texts_in(block)]

    def text(self) -> XmlText | None:
        texts = [text for text in self.texts() if len(text)]
        return self.random.choice(texts) if texts else None

    def pieces(self, wanted: Callable[[str, dict[str, Any]], bool]) -> list[tuple[XmlText, int, int, dict[str, Any]]]:
        """The pieces of text that are wanted: text, start, end, formats."""
        found = []
        for text in self.texts():
            at = 0
            for words, formats in text.diff():
                end = at + len(words)
                if wanted(words, formats or {}):
                    found.append((text, at, end, formats or {}))
                at = end
        return found

    def a_range(self, text: XmlText) -> tuple[int, int]:
        start = self.random.randrange(len(text))
        return start, self.random.randint(start + 1, min(len(text), start + 12))

    def mark(self, kind: str, user: str | None = None, more: dict[str, Any] | None = None) -> dict[str, Any]:
        """A mark as a format, of this person unless another name is given."""
        self._count += 1
        user = self.user if user is None else user
        given: dict[str, Any] = {"id": f"{user}-{self.client_id}-{self._count}", "user": user}
        if kind != "comment":
            given["at"] = 1.7e12 + self._count
        if kind == "insertion":
            given |= {"run": float(self._count), "break": None}
        if kind == "formatting":
            given |= {"add": [], "remove": []}
        given |= more or {}
        return {key_of(kind, given): given}

    def of_block(self, kind: str, user: str | None = None) -> dict[str, Any]:
        (given,) = self.mark("deletion", user).values()
        return {"kind": kind, **given}


def own_block(writer: Writer, words: str, user: str | None = None) -> XmlElement:
    """A suggested block, not in a document yet."""
    attributes: dict[str, Any] = {"suggestion": writer.of_block("insert", user)}
    return XmlElement("paragraph", attributes, [XmlText(words)])


def texts_in(node: Any) -> list[XmlText]:
    if isinstance(node, XmlText):
        return [node]
    return [text for child in node.children for text in texts_in(child)]


def marks_of(formats: Mapping[str, Any], kind: str, user: str) -> dict[str, Any]:
    return {
        key: value
        for key, value in formats.items()
        if kind_of(key) == kind and isinstance(value, dict) and value["user"] == user
    }


def is_pending_of(formats: Mapping[str, Any], user: str) -> bool:
    return bool(marks_of(formats, "insertion", user))


def is_own_block(block: Any, user: str) -> bool:
    if not isinstance(block, XmlElement):
        return False
    held = block.attributes.get("suggestion")
    return isinstance(held, dict) and held["user"] == user and held["kind"] == "insert"


def pending_at(text: XmlText, at: int) -> dict[str, Any]:
    """Others' marks around a place: what is typed in the middle of them carries them."""
    start = 0
    for words, formats in text.diff():
        if start < at < start + len(words):
            return {key: value for key, value in (formats or {}).items() if kind_of(key)}
        start += len(words)
    return {}


# Acts of people who only suggest.


def suggests_words(writer: Writer) -> None:
    if (text := writer.text()) is not None:
        at = writer.random.randint(0, len(text))
        around = {key: each for key, each in pending_at(text, at).items() if each["user"] != writer.user}
        text.insert(at, writer.words(), {**around, **writer.mark("insertion")})


def suggests_a_line_end(writer: Writer) -> None:
    if (text := writer.text()) is not None:
        text.insert(writer.random.randint(0, len(text)), "|", writer.mark("insertion", more={"break": 1.0}))


def marks_words(kind: str, more: dict[str, Any] | None = None) -> Callable[[Writer], None]:
    def act(writer: Writer) -> None:
        if (text := writer.text()) is not None:
            text.format(*writer.a_range(text), writer.mark(kind, more=more))

    return act


def suggests_a_block(writer: Writer) -> None:
    block = own_block(writer, writer.words())
    writer.root.children.insert(writer.random.randint(0, len(writer.root.children)), block)


PROPOSALS = ("delete", "set", "join", "wrap", "lift")


def suggests_of_a_block(writer: Writer) -> None:
    """As pages of version 4 of the format do."""
    free = [
        block
        for block in writer.root.children
        if not isinstance(held := block.attributes.get("suggestion"), dict)
        or (held["user"] == writer.user and held["kind"] != "insert")
    ]
    if free:
        kind = writer.random.choice(PROPOSALS)
        writer.random.choice(free).attributes["suggestion"] = writer.of_block(kind)


def proposes_of_a_block(writer: Writer) -> None:
    """Beside what others propose for the block."""
    block = writer.random.choice(list(writer.root.children))
    block.attributes[proposal_key_of(writer.user)] = writer.of_block(writer.random.choice(PROPOSALS))


def withdraws_a_proposal(writer: Writer) -> None:
    key = proposal_key_of(writer.user)
    for block in writer.root.children:
        if key in block.attributes:
            del block.attributes[key]
            return


def writes_in_own_block(writer: Writer) -> None:
    blocks = [block for block in writer.root.children if is_own_block(block, writer.user)]
    if blocks:
        block = writer.random.choice(blocks)
        for text in texts_in(block)[:1]:
            text.insert(0, writer.words(), {"bold": True} if writer.random.random() < 0.5 else None)


def withdraws_words(writer: Writer) -> None:
    own = writer.pieces(lambda _, formats: is_pending_of(formats, writer.user))
    if own:
        text, start, end, _ = writer.random.choice(own)
        del text[writer.random.randrange(start, end) : end]


def withdraws_a_mark(writer: Writer) -> None:
    kind = writer.random.choice(["deletion", "comment", "formatting"])
    own = writer.pieces(lambda _, formats: bool(marks_of(formats, kind, writer.user)))
    if own:
        text, start, end, formats = writer.random.choice(own)
        text.format(start, end, dict.fromkeys(marks_of(formats, kind, writer.user)))


def withdraws_a_block(writer: Writer) -> None:
    for at, block in enumerate(writer.root.children):
        if is_own_block(block, writer.user):
            del writer.root.children[at]
            return
        held = block.attributes.get("suggestion")
        if isinstance(held, dict) and held["user"] == writer.user:
            del block.attributes["suggestion"]
            return


def comments_on_an_object(writer: Writer) -> None:
    """On a block itself, as on a picture."""
    if len(writer.root.children):
        block = writer.random.choice(list(writer.root.children))
        for key, value in writer.mark("comment").items():
            block.attributes[key] = value


def withdraws_a_comment_on_an_object(writer: Writer) -> None:
    for block in writer.root.children:
        for key in marks_of(dict(block.attributes.__iter__()), "comment", writer.user):
            del block.attributes[key]
            return


def makes_a_block_anew(writer: Writer) -> None:
    """Delete a block and write the same, with something suggested behind it, as bindings may do."""
    at = writer.random.randrange(len(writer.root.children))
    block = writer.root.children[at]
    texts = [each for each in block.children if isinstance(each, XmlText)]
    if is_own_block(block, writer.user) or len(texts) != 1 or len(block.children) != 1:
        return
    pieces, attributes = texts_in(block)[0].diff(), dict(block.attributes.__iter__())
    del writer.root.children[at]
    text = XmlText("")
    writer.root.children.insert(at, XmlElement(block.tag, attributes, [text]))
    end = 0
    for words, formats in pieces:
        text.insert(end, words, formats or {})
        end += len(words)
    if writer.random.random() < 0.5:
        writer.root.children.insert(at + 1, own_block(writer, writer.words()))


HONEST: tuple[Callable[[Writer], object], ...] = (
    suggests_words,
    suggests_words,
    suggests_a_line_end,
    marks_words("deletion"),
    marks_words("comment"),
    marks_words("formatting", {"add": [{"type": "bold"}], "remove": ["italic"]}),
    suggests_a_block,
    suggests_of_a_block,
    proposes_of_a_block,
    withdraws_a_proposal,
    writes_in_own_block,
    withdraws_words,
    withdraws_a_mark,
    withdraws_a_block,
    comments_on_an_object,
    withdraws_a_comment_on_an_object,
    makes_a_block_anew,
)


# Acts of editors.


def types(writer: Writer) -> None:
    if (text := writer.text()) is not None:
        text.insert(writer.random.randint(0, len(text)), writer.words())


def deletes_words(writer: Writer) -> None:
    if (text := writer.text()) is not None:
        start, end = writer.a_range(text)
        del text[start:end]


def makes_bold(writer: Writer) -> None:
    if (text := writer.text()) is not None:
        text.format(*writer.a_range(text), {"bold": True})


def adds_a_block(writer: Writer) -> None:
    at = writer.random.randint(0, len(writer.root.children))
    tag, text = writer.random.choice(TAGS), XmlText(writer.words())
    inside = XmlElement("paragraph", {}, [text]) if tag == "blockquote" else text
    writer.root.children.insert(at, XmlElement(tag, {}, [inside]))


def deletes_a_block(writer: Writer) -> None:
    if len(writer.root.children) > 1:
        del writer.root.children[writer.random.randrange(len(writer.root.children))]


def accepts(writer: Writer) -> None:
    pending = writer.pieces(lambda _, formats: any(kind_of(key) == "insertion" for key in formats))
    if pending:
        text, start, end, formats = writer.random.choice(pending)
        text.format(start, end, dict.fromkeys(key for key in formats if kind_of(key) == "insertion"))


def rejects(writer: Writer) -> None:
    pending = writer.pieces(lambda _, formats: any(kind_of(key) == "insertion" for key in formats))
    if pending:
        text, start, end, _ = writer.random.choice(pending)
        del text[start:end]


EDITING: tuple[Callable[[Writer], object], ...] = (
    types,
    types,
    deletes_words,
    makes_bold,
    adds_a_block,
    deletes_a_block,
    accepts,
    rejects,
)


# What nobody may do who only suggests. Each returns whether there was something to do.

Attack = Callable[[Writer], bool]


def _accepted(writer: Writer) -> list[tuple[XmlText, int, int, dict[str, Any]]]:
    """Pieces of text outside of one's own pending content."""
    own_blocks = [
        text for block in writer.root.children if is_own_block(block, writer.user) for text in texts_in(block)
    ]
    return [
        piece
        for piece in writer.pieces(lambda words, formats: words != "" and not is_pending_of(formats, writer.user))
        if not any(piece[0] == text for text in own_blocks)
    ]


def _piece(writer: Writer) -> tuple[XmlText, int, int, dict[str, Any]] | None:
    pieces = _accepted(writer)
    return writer.random.choice(pieces) if pieces else None


def plain_words(writer: Writer) -> bool:
    if (piece := _piece(writer)) is not None:
        text, start, end, formats = piece
        text.insert(writer.random.randint(start, end - 1), "evil", {key: None for key in formats if kind_of(key)})
    return piece is not None


def deletion(writer: Writer) -> bool:
    if (piece := _piece(writer)) is not None:
        del piece[0][piece[1] : piece[1] + 1]
    return piece is not None


def real_format(writer: Writer) -> bool:
    if (piece := _piece(writer)) is not None:
        text, start, end, formats = piece
        text.format(start, end, {"bold": None if formats.get("bold") else True})
    return piece is not None


def claimed_words(writer: Writer) -> bool:
    if (piece := _piece(writer)) is not None:
        piece[0].format(piece[1], piece[2], writer.mark("insertion"))
    return piece is not None


def in_another_name(kind: str) -> Attack:
    def act(writer: Writer) -> bool:
        if (piece := _piece(writer)) is not None:
            forged = writer.mark(kind, "somebody")
            if kind == "insertion" and writer.random.random() < 0.5:
                piece[0].insert(piece[1], "evil", forged)
            else:
                piece[0].format(piece[1], piece[2], forged)
        return piece is not None

    return act


def in_two_names(kind: str) -> Attack:
    """Own pending words that are another person's as well."""

    def act(writer: Writer) -> bool:
        if (piece := _piece(writer)) is not None:
            both = {**writer.mark("insertion"), **writer.mark(kind, "somebody")}
            piece[0].insert(piece[2], "evil", both)
        return piece is not None

    return act


def in_another_name_in_own_block(writer: Writer) -> bool:
    block = own_block(writer, "evil words")
    writer.root.children.append(block)
    texts_in(block)[0].format(0, 4, writer.mark(writer.random.choice(["insertion", "comment"]), "somebody"))
    return True


def accepted_own(writer: Writer) -> bool:
    own = writer.pieces(lambda words, formats: words != "" and is_pending_of(formats, writer.user))
    own_blocks = [
        text for block in writer.root.children if is_own_block(block, writer.user) for text in texts_in(block)
    ]
    own = [piece for piece in own if not any(piece[0] == text for text in own_blocks)]
    if own:
        text, start, end, formats = writer.random.choice(own)
        text.format(start, end, dict.fromkeys(marks_of(formats, "insertion", writer.user)))
    return bool(own)


def another_s_mark_removed(writer: Writer) -> bool:
    def theirs(formats: Mapping[str, Any]) -> list[str]:
        return [key for key, each in formats.items() if kind_of(key) and each["user"] != writer.user]

    pieces = [piece for piece in _accepted(writer) if theirs(piece[3])]
    if pieces:
        text, start, end, formats = writer.random.choice(pieces)
        text.format(start, end, {writer.random.choice(theirs(formats)): None})
    return bool(pieces)


def another_s_mark_changed(writer: Writer) -> bool:
    """Another value under the key of somebody's mark."""
    for text, start, end, formats in _accepted(writer):
        for key, each in formats.items():
            if kind_of(key) and each["user"] != writer.user:
                text.format(start, end, {key: {**each, "user": writer.user}})
                return True
    return False


def wrong_key(writer: Writer) -> bool:
    if (piece := _piece(writer)) is not None:
        ((key, value),) = writer.mark("comment").items()
        text, start, end, _ = piece
        text.format(start, end, {writer.random.choice(["comment", "comment--AAAAAAAA", key[:-1] + "?"]): value})
    return piece is not None


def nameless(writer: Writer) -> bool:
    if (piece := _piece(writer)) is not None:
        bad: Any = writer.random.choice([{"user": writer.user}, {"user": writer.user, "id": "x" * 5000}, True])
        piece[0].insert(piece[1], "evil", {key_of("insertion", bad) if isinstance(bad, dict) else "insertion": bad})
    return piece is not None


def _real_blocks(writer: Writer) -> list[XmlElement]:
    return [block for block in writer.root.children if not is_own_block(block, writer.user)]


def plain_block(writer: Writer) -> bool:
    writer.root.children.insert(0, XmlElement("paragraph", {}, [XmlText(writer.random.choice(["", "evil"]))]))
    return True


def deleted_block(writer: Writer) -> bool:
    for at, block in enumerate(writer.root.children):
        if not is_own_block(block, writer.user):
            del writer.root.children[at]
            return True
    return False


def claimed_block(writer: Writer) -> bool:
    blocks = _real_blocks(writer)
    if blocks:
        writer.random.choice(blocks).attributes["suggestion"] = writer.of_block("insert")
    return bool(blocks)


def block_in_another_name(writer: Writer) -> bool:
    if writer.random.random() < 0.5 and (blocks := _real_blocks(writer)):
        writer.random.choice(blocks).attributes["suggestion"] = writer.of_block("delete", "somebody")
    else:
        writer.root.children.append(own_block(writer, "evil", "somebody"))
    return True


def another_s_block_suggestion(writer: Writer) -> bool:
    for block in writer.root.children:
        held = block.attributes.get("suggestion")
        if isinstance(held, dict) and held["user"] != writer.user:
            if writer.random.random() < 0.5:
                del block.attributes["suggestion"]
            else:
                block.attributes["suggestion"] = writer.of_block("delete")
            return True
    return False


def proposal_in_another_name(writer: Writer) -> bool:
    """Under their key, or under one's own."""
    block, user = writer.random.choice(list(writer.root.children)), writer.random.choice(["somebody", writer.user])
    block.attributes[proposal_key_of(user)] = writer.of_block("delete", "somebody")
    return True


def proposal_under_another_key(writer: Writer) -> bool:
    """A second one, or one in the place of somebody else's."""
    block = writer.random.choice(list(writer.root.children))
    key = writer.random.choice([proposal_key_of("somebody"), "suggestion--AAAAAAAA"])
    block.attributes[key] = writer.of_block("delete")
    return True


def another_s_proposal(writer: Writer) -> bool:
    """Taken away, or changed."""
    for block in writer.root.children:
        for key, value in dict(block.attributes.__iter__()).items():
            if is_proposal_key(key) and value["user"] != writer.user:
                if writer.random.random() < 0.5:
                    del block.attributes[key]
                else:
                    name = writer.random.choice([writer.user, value["user"]])
                    block.attributes[key] = {**value, "at": 1.0, "user": name}
                return True
    return False


def block_claimed_by_a_proposal(writer: Writer) -> bool:
    block = writer.random.choice(list(writer.root.children))
    block.attributes[proposal_key_of(writer.user)] = writer.of_block(writer.random.choice(["insert", "explode"]))
    return True


def accepted_own_block(writer: Writer) -> bool:
    for block in writer.root.children:
        if is_own_block(block, writer.user):
            del block.attributes["suggestion"]
            return True
    return False


def real_attribute(writer: Writer) -> bool:
    blocks = _real_blocks(writer)
    if blocks:
        name = writer.random.choice(["level", "textAlign", "suggestion2"])
        writer.random.choice(blocks).attributes[name] = writer.random.choice([3.0, "right", None, {"a": 1.0}])
        return writer.random.choice(blocks) is not None
    return False


def comment_on_an_object_in_another_name(writer: Writer) -> bool:
    block = writer.random.choice(list(writer.root.children))
    for key, value in writer.mark("comment", "somebody").items():
        block.attributes[key] = value
    return True


def wrong_key_on_an_object(writer: Writer) -> bool:
    blocks = _real_blocks(writer)
    if blocks:
        (value,) = writer.mark("comment").values()
        writer.random.choice(blocks).attributes[writer.random.choice(["comment", "comment--AAAAAAAA"])] = value
    return bool(blocks)


def another_s_comment_on_an_object(writer: Writer) -> bool:
    """Taken away, or overwritten."""
    for block in writer.root.children:
        for key, value in dict(block.attributes.__iter__()).items():
            if kind_of(key) == "comment" and value["user"] != writer.user:
                if writer.random.random() < 0.5:
                    del block.attributes[key]
                else:
                    block.attributes[key] = {**value, "user": writer.user}
                return True
    return False


def unknown_kind(writer: Writer) -> bool:
    blocks = _real_blocks(writer)
    if blocks:
        writer.random.choice(blocks).attributes["suggestion"] = writer.of_block("explode")
    return bool(blocks)


def moved_into_own_block(writer: Writer) -> bool:
    for at, block in enumerate(writer.root.children):
        words = "".join(words for text in texts_in(block) for words, _ in text.diff())
        if words and not is_own_block(block, writer.user):
            del writer.root.children[at]
            writer.root.children.insert(at, own_block(writer, words))
            return True
    return False


def bare_text_in_the_root(writer: Writer) -> bool:
    writer.root.children.append(XmlText("evil"))
    return True


def another_root(writer: Writer) -> bool:
    writer.doc.get(writer.random.choice(["other", "settings"]), type=Map)["a"] = 1.0
    return True


def another_text(writer: Writer) -> bool:
    writer.doc.get("title", type=Text).insert(0, "evil")
    return True


def embed(writer: Writer) -> bool:
    if (piece := _piece(writer)) is not None:
        piece[0].insert_embed(piece[1], {"evil": True}, writer.mark("insertion"))
    return piece is not None


def attribute_of_a_text(writer: Writer) -> bool:
    if (piece := _piece(writer)) is not None:
        piece[0].attributes["evil"] = "true"
    return piece is not None


# What no editor knows, or can draw. Every page that meets it opens the document read-only.


def own_element(tag: str, more: Mapping[str, Any] | None = None, inside: Sequence[Any] = ()) -> Attack:
    """A proposed block, whatever is in it."""

    def act(writer: Writer) -> bool:
        attributes = {"suggestion": writer.of_block("insert"), **(more or {})}
        writer.root.children.append(XmlElement(tag, attributes, [made() for made in inside]))
        return True

    return act


def _element(tag: str, more: Mapping[str, Any] | None = None, inside: Sequence[Any] = ()) -> Callable[[], XmlElement]:
    return lambda: XmlElement(tag, dict(more or {}), [made() for made in inside])


def nested(levels: int) -> Attack:
    made = _element("paragraph")
    for _ in range(levels):
        made = _element("blockquote", inside=[made])
    return own_element("blockquote", inside=[made])


def own_words_with(formats: Mapping[str, Any]) -> Attack:
    def act(writer: Writer) -> bool:
        if (piece := _piece(writer)) is not None:
            piece[0].insert(piece[2], "evil", {**writer.mark("insertion"), **formats})
        return piece is not None

    return act


def own_mark_with(kind: str, more: Mapping[str, Any]) -> Attack:
    """A mark of the own, with its right key, that says something odd."""

    def act(writer: Writer) -> bool:
        if (piece := _piece(writer)) is not None:
            text, start, end, _ = piece
            mark = writer.mark(kind, more=dict(more))
            if kind == "insertion":
                text.insert(end, "evil", mark)
            else:
                text.format(start, end, mark)
        return piece is not None

    return act


def block_suggestion_with(more: Mapping[str, Any]) -> Attack:
    def act(writer: Writer) -> bool:
        free = [block for block in writer.root.children if block.attributes.get("suggestion") is None]
        if free:
            writer.random.choice(free).attributes["suggestion"] = {**writer.of_block("set"), **more}
        return bool(free)

    return act


def proposal_with(more: Mapping[str, Any]) -> Attack:
    def act(writer: Writer) -> bool:
        block = writer.random.choice(list(writer.root.children))
        block.attributes[proposal_key_of(writer.user)] = {**writer.of_block("set"), **more}
        return True

    return act


def comment_on_an_object_with(more: Mapping[str, Any]) -> Attack:
    def act(writer: Writer) -> bool:
        block = writer.random.choice(list(writer.root.children))
        for key, value in writer.mark("comment", more=dict(more)).items():
            block.attributes[key] = value
        return True

    return act


def own_text_in_the_root(words: str) -> Attack:
    def act(writer: Writer) -> bool:
        text = XmlText("")
        writer.root.children.append(text)
        if words:
            text.insert(0, words, writer.mark("insertion"))
        return True

    return act


def own_words_in_a_quote(writer: Writer) -> bool:
    """Bare words among blocks, in an accepted block."""
    for block in writer.root.children:
        if block.tag == "blockquote" and not is_own_block(block, writer.user):
            text = XmlText("")
            block.children.append(text)
            text.insert(0, "evil", writer.mark("insertion"))
            return True
    return False


def own_block_in_a_line(writer: Writer) -> bool:
    for block in writer.root.children:
        if block.tag == "paragraph" and not is_own_block(block, writer.user):
            block.children.append(own_block(writer, "evil"))
            return True
    return False


def attribute_of_an_own_text(writer: Writer) -> bool:
    block = own_block(writer, "evil")
    writer.root.children.append(block)
    texts_in(block)[0].attributes["evil"] = "true"
    return True


def _table(rows: int, cells: int, **spans: float) -> Attack:
    cell = _element("tableCell", spans, [_element("paragraph")])
    return own_element("table", inside=[_element("tableRow", inside=[cell] * cells)] * rows)


DEEP: Any = 1.0
for _ in range(8):
    DEEP = [DEEP]

FORM_ATTACKS: dict[str, Attack] = {
    "unknown node": own_element("evil"),
    "node of another case": own_element("Paragraph"),
    "root as a node": own_element("doc", inside=[_element("paragraph")]),
    "text as a node": own_element("paragraph", inside=[_element("text")]),
    "unknown node in an own block": own_element("blockquote", inside=[_element("evil")]),
    "unknown attribute": own_element("paragraph", {"evil": "1"}),
    "unknown attribute without a value": own_element("paragraph", {"evil": None}),
    "a constructor as an attribute": own_element("paragraph", {"constructor": "1"}),
    "attribute of another node": own_element("paragraph", {"level": 1.0}),
    "mark as an attribute": own_element("paragraph", {"bold": True}),
    "object as a value": own_element("paragraph", {"textAlign": {"a": 1.0}}),
    "bytes as a value": own_element("paragraph", {"textAlign": b"evil"}),
    "words in a list as a value": own_element("paragraph", {"textAlign": ["evil"]}),
    "long value": own_element("paragraph", {"textAlign": "x" * 10_000}),
    "attribute of an own text": attribute_of_an_own_text,
    "item without a list": own_element("listItem", inside=[_element("paragraph")]),
    "block in a line": own_element("paragraph", inside=[_element("paragraph")]),
    "block in accepted words": own_block_in_a_line,
    "words among blocks": own_element("blockquote", inside=[lambda: XmlText("evil")]),
    "own words among accepted blocks": own_words_in_a_quote,
    "own words in the root": own_text_in_the_root("evil"),
    "empty text in the root": own_text_in_the_root(""),
    "many levels": nested(120),
    "wide cells": _table(1, 40, colspan=64.0),
    "many spans": _table(1500, 1, rowspan=2.0),
    "unknown mark": own_words_with({"evil": {}}),
    "known mark under a key with a hash": own_words_with({"bold--AAAAAAAA": {}}),
    "unknown attribute of a known mark": own_words_with({"link": {"href": "x", "evil": "1"}}),
    "object in a known mark": own_words_with({"link": {"href": {"a": 1.0}}}),
    "odd value of a mark": own_words_with({"link": {"href": "x" * 10_000}}),
    "more said in an insertion": own_mark_with("insertion", {"evil": 1.0}),
    "more said in a strike": own_mark_with("deletion", {"run": 1.0}),
    "more said in a comment": own_mark_with("comment", {"at": 1.0}),
    "time that is none": own_mark_with("insertion", {"at": "yesterday"}),
    "time that no browser shows": own_mark_with("insertion", {"at": 1e300}),
    "time before all": own_mark_with("deletion", {"at": -1e300}),
    "odd run": own_mark_with("insertion", {"run": {"a": 1.0}}),
    "cut of many levels": own_mark_with("insertion", {"break": 1e9}),
    "deep thread": own_mark_with("comment", {"id": "x", "user": "u", "more": DEEP}),
    "more said in a comment on an object": comment_on_an_object_with({"evil": DEEP}),
    "block's suggestion with more": block_suggestion_with({"evil": 1.0}),
    "block's suggestion with a time that is none": block_suggestion_with({"at": 1e300}),
    "proposal with more": proposal_with({"evil": 1.0}),
    "proposals under a name that a page reads them by": own_element("paragraph", {"proposals": 1.0}),
}

OURS_ALONE: dict[str, Attack] = {
    "deep values in a block's suggestion": block_suggestion_with({"attrs": {"textAlign": DEEP}}),
    "odd values in a block's suggestion": block_suggestion_with({"attrs": {"textAlign": {"a": 1.0}}}),
    "unknown type in a block's suggestion": block_suggestion_with({"type": "evil"}),
    "unknown type in a proposal": proposal_with({"type": "evil"}),
    "unknown format": own_mark_with("formatting", {"add": [{"type": "evil"}]}),
    "odd format": own_mark_with("formatting", {"add": [{"type": "link", "attrs": {"href": {"a": 1.0}}}]}),
    "another's comment as a format": own_mark_with("formatting", {"add": [{"type": "comment", "attrs": {"id": "x"}}]}),
    "many formats": own_mark_with("formatting", {"remove": ["bold"] * 200}),
}
"""What other editors may mean something by."""

ATTACKS: dict[str, Attack] = {
    "plain words": plain_words,
    "deletion": deletion,
    "real format": real_format,
    "claimed words": claimed_words,
    "insertion in another name": in_another_name("insertion"),
    "strike in another name": in_another_name("deletion"),
    "format in another name": in_another_name("formatting"),
    "comment in another name": in_another_name("comment"),
    "own words in another name too": in_two_names("insertion"),
    "another's comment on own words": in_two_names("comment"),
    "another's words in an own block": in_another_name_in_own_block,
    "accepted own words": accepted_own,
    "another's mark removed": another_s_mark_removed,
    "another's mark changed": another_s_mark_changed,
    "wrong key": wrong_key,
    "mark without a name": nameless,
    "plain block": plain_block,
    "deleted block": deleted_block,
    "claimed block": claimed_block,
    "block in another name": block_in_another_name,
    "another's suggestion of a block": another_s_block_suggestion,
    "proposal in another name": proposal_in_another_name,
    "proposal under another key": proposal_under_another_key,
    "another's proposal": another_s_proposal,
    "block claimed by a proposal": block_claimed_by_a_proposal,
    "accepted own block": accepted_own_block,
    "real attribute": real_attribute,
    "comment on an object in another name": comment_on_an_object_in_another_name,
    "wrong key on an object": wrong_key_on_an_object,
    "another's comment on an object": another_s_comment_on_an_object,
    "unknown kind": unknown_kind,
    "moved into an own block": moved_into_own_block,
    "bare text in the root": bare_text_in_the_root,
    "another root": another_root,
    "another text": another_text,
    "embed": embed,
    "attribute of a text": attribute_of_a_text,
    **FORM_ATTACKS,
}


def a_text(random: Random, blocks: int = 4) -> tuple[Writer, bytes]:
    """An editor's document, with suggestions of a third person in it, and its whole state."""
    editor = Writer("editor", 10, random)
    for _ in range(blocks):
        adds_a_block(editor)
    for _ in range(3):
        random.choice(EDITING)(editor)
    third = Writer("third", 20, random)
    third.hears(editor.doc.get_update())
    for _ in range(4):
        random.choice((suggests_words, marks_words("comment"), marks_words("deletion"), suggests_of_a_block))(third)
    comments_on_an_object(third)
    proposes_of_a_block(third)
    editor.hears(third.doc.get_update())
    return editor, unwrap(editor.doc.get_update())

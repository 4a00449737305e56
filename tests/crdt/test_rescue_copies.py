"""Copies in one update: what is struck in one line is not found in another line by its letters."""

import pytest

from tests.crdt.test_rescue_work import Document, Writer

AUTHOR, LATER = 1, 2


def lines(*words: str) -> str:
    return "".join(f"<paragraph>{each}</>" for each in words)


def test_a_struck_word_has_no_copy_in_a_line_that_is_split_off_and_holds_its_letters() -> None:
    document, writer = Document(), Writer()
    _, first = writer.line(AUTHOR, "llAn item to be")
    block = AUTHOR, first - 2
    _, second = writer.line(AUTHOR, "tea of the hills", origin=block)
    document.hear(writer.update(), 0, AUTHOR)
    writer.delete(AUTHOR, first, first + 2)
    writer.delete(AUTHOR, second + 6, second + 16)
    writer.line(LATER, "the hills", origin=(AUTHOR, second - 2))
    document.hear(writer.update(), 1, LATER)
    assert document.words() == lines("An item to be", "tea of", "the hills")


@pytest.mark.parametrize("struck", ["a", "ll", "il", "hill", "the", "the hi"])
def test_neither_has_any_other_part_of_it(struck: str) -> None:
    document, writer = Document(), Writer()
    _, first = writer.line(AUTHOR, f"{struck}, An item to be")
    _, second = writer.line(AUTHOR, "tea of a the hills", origin=(AUTHOR, first - 2))
    document.hear(writer.update(), 0, AUTHOR)
    writer.delete(AUTHOR, first, first + len(struck))
    writer.delete(AUTHOR, second + 6, second + 18)
    writer.line(LATER, "a the hills", origin=(AUTHOR, second - 2))
    document.hear(writer.update(), 1, LATER)
    assert document.words() == lines(", An item to be", "tea of", "a the hills")


@pytest.mark.parametrize("after", [1, None])
@pytest.mark.parametrize("struck", ["a", "An", "item"])
def test_a_line_stays_whose_word_is_struck_while_a_new_line_has_the_same_letters(
    struck: str, after: int | None
) -> None:
    document, writer = Document(), Writer()
    _, first = writer.line(AUTHOR, f"{struck} thing of old")
    document.hear(writer.update(), 0, AUTHOR)
    writer.delete(AUTHOR, first, first + len(struck))
    writer.line(LATER, "An item of a new line", origin=(AUTHOR, first - 2))
    document.hear(writer.update(), after, LATER)
    assert document.words() == lines(" thing of old", "An item of a new line")

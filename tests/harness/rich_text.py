"""Rich text as an editor writes it: blocks of words in the root `default`, and steps."""

from collections.abc import Callable
from typing import Any

from pycrdt import Doc, XmlElement, XmlText


def paragraph(words: str, name: str = "paragraph") -> XmlElement:
    return XmlElement(name, {}, [XmlText(words)])


def step_of(doc: "Doc[Any]", act: Callable[[], object]) -> bytes:
    """Do something as one step. A state would say again whatever was ever deleted."""
    steps: list[bytes] = []
    watching = doc.observe(lambda event: steps.append(event.update))
    with doc.transaction():
        act()
    doc.unobserve(watching)
    (step,) = steps
    return step

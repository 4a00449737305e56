"""What every browser test is marked with, beside `e2e` and `slow` (tests/e2e/conftest.py): one event loop."""

import pytest

BROWSER = [pytest.mark.asyncio(loop_scope="session")]

SEATED = [*BROWSER, pytest.mark.seated]
"""For stories whose people may have told others before, in the same browser.

A fresh browser with a document costs 1.2 CPU-seconds, and a way from document to document 0.2. A
story that adds scripts to a browser, serves other pages in it or needs a first visit meets its
people `anew`, or is marked BROWSER.
"""

"""What the server says about itself."""

import io
import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from server import observe
from server.observe import log


@pytest.fixture(autouse=True)
def _undo() -> Iterator[None]:
    """Leave logging as it was."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    root.handlers, root.level = handlers, level
    structlog.reset_defaults()


def test_a_line_is_an_event_with_facts() -> None:
    out = io.StringIO()
    observe.configure("info", "json", out)
    log.info("server_started", port=8000)
    log.debug("server_stopped")
    line = json.loads(out.getvalue())
    assert (line["event"], line["level"], line["port"]) == ("server_started", "info", 8000)
    assert line["timestamp"].endswith("Z")


def test_a_mistake_brings_its_traceback_but_not_the_values_in_it() -> None:
    for form in ("json", "console"):
        out = io.StringIO()
        observe.configure("info", form, out)
        try:
            secret = "hunter" + "2"
            raise RuntimeError(len(secret))
        except RuntimeError:
            log.exception("task_failed")
        assert "RuntimeError" in out.getvalue()
        assert "test_observe.py" in out.getvalue()
        assert "hunter2" not in out.getvalue()


def test_libraries_lines_take_the_same_form() -> None:
    out = io.StringIO()
    observe.configure("debug", "json", out)
    logging.getLogger("uvicorn.error").warning("Invalid HTTP request received.")
    assert json.loads(out.getvalue())["logger"] == "uvicorn.error"


@pytest.mark.parametrize("name", ["uvicorn.error", "uvicorn.access", "engineio.server", "socketio.server"])
def test_libraries_lines_that_would_tell_session_ids_are_held_back(name: str) -> None:
    out = io.StringIO()
    observe.configure("debug", "console", out)
    logging.getLogger(name).info('127.0.0.1 - "WebSocket /socket.io/?sid=abc" [accepted]')
    assert out.getvalue() == ""


def test_text_from_outside_cannot_make_a_line_of_its_own() -> None:
    out = io.StringIO()
    observe.configure("info", "console", out)
    log.warning("protocol_error", reason="bad\n2030-01-01 [info] all is well")
    assert out.getvalue().count("\n") == 1

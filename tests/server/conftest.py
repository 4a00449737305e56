"""For tests of the gateway: each of them over the fast lane, and as any other ASGI server would serve it."""

import pytest

from tests.harness import live_server


@pytest.fixture(params=["fast_lane", "any_server"])
def both_ways(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run the test twice."""
    if request.param == "any_server":
        monkeypatch.setattr(live_server, "websocket_protocol", lambda: "websockets-sansio")

"""The doors for other servers' clients, each beside the server whose clients they are."""

from functools import partial

from tests.bench.scenario import Scenario
from tests.bench.scenarios.hot import type_together
from tests.bench.scenarios.presence import move_about
from tests.bench.servers import (
    AT_HOCUSPOCUS,
    AT_Y_SOCKET_IO,
    AT_Y_WEBSOCKET,
    HOCUSPOCUS,
    OURS,
    Y_SOCKET_IO,
    Y_WEBSOCKET,
)

SCENARIO = Scenario(
    "one busy document of 100 members, by each door",
    (OURS, AT_Y_WEBSOCKET, Y_WEBSOCKET, AT_HOCUSPOCUS, HOCUSPOCUS, AT_Y_SOCKET_IO, Y_SOCKET_IO),
    {
        "20 typists × 5/s": partial(type_together, members=100, typists=20, per_second=5),
        "100 members × 5 moves/s": partial(move_about, members=100, per_second=5),
    },
    ("µs/delivery", "p50 ms", "p99 ms"),
)

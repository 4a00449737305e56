"""One document with very many readers."""

from functools import partial

from tests.bench.scenario import Scenario
from tests.bench.scenarios.hot import type_together
from tests.bench.servers import HOCUSPOCUS, HOCUSPOCUS_20, OURS, Y_WEBSOCKET

SCENARIO = Scenario(
    "one document of 1,000 members",
    (OURS, HOCUSPOCUS, HOCUSPOCUS_20, Y_WEBSOCKET),
    {"20 typists × 2/s": partial(type_together, members=1000, typists=20, per_second=2)},
)

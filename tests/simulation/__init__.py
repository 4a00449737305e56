"""The simulation: schedules from seeds, in which time and trouble are simulated.

`MANYHANDS_SIMULATION_SEEDS=20000 pytest tests/simulation` runs more. A seed that fails is kept in
its file, for ever.
"""

import os

SEEDS = int(os.environ.get("MANYHANDS_SIMULATION_SEEDS", "300"))
"""Schedules of each kind. All planted bugs are found within 40."""

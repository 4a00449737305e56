"""Hides from server processes what only tests install, so that they run as users have them.

Libraries of ours import these where they are there, which takes a third of a server's start. Python
runs a file of this name by itself when it is found on PYTHONPATH.
"""

import sys

for name in ("aiohttp", "requests", "rich"):
    sys.modules[name] = None  # type: ignore[assignment]  # importing it fails as if it weren't there

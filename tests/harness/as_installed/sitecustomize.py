"""A hook that hides the packages that only tests install, so that servers run as at users.

Our libraries import these packages if they are installed, which takes a third of a server's start.
Python runs a file with this name by itself when the file is on PYTHONPATH.
"""

import sys

for name in ("aiohttp", "requests", "rich"):
    sys.modules[name] = None  # type: ignore[assignment]  # importing it fails as if it weren't there

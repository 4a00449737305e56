"""The command `manyhands`, which makes the server's own modules importable before it runs them.

An installed package holds the modules `crdt` and `server` in its folder `program`, where no other
package and no other program meets these names (setup.py puts them there). In the repository they
are importable as they are.
"""

import sys
from pathlib import Path

PROGRAM = Path(__file__).parent / "program"


def main() -> None:
    if PROGRAM.is_dir():
        sys.path.insert(0, str(PROGRAM))  # before everything else: a stray server.py must not come first
    from server.__main__ import main as command_line

    command_line(prog_name="manyhands")


if __name__ == "__main__":
    main()

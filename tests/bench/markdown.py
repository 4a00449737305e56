"""The headlines of a run as a Markdown table.

`python -m tests.bench.markdown build/bench.json docs/benchmarks.md` renews the table on that page.
"""

import json
import re
import sys
from pathlib import Path
from typing import Any

BEGIN, END = "<!-- bench: begin -->\n", "<!-- bench: end -->\n"
COLUMNS = (
    "manyhands",
    "hocuspocus",
    "hocuspocus flushDelay 20",
    "y-websocket",
    "socketio broadcast",
    "pycrdt-websocket",
)


def markdown(run: dict[str, Any]) -> str:
    """One line for each headline of each setting; a server with an extension stands in its own column."""
    lines = ["| | figure | " + " | ".join(COLUMNS) + " |", "|---|---|" + "---:|" * len(COLUMNS)]
    for table in run["tables"]:
        figures = {re.sub(r" \+ (sqlite|redis),?", "", name): each for name, each in table["medians"].items()}
        for at, headline in enumerate(table["headline"]):
            cells = [_cell(figures.get(column, {}).get(headline)) for column in COLUMNS]
            if any(cells):
                title = f"{table['scenario']}: {table['setting']}" if at == 0 else ""
                lines.append(f"| {title} | {headline} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def renewed(page: str, table: str) -> str:
    """The page with another table between its marks."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return before + BEGIN + table + END + after


def _cell(value: float | None) -> str:
    if value is None:
        return ""
    digits = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2
    return f"{value:,.{digits}f}"


def main() -> None:
    """Renew a page's table from a run's figures."""
    run, page = json.loads(Path(sys.argv[1]).read_text()), Path(sys.argv[2])
    page.write_text(renewed(page.read_text(), markdown(run)))


if __name__ == "__main__":
    main()

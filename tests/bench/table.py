"""What was measured: medians over rounds, ratios between servers, as a table for people and as JSON."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import isnan
from pathlib import Path
from statistics import median

Figures = dict[str, float]
"""By name and unit, as the table's columns are headed."""

FULL = 90.0
"""Percent of its core from which on the generator may be what limits a server."""


@dataclass
class Table:
    """One setting of one scenario: each server's figures in each round. `headline`: the figures that ratios are given of."""

    scenario: str
    setting: str
    headline: Sequence[str]
    rounds: dict[str, list[Figures]] = field(default_factory=dict)

    def add(self, server: str, figures: Figures) -> None:
        """One more round of a server."""
        self.rounds.setdefault(server, []).append(figures)

    def medians(self) -> dict[str, Figures]:
        """Each server's figures, medians over its rounds."""
        return {server: _medians(rounds) for server, rounds in self.rounds.items()}

    def ratios(self) -> dict[str, Figures]:
        """The first server's headline figures divided by each other one's; nothing when there is no headline."""
        rows = list(self.medians().items()) if self.headline else []
        if not rows:
            return {}
        ours = rows[0][1]
        return {server: _divided(ours, figures, self.headline) for server, figures in rows[1:]}

    def text(self) -> str:
        """For people."""
        medians = self.medians()
        names = list(dict.fromkeys(name for figures in medians.values() for name in figures))
        lines = ["", f"{self.scenario}: {self.setting}", _line("", names, names)]
        lines += [_line(server + _mark(figures), _cells(figures, names), names) for server, figures in medians.items()]
        first = next(iter(medians), "")
        for server, ratios in self.ratios().items():
            said = ", ".join(f"{name} {ratio:.2f}" for name, ratio in ratios.items())
            lines.append(f"  {first} / {server}: {said or '–'}")
        if any(_mark(figures) for figures in medians.values()):
            lines.append(
                "  * the load generator was busy for most of the time: this row may show its limit, not the server's"
            )
        return "\n".join(lines) + "\n"


def write_json(tables: Sequence[Table], path: Path, about: Mapping[str, object]) -> None:
    """Everything, for programs."""
    path.parent.mkdir(parents=True, exist_ok=True)
    content = {
        **about,
        "tables": [
            {
                "scenario": each.scenario,
                "setting": each.setting,
                "headline": list(each.headline),
                "medians": each.medians(),
                "rounds": each.rounds,
                "ratios": each.ratios(),
            }
            for each in tables
        ],
    }
    path.write_text(json.dumps(_without_nan(content), indent=1, allow_nan=False) + "\n")


def _without_nan(value: object) -> object:
    """The same for programs, which know no such number: null."""
    match value:
        case dict():
            return {name: _without_nan(each) for name, each in value.items()}
        case list():
            return [_without_nan(each) for each in value]
        case float() if isnan(value):
            return None
    return value


def _medians(rounds: Sequence[Figures]) -> Figures:
    names = dict.fromkeys(name for figures in rounds for name in figures)
    return {name: median(figures[name] for figures in rounds if name in figures) for name in names}


def _divided(ours: Figures, theirs: Figures, names: Sequence[str]) -> Figures:
    pairs = {name: (ours.get(name, 0.0), theirs.get(name, 0.0)) for name in names}
    return {name: mine / other for name, (mine, other) in pairs.items() if other and not isnan(mine / other)}


def _mark(figures: Figures) -> str:
    return " *" if figures.get("generator %", 0) >= FULL else ""


def _cells(figures: Figures, names: Sequence[str]) -> list[str]:
    return [_number(figures[name]) if name in figures else "" for name in names]


def _number(value: float) -> str:
    if isnan(value):
        return "–"
    digits = 0 if abs(value) >= 100 or value == int(value) else 1 if abs(value) >= 10 else 2
    return f"{value:,.{digits}f}"


def _line(server: str, cells: Sequence[str], heads: Sequence[str]) -> str:
    widths = (max(12, len(head) + 2) for head in heads)
    return f"{server:34}" + "".join(f"{cell:>{width}}" for cell, width in zip(cells, widths, strict=True))

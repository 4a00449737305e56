"""Tables in which rows or columns are read with or without what is suggested for them.

The cells are laid into a grid, rows and columns leave it or are filled up, and the table is made of
what is left. So a table of one width stays one, also when somebody else has added a row or merged
cells meanwhile:

1. A row that lacks the cell of a proposed column gets an empty one when the column is accepted.
2. A column goes when nothing is left in it. A cell that somebody has added to it without a proposal
   goes with it if it is empty. Otherwise the column stays without what was proposed in it.
3. Cells that go over several rows or columns become smaller.

The same rules hold in the page (client_web/editor/src/features/suggesting/shaping.ts).
"""

from collections.abc import Callable, Sequence
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from crdt.content.schema import SCHEMA, whole_number
from crdt.content.tree import Node, empty

_HEAD = "tableHeader"


class Settled(Struct, frozen=True):
    """A cell or a row with what becomes of it.

    Attributes:
        node: as it is when everything is accepted, or nothing.
        new: the suggestion by which it would come.
        is_struck: whether somebody suggests to delete it.
        holds: whether anything is in it.
    """

    node: Node
    new: str | None = None
    is_struck: bool = False
    holds: bool = False


class _Cell:
    """A cell, which may stand in several places of the grid."""

    def __init__(self, settled: Settled, *, accepts: bool) -> None:
        self.node = settled.node
        self.new = settled.new
        self.holds = settled.holds
        self.is_out = settled.new is not None and not accepts
        self.is_in = settled.new is not None and accepts
        self.is_struck = settled.is_struck and accepts


_Slots = list[_Cell | None]


class _Row(Struct):
    node: Node
    slots: _Slots


def shaped_rows(table: Node, *, accepts: bool, settle: Callable[[Node], Settled]) -> list[Node]:
    """Return the rows of a table; none if the table has to go.

    `settle` returns a cell, or a row as far as its attributes go, without what is suggested in it.
    """
    cells = [[_Cell(settle(cell), accepts=accepts) for cell in row.content] for row in table.content]
    rows: list[_Row] = []
    for row, slots in zip(table.content, _grid(cells), strict=True):
        settled = settle(replace(row, content=()))
        is_left = any(cell is not None and cell.holds and not cell.is_out for cell in slots)
        if (settled.is_struck and not is_left) if accepts else settled.new is not None:
            continue
        rows.append(_Row(settled.node, slots))
    grid = [row.slots for row in rows]
    for column in reversed(range(max(map(len, grid), default=0))):
        _settle_column(grid, column)
    if not any(grid):
        return []
    return [
        replace(
            row.node,
            content=tuple(
                [
                    _spanning(cell, grid, at, column)
                    for column, cell in enumerate(row.slots)
                    if cell is not None and not _goes_on(cell, grid, at, column)
                ]
            ),
        )
        for at, row in enumerate(rows)
    ]


def _settle_column(grid: Sequence[_Slots], column: int) -> None:
    """Take a column out of the grid, or fill its gaps, if something was suggested for it."""
    own = [
        cell
        for slots in grid
        if (cell := _at(slots, column)) is not None and (cell.is_out or not _is_beside(slots, column, cell))
    ]
    may_go = any(cell.is_out or cell.is_struck for cell in own)
    if may_go and all(cell.is_out or not cell.holds for cell in own):
        for slots in grid:
            del slots[column : column + 1]
        return
    if not may_go and not any(cell.is_in for cell in own):
        return
    fresh: dict[int, _Cell] = {}
    is_head = all(cell.node.type == _HEAD for cell in own)
    for slots in grid:
        if column >= len(slots):
            continue
        cell = slots[column]
        if cell is None:
            is_head_row = all(each is None or each.node.type == _HEAD for each in slots)
            slots[column] = _empty_cell(is_head=is_head or is_head_row)
        elif cell.is_out:
            slots[column] = fresh.setdefault(id(cell), _empty_cell(is_head=cell.node.type == _HEAD))


def _at(slots: _Slots, column: int) -> _Cell | None:
    return slots[column] if 0 <= column < len(slots) else None


def _is_beside(slots: _Slots, column: int, cell: _Cell) -> bool:
    return _at(slots, column - 1) is cell or _at(slots, column + 1) is cell


def _goes_on(cell: _Cell, grid: Sequence[_Slots], row: int, column: int) -> bool:
    """Whether a cell has begun before a place."""
    return _at(grid[row], column - 1) is cell or (row > 0 and _at(grid[row - 1], column) is cell)


def _empty_cell(*, is_head: bool) -> _Cell:
    return _Cell(Settled(empty(_HEAD if is_head else "tableCell")), accepts=True)


def _spanning(cell: _Cell, grid: Sequence[_Slots], row: int, column: int) -> Node:
    """Return a cell over as many rows and columns as it has places."""
    across = down = 1
    while _at(grid[row], column + across) is cell:
        across += 1
    while row + down < len(grid) and _at(grid[row + down], column) is cell:
        down += 1
    before = _span(cell.node, "colspan")
    if (before, _span(cell.node, "rowspan")) == (across, down):
        return cell.node
    # Widths belong to columns: a cell over fewer of them has none until somebody gives it one.
    width = cell.node.attributes.get("colwidth") if before == across else None
    return replace(
        cell.node, attributes={**cell.node.attributes, "colspan": across, "rowspan": down, "colwidth": width}
    )


def _span(cell: Node, name: str) -> int:
    return whole_number(cell.attributes.get(name), 1, SCHEMA.most.span) or 1


def _grid(rows: Sequence[Sequence[_Cell]]) -> list[_Slots]:
    """Return the cells by rows and columns.

    Rows that lack the cell of a proposed column have a gap there.
    """
    plain = _laid(rows, lambda *_: False)
    width = max(map(len, plain), default=0)
    proposed: list[set[str]] = [set() for _ in range(width)]
    # Which columns are proposed is seen in rows that lack nothing.
    for slots in plain:
        for column, cell in enumerate(slots if len(slots) == width else ()):
            if cell is not None and cell.new is not None:
                proposed[column].add(cell.new)
    lacking = [width - len(slots) for slots in plain]

    def is_gap(row: int, column: int, cell: _Cell | None) -> bool:
        ids = proposed[column] if column < width else ()
        is_lacking = lacking[row] > 0 and bool(ids) and (cell is None or cell.new not in ids)
        lacking[row] -= is_lacking
        return is_lacking

    return _laid(rows, is_gap)


_FREE: Any = object()


def _laid(rows: Sequence[Sequence[_Cell]], is_gap: Callable[[int, int, _Cell | None], bool]) -> list[_Slots]:
    """Lay cells into rows of places, as browsers do.

    `is_gap` says where a place stays empty before a cell, or behind the last one.
    """
    grid: list[list[Any]] = [[] for _ in rows]
    for row, cells in enumerate(rows):
        slots = grid[row]
        column = 0
        for cell in (*cells, None):
            column = _next_free(slots, column)
            while is_gap(row, column, cell):
                _put(slots, column, None)
                column = _next_free(slots, column)
            if cell is None:
                break
            across, down = _span(cell.node, "colspan"), _span(cell.node, "rowspan")
            for below in grid[row : row + down]:
                for place in range(column, column + across):
                    _put(below, place, cell)
    return [[None if cell is _FREE else cell for cell in slots] for slots in grid]


def _next_free(slots: list[Any], column: int) -> int:
    while column < len(slots) and slots[column] is not _FREE:
        column += 1
    return column


def _put(slots: list[Any], column: int, cell: _Cell | None) -> None:
    slots.extend([_FREE] * (column + 1 - len(slots)))
    slots[column] = cell

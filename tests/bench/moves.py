"""The meter of cursors: a later place of the same cursor tells what an earlier one would have told.

Servers that thin presence out leave moves out, and may: what counts is by when a member knew of a
move, by itself or by a later one of the same person. So a server is charged for all moves that were
made, however few it passed on, and how old the news is shows in the delays.
"""

from tests.bench.edits import numbers_in
from tests.bench.meter import Meter, Watcher, now


class MovesMeter(Meter):
    """`states`: places that arrived, each of which may stand for several moves."""

    def __init__(self) -> None:
        super().__init__()
        self._paths: dict[Watcher, list[int]] = {}
        self._steps: list[tuple[Watcher, int]] = []
        self._known: dict[tuple[Watcher, Watcher], int] = {}
        self.states = 0

    def begin(self) -> None:
        """Start to measure."""
        super().begin()
        self.states = 0

    def send(self, author: Watcher, others: int) -> int:
        """Somebody moves."""
        path = self._paths.setdefault(author, [])
        number = super().send(author, others)
        self._steps.append((author, len(path)))
        path.append(number)
        return number

    def arrive(self, member: Watcher, payload: bytes) -> None:
        """Somebody hears where others are."""
        moment = now()
        for number in numbers_in(payload):
            author, step = self._steps[number]
            if author is member:
                continue
            self.states += 1
            known = self._known.get((member, author), 0)
            if step >= known:
                news = self._paths[author][known : step + 1]
                self._known[member, author] = step + 1
                self.deliveries += len(news)
                self.delivered += len(news)
                if member.timed:
                    self.delays.extend([moment - self.sent_at[each] for each in news])

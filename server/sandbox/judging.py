"""Judging of suggestions in a worker process, which keeps a judge for each of a few documents.

A worker may be replaced at any time, and another one may get the next job. So each job says how far
it believes the worker's judge to be. If that is not so, the worker says so, and the next job brings
the whole document.
"""

from collections import OrderedDict
from collections.abc import Sequence

from msgspec import Struct

from crdt.errors import ManyhandsError
from crdt.suggestions.judge import Candidate, Entry, Judge

MOST_KEPT, MOST_KEPT_BYTES = 16, 8 * 2**20
"""Documents, and their bytes, whose judges a worker keeps. A judge takes 7 to 20 times the bytes.

A larger document is sent anew with each suggestion.
"""


class Brief(Struct, frozen=True):
    """What a judge is to judge.

    Attributes:
        key: the name of one copy of the document, never used for another one.
        before: how many jobs the copy has served.
        state: the whole document in the engine's form, to begin with; None for a later job.
        rows: updates in the engine's form that were admitted since, and some from before.
        took_last: whether what the last job was about was admitted.
        user: whose suggestions the candidates must be.
        format_name: the document's format; None if it has none, or takes any.
    """

    key: str
    before: int
    state: bytes | None
    rows: tuple[bytes, ...]
    took_last: bool
    candidates: tuple[Candidate, ...]
    user: str
    format_name: str | None


class Judged(Struct, frozen=True):
    """The judgement of a brief. `is_known`: the worker had the copy, so there is a judgement.

    `refusal`: the code and the sentence, or None for nothing but suggestions.
    """

    is_known: bool = True
    refusal: tuple[str, str] | None = None


class Judges:
    """The judges that a worker keeps. The one that was needed longest ago goes first."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, tuple[int, Judge, int]] = OrderedDict()

    def judge(self, brief: Brief) -> Judged:
        """Judge a brief."""
        served, judge, size = self._kept.pop(brief.key, (0, None, 0))
        if brief.state is not None:
            served, judge, size = brief.before, Judge(brief.state), len(brief.state)
        if judge is None or served != brief.before:
            return Judged(is_known=False)
        judge.follow(brief.rows, took_last=brief.took_last)
        refusal = None
        try:
            judge.judge(brief.candidates, brief.user, brief.format_name)
        except ManyhandsError as error:
            refusal = error.code.value, error.message
        self._keep(brief.key, served + 1, judge, size + sum(map(len, brief.rows)))
        return Judged(refusal=refusal)

    def _keep(self, key: str, served: int, judge: Judge, size: int) -> None:
        self._kept[key] = served, judge, size
        while len(self._kept) > MOST_KEPT or sum(each[2] for each in self._kept.values()) > MOST_KEPT_BYTES:
            self._kept.popitem(last=False)
            if not self._kept:
                return


def judge_row(state: bytes, entries: Sequence[Entry], format_name: str | None) -> list[Judged]:
    """Judge the suggestions of a row in their places. `state`: the document before the row."""
    judge = Judge(state)
    judged = []
    for entry in entries:
        refusal = None
        if entry.user is not None:
            try:
                judge.judge(entry.updates, entry.user, format_name)
            except ManyhandsError as error:
                refusal = error.code.value, error.message
        judge.follow([update.engine for update in entry.updates], took_last=False)
        judged.append(Judged(refusal=refusal))
    return judged

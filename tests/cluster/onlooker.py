"""A typist who also has a cursor, and sees those of others."""

from typing import Any

from tests.cluster.people import PatientTypist
from tests.harness.bell import Bell

Cursor = dict[str, Any]


class Onlooker(PatientTypist):
    """Keeps the table of presence that a page keeps: what the join's answer says, and every change since."""

    def __init__(self, url: str, document_id: str, name: str, bell: Bell) -> None:
        super().__init__(url, document_id, name, bell)
        self._table: dict[int, dict[str, Any]] = {}
        self._presence_id = 0
        self._cursor: Cursor | None = None

    def _new_socket(self) -> Any:
        socket = super()._new_socket()
        socket.on("presence", self._presence)
        return socket

    async def open(self, transport: str = "websocket") -> None:
        """Connect and join as a browser does, which has its cookie from the page: whoever comes back is the same person."""
        async with self._http.get(f"{self._url.partition('?')[0]}/api/me") as answer:
            assert answer.status == 200
        await super().open(transport)

    @property
    def sees(self) -> list[tuple[str, Cursor]]:
        """Each other cursor and its person's name, sorted by the name."""
        others = (each for presence_id, each in self._table.items() if presence_id != self._presence_id)
        return sorted(((each["user"]["name"], each["state"]) for each in others), key=lambda row: row[0])

    async def points(self, cursor: Cursor) -> None:
        """Put the cursor somewhere; a page that reconnects says again where it is."""
        self._cursor = cursor
        await self.socket.call("presence", (self._document_id, {"state": cursor}))

    async def _join_answered(self, answer: dict[str, Any]) -> None:
        if "error" not in answer:
            self._presence_id = answer["presence_id"]
            self._table = {each["presence_id"]: each for each in answer["presence"]}
        await super()._join_answered(answer)
        if self.joined and self._cursor is not None:
            await self.socket.emit("presence", (self._document_id, {"state": self._cursor}))

    def _presence(self, _document_id: str, changes: list[dict[str, Any]]) -> None:
        for change in changes:
            if change["state"] is None:
                self._table.pop(change["presence_id"], None)
            else:
                self._table[change["presence_id"]] = change
        self.bell.ring()

    def _disconnect(self, reason: object = None) -> None:
        self._table.clear()
        super()._disconnect(reason)

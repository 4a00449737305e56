"""Who the program is to the server: the same person on the connection and in the REST API."""

import asyncio
import inspect
import secrets
import time
from collections.abc import Mapping
from typing import Any

import httpx2

from manyhands.address import Options
from manyhands.errors import ManyhandsError, Unreachable, refused
from manyhands.link import ANSWER_SECONDS, CONNECT_SECONDS, Link, Lost
from manyhands.pause import renew_after


class Caller:
    """One person at one server. Close it at the end."""

    def __init__(self, server: str, options: Options) -> None:
        headers = {} if options.cookie is None else {"Cookie": options.cookie}
        self._http = httpx2.AsyncClient(base_url=server, headers=headers, timeout=ANSWER_SECONDS)
        self._options = options
        self._token: str | None = None

    @property
    def may_renew(self) -> bool:
        """Whether fresh tokens can be had."""
        return callable(self._options.token)

    async def introduce(self) -> tuple[Mapping[str, Any], Mapping[str, str]]:
        """Return a connection's greeting and headers. Raises Lost if the means cannot be had."""
        await self._fetch_token()
        if self._token is not None:
            return {"token": self._token}, {}
        guest = {"name": self._options.name, "color": self._options.color}
        said = {key: value for key, value in guest.items() if value is not None}
        return {"guest": said} if said else {}, {"Cookie": await self._cookie()}

    async def authenticate(self, link: Link) -> None:
        """Bring a fresh token. Raises Refused or Lost."""
        await self._fetch_token()
        await link.ask("authenticate", {"token": self._token})

    async def next_renewal(self) -> bool:
        """Wait until the token should be renewed. False if it never has to be."""
        pause = renew_after(self._token, time.time()) if self.may_renew and self._token is not None else None
        if pause is None:
            return False
        await asyncio.sleep(pause)
        return True

    async def content(self, document_id: str, form: str) -> str:
        """Read what a document says. Raises Refused or Unreachable."""
        answer = await self._ask("GET", f"/api/documents/{document_id}/content", params={"as": form})
        return answer.text

    async def append(self, document_id: str, markdown: str) -> int:
        """Append to a document; the row of the log that holds it. Raises Refused or Unreachable.

        The key makes sure that nothing is appended twice if something on the way repeats requests.
        """
        edits = [{"do": "append", "as": "markdown", "content": markdown}]
        headers = {"Idempotency-Key": secrets.token_urlsafe(16)}
        path = f"/api/documents/{document_id}/edits"
        answer = await self._ask("POST", path, json={"edits": edits}, headers=headers)
        _, _, row = str(answer.json()["revision"]).rpartition(".")
        return int(row)

    async def close(self) -> None:
        await self._http.aclose()

    async def _ask(self, method: str, path: str, **parts: Any) -> httpx2.Response:
        try:
            answer = await self._http.request(method, path, **parts)
        except httpx2.TransportError as error:
            raise Unreachable(str(error) or "The server did not answer.") from error
        if answer.is_success:
            return answer
        try:
            reason = answer.json()["error"]
        except (ValueError, KeyError, TypeError):
            raise ManyhandsError(f"The server answered with status {answer.status_code}.") from None
        raise refused(reason)

    async def _cookie(self) -> str:
        if self._options.cookie is not None:
            return self._options.cookie
        try:
            if not self._http.cookies:
                await self._http.get("/api/me")  # the answer to a newcomer sets their cookie
        except httpx2.TransportError as error:
            raise Lost(str(error) or "The server did not answer.") from error
        return "; ".join(f"{name}={value}" for name, value in self._http.cookies.items())

    async def _fetch_token(self) -> None:
        """Take a token from its source. Raises Lost if none can be had."""
        source = self._options.token
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                token = source() if callable(source) else source
                self._token = await token if inspect.isawaitable(token) else token
        except Exception as error:
            raise Lost(f"No token could be had: {error!r}") from error
        if self._token is not None:
            self._http.headers["Authorization"] = f"Bearer {self._token}"

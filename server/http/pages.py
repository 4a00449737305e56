"""Pages: the built browser application, read once and served from memory.

Only files that are in the build when the server starts can be served, so no path can lead out of
the build. Files under /assets/ have a hash of their content in their names, so browsers may keep
them for ever. Browsers ask for everything else anew each time.

The build holds packed copies beside its files, as `index.html.br` and `index.html.gz`, so that
packing costs the server nothing.
"""

import hashlib
import os
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath

from msgspec import Struct
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from crdt.errors import Unavailable
from server.http.plain_pages import ENGLISH, GERMAN, plain_page
from server.http.requests import weights_of

_IN_PACKAGE = Path(__file__).parents[1] / "built_pages"  # setup.py puts them there
_IN_REPOSITORY = Path(__file__).parents[2] / "client_web" / "editor" / "dist"
DEFAULT_DIRECTORY = _IN_PACKAGE if _IN_PACKAGE.is_dir() else _IN_REPOSITORY

MAX_BUILD_BYTES = 256 * 2**20
"""Most bytes of a build. A larger directory is refused, because it may be somebody's home."""

_TYPES = {
    ".css": "text/css",
    ".html": "text/html",
    ".ico": "image/x-icon",
    ".jpg": "image/jpeg",
    ".js": "text/javascript",
    ".json": "application/json",
    ".map": "application/json",
    ".mjs": "text/javascript",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".txt": "text/plain",
    ".wasm": "application/wasm",
    ".webmanifest": "application/manifest+json",
    ".webp": "image/webp",
    ".woff2": "font/woff2",
}
_PACKINGS = {"br": ".br", "gzip": ".gz"}
"""Content codings, the best first, and the suffixes of files packed so."""

_MISSING = {
    ENGLISH: (
        "The pages have not been built",
        """<p>The server runs, but the browser's part of it is missing. In the repository, <code>make serve</code> builds it
and starts the server. <code>MANYHANDS_PAGES_DIR</code> names the directory with the built pages.</p>""",
    ),
    GERMAN: (
        "Die Seiten wurden noch nicht gebaut",
        """<p>Der Server läuft, aber sein Teil für den Browser fehlt. Im Repository baut ihn <code>make serve</code> und
startet den Server. <code>MANYHANDS_PAGES_DIR</code> nennt das Verzeichnis mit den gebauten Seiten.</p>""",
    ),
}


class Asset(Struct, frozen=True):
    """One file of the build. `packed`: the body in each content coding that makes it smaller."""

    body: bytes
    packed: Mapping[str, bytes]
    headers: Mapping[str, str]
    media_type: str

    @property
    def etag(self) -> str:
        """The entity tag. It names the content, packed or not."""
        return self.headers["ETag"].removeprefix("W/")


class Pages:
    """Serves a build. `assets`: the files by their paths below the root."""

    def __init__(self, assets: Mapping[str, Asset]) -> None:
        self._assets = assets
        self._index = assets.get("index.html")

    def routes(self) -> list[Route]:
        """Return one route for all addresses. It must come last, after every other route."""
        return [Route("/{path:path}", self._get)]

    async def _get(self, request: Request) -> Response:
        path: str = request.path_params["path"]
        if self._index is None:
            return plain_page(request, 503, _MISSING)
        if path == "" or path.startswith("d/"):
            return _answer(request, self._index)
        if (asset := self._assets.get(path)) is not None:
            return _answer(request, asset)
        if "text/html" in request.headers.get("accept", ""):
            return _answer(request, self._index, status=404)  # the application shows its own "not found"
        raise HTTPException(404)


def read_build(directory: Path, *, max_bytes: int = MAX_BUILD_BYTES) -> dict[str, Asset]:
    """Read a build. Return nothing if there is none in the directory.

    Raises Unavailable if the directory holds more than `max_bytes`, and so is no build.
    """
    if not (directory / "index.html").is_file():
        return {}
    size = 0
    files = dict(_files(directory))
    for file in files.values():
        size += file.stat().st_size
        if size > max_bytes:
            message = (
                f"The directory {directory} is too large to be a build of the pages. Set MANYHANDS_PAGES_DIR to one."
            )
            raise Unavailable(message)
    return {name: _asset(name, files) for name in files if not name.endswith(tuple(_PACKINGS.values()))}


def _files(directory: Path | str, below: str = "") -> Iterator[tuple[str, os.DirEntry[str]]]:
    """Yield files with their paths below the root. Hidden ones and links are left out."""
    with os.scandir(directory) as entries:
        for entry in sorted(entries, key=lambda each: each.name):
            if entry.name.startswith("."):
                continue
            if entry.is_dir(follow_symlinks=False):
                yield from _files(entry.path, f"{below}{entry.name}/")
            elif entry.is_file(follow_symlinks=False):
                yield below + entry.name, entry


def _asset(name: str, files: Mapping[str, os.DirEntry[str]]) -> Asset:
    body = Path(files[name]).read_bytes()
    kept = "public, max-age=31536000, immutable" if name.startswith("assets/") else "no-cache"
    copies = {coding: files.get(name + suffix) for coding, suffix in _PACKINGS.items()}
    packed = {coding: Path(copy).read_bytes() for coding, copy in copies.items() if copy is not None}
    etag = f'W/"{hashlib.sha256(body).hexdigest()[:32]}"'
    headers = {"Cache-Control": kept, "ETag": etag, "Vary": "Accept-Encoding"}
    return Asset(body, packed, headers, _TYPES.get(PurePosixPath(name).suffix.lower(), "application/octet-stream"))


def _answer(request: Request, asset: Asset, *, status: int = 200) -> Response:
    if status == 200 and asset.etag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=asset.headers)
    weights = weights_of(request.headers.get("accept-encoding", ""))
    for coding, packed in asset.packed.items():
        if weights.get(coding):
            return Response(packed, status, {**asset.headers, "Content-Encoding": coding}, asset.media_type)
    return Response(asset.body, status, asset.headers, asset.media_type)

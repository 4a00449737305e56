"""Jobs as the worker process runs them: byte strings in, byte strings out."""

import io
import pickle
import time
import warnings
from collections.abc import Callable, Sequence
from typing import Any

from PIL import Image, UnidentifiedImageError
from pycrdt import Doc

from crdt.content.excerpt import excerpt
from crdt.errors import Code, ManyhandsError, ProtocolError
from crdt.log import compaction
from crdt.log.document import Document, apply_update
from crdt.log.replica import Replica
from crdt.protocol.batch import decode_batch
from crdt.yjs.reader import inspect, inspect_batch
from crdt.yjs.varint import encode_state_vector
from server.sandbox import inspected, trials
from server.sandbox.errors import SandboxRejected
from server.sandbox.trials import Trial

MAX_PIXELS = 50_000_000
"""Most pixels of one frame: 200 MB once decoded. A large photograph has half as many."""

MAX_FRAME_PIXELS = 500_000_000
"""Most pixels of all frames together: about five seconds of decoding."""

MAX_FRAMES = 2000
MOST_REASON = 300
"""Characters of a reason that goes to the log."""

_FORMATS = {"PNG": "image/png", "JPEG": "image/jpeg", "GIF": "image/gif", "WEBP": "image/webp", "MPO": "image/jpeg"}
_ASKED_FOR = ("PNG", "JPEG", "GIF", "WEBP")
_ORIENTATION, _FIRST_SIDEWAYS = 0x0112, 5
"""The EXIF tag, and its first value for which the picture is turned by a quarter.

Width and height then change places.
"""


def run(job: str, parts: Sequence[bytes]) -> Sequence[bytes]:
    """Do one job.

    Raises SandboxRejected if the bytes are at fault, the gate's ProtocolError from `inspect`, and
    whatever pycrdt raises.
    """
    try:
        return _JOBS[job](parts)
    except SandboxRejected:
        raise
    except ManyhandsError as error:
        if job == "inspect":
            raise
        raise SandboxRejected(error.message, error.code) from error


def _fold(parts: Sequence[bytes]) -> Sequence[bytes]:
    seq, memory, *rest = parts
    snapshot, rows = _document(rest)
    batches, heirs = rows[: len(rows) // 2], rows[len(rows) // 2 :]
    try:
        remembered, forgot = compaction.remembered(snapshot, batches, int(seq), memory, heirs), ""
    except Exception as error:  # noqa: BLE001 - the snapshot is worth more than what is remembered beside it
        remembered, forgot = b"", f"{type(error).__name__}: {error}"[:MOST_REASON]
    return [*compaction.fold(snapshot, batches), remembered, forgot.encode("utf-8", "replace")]


def _rescue(parts: Sequence[bytes]) -> Sequence[bytes]:
    (described,) = parts
    snapshot, memory, rows, seq, said = pickle.loads(described)
    rescued = compaction.answered(snapshot, memory, rows, seq + 1, said)
    failed = rescued.failed[:MOST_REASON].encode("utf-8", "replace")
    return [rescued.heirs, failed, *[each or b"" for each in rescued.answers]]


def _trial(parts: Sequence[bytes]) -> Sequence[bytes]:
    (described,) = parts
    stored, limits = pickle.loads(described)
    began = time.process_time()
    engine = _Timed()
    replica = Replica(stored, limits, engine, may_learn_later=True)
    if replica.quarantined is not None:
        raise SandboxRejected(replica.quarantined)
    # Some documents can be filled but not encoded, and could never be sent or saved. Ten bytes are
    # enough to make such a document.
    whole = replica.document.snapshot()
    again, began_again = Document(), time.process_time()
    again.apply_snapshot(whole)
    load = time.process_time() - began_again
    if again.clocks != replica.document.clocks:
        raise SandboxRejected("The document engine loses a part of the document.")
    last = len(decode_batch(stored.rows[-1].batch, max_updates=2**31)) if stored.rows else 0
    taken, apply = time.process_time() - began, sum(engine.seconds[-last:] if last else ())
    # No value is shorter than a byte, so most documents need not be read to count their values.
    values = len(whole) if len(whole) <= limits.document_values else inspect(whole, limits, durable=True).values
    trial = Trial(encode_state_vector(again.clocks), taken, replica.found, apply, load, values)
    return trials.encode(trial)


def _excerpt(parts: Sequence[bytes]) -> Sequence[bytes]:
    (snapshot,) = parts
    doc: Doc[Any] = Doc()
    apply_update(doc, snapshot)
    found = excerpt(doc)
    return [found.first.encode(), found.second.encode()]


class _Timed:
    """The document engine, which also records the processor seconds of each update."""

    def __init__(self) -> None:
        self.seconds: list[float] = []

    def __call__(self, doc: Doc[Any], update: bytes) -> None:
        began = time.process_time()
        apply_update(doc, update)
        self.seconds.append(time.process_time() - began)


def _inspect(parts: Sequence[bytes]) -> Sequence[bytes]:
    limits = inspected.decode_limits(parts[0])
    return [inspected.encode(each) for each in inspect_batch(parts[1:], limits)]


def _document(parts: Sequence[bytes]) -> tuple[bytes | None, Sequence[bytes]]:
    present, snapshot, *batches = parts
    return (snapshot if present else None), batches


def _check_image(parts: Sequence[bytes]) -> Sequence[bytes]:
    (data,) = parts
    try:
        with warnings.catch_warnings(action="error", category=Image.DecompressionBombWarning):
            media_type, width, height = _decode_image(data)
    except (ProtocolError, MemoryError):
        raise
    except Exception as error:
        raise _bad_image("This picture is damaged or incomplete.") from error
    return [media_type.encode(), str(width).encode(), str(height).encode()]


def _decode_image(data: bytes) -> tuple[str, int, int]:
    """Decode every frame; return media type, width and height as browsers show them."""
    Image.MAX_IMAGE_PIXELS = MAX_PIXELS
    try:
        with Image.open(io.BytesIO(data), formats=_ASKED_FOR) as image:
            media_type, (width, height) = _FORMATS[image.format or ""], image.size
            if width * height > MAX_PIXELS:
                raise Image.DecompressionBombError
            image.verify()
        # verify() looks at checksums only, and leaves the image unusable. Only decoding proves that
        # the image is sound.
        with Image.open(io.BytesIO(data), formats=_ASKED_FOR) as image:
            _load_frames(image)
            turned = image.getexif().get(_ORIENTATION, 1) >= _FIRST_SIDEWAYS
    except UnidentifiedImageError:
        raise _bad_image("Only PNG, JPEG, GIF and WebP pictures can be used.") from None
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise _bad_image(f"A picture may have {MAX_PIXELS // 1_000_000} million pixels at most.") from None
    return (media_type, height, width) if turned else (media_type, width, height)


def _load_frames(image: Image.Image) -> None:
    # An MPO is a photograph with previews. Its later frames are often cut off, and no browser shows
    # them.
    frames = 1 if image.format == "MPO" else getattr(image, "n_frames", 1)
    if frames > MAX_FRAMES or frames * image.width * image.height > MAX_FRAME_PIXELS:
        raise _bad_image("This animation has too many frames.")
    for frame in range(frames):
        image.seek(frame)
        image.load()


def _bad_image(message: str) -> SandboxRejected:
    return SandboxRejected(message, Code.UNSUPPORTED_CONTENT)


_JOBS: dict[str, Callable[[Sequence[bytes]], Sequence[bytes]]] = {
    "fold": _fold,
    "rescue": _rescue,
    "trial": _trial,
    "inspect": _inspect,
    "check_image": _check_image,
    "excerpt": _excerpt,
}

"""Jobs as the worker process runs them, by name."""

import io
import time
import warnings
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace
from pycrdt import Doc

from crdt.content.edits import Made, Order, Replacement
from crdt.content.excerpt import Excerpt, excerpt
from crdt.content.writing import Wanted, Written, written
from crdt.errors import Code, ManyhandsError, ProtocolError
from crdt.log import compaction
from crdt.log.document import Document, apply_update
from crdt.log.foreign import lacking
from crdt.log.replica import Replica
from crdt.protocol.batch import decode_batch
from crdt.protocol.row import Row, Stored
from crdt.rescue.rescue import Rescued, Said
from crdt.yjs.limits import GateLimits
from crdt.yjs.reader import inspect, inspect_batch
from crdt.yjs.varint import encode_state_vector
from server.sandbox.judging import Judges, judge_row
from server.sandbox.messages import ImageFacts, ImageType, SandboxRejected, Trial, encode_findings
from server.store.base import Folded, Past

if TYPE_CHECKING:
    from PIL import Image

MAX_PIXELS = 50_000_000
"""Most pixels of one frame: 200 MB once decoded. A large photograph has half as many."""

MAX_FRAME_PIXELS = 500_000_000
"""Most pixels of all frames together: about five seconds of decoding."""

MAX_FRAMES = 2000
MOST_REASON = 300
"""Characters of a reason that goes to the log."""

_FORMATS: dict[str, ImageType] = {
    "PNG": "image/png",
    "JPEG": "image/jpeg",
    "GIF": "image/gif",
    "WEBP": "image/webp",
    "MPO": "image/jpeg",
}
_ASKED_FOR = ("PNG", "JPEG", "GIF", "WEBP")
_ORIENTATION, _FIRST_SIDEWAYS = 0x0112, 5
"""The EXIF tag, and its first value for which the picture is turned by a quarter.

Width and height then change places.
"""


def run(job: str, given: Sequence[Any]) -> object:
    """Do one job.

    Raises SandboxRejected if the bytes are at fault, the gate's ProtocolError from `inspect`, and
    whatever pycrdt raises.
    """
    try:
        return _JOBS[job](*given)
    except SandboxRejected:
        raise
    except ManyhandsError as error:
        if job == "inspect":
            raise
        raise SandboxRejected(error.message, error.code) from error


def _fold(snapshot: bytes | None, batches: Sequence[bytes], past: Past) -> Folded:
    try:
        memory, forgot = compaction.remembered(snapshot, batches, past.seq, past.memory, past.heirs), ""
    except Exception as error:  # noqa: BLE001 - the snapshot is worth more than what is remembered beside it
        memory, forgot = b"", _shown(f"{type(error).__name__}: {error}")
    return Folded(*compaction.fold(snapshot, batches), memory, forgot)


def _rescue(snapshot: bytes | None, memory: bytes, rows: Sequence[Row], seq: int, said: Sequence[Said]) -> Rescued:
    rescued = compaction.answered(snapshot, memory, rows, seq, said)
    return replace(rescued, failed=_shown(rescued.failed))


def _trial(stored: Stored, limits: GateLimits) -> Trial:
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
    few = limits.for_suggestions().document_values
    values = len(whole) if len(whole) <= few else inspect(whole, limits, durable=True).values
    return Trial(encode_state_vector(again.clocks), taken, replica.found, apply, load, values)


def _opening(snapshot: bytes, updates: Sequence[bytes], limits: GateLimits) -> float:
    document, again = Document(), Document()
    document.apply_snapshot(snapshot)
    for update in updates:
        document.apply(inspect(update, limits))
    whole = document.snapshot()
    began = time.process_time()
    again.apply_snapshot(whole)
    return time.process_time() - began


def _excerpt(snapshot: bytes) -> Excerpt:
    doc: Doc[Any] = Doc()
    apply_update(doc, snapshot)
    return excerpt(doc)


def _edit(state: bytes, limits: GateLimits, order: Order | Replacement) -> Made:
    # Most workers never meet the parsers of Markdown and HTML, which take 0.1 s to import.
    from crdt.content.making import made
    from crdt.content.replacing import replaced

    doc: Doc[Any] = Doc(client_id=order.client_id)
    if state:
        apply_update(doc, inspect(state, limits, durable=True).engine)
    return made(doc, order) if isinstance(order, Order) else replaced(doc, order)


def _content(stored: Stored, limits: GateLimits, wanted: Wanted) -> Written:
    replica = Replica(stored, limits, may_learn_later=True)
    if replica.quarantined is not None:
        raise SandboxRejected(replica.quarantined, Code.QUARANTINED)
    doc: Doc[Any] = Doc()
    apply_update(doc, replica.document.snapshot())
    return written(doc, wanted)


class _Timed:
    """The document engine, which also records the processor seconds of each update."""

    def __init__(self) -> None:
        self.seconds: list[float] = []

    def __call__(self, doc: Doc[Any], update: bytes) -> None:
        began = time.process_time()
        apply_update(doc, update)
        self.seconds.append(time.process_time() - began)


def _inspect(updates: Sequence[bytes], limits: GateLimits) -> list[bytes]:
    return [encode_findings(each) for each in inspect_batch(updates, limits)]


def _check_image(data: bytes) -> ImageFacts:
    # Most workers never meet a picture, and the library is a tenth of their start.
    from PIL import Image

    try:
        with warnings.catch_warnings(action="error", category=Image.DecompressionBombWarning):
            return _decode_image(data)
    except (ProtocolError, MemoryError):
        raise
    except Exception as error:
        raise _bad_image("This picture is damaged or incomplete.") from error


def _decode_image(data: bytes) -> ImageFacts:
    """Decode every frame; return the picture's facts as browsers show them."""
    from PIL import Image, UnidentifiedImageError

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
    return ImageFacts(media_type, height, width) if turned else ImageFacts(media_type, width, height)


def _load_frames(image: "Image.Image") -> None:
    # An MPO is a photograph with previews. Its later frames are often cut off, and no browser shows
    # them.
    frames = 1 if image.format == "MPO" else getattr(image, "n_frames", 1)
    if frames > MAX_FRAMES or frames * image.width * image.height > MAX_FRAME_PIXELS:
        raise _bad_image("This animation has too many frames.")
    for frame in range(frames):
        image.seek(frame)
        image.load()


def _shown(reason: str) -> str:
    """Return a reason as a line of the log may hold it."""
    return reason[:MOST_REASON].encode("utf-8", "replace").decode()


def _bad_image(message: str) -> SandboxRejected:
    return SandboxRejected(message, Code.UNSUPPORTED_CONTENT)


_JUDGES = Judges()

_JOBS: dict[str, Callable[..., object]] = {
    "fold": _fold,
    "rescue": _rescue,
    "trial": _trial,
    "opening": _opening,
    "inspect": _inspect,
    "check_image": _check_image,
    "excerpt": _excerpt,
    "judge": _JUDGES.judge,
    "judge_row": judge_row,
    "content": _content,
    "edit": _edit,
    "lacking": lacking,
}

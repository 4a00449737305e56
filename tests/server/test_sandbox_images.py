"""Pictures are what their content says, decode whole, and have bounds; everything else gets a sentence for the person."""

import io
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from PIL import Image

from crdt.errors import Code
from server.sandbox import ImageFacts, Sandbox, SandboxRejected
from server.sandbox.messages import ImageType

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def sandbox() -> AsyncIterator[Sandbox]:
    async with Sandbox(memory_bytes=2**29) as sandbox:
        yield sandbox


def picture(form: str, width: int = 30, height: int = 20, **options: object) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (width, height), "#336699").save(out, form, **options)
    return out.getvalue()


def animation(form: str, frames: int, size: int = 8) -> bytes:
    out = io.BytesIO()
    first, *rest = (Image.new("L", (size, size), shade % 256) for shade in range(frames))
    first.save(out, form, save_all=True, append_images=rest, duration=10)
    return out.getvalue()


@pytest.mark.parametrize(
    ("form", "media_type"),
    [("PNG", "image/png"), ("JPEG", "image/jpeg"), ("GIF", "image/gif"), ("WEBP", "image/webp")],
)
async def test_the_four_kinds_of_picture_are_known_by_their_content(
    sandbox: Sandbox, form: str, media_type: ImageType
) -> None:
    assert await sandbox.check_image(picture(form)) == ImageFacts(media_type, 30, 20)


@pytest.mark.parametrize(("form", "media_type"), [("GIF", "image/gif"), ("WEBP", "image/webp"), ("PNG", "image/png")])
async def test_animations_are_pictures_too(sandbox: Sandbox, form: str, media_type: ImageType) -> None:
    assert await sandbox.check_image(animation(form, 5)) == ImageFacts(media_type, 8, 8)


async def test_a_photograph_taken_sideways_has_the_size_that_browsers_show(sandbox: Sandbox) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    assert await sandbox.check_image(picture("JPEG", exif=exif)) == ImageFacts("image/jpeg", 20, 30)


async def test_a_photograph_with_previews_in_it_is_a_jpeg(sandbox: Sandbox) -> None:
    assert await sandbox.check_image(animation("MPO", 2, size=64)) == ImageFacts("image/jpeg", 64, 64)


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"\0" * 1000, id="zeros"),
        pytest.param(b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>', id="svg"),
        pytest.param(b"<html><script>alert(1)</script>", id="html"),
        pytest.param(picture("BMP"), id="another-kind-of-picture"),
        pytest.param(picture("TIFF"), id="tiff"),
        pytest.param(b"%PDF-1.7", id="pdf"),
    ],
)
async def test_what_is_no_such_picture_is_refused(sandbox: Sandbox, data: bytes) -> None:
    with pytest.raises(SandboxRejected, match="Only PNG, JPEG, GIF and WebP") as refusal:
        await sandbox.check_image(data)
    assert refusal.value.code == Code.UNSUPPORTED_CONTENT


@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP"])
@pytest.mark.parametrize("share", [0.5, 0.95])
async def test_half_a_picture_is_refused(sandbox: Sandbox, form: str, share: float) -> None:
    data = picture(form, 300, 200)
    with pytest.raises(SandboxRejected, match=r"damaged|Only PNG"):
        await sandbox.check_image(data[: int(len(data) * share)])


async def test_a_damaged_picture_is_refused(sandbox: Sandbox) -> None:
    data = bytearray(picture("PNG", 300, 200))
    data[len(data) // 2] ^= 0xFF
    with pytest.raises(SandboxRejected, match="damaged"):
        await sandbox.check_image(bytes(data))


@pytest.mark.slow
@pytest.mark.parametrize("side", [7_100, 20_000], ids=["too-many-pixels", "far-too-many"])
async def test_a_small_file_with_a_huge_picture_in_it_is_refused(sandbox: Sandbox, side: int) -> None:
    out = io.BytesIO()
    Image.new("1", (side, side)).save(out, "PNG")
    with pytest.raises(SandboxRejected, match="50 million pixels"):
        await sandbox.check_image(out.getvalue())
    assert await sandbox.check_image(picture("PNG")) == ImageFacts("image/png", 30, 20)


@pytest.mark.slow
async def test_an_animation_without_end_is_refused(sandbox: Sandbox) -> None:
    with pytest.raises(SandboxRejected, match="too many frames"):
        await sandbox.check_image(animation("GIF", 2001, size=2))

"""Picture files: read, turned upright, resized, ahead of need."""

from __future__ import annotations

import contextlib
import os
import sys
import threading
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

INPUT_SIZE = 224
FORMATS = ("JPEG", "PNG", "GIF", "WEBP", "BMP", "TIFF", "PPM")
"""What is opened, whatever the file is called. Pillow knows sixty formats, and starts another program
for some of them: a picture that comes from anywhere must not choose among those."""

_BATCHES_AHEAD = 3  # read before they are wanted


def picture_suffixes() -> set[str]:
    """How the names of picture files end, lower case: those of the `FORMATS`, and those of HEIC, which is
    named as a picture that can't be read rather than passed over."""
    known = Image.registered_extensions().items()
    return {suffix for suffix, name in known if name in FORMATS} | {".heic", ".heif"}


def read_picture(path: Path, size: int = INPUT_SIZE) -> np.ndarray:
    """The picture as uint8 (size, size, 3) RGB: upright, its first frame, squeezed to a square.

    Gray, palette, CMYK, 12-bit, 16-bit and 32-bit pictures become 8-bit RGB; transparency becomes white.
    Raises UnidentifiedImageError that says why for a file of none of the `FORMATS`, and whatever Pillow
    raises on a file that it can't read to the end.
    """
    with _opened(path) as opened:
        picture: Image.Image = opened
        # A large JPEG is decoded at a half, a quarter or an eighth, never below the wanted size.
        picture.draft("RGB", (size, size))
        picture.load()
        # A picture that could be loaded is sound, whatever state its EXIF block is in.
        with contextlib.suppress(Exception):
            ImageOps.exif_transpose(picture, in_place=True)
        if picture.mode == "F":
            raise ValueError("floating-point pictures have no agreed white")
        if picture.mode.startswith("I"):
            picture = Image.fromarray(_to_8_bits(np.asarray(picture)))
        if picture.has_transparency_data:
            picture = picture.convert("RGBA")
            white = Image.new("RGBA", picture.size, "white")
            picture = Image.alpha_composite(white, picture)
        if picture.mode != "RGB":
            picture = picture.convert("RGB")
        if picture.size != (size, size):
            # Pillow's bilinear filter widens when it shrinks: no aliasing.
            picture = picture.resize((size, size), Image.Resampling.BILINEAR)
        return np.asarray(picture)


def _opened(path: Path) -> Image.Image:
    try:
        return Image.open(path, formats=FORMATS)
    except UnidentifiedImageError:
        with path.open("rb") as stream:
            box = stream.read(12)
        # Phones write HEIC, for which Pillow has no decoder; AVIF is kept in the same kind of file.
        if box[4:8] == b"ftyp" or path.suffix.lower() in (".heic", ".heif"):
            raise UnidentifiedImageError("a HEIC picture or one like it: export it as JPEG") from None
        raise UnidentifiedImageError("not a picture") from None


def _to_8_bits(gray: np.ndarray) -> np.ndarray:
    """Whole numbers of any range as uint8; Pillow would clip them at 255.

    The file does not say which number is white: 12 bits often lie in a file of 16, and 16 in one of 32.
    So the largest number decides.
    """
    largest = int(gray.max())
    white = next((white for white in (2**8 - 1, 2**12 - 1, 2**16 - 1) if largest <= white), largest)
    return (gray.clip(0) * np.float32(255 / white)).round().astype(np.uint8)


def is_picture(path: Path) -> bool:
    """Whether `read_picture` can read the file."""
    try:
        read_picture(path)
    except Exception:  # decoders raise anything at all on a broken file
        return False
    return True


def _step_back() -> None:
    """Let the calling thread run where the encoder leaves a core idle, not in its place."""
    if sys.platform == "linux":  # elsewhere a priority belongs to a process
        with contextlib.suppress(OSError):  # a sandbox may forbid it; then it takes its turn like the others
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), 19)


def _cores() -> int:
    """How many this process may use: in a container fewer than the machine has."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def read_ahead(paths: Sequence[Path], size: int, batch: int) -> Iterator[tuple[np.ndarray, list[str]]]:
    """Batches of pictures, uint8 (batch, size, size, 3), and why each could not be read or "".

    Read in threads, a few batches ahead; the last batch is filled up with black pictures, so that
    the encoder sees one shape only. Not by `tf.data`: taking its iterator down took up to ten
    seconds, now and then, with TensorFlow 2.21.
    """
    black = np.zeros((size, size, 3), np.uint8)

    def read(path: Path) -> tuple[np.ndarray, str]:
        try:
            return read_picture(path, size), ""
        except Exception as error:  # decoders raise anything at all on a broken file
            said = getattr(error, "strerror", None) or str(error)
            return black, said or type(error).__name__

    with ThreadPoolExecutor(_cores(), initializer=_step_back) as pool:
        ahead: deque[list[Future]] = deque()
        for start in range(0, len(paths) + _BATCHES_AHEAD * batch, batch):
            ahead.append([pool.submit(read, path) for path in paths[start : start + batch]])
            if len(ahead) > _BATCHES_AHEAD and (pending := ahead.popleft()):
                results = [reading.result() for reading in pending]
                results += [(black, "")] * (batch - len(results))
                pictures, reasons = zip(*results, strict=True)
                yield np.stack(pictures), list(reasons)

"""Files: errors with a message, writing whole or not at all, taking turns, downloading."""

from __future__ import annotations

import contextlib
import os
import socket
import stat
from collections.abc import Iterator
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

PATIENCE = 15  # seconds without a byte after which a download is given up


class UserError(Exception):
    """Something the reader can put right; the message says what and how."""

    def _render_traceback_(self) -> list[str]:
        # Jupyter shows these lines in place of the frames, which would hide the message.
        return str(self).splitlines()


@contextlib.contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """Programs that work in the same folder take turns; the folder is made if there is none.

    The lock ends with the process that holds it. Not on Windows, nor on disks without locks.
    Raises UserError that names the folder when it can't be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(
            f"{folder} can't be made ({error.strerror}): set CAPTION_DATA_DIR or CAPTION_RUN_DIR to another."
        ) from None
    if fcntl is None:
        yield
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print(f"another program is at work in {folder.name}: waiting until it is done", flush=True)
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        except OSError:
            pass
        yield
    finally:
        os.close(descriptor)


def write_text(file: Path, text: str) -> None:
    """Write a small file whole or not at all: under a temporary name, then renamed.

    Raises UserError that names the file when the disk is full or the folder can't be written.
    """
    part = file.with_name(f"{file.name}.{os.getpid()}.part")
    try:
        with part.open("w", encoding="utf-8") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(part, file)
    except OSError as error:
        with contextlib.suppress(OSError):
            part.unlink()
        raise UserError(f"{file} can't be written: {error.strerror or error}.") from None


def writable_folder(folder: Path, otherwise: Path) -> Path:
    """`folder` if it can be written or made, else the folder of the same name in `otherwise`."""
    nearest = next(path for path in [folder, *folder.parents] if path.exists())
    # The mode says what the owner wants; os.access alone says yes to root everywhere.
    if nearest.stat().st_mode & stat.S_IWUSR and os.access(nearest, os.W_OK):
        return folder
    return otherwise / folder.name


@contextlib.contextmanager
def _impatient():
    """Without a timeout, a network that swallows packets holds a download up for minutes."""
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(PATIENCE)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)


def download(url: str, path: Path, md5: str | None = None) -> None:
    """Download `url` to `path` with `keras.utils.get_file`: complete, or not at all.

    Raises OSError that says why it could not.
    """
    import keras  # not above: settings are read without TensorFlow

    path.parent.mkdir(parents=True, exist_ok=True)
    if not os.access(path.parent, os.W_OK):
        raise OSError(f"the folder {path.parent} can't be written")
    with alone_in(path.parent):
        if path.exists():  # from a program that was waited for
            return
        part = path.with_name(path.name + ".part")
        try:
            with _impatient():
                keras.utils.get_file(
                    part.name,
                    url,
                    cache_dir=str(path.parent),
                    cache_subdir=".",
                    file_hash=md5,
                    hash_algorithm="md5",
                    force_download=True,
                )
            os.replace(part, path)
        except Exception as error:  # get_file raises a bare Exception when the address can't be reached
            # Keras puts the address in front, which our own message names already.
            raise OSError(str(error).rpartition(" -- ")[2].strip() or type(error).__name__) from None
        finally:
            part.unlink(missing_ok=True)

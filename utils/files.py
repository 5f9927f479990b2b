"""Files: errors with a message, writing whole or not at all, taking turns, downloading, unzipping."""

from __future__ import annotations

import contextlib
import os
import socket
import stat
import sys
import threading
import zipfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path, PureWindowsPath

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

PATIENCE = 15  # seconds without a byte after which a download is given up
LARGEST = 50 * 2**20  # bytes of one file in a zip file; a photograph of Flickr8k has under a million

_held = threading.local()


class UserError(Exception):
    """Something the reader can put right; the message says what and how."""

    def _render_traceback_(self) -> list[str]:
        # Jupyter shows these lines in place of the frames, which would hide the message.
        return str(self).splitlines()


def exit_status(work: Callable[[], object], stopped: str = "Stopped. Run the same again to go on.") -> int:
    """Do the work of a command: 0; 1 with the message of a UserError; 130, saying `stopped`, after Ctrl-C."""
    try:
        work()
    except UserError as error:
        print(f"\n{error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(f"\n{stopped}", file=sys.stderr)
        return 130
    return 0


@contextlib.contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """Programs, and threads of one, that work in the same folder take turns; it is made if there is none.

    A thread that is alone in the folder already goes on. The lock ends with the process that holds it.
    There are no locks on Windows, nor on network disks that have none (NFS): there, two programs
    should not work in one folder at once. Raises UserError that names the folder when it can't be used.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        descriptor = None if fcntl is None else os.open(folder, os.O_RDONLY)
    except OSError as error:
        raise UserError(
            f"{folder} can't be used ({error.strerror}): set CAPTION_DATA_DIR or CAPTION_RUN_DIR to another."
        ) from None
    held: set[Path] = _held.__dict__.setdefault("folders", set())
    here = folder.resolve()
    first = here not in held
    held.add(here)
    try:
        if descriptor is not None and first:  # a second descriptor would wait for the first for ever
            _lock(descriptor, folder.name)
        yield
    finally:
        if first:
            held.discard(here)
        if descriptor is not None:
            os.close(descriptor)


def _lock(descriptor: int, name: str) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        print(f"another program is at work in {name}: waiting until it is done", flush=True)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
    except OSError:  # a disk without locks
        pass


@contextlib.contextmanager
def replacing(file: Path) -> Iterator[Path]:
    """A path beside `file` to write to; what is there in the end takes the place of `file`, whole.

    It has the suffix of `file` and the number of the process in its name. After a failure of any
    kind, `file` is what it was. Raises UserError that names `file` when the disk is full or the folder
    can't be written.
    """
    part = file.with_name(f".{file.stem}.{os.getpid()}.part{file.suffix}")
    try:
        yield part
        with part.open("rb+") as stream:
            os.fsync(stream.fileno())  # else a power cut may leave the name without the content
        os.replace(part, file)
    except OSError as error:
        raise UserError(f"{file} can't be written: {error.strerror or error}.") from None
    finally:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)


def write_text(file: Path, text: str) -> None:
    """Write a small file whole or not at all, in UTF-8 and with the same line ends everywhere.

    Raises UserError that names the file when the disk is full or the folder can't be written.
    """
    with replacing(file) as part:
        part.write_text(text, encoding="utf-8", newline="\n")


def writable_folder(folder: Path, otherwise: Path) -> Path:
    """`folder` if it can be written or made, else the folder of the same name in `otherwise`."""
    nearest = next(path for path in [folder, *folder.parents] if os.path.exists(path))
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


def download(url: str, path: Path, digest: str | None = None) -> None:
    """Download `url` to `path` with `keras.utils.get_file`: complete, or not at all.

    digest: MD5 or SHA-256 of the file in hexadecimal digits; None where nobody has published one.
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
                    file_hash=digest,
                    force_download=True,
                )
            os.replace(part, path)
        except Exception as error:  # get_file raises a bare Exception when the address can't be reached
            # Keras puts the address in front, which our own message names already.
            raise OSError(str(error).rpartition(" -- ")[2].strip() or type(error).__name__) from None
        finally:
            part.unlink(missing_ok=True)


@contextlib.contextmanager
def unzipping(
    file: Path, wanted: Callable[[str], bool], largest: int | None = None
) -> Iterator[dict[str, Callable[[], bytes]]]:
    """The files in a zip file whose name is `wanted`: name, without folders -> function that reads it.

    Hidden files are left out. Raises UserError that names the zip file when it is damaged (each file
    is held against its checksum as it is read), when a path in it leads out of it, or when two of the
    wanted files have one name or one has more than `largest` bytes (LARGEST).
    """
    try:
        archive = zipfile.ZipFile(file)
    except OSError as error:
        raise UserError(f"{file} can't be read: {error.strerror or error}.") from None
    except Exception as error:  # zipfile raises a dozen kinds on what is no zip file
        raise _damaged(file, error) from None
    with archive:
        members = _members(archive, file, wanted, largest or LARGEST)

        def read(member: zipfile.ZipInfo) -> bytes:
            try:
                with archive.open(member) as stream:
                    return stream.read(member.file_size + 1)  # `read()` unpacks before it looks at the size
            except Exception as error:
                raise _damaged(file, error) from None

        yield {name: partial(read, member) for name, member in members.items()}


def _members(
    archive: zipfile.ZipFile, file: Path, wanted: Callable[[str], bool], largest: int
) -> dict[str, zipfile.ZipInfo]:
    members, names = {}, set()
    for member in archive.infolist():
        # Windows takes both / and \ for a separator, and C: for a disk.
        inside = PureWindowsPath(member.filename)
        if inside.anchor or ".." in inside.parts:
            raise UserError(f"{file} holds a path that leads out of it: {member.filename}")
        hidden = "__MACOSX" in inside.parts or inside.name.startswith(".")
        if hidden or member.filename.endswith("/") or not wanted(inside.name):
            continue
        if inside.name.lower() in names:  # one file on disks that don't tell capitals from small letters
            raise UserError(f"{file} holds two files of one name, {inside.name}: fetch it again.")
        if member.file_size > largest:
            raise UserError(f"{file} holds {inside.name} of over {largest >> 20} MB: fetch it again.")
        names.add(inside.name.lower())
        members[inside.name] = member
    return members


def _damaged(file: Path, error: Exception) -> UserError:
    why = str(error) or type(error).__name__
    return UserError(f"{file} is damaged or not a zip file ({why}). Delete it and fetch it again.")

"""The two files of a feature cache, written so that nothing that happens to the machine spoils them.

`features.npy` is one float16 array (images, rows*cols, channels); `features.json`, the manifest, says what
is in it, in which order, made by which network from which pictures. While the array is being made it is
called `features.npy.part`, and the manifest says how many pictures of it are done: never more than the disk
has. The manifest names a new array as done a moment before that gets its own name.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import time
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import numpy as np

from utils.datasets import CaptionDataset
from utils.files import write_text

_SECONDS_BETWEEN_SAVES = 2.0
_UNWRITTEN = 32  # batches that may wait for a slow disk


def is_complete(manifest: dict) -> bool:
    """Whether all pictures of the manifest have their rows."""
    return bool(manifest) and manifest["done"] == len(manifest["images"])


class FeatureFile:
    """Where a cache lies, and whether it is what is wanted.

    wanted    what the manifest has to say: everything that the numbers depend on, and `images`, their order
    shape     of the array: images, rows*cols, channels
    array, part, manifest   the files

    All methods raise OSError or UserError when the disk is full or can't be written.
    """

    def __init__(self, folder: Path, wanted: dict, shape: tuple[int, int, int]) -> None:
        self.array = folder / "features.npy"
        self.part = folder / "features.npy.part"
        self.manifest = folder / "features.json"
        self.wanted = wanted
        header = io.BytesIO()
        np.lib.format.write_array_header_1_0(header, {"descr": "<f2", "fortran_order": False, "shape": shape})
        self.header = header.getvalue()
        self.row_bytes = shape[1] * shape[2] * 2

    def read(self) -> dict:
        """The manifest, or {} when there is none that can be read."""
        try:
            manifest = json.loads(self.manifest.read_text(encoding="utf-8"))
            return manifest if {"images", "done", "broken"} <= manifest.keys() else {}
        except (OSError, ValueError, AttributeError):
            return {}

    def is_finished(self, manifest: dict) -> bool:
        """Whether `features.npy` is there, whole, and what is wanted."""
        finished = is_complete(manifest) and not self.part.exists()
        return finished and not self._differences(manifest, self.array)

    def go_on(self) -> dict:
        """The manifest of what is there, if that can be used; else everything is removed, the reason is
        printed, and the manifest says that nothing is done."""
        manifest = self.read()
        # The manifest says "done" a moment before the array gets its name: finish what a kill interrupted.
        if is_complete(manifest) and self.part.exists():
            os.replace(self.part, self.array)
        holds = self.part if self.part.exists() else self.array
        if differences := self._differences(manifest, holds):
            print(f"{self.array.name} is made again: {'; '.join(differences)}", flush=True)
        if differences or not manifest:
            # In this order: an array without a manifest is never read.
            for file in (self.manifest, self.array, self.part):
                file.unlink(missing_ok=True)
            manifest = self.wanted | {"done": 0, "broken": {}}
            self.write(manifest)
        return manifest

    def write(self, manifest: dict) -> None:
        """Write the manifest, whole or not at all."""
        write_text(self.manifest, json.dumps(manifest, indent=1, ensure_ascii=False))

    def finish(self, manifest: dict) -> None:
        """Give the array its name; all its rows are on disk."""
        manifest["digest"] = _digest(self.part, manifest)
        self.write(manifest)
        os.replace(self.part, self.array)

    def _differences(self, manifest: dict, file: Path) -> list[str]:
        """Why the array in `file` and its manifest can't be used, in words; empty when they can."""
        if not manifest:
            return [f"{file.name} has no manifest that can be read"] if file.exists() else []
        found = []
        for key, value in self.wanted.items():
            if manifest.get(key) == value:
                continue
            if key == "images":
                found.append(
                    f"it holds {len(manifest[key]):,} pictures, now {len(value):,}, or another order"
                )
            elif key == "pictures":
                found.append("the pictures have changed")
            else:
                found.append(f"its {key.replace('_', ' ')} is {manifest.get(key)}, now {value}")
        if not found and manifest["done"] and not self._is_whole(file, manifest["done"]):
            found.append(f"{file.name} is damaged")
        if not found and is_complete(manifest) and manifest.get("digest") != _digest(file, manifest):
            found.append(f"{file.name} or its manifest was changed after it was made")
        return found

    def _is_whole(self, file: Path, done: int) -> bool:
        """Whether the array file has its header and at least the rows that the manifest calls done."""
        try:
            with file.open("rb") as stream:
                begins = stream.read(len(self.header)) == self.header
            return begins and file.stat().st_size >= len(self.header) + done * self.row_bytes
        except OSError:
            return False


def _digest(file: Path, manifest: dict) -> str:
    """16 hexadecimal digits of the SHA-256 of what the manifest says and of the array (1 GB: a second)."""
    said = {key: value for key, value in manifest.items() if key != "digest"}
    digest = hashlib.sha256(json.dumps(said, sort_keys=True).encode())
    with file.open("rb") as stream:
        while some := stream.read(1 << 20):
            digest.update(some)
    return digest.hexdigest()[:16]


def pictures_fingerprint(dataset: CaptionDataset) -> str:
    """16 hexadecimal digits of the SHA-256 of the pictures' names and contents, in order."""

    def digest(name: str) -> bytes:
        try:
            content = dataset.path(name).read_bytes()
        except OSError:
            content = b"unreadable"
        return hashlib.sha256(content).digest()

    total = hashlib.sha256()
    # Reading and hashing run outside Python's lock: 8,000 photographs take about a second.
    with ThreadPoolExecutor(8) as pool:
        for name, content in zip(dataset.images, pool.map(digest, dataset.images), strict=True):
            total.update(name.encode() + b"\0" + content)
    return total.hexdigest()[:16]


class RowWriter:
    """Appends rows to `features.npy.part`, and brings the manifest up to date every few seconds.

    A context manager. A thread of its own writes, so that the encoder never waits for the disk. On Ctrl-C
    everything that was handed over is written and called done. At a regular end `manifest`, as given,
    says what is done.

    first         pictures that are done: the rows begin after theirs
    done, broken  pictures that were handed over, and why some of them could not be read
    """

    def __init__(self, file: FeatureFile, manifest: dict, first: int) -> None:
        finished = set(manifest["images"][:first])
        self.done = first
        self.broken = {name: why for name, why in manifest["broken"].items() if name in finished}
        self._file, self._manifest, self._first = file, manifest, first
        self._written = {"done": first, "broken": self.broken}
        self._whole = True  # nothing has failed, the last row included
        self._saved = time.monotonic()
        self._waiting: deque[Future] = deque()

    def __enter__(self) -> RowWriter:
        part = self._file.part
        # Ordinary writes, not a memory map: a full disk is an error here, there it is a dead process.
        self._stream = part.open("r+b" if part.exists() else "w+b")
        self._thread = ThreadPoolExecutor(1)
        self._stream.write(self._file.header)
        self._stream.seek(len(self._file.header) + self._first * self._file.row_bytes)
        return self

    def add(self, rows: np.ndarray, broken: dict[str, str]) -> None:
        """Hand over the float16 rows of the next pictures; raises what an earlier write has raised."""
        self.done += len(rows)
        self.broken = self.broken | broken
        self._waiting.append(self._thread.submit(self._keep, rows, self.done, self.broken))
        while self._waiting and (self._waiting[0].done() or len(self._waiting) > _UNWRITTEN):
            self._waiting.popleft().result()

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            if kind is None:
                for writing in self._waiting:
                    writing.result()
                self._stream.truncate()
                self._manifest.update(done=self.done, broken=self.broken)
            elif issubclass(kind, KeyboardInterrupt):
                self._thread.submit(self._save_whole).result()  # after all that waits to be written
        finally:
            self._thread.shutdown()
            self._stream.close()

    def _keep(self, rows: np.ndarray, done: int, broken: dict[str, str]) -> None:
        if not self._whole:  # after a failure nothing more is written: it would lie in the wrong place
            return
        self._whole = False
        self._stream.write(rows.tobytes())
        self._written = {"done": done, "broken": broken}
        if is_complete(self._manifest | self._written) or self._is_time():
            self._save()
        self._whole = True

    def _is_time(self) -> bool:
        return time.monotonic() - self._saved > _SECONDS_BETWEEN_SAVES

    def _save(self) -> None:
        # The rows must be on disk before the manifest calls them done.
        self._stream.flush()
        os.fsync(self._stream.fileno())
        # The whole array gets its digest first: see `FeatureFile.finish`.
        if not is_complete(self._manifest | self._written):
            self._file.write(self._manifest | self._written)
        self._saved = time.monotonic()

    def _save_whole(self) -> None:
        if self._whole:
            self._save()

"""The feature cache: each picture goes through the encoder once, ever.

Two files in the run folder. `features.npy` is one float16 array (images, rows*cols, channels)
that training reads through a memory map; `features.json`, the manifest, says what is in it, in
which order, made by which network from which pictures. While the array is being made it is
called `features.npy.part`, and the manifest says how many pictures of it are done.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from utils.datasets import CaptionDataset
from utils.encoders import Encoder
from utils.files import UserError, alone_in
from utils.pictures import read_ahead

BATCH = 16
FORMAT = 2  # to be raised whenever the same pictures and network would give other numbers
TOLERANCE = 0.02
"""How far features computed in a shorter number format may be from those in float32: root mean
square of the difference over that of the features."""

_SECONDS_BETWEEN_SAVES = 2.0
_UNWRITTEN = 32  # batches that may wait for a slow disk
_WORTH_MEASURING = 100, 60.0  # batches and seconds of work from which on a shorter format is tried
_WORTH_HAVING = 1.2  # times as fast


@dataclass(frozen=True)
class FeatureCache:
    """Features on disk.

    array   float16 (images, rows*cols, channels), read-only memory map; positions row by row;
            zeros for a broken picture
    grid    rows and columns
    names   image file names in the order of `array`
    broken  image file name -> why it could not be read
    fingerprint  16 hexadecimal digits, the same for the same pictures, encoder and weights
    """

    array: np.memmap
    grid: tuple[int, int]
    names: tuple[str, ...]
    broken: Mapping[str, str]
    fingerprint: str

    @cached_property
    def _row(self) -> dict[str, int]:
        return {name: row for row, name in enumerate(self.names)}

    def rows(self, names: Iterable[str]) -> np.ndarray:
        """The row of `array` of each image, int64 (len(names),). Raises KeyError for an unknown name."""
        return np.array([self._row[name] for name in names], np.int64)

    def readable(self, names: Iterable[str]) -> tuple[str, ...]:
        """The names without those of broken pictures."""
        return tuple(name for name in names if name not in self.broken)


def extract_features(dataset: CaptionDataset, encoder: Encoder, run_dir: Path) -> FeatureCache:
    """The features of all pictures of the dataset, from `run_dir/features.npy` if that holds them.

    Otherwise they are computed, which can be interrupted at any moment: the next call goes on
    where the last one stopped. A cache of other pictures, another encoder, other weights or
    another size is named and made again. A picture that can't be read is listed at the end and
    left out by `FeatureCache.readable`.

    Where the work takes more than a minute, computing in half the bits (bfloat16 on a CPU, float16
    on a GPU) is tried, and used if it is faster on this machine and agrees within `TOLERANCE`.

    Raises UserError when no picture can be read, when the disk is full, or when features are
    too large for float16.
    """
    array_file, part, manifest_file = _files(run_dir)
    wanted = _describe(dataset, encoder)
    shape = (len(wanted["images"]), encoder.grid[0] * encoder.grid[1], encoder.channels)
    try:
        manifest = _read_manifest(manifest_file)
        there = not part.exists() and _is_complete(manifest)
        there = there and not _differences(manifest, wanted, array_file, shape)
        if not there:
            with alone_in(run_dir):
                manifest = _make(dataset, encoder, wanted, shape, run_dir)
    except OSError as error:
        raise UserError(
            f"{array_file} can't be written: {error.strerror or error}. It takes "
            f"{np.prod(shape) * 2 / 1e6:,.0f} MB in all. Run this again to go on where it stopped."
        ) from None

    cache = FeatureCache(
        array=np.load(array_file, mmap_mode="r"),
        grid=tuple(manifest["grid"]),
        names=tuple(manifest["images"]),
        broken=manifest["broken"],
        fingerprint=hashlib.sha256(json.dumps(wanted, sort_keys=True).encode()).hexdigest()[:16],
    )
    made = "read from" if there else "written to"
    unreadable = f", {len(cache.broken):,} unreadable" if cache.broken else ""
    print(
        f"{made} {array_file.name}: {len(cache.names):,} pictures by {encoder.name}{unreadable}, "
        f"{shape[1]} positions x {shape[2]} channels, float16, {cache.array.nbytes / 1e6:,.0f} MB",
        flush=True,
    )
    return cache


def _files(run_dir: Path) -> tuple[Path, Path, Path]:
    return run_dir / "features.npy", run_dir / "features.npy.part", run_dir / "features.json"


def _make(dataset: CaptionDataset, encoder: Encoder, wanted: dict, shape: tuple, run_dir: Path) -> dict:
    """Bring the cache to its end from whatever is there; returns its manifest."""
    array_file, part, manifest_file = _files(run_dir)
    manifest = _read_manifest(manifest_file)
    # The manifest says "done" a moment before the array gets its name: finish what a kill interrupted.
    if _is_complete(manifest) and part.exists():
        os.replace(part, array_file)
    holds = part if part.exists() else array_file
    if differences := _differences(manifest, wanted, holds, shape):
        print(f"{array_file.name} is made again: {'; '.join(differences)}", flush=True)
    if differences or not manifest:
        # In this order: an array without a manifest is never read.
        for file in (manifest_file, array_file, part):
            file.unlink(missing_ok=True)
        manifest = wanted | {"done": 0, "broken": {}}
        _write_manifest(manifest_file, manifest)
    if not _is_complete(manifest):
        _build(dataset, encoder, manifest, shape, run_dir)
    return manifest


def _describe(dataset: CaptionDataset, encoder: Encoder) -> dict:
    """Everything that the numbers in the cache depend on, as it stands in the manifest."""
    return {
        "format": FORMAT,
        "dataset": dataset.name,
        "pictures": dataset_fingerprint(dataset),
        "encoder": encoder.name,
        "weights": encoder.fingerprint,
        "layer": encoder.layer,
        "input_size": encoder.input_size,
        "grid": list(encoder.grid),
        "channels": encoder.channels,
        "dtype": "float16",
        "images": list(dataset.images),
    }


def dataset_fingerprint(dataset: CaptionDataset) -> str:
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


def _read_manifest(file: Path) -> dict:
    """The manifest, or {} when there is none that can be read."""
    try:
        manifest = json.loads(file.read_text(encoding="utf-8"))
        return manifest if {"images", "done", "broken"} <= manifest.keys() else {}
    except (OSError, ValueError, AttributeError):
        return {}


def _is_complete(manifest: dict) -> bool:
    return bool(manifest) and manifest["done"] == len(manifest["images"])


def _differences(manifest: dict, wanted: dict, file: Path, shape: tuple[int, int, int]) -> list[str]:
    """Why the array in `file` and its manifest can't be used, in words; empty when they can."""
    if not manifest:
        return [f"{file.name} has no manifest that can be read"] if file.exists() else []
    found = []
    for key, value in wanted.items():
        if manifest.get(key) == value:
            continue
        if key == "images":
            found.append(f"it holds {len(manifest[key]):,} pictures, now {len(value):,}, or another order")
        elif key == "pictures":
            found.append("the pictures have changed")
        else:
            found.append(f"its {key.replace('_', ' ')} is {manifest.get(key)}, now {value}")
    if not found and manifest["done"] and not _is_whole(file, manifest, shape):
        found.append(f"{file.name} is damaged")
    if not found and _is_complete(manifest) and manifest.get("digest") != _digest(file, manifest):
        found.append(f"{file.name} or its manifest was changed after it was made")
    return found


def _digest(file: Path, manifest: dict) -> str:
    """16 hexadecimal digits of the SHA-256 of what the manifest says and of the array (1 GB: a second)."""
    said = {key: value for key, value in manifest.items() if key != "digest"}
    digest = hashlib.sha256(json.dumps(said, sort_keys=True).encode())
    with file.open("rb") as stream:
        while some := stream.read(1 << 20):
            digest.update(some)
    return digest.hexdigest()[:16]


def _header(shape: tuple[int, int, int]) -> bytes:
    """The first bytes of a .npy file of float16 of this shape."""
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "<f2", "fortran_order": False, "shape": shape})
    return header.getvalue()


def _is_whole(file: Path, manifest: dict, shape: tuple[int, int, int]) -> bool:
    """Whether the array file has its header and at least the rows that the manifest calls done."""
    header = _header(shape)
    try:
        with file.open("rb") as stream:
            begins = stream.read(len(header)) == header
        return begins and file.stat().st_size >= len(header) + manifest["done"] * shape[1] * shape[2] * 2
    except OSError:
        return False


@lru_cache(maxsize=4)
def encoder_function(encoder: Encoder, batch: int, compute: str = "float32") -> Callable:
    """The encoder as one compiled function of uint8 (batch, input_size, input_size, 3) pictures.

    It gives float16 features (batch, rows*cols, channels) and the largest size of a number in each
    picture's features before the rounding to float16, float32 (batch,).

    compute  the number format of the convolutions: `float32`, `bfloat16` or `float16`
    """
    rows, cols = encoder.grid
    size = encoder.input_size
    model = encoder.model if compute == "float32" else _in_format(encoder.model, f"mixed_{compute}")

    @tf.function(input_signature=[tf.TensorSpec((batch, size, size, 3), tf.uint8)])
    def features(pictures):
        result = model(encoder.preprocess(pictures), training=False)
        result = tf.cast(tf.reshape(result, (batch, rows * cols, encoder.channels)), tf.float32)
        return tf.cast(result, tf.float16), tf.reduce_max(tf.abs(result), axis=(1, 2))

    return features


def _in_format(model: keras.Model, policy: str) -> keras.Model:
    """The same network with the same weights, computing in another number format."""

    def clone(layer):
        return layer.__class__.from_config({**layer.get_config(), "dtype": policy})

    other = keras.models.clone_model(model, clone_function=clone)
    other.set_weights(model.get_weights())
    return other


def _choose_format(encoder: Encoder, pictures: np.ndarray, batches: int) -> str:
    """The number format to compute this many batches in, found out on one batch of pictures."""

    def measure(compute: str) -> tuple[float, np.ndarray]:
        function = encoder_function(encoder, BATCH, compute)
        function(pictures)  # traced here, timed below
        started = time.perf_counter()
        features = function(pictures)[0].numpy()
        return time.perf_counter() - started, features.astype(np.float32)

    least_batches, least_seconds = _WORTH_MEASURING
    if batches < least_batches:
        return "float32"
    seconds, exact = measure("float32")
    if seconds * batches < least_seconds:
        return "float32"
    short = "float16" if tf.config.list_physical_devices("GPU") else "bfloat16"
    short_seconds, features = measure(short)
    error = np.sqrt(np.mean((features - exact) ** 2) / np.mean(exact**2))
    if not (error <= TOLERANCE and seconds / short_seconds >= _WORTH_HAVING):
        return "float32"
    print(
        f"computed in {short}: {seconds / short_seconds:.1f} times as fast as float32 here, "
        f"features {error:.1%} off (root mean square)",
        flush=True,
    )
    return short


def _checked(
    numbers: np.ndarray, largest: np.ndarray, reasons: list[str], names: list[str], dataset, encoder
) -> tuple[np.ndarray, dict[str, str]]:
    """A batch's features without the filling and with zeros for broken pictures; why those are broken."""
    unreadable = {
        name: why.replace(str(dataset.folder), "...")
        for name, why in zip(names, reasons, strict=False)
        if why
    }
    for name, size in zip(names, largest, strict=False):
        if name not in unreadable and not size <= np.finfo(np.float16).max:
            raise UserError(
                f"The features of {name} reach {size:g}, float16 only up to 65504. "
                f"The weights of {encoder.name} are not right."
            )
    broken = np.array([name in unreadable for name in names])
    return np.where(broken[:, None, None], np.float16(0), numbers[: len(names)]), unreadable


def _build(dataset: CaptionDataset, encoder: Encoder, manifest: dict, shape: tuple, run_dir: Path) -> None:
    """Write `features.npy`, going on after the pictures that the manifest calls done, and bring the
    manifest up to date, on disk and in memory."""
    array_file, part, manifest_file = _files(run_dir)
    header = _header(shape)
    row_bytes = shape[1] * shape[2] * 2
    # Whole batches only: each picture meets the same neighbours, so that its numbers are the same.
    first = manifest["done"] // BATCH * BATCH
    names = manifest["images"][first:]
    if first:
        print(f"{part.name}: {first:,} of {shape[0]:,} pictures are done, {len(names):,} to go", flush=True)
    else:
        print(f"{encoder.name} looks at {shape[0]:,} pictures, once", flush=True)
    finished = set(manifest["images"][:first])
    broken = {name: why for name, why in manifest["broken"].items() if name in finished}
    paths = [dataset.path(name) for name in names]
    if "compute" not in manifest:
        # Noted before the first row: whoever goes on computes the same numbers.
        pictures, _ = next(read_ahead(paths[:BATCH], encoder.input_size, BATCH))
        manifest["compute"] = _choose_format(encoder, pictures, len(names) // BATCH)
        _write_manifest(manifest_file, manifest)
    features = encoder_function(encoder, BATCH, manifest["compute"])
    progress = keras.utils.Progbar(
        len(names), interval=0.5, stateful_metrics=["pictures/s"], unit_name="picture"
    )
    started = saved = time.monotonic()
    whole, written = True, {"done": first, "broken": broken}

    def keep(numbers: np.ndarray, done: int, broken: dict[str, str]) -> None:
        nonlocal written, whole
        if not whole:  # after a failure nothing more is written: it would lie in the wrong place
            return
        whole = False
        stream.write(numbers.tobytes())
        written = {"done": done, "broken": broken}
        if done == shape[0] or time.monotonic() - saved > _SECONDS_BETWEEN_SAVES:
            save()
        whole = True

    def save() -> None:
        nonlocal saved
        # The rows must be on disk before the manifest calls them done.
        stream.flush()
        os.fsync(stream.fileno())
        if written["done"] < shape[0]:
            _write_manifest(manifest_file, manifest | written)
        saved = time.monotonic()

    def save_whole() -> None:
        if whole:
            save()

    # Ordinary writes, not a memory map: a full disk is an error here, there it is a dead process.
    # A thread of its own writes, so that the encoder never waits for the disk.
    unwritten: deque[Future] = deque()
    done = first
    with part.open("r+b" if part.exists() else "w+b") as stream, ThreadPoolExecutor(1) as writer:
        stream.write(header)
        stream.seek(len(header) + first * row_bytes)
        try:
            for pictures, reasons in read_ahead(paths, encoder.input_size, BATCH):
                numbers, largest = (result.numpy() for result in features(pictures))
                batch_names = manifest["images"][done : done + BATCH]
                numbers, unreadable = _checked(numbers, largest, reasons, batch_names, dataset, encoder)
                done += len(batch_names)
                broken = broken | unreadable
                unwritten.append(writer.submit(keep, numbers, done, broken))
                while unwritten and (unwritten[0].done() or len(unwritten) > _UNWRITTEN):
                    unwritten.popleft().result()
                rate = round((done - first) / (time.monotonic() - started))
                progress.update(done - first, [("pictures/s", rate)])
            for writing in unwritten:
                writing.result()
        except KeyboardInterrupt:
            writer.submit(save_whole).result()  # after all that waits to be written
            raise
        stream.truncate()
    if len(broken) == shape[0]:
        name, why = next(iter(broken.items()))
        raise UserError(f"None of the pictures in {dataset.folder} can be read; {name}: {why}")
    manifest.update(done=done, broken=broken)
    manifest["digest"] = _digest(part, manifest)
    _write_manifest(manifest_file, manifest)
    os.replace(part, array_file)
    if broken:
        print(f"{len(broken):,} pictures can't be read and are left out:")
        for name, why in broken.items():
            print(f"  {name}: {why}", flush=True)


def _write_manifest(file: Path, manifest: dict) -> None:
    part = file.with_name(file.name + ".part")
    with part.open("w", encoding="utf-8") as stream:
        json.dump(manifest, stream, indent=1, ensure_ascii=False)
        stream.flush()
        os.fsync(stream.fileno())
    os.replace(part, file)

"""The feature cache: each picture goes through the encoder once, ever.

It lies in a folder of its own, data/features/<dataset>-<encoder>: the features depend on the pictures and
the encoder alone, so that every decoder reads the same ones. `utils.featurefile` keeps the files whole.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from utils.datasets import CaptionDataset
from utils.encoders import Encoder
from utils.featurefile import FeatureFile, RowWriter, is_complete, pictures_fingerprint
from utils.files import UserError, alone_in
from utils.pictures import read_ahead

BATCH = 16
FORMAT = 3  # to be raised whenever the same pictures and network would give other numbers
TOLERANCE = 0.02
"""How far features computed in a shorter number format may be from those in float32: root mean
square of the difference over that of the features."""

_LARGEST = float(np.finfo(np.float16).max)
_WORTH_MEASURING = 100, 60.0  # batches and seconds of work from which on a shorter format is tried
_WORTH_HAVING = 1.2  # times as fast


@dataclass(frozen=True)
class FeatureCache:
    """Features on disk.

    array    float16 (images, rows*cols, channels), read-only memory map; positions row by row;
             zeros for a broken picture
    encoder  whose features they are: `Encoder.identity` (name, weights, input_size, grid, channels)
    names    image file names in the order of `array`
    broken   image file name -> why it could not be read
    fingerprint  16 hexadecimal digits, the same for the same pictures, encoder, weights and number format
    """

    array: np.memmap
    encoder: Mapping
    names: tuple[str, ...]
    broken: Mapping[str, str]
    fingerprint: str

    @property
    def grid(self) -> tuple[int, int]:
        """Rows and columns."""
        rows, cols = self.encoder["grid"]
        return rows, cols

    @cached_property
    def _row(self) -> dict[str, int]:
        return {name: row for row, name in enumerate(self.names)}

    def rows(self, names: Iterable[str]) -> np.ndarray:
        """The row of `array` of each image, int64 (len(names),). Raises KeyError for an unknown name."""
        return np.array([self._row[name] for name in names], np.int64)

    def readable(self, names: Iterable[str]) -> tuple[str, ...]:
        """The names without those of broken pictures. Raises UserError when all of them are broken."""
        names = tuple(names)
        kept = tuple(name for name in names if name not in self.broken)
        if names and not kept:
            raise UserError(
                f"Not one of {len(names)} pictures can be read ({names[0]}: {self.broken[names[0]]}): train, "
                "dev and test need one each. Replace them, or add more pictures."
            )
        return kept


def extract_features(dataset: CaptionDataset, encoder: Encoder, folder: Path) -> FeatureCache:
    """The features of all pictures of the dataset, from `folder/features.npy` if that holds them.

    Otherwise they are computed, which can be interrupted at any moment: the next call goes on
    where the last one stopped. A cache of other pictures, another encoder, other weights or
    another size is named and made again. A picture that can't be read is listed at the end and
    left out by `FeatureCache.readable`.

    Where the work takes more than a minute, computing in half the bits is tried, and used if it is faster
    on this machine and agrees within `TOLERANCE`.

    Raises UserError when there are no pictures or none can be read, when the disk is full, or when
    features are too large for float16.
    """
    if not dataset.images:
        raise UserError(
            f"The dataset {dataset.name} has no pictures: look at {dataset.folder} and its captions."
        )
    wanted = _describe(dataset, encoder)
    rows, cols = encoder.grid
    shape = (len(dataset.images), rows * cols, encoder.channels)
    file = FeatureFile(folder, wanted, shape)
    try:
        manifest = file.read()
        there = file.is_finished(manifest)
        if not there:
            with alone_in(folder):
                manifest = file.go_on()  # another program may have finished it meanwhile
                if not is_complete(manifest):
                    _compute(dataset, encoder, manifest, file)
    except OSError as error:
        raise UserError(
            f"{file.array} can't be written: {error.strerror or error}. It takes "
            f"{np.prod(shape) * 2 / 1e6:,.0f} MB in all. Run this again to go on where it stopped."
        ) from None

    depends_on = wanted | {"compute": manifest["compute"]}
    cache = FeatureCache(
        array=np.load(file.array, mmap_mode="r"),
        encoder=encoder.identity,
        names=tuple(manifest["images"]),
        broken=manifest["broken"],
        fingerprint=hashlib.sha256(json.dumps(depends_on, sort_keys=True).encode()).hexdigest()[:16],
    )
    made = "read from" if there else "written to"
    unreadable = f", {len(cache.broken):,} unreadable" if cache.broken else ""
    size = f"{cache.array.nbytes / 1e6:,.{0 if cache.array.nbytes > 1e7 else 2}f} MB"
    print(
        f"{made} {file.array.name}: {len(cache.names):,} pictures by {encoder.name}{unreadable}, "
        f"{shape[1]} positions x {shape[2]} channels, float16, {size}",
        flush=True,
    )
    return cache


def _describe(dataset: CaptionDataset, encoder: Encoder) -> dict:
    """Everything that the numbers in the cache depend on, as it stands in the manifest."""
    identity = dict(encoder.identity)
    return {
        "format": FORMAT,
        "dataset": dataset.name,
        "pictures": pictures_fingerprint(dataset),
        "encoder": identity.pop("name"),
        **identity,
        "dtype": "float16",
        "images": list(dataset.images),
    }


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

    # Not read by AutoGraph: there is nothing to translate, and some preprocessing it can't read.
    @tf.function(input_signature=[tf.TensorSpec((batch, size, size, 3), tf.uint8)], autograph=False)
    def features(pictures):
        result = model(encoder.preprocess(pictures), training=False)
        result = tf.cast(tf.reshape(result, (batch, rows * cols, encoder.channels)), tf.float32)
        return tf.cast(result, tf.float16), tf.reduce_max(tf.abs(result), axis=(1, 2))

    return features


def _in_format(model: keras.Model, policy: str) -> keras.Model:
    """The same network with the same weights, computing in another number format."""

    def clone(layer):
        if isinstance(layer, keras.Model):  # one of several side by side
            return _in_format(layer, policy)
        if not isinstance(layer, keras.layers.Layer):  # an operation has no format of its own
            return layer
        return layer.__class__.from_config({**layer.get_config(), "dtype": policy})

    other = keras.models.clone_model(model, clone_function=clone)
    other.set_weights(model.get_weights())
    return other


def _short_format() -> str:
    """The shorter number format that this machine computes in: bfloat16, which reaches as far as float32,
    or float16 on a GPU that has nothing else."""
    gpus = tf.config.get_visible_devices("GPU")
    if not gpus:
        return "bfloat16"
    details = tf.config.experimental.get_device_details(gpus[0])
    return "bfloat16" if details.get("compute_capability", (0, 0)) >= (8, 0) else "float16"


def _choose_format(encoder: Encoder, pictures: np.ndarray, batches: int) -> str:
    """The number format to compute this many batches in, found out on one batch of pictures."""

    def measure(compute: str) -> tuple[float, np.ndarray]:
        function = encoder_function(encoder, BATCH, compute)
        features = function(pictures)[0].numpy()  # traced here, timed below
        seconds = []
        for _ in range(3):
            started = time.perf_counter()
            function(pictures)[0].numpy()
            seconds.append(time.perf_counter() - started)
        return float(np.median(seconds)), features.astype(np.float32)

    least_batches, least_seconds = _WORTH_MEASURING
    if batches < least_batches:
        return "float32"
    seconds, exact = measure("float32")
    if seconds * batches < least_seconds:
        return "float32"
    short = _short_format()
    try:
        short_seconds, features = measure(short)
    except (TypeError, ValueError, tf.errors.OpError):  # a network with a layer that has no such format
        return "float32"
    error = np.sqrt(np.mean((features - exact) ** 2) / np.mean(exact**2))
    if not (error <= TOLERANCE and seconds / short_seconds >= _WORTH_HAVING):
        return "float32"
    print(
        f"computed in {short}: {seconds / short_seconds:.1f} times as fast as float32 here, "
        f"features {error:.1%} off (root mean square)",
        flush=True,
    )
    return short


def _encode(
    encoder: Encoder, compute: str, pictures: np.ndarray, names: list[str], broken: Mapping[str, str]
) -> np.ndarray:
    """Features of the first pictures of a batch, float16 (len(names), rows*cols, channels), zeros for broken
    ones.

    A batch that runs over in a shorter number format is computed in float32. Raises UserError that names
    the picture when float16 can't keep the result either.
    """
    readable = np.array([name not in broken for name in names])
    for number_format in dict.fromkeys((compute, "float32")):
        function = encoder_function(encoder, BATCH, number_format)
        features, largest = (result.numpy()[: len(names)] for result in function(pictures))
        too_large = readable & ~(largest <= _LARGEST)  # "not a number" is no less or equal
        if not too_large.any():
            return np.where(readable[:, None, None], features, np.float16(0))
    worst = int(np.argmax(too_large))
    raise UserError(
        f"The features of {names[worst]} reach {largest[worst]:g}, float16 only up to {_LARGEST:g}. "
        f"The weights of {encoder.name} are not right."
    )


def _compute(dataset: CaptionDataset, encoder: Encoder, manifest: dict, file: FeatureFile) -> None:
    """Write `features.npy`, going on after the pictures that the manifest calls done, and bring the
    manifest up to date, on disk and in memory."""
    images = manifest["images"]
    # Whole batches only: each picture meets the same neighbors, so that its numbers are the same.
    first = manifest["done"] // BATCH * BATCH
    to_go = len(images) - first
    if first:
        print(
            f"{file.part.name}: {first:,} of {len(images):,} pictures are done, {to_go:,} to go", flush=True
        )
    else:
        print(f"{encoder.name} looks at {len(images):,} pictures, once", flush=True)
    folder, paths = str(dataset.folder), [dataset.path(name) for name in images[first:]]
    if "compute" not in manifest:
        # Noted before the first row: whoever goes on computes the same numbers.
        pictures, _ = next(read_ahead(paths[:BATCH], encoder.input_size, BATCH))
        manifest["compute"] = _choose_format(encoder, pictures, to_go // BATCH)
        file.write(manifest)
    progress = keras.utils.Progbar(to_go, interval=0.5, stateful_metrics=["pictures/s"], unit_name="picture")
    started = time.perf_counter()
    with RowWriter(file, manifest, first) as writer:
        for pictures, reasons in read_ahead(paths, encoder.input_size, BATCH):
            names = images[writer.done : writer.done + BATCH]
            broken = {name: why.replace(folder, "...") for name, why in zip(names, reasons) if why}
            writer.add(_encode(encoder, manifest["compute"], pictures, names, broken), broken)
            rate = round((writer.done - first) / (time.perf_counter() - started))
            progress.update(writer.done - first, [("pictures/s", rate)])
    broken = manifest["broken"]
    if len(broken) == len(images):
        raise UserError(f"None of the pictures in {folder} can be read; {images[0]}: {broken[images[0]]}")
    file.finish(manifest)
    if broken:
        print(f"{len(broken):,} pictures can't be read and are left out:")
        for name, why in broken.items():
            print(f"  {name}: {why}", flush=True)

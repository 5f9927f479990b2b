"""Speed, as ratios measured side by side in one run: `make bench`.

Prints a table and writes `data/bench.json`, {name: value}. The two sides of a ratio take turns, so that
a machine which is busy for a while slows both; what is given is the ratio of the median times.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from utils.settings import ROOT, start, write_text

settings = start()

import numpy as np  # noqa: E402
from PIL import Image  # noqa: E402

from utils.datasets import CaptionDataset, load_dataset  # noqa: E402
from utils.encoders import load_encoder  # noqa: E402
from utils.features import BATCH, encoder_function, extract_features, read_picture  # noqa: E402


def median_seconds(rounds: int, *sides: Callable[[], object]) -> list[float]:
    """The median time of each function; in every round each is called once."""
    seconds = [[] for _ in sides]
    for _ in range(rounds):
        for side, times in zip(sides, seconds, strict=True):
            started = time.perf_counter()
            side()
            times.append(time.perf_counter() - started)
    return [float(np.median(times)) for times in seconds]


def jpegs(folder: Path, size: tuple[int, int]) -> CaptionDataset:
    """The drawn scenes as JPEG files, with grain: about as many bytes as a photograph of that size."""
    folder.mkdir()
    scenes = load_dataset(settings)
    rng = np.random.default_rng(0)
    for name in scenes.images:
        with Image.open(scenes.path(name)) as picture:
            numbers = np.asarray(picture.convert("RGB").resize(size), np.int16)
        grain = rng.integers(-9, 10, (*numbers.shape[:2], 1), np.int16)
        picture = Image.fromarray(np.clip(numbers + grain, 0, 255).astype(np.uint8))
        picture.save(folder / f"{Path(name).stem}.jpg", quality=75)
    return folder_dataset(folder)


def folder_dataset(folder: Path, count: int | None = None) -> CaptionDataset:
    names = tuple(sorted(os.listdir(folder))[:count])
    splits = {"train": names, "dev": (), "test": ()}
    return CaptionDataset("bench", folder, dict.fromkeys(names, ("a picture",)), splits)


def extraction(scratch: Path) -> Iterator[tuple[str, float]]:
    """From JPEG files to the finished cache, against the same compiled encoder on one batch in memory."""
    small = jpegs(scratch / "small", (224, 224)).folder
    large = jpegs(scratch / "large", (500, 375)).folder
    cases = [
        ("mobilenet", "extraction_vs_forward_mobilenet", folder_dataset(small), 5),
        ("mobilenet", "extraction_vs_forward_mobilenet_500x375", folder_dataset(large), 5),
        ("vgg16", "extraction_vs_forward_vgg16", folder_dataset(large, 160), 3),
    ]
    for name, key, dataset, rounds in cases:
        encoder = load_encoder(name, weights=None)
        function = encoder_function(encoder, BATCH)
        batch = np.stack([read_picture(dataset.path(picture)) for picture in dataset.images[:BATCH]])
        function(batch)

        def forward(function, batch, dataset):
            for _ in range(0, len(dataset.images), BATCH):
                function(batch)[0].numpy()

        def extract(dataset, encoder):
            with tempfile.TemporaryDirectory(dir=scratch) as folder:
                with contextlib.redirect_stdout(io.StringIO()):
                    extract_features(dataset, encoder, Path(folder))

        sides = partial(forward, function, batch, dataset), partial(extract, dataset, encoder)
        bare, whole = median_seconds(rounds, *sides)
        yield key, bare / whole
        yield f"{key.replace('_vs_forward', '')}_pictures_per_second", len(dataset.images) / whole

        if name == "vgg16":
            shorter = encoder_function(encoder, BATCH, "bfloat16")
            shorter(batch)
            exact, half = median_seconds(3, partial(function, batch), partial(shorter, batch))
            yield "bfloat16_speedup_vgg16", exact / half


def reading(scratch: Path) -> Iterator[tuple[str, float]]:
    """Random batches of 64 from the cache, against one .npy file per picture; 7,000 pictures of VGG16."""
    folder = scratch / "files"
    folder.mkdir()
    count, shape = 7000, (49, 512)
    array = np.lib.format.open_memmap(scratch / "all.npy", "w+", np.float16, (count, *shape))
    rng = np.random.default_rng(0)
    for row in range(count):
        array[row] = rng.random(shape, np.float32)
        np.save(folder / f"{row}.npy", array[row])
    array.flush()
    array = np.load(scratch / "all.npy", mmap_mode="r")
    batches = rng.integers(count, size=(100, 64))

    def from_files():
        for batch in batches:
            np.stack([np.load(folder / f"{row}.npy") for row in batch])

    def from_cache():
        for batch in batches:
            array[batch]

    files, cache = median_seconds(5, from_files, from_cache)
    yield "cache_read_vs_npy_files", files / cache


MEMORY = """
import resource, sys
from pathlib import Path
from tests.bench import extract_features, folder_dataset, load_encoder
dataset = folder_dataset(Path(sys.argv[1]), int(sys.argv[2]))
extract_features(dataset, load_encoder("mobilenet", None), Path(sys.argv[3]))
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def memory(scratch: Path) -> Iterator[tuple[str, float]]:
    """How much higher memory peaks (MB) for 7,000 pictures than for 700, each in a process of its own."""
    folder = scratch / "many"
    folder.mkdir()
    small = jpegs(scratch / "small", (224, 224))
    originals = [small.path(name) for name in small.images]
    for number in range(7000):
        os.link(originals[number % len(originals)], folder / f"{number}.jpg")
    peaks = []
    for count in (700, 7000):
        command = [sys.executable, "-c", MEMORY, str(folder), str(count), str(scratch / f"run{count}")]
        output = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
        peaks.append(int(output.split()[-1]) / (1024 if sys.platform != "darwin" else 1024**2))
    yield "extraction_memory_growth_mb", peaks[1] - peaks[0]


def main() -> None:
    figures: dict[str, float] = {}
    for part in (memory, reading, extraction):  # memory first: a child inherits its parent's peak
        with tempfile.TemporaryDirectory() as scratch:
            print(part.__doc__, flush=True)
            for name, value in part(Path(scratch)):
                print(f"  {name:<44}{value:9.2f}", flush=True)
                figures[name] = round(value, 4)
    write_text(ROOT / "data" / "bench.json", json.dumps(figures, indent=1) + "\n")


if __name__ == "__main__":
    main()

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

from utils.session import start

settings = start()

import keras  # noqa: E402
import numpy as np  # noqa: E402
import tensorflow as tf  # noqa: E402
from PIL import Image  # noqa: E402

from utils.datasets import CaptionDataset, load_dataset  # noqa: E402
from utils.decoders import GRUDecoder  # noqa: E402
from utils.decoding import beam_search, greedy_search  # noqa: E402
from utils.encoders import load_encoder  # noqa: E402
from utils.features import BATCH, encoder_function, extract_features  # noqa: E402
from utils.files import write_text  # noqa: E402
from utils.pictures import read_picture  # noqa: E402
from utils.settings import RECIPES, ROOT  # noqa: E402
from utils.text import SPECIAL, START  # noqa: E402
from utils.training import (  # noqa: E402
    batches,
    load_batch,
    make_decoder,
    make_optimizer,
    make_train_step,
    masked_loss,
)


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
        size = encoder.input_size
        batch = np.stack([read_picture(dataset.path(picture), size) for picture in dataset.images[:BATCH]])
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


# Of the 30,000 training captions of Flickr8k: how many have 2, 3, 4 ... words.
FLICKR8K_LENGTHS = [15, 126, 346, 862, 1958, 2537, 2927, 3319, 3319, 3132, 2778, 2320, 1848, 1329, 977, 662]
FLICKR8K_LENGTHS += [513, 365, 204, 136, 110, 74, 52, 33, 20, 11, 7, 9, 4, 3, 1, 2, 0, 0, 1]
WORDS, CAPTIONS = 3000, 64
VGG16 = {"name": "vgg16", "weights": "", "input_size": 224, "grid": [7, 7], "channels": 512}
POSITIONS, CHANNELS = 49, 512


class TutorialDecoder(keras.Model):
    """A decoder and (below) a step in the way of the well-known TensorFlow tutorial on image captioning with
    attention, written for this comparison: one call per word that projects the features again and ends
    in a layer over the whole vocabulary, in a Python loop as long as the longest caption of all."""

    def __init__(self, embedding_dim: int, units: int):
        super().__init__()
        self.units = units
        self.project = keras.layers.Dense(embedding_dim, activation="relu")
        self.w1, self.w2 = keras.layers.Dense(units), keras.layers.Dense(units)
        self.v = keras.layers.Dense(1)
        self.embedding = keras.layers.Embedding(WORDS, embedding_dim)
        self.gru = keras.layers.GRU(units, return_sequences=True, return_state=True)
        self.fc1, self.fc2 = keras.layers.Dense(units), keras.layers.Dense(WORDS)

    def call(self, word, features, hidden):
        score = self.v(tf.nn.tanh(self.w1(features) + self.w2(hidden[:, None])))
        context = tf.reduce_sum(tf.nn.softmax(score, axis=1) * features, axis=1)
        x = tf.concat([context[:, None], self.embedding(word)], axis=-1)
        output, state = self.gru(x)
        return self.fc2(self.fc1(output[:, 0])), state


def tutorial_step(embedding_dim: int, units: int):
    decoder, optimizer = TutorialDecoder(embedding_dim, units), keras.optimizers.Adam()
    cross_entropy = keras.losses.SparseCategoricalCrossentropy(from_logits=True, reduction=None)

    def loss_function(real, predicted):
        mask = tf.cast(real != 0, tf.float32)
        return tf.reduce_mean(cross_entropy(real, predicted) * mask)

    @tf.function
    def train_step(features, target):
        loss, hidden = 0.0, tf.zeros((target.shape[0], units))
        word = target[:, :1]
        with tf.GradientTape() as tape:
            projected = decoder.project(tf.cast(features, tf.float32))
            for i in range(1, target.shape[1]):
                logits, hidden = decoder(word, projected, hidden)
                loss += loss_function(target[:, i], logits)
                word = target[:, i : i + 1]
        weights = decoder.trainable_variables
        optimizer.apply_gradients(zip(tape.gradient(loss, weights), weights))
        return loss

    return train_step


def arithmetic(decoder: GRUDecoder, captions: int, length: int) -> float:
    """Floating-point operations of the matrix products of a training step, a multiplication and an addition
    counted as two, the backward pass as twice the forward pass. Nothing else is counted."""
    units, attention, embedding = decoder.units, decoder.attend.units, decoder.embedding_dim
    picture = POSITIONS * CHANNELS * attention + CHANNELS * units  # keys, first state
    word = (units + embedding) * attention + POSITIONS * (attention + CHANNELS)  # query, score, context
    word += 3 * units * (embedding + CHANNELS + units)  # GRU
    word += embedding * (units + CHANNELS) + embedding * WORDS  # deep output
    return 3 * 2 * captions * (picture + length * word)


def training(scratch: Path) -> Iterator[tuple[str, float]]:
    """A training step, against one in the tutorial's way and against bare matrix multiplication."""
    rng = np.random.default_rng(0)
    lengths = rng.permutation(np.repeat(np.arange(2, 2 + len(FLICKR8K_LENGTHS)), FLICKR8K_LENGTHS)) + 2
    tokens = rng.integers(4, WORDS, (len(lengths), max(lengths)), np.int32)
    tokens[np.arange(max(lengths)) >= lengths[:, None]] = 0
    array = rng.random((256, POSITIONS, CHANNELS), np.float32).astype(np.float16)
    rows = rng.integers(256, size=len(tokens))
    recipe = RECIPES["flickr8k"]
    vocabulary = [*SPECIAL, *map(str, range(WORDS - len(SPECIAL)))]
    decoder = make_decoder(recipe, vocabulary, VGG16, len(FLICKR8K_LENGTHS) + 1)
    steps = -(-len(tokens) // CAPTIONS)
    loss = partial(masked_loss, smoothing=recipe.label_smoothing)
    ours = make_train_step(decoder, make_optimizer(recipe, steps), loss)
    tutorial = tutorial_step(recipe.embedding_dim, recipe.units)
    epoch = list(batches(tokens, CAPTIONS, np.random.default_rng(1)))
    shuffled = rng.permutation(len(tokens))[: 6 * CAPTIONS].reshape(6, CAPTIONS)
    side = 2048
    matrix = tf.constant(rng.random((side, side), np.float32))
    multiply = tf.function(lambda a: a @ a)

    def batch_of(indices):
        return load_batch(array, rows, tokens, indices)

    def whole(indices):  # as wide as the longest caption of all
        return array[rows[indices]], tokens[indices]

    float(ours(*batch_of(epoch[0]))), float(tutorial(*map(tf.constant, whole(shuffled[0])))), multiply(matrix)
    seconds = {"ours": [], "tutorial": [], "matrix": []}
    work = []
    for number in range(5):
        for indices in epoch[1 + 12 * number : 13 + 12 * number]:
            batch = batch_of(indices)
            started = time.perf_counter()
            float(ours(*batch))
            seconds["ours"].append(time.perf_counter() - started)
            work.append(arithmetic(decoder, len(indices), batch[1].shape[1] - 1))
            started = time.perf_counter()
            multiply(matrix).numpy()
            seconds["matrix"].append(time.perf_counter() - started)
        started = time.perf_counter()
        float(tutorial(*map(tf.constant, whole(shuffled[1 + number]))))
        seconds["tutorial"].append(time.perf_counter() - started)
    # Both epochs have the same number of steps; ours are of all lengths, so their mean counts.
    yield "epoch_speedup_vs_tutorial", np.median(seconds["tutorial"]) / np.mean(seconds["ours"])
    rate = 2 * side**3 / np.median(seconds["matrix"])
    yield "step_fraction_of_matmul_rate", np.sum(work) / np.sum(seconds["ours"]) / rate
    yield "training_step_ms", 1000 * np.mean(seconds["ours"])
    yield "matmul_gflops", rate / 1e9


def decoding(scratch: Path) -> Iterator[tuple[str, float]]:
    """Captions from features in memory. The model is untrained and never ends a caption, so lengths are
    set: 11 words (with <end>), the mean on Flickr8k; 20, about the longest of a batch, for which all wait."""
    rng = np.random.default_rng(0)
    vocabulary = [*SPECIAL, *map(str, range(WORDS - len(SPECIAL)))]
    decoder = make_decoder(RECIPES["flickr8k"], vocabulary, VGG16, 20)
    features = rng.random((1024, POSITIONS, CHANNELS), np.float32).astype(np.float16)
    batches = [tf.constant(part) for part in np.split(features, 8)]

    def one_by_one(pictures):
        for picture in pictures:
            memory, state = decoder.read(picture[None])
            word = tf.constant([vocabulary.index(START)])
            for _ in range(11):
                logits, state = decoder.step(word, state, memory)
                word = tf.argmax(logits, axis=1)
                int(word[0])

    def greedy():
        for batch in batches:
            greedy_search(decoder, batch, max_length=20).numpy()

    def beam():
        for batch in batches:
            beam_search(decoder, batch, 3, max_length=20)[0].numpy()

    greedy(), beam(), one_by_one(features[:1])
    single, batched, searched = median_seconds(3, lambda: one_by_one(features[:16]), greedy, beam)
    yield "greedy_speedup_vs_one_by_one", (single / 16) / (batched / len(features))
    yield "greedy_seconds_per_1000", 1000 * batched / len(features)
    yield "beam3_seconds_per_1000", 1000 * searched / len(features)


MEMORY = """
import resource, sys
from pathlib import Path
from tests.tools.bench import extract_features, folder_dataset, load_encoder
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
    # Memory first: a child inherits its parent's peak.
    for part in (memory, reading, extraction, training, decoding):
        with tempfile.TemporaryDirectory() as scratch:
            print(part.__doc__, flush=True)
            for name, value in part(Path(scratch)):
                print(f"  {name:<44}{value:9.2f}", flush=True)
                figures[name] = round(value, 4)
    write_text(ROOT / "data" / "bench.json", json.dumps(figures, indent=1) + "\n")


if __name__ == "__main__":
    main()

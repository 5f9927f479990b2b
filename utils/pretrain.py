"""Teach the slim VGG16 to see: `python -m utils.pretrain` writes data/vgg16-slim.weights.h5.

The network learns to name single drawn objects, as VGG16 learned to name the things of
ImageNet; its features then describe scenes of several objects that it never saw. About
half an hour on 2 cores. The weights are part of the repository, so this is needed only after
a change of how things are drawn.
"""

from __future__ import annotations

import os
import tempfile
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import keras
import numpy as np

from utils.datasets.drawing import LABELS, PLACES, SIZE, SKY, single
from utils.encoders import SLIM_WEIGHTS, SLIM_WIDTH, build_vgg16, preprocessing

PICTURES, HELD_OUT = 8_000, 1_000
BATCH = 64
# First on windows around the object, which is quick, then on whole pictures: (side in pixels, epochs).
STAGES = ((112, 12), (SIZE, 3))
PEAK_RATE = 2e-3


def draw_pictures(path: Path, count: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Draw `count` single objects, every label equally often.

    Returns the pictures, uint8 (count, 224, 224, 3), as a memory map at `path`; the boxes,
    int64 (count, 4); and the numbers of label, place and sky, int64 (count, 3).
    """
    shape = (count, SIZE, SIZE, 3)
    pictures = np.lib.format.open_memmap(path, mode="w+", dtype=np.uint8, shape=shape)
    boxes, targets = np.zeros((count, 4), np.int64), np.zeros((count, 3), np.int64)
    progress = keras.utils.Progbar(count, unit_name="picture")
    labels = [i % len(LABELS) for i in range(count)]
    generators = (np.random.default_rng([seed, 2, i]) for i in range(count))
    with ProcessPoolExecutor(min(8, os.cpu_count() or 1), mp_context=get_context("spawn")) as pool:
        drawn = pool.map(single, (LABELS[label] for label in labels), generators, chunksize=50)
        for i, (picture, box, place, sky) in enumerate(drawn):
            pictures[i], boxes[i] = picture, box
            targets[i] = labels[i], PLACES.index(place), list(SKY).index(sky)
            if (i + 1) % 100 == 0 or i + 1 == count:
                progress.update(i + 1)
    return pictures, boxes, targets


def _outputs(targets: np.ndarray) -> dict[str, np.ndarray]:
    return {"predictions": targets[:, 0], "place": targets[:, 1], "sky": targets[:, 2]}


class Windows(keras.utils.PyDataset):
    """Batches of square windows on the object (on part of it where it is larger), half of them mirrored."""

    def __init__(
        self, pictures: np.ndarray, boxes: np.ndarray, targets: np.ndarray, side: int, seed: int
    ) -> None:
        super().__init__()
        self.pictures, self.boxes, self.targets, self.side = pictures, boxes, targets, side
        self.rng = np.random.default_rng([seed, side])
        self.order = self.rng.permutation(len(pictures))

    def __len__(self) -> int:
        return len(self.pictures) // BATCH

    def on_epoch_end(self) -> None:
        self.order = self.rng.permutation(len(self.pictures))

    def _window(self, i: int) -> np.ndarray:
        corner = []
        for start, stop in (self.boxes[i, [1, 3]], self.boxes[i, [0, 2]]):
            ends = sorted((int(stop) - self.side, int(start)))
            low, high = np.clip(ends, 0, SIZE - self.side)
            corner.append(int(self.rng.integers(low, high + 1)))
        y, x = corner
        window = self.pictures[i, y : y + self.side, x : x + self.side]
        return window[:, ::-1] if self.rng.random() < 0.5 else window

    def __getitem__(self, batch: int) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        picked = self.order[batch * BATCH : (batch + 1) * BATCH]
        windows = np.stack([self._window(i) for i in picked])
        return np.asarray(preprocessing("vgg16-slim")(windows)), _outputs(self.targets[picked])


def build_learner(seed: int) -> tuple[keras.Model, keras.Model]:
    """The classifier, and the same network with two more heads, which name the place and the sky.

    The heads keep the background in the features, which captions need; they are not saved.
    """
    keras.utils.set_random_seed(seed)
    classifier = build_vgg16(
        SLIM_WIDTH, classes=len(LABELS), input_shape=(None, None, 3), kernel_initializer="he_normal"
    )
    average = classifier.get_layer("average").output
    heads = {
        "predictions": classifier.output,
        "place": keras.layers.Dense(len(PLACES), activation="softmax", name="place")(average),
        "sky": keras.layers.Dense(len(SKY), activation="softmax", name="sky")(average),
    }
    return classifier, keras.Model(classifier.input, heads)


def train(
    learner: keras.Model, pictures: np.ndarray, boxes: np.ndarray, targets: np.ndarray, seed: int
) -> None:
    """All of STAGES, under one learning rate that warms up and then falls to 0."""
    steps = len(pictures) // BATCH * sum(epochs for _, epochs in STAGES)
    rate = keras.optimizers.schedules.CosineDecay(
        PEAK_RATE / 20, steps - steps // 20, warmup_target=PEAK_RATE, warmup_steps=steps // 20
    )
    learner.compile(
        keras.optimizers.AdamW(rate, weight_decay=1e-4, global_clipnorm=1.0),
        loss=dict.fromkeys(learner.output_names, "sparse_categorical_crossentropy"),
        loss_weights={"predictions": 1.0, "place": 0.2, "sky": 0.2},
        metrics=dict.fromkeys(learner.output_names, "accuracy"),
        jit_compile=False,
    )
    for side, epochs in STAGES:
        learner.fit(Windows(pictures, boxes, targets, side, seed), epochs=epochs, verbose=2)


def report(learner: keras.Model, pictures: np.ndarray, targets: np.ndarray) -> None:
    """Print how often the held-out pictures are named rightly: by label, kind, color, place and sky."""
    found: dict[str, list] = {name: [] for name in learner.output_names}
    for start in range(0, len(pictures), BATCH):
        batch = learner.predict_on_batch(preprocessing("vgg16-slim")(pictures[start : start + BATCH]))
        for name, probabilities in batch.items():
            found[name].extend(probabilities.argmax(axis=-1))
    right = np.equal(found["predictions"], targets[:, 0])
    wanted = [LABELS[i].split() for i in targets[:, 0]]
    named = [LABELS[i].split() for i in found["predictions"]]
    print(f"held out: {len(targets)} pictures, label right in {right.mean():.1%}", end="")
    for name, part in (("color", 0), ("kind", 1)):
        print(
            f", {name} {np.mean([a[part] == b[part] for a, b in zip(named, wanted, strict=True)]):.1%}",
            end="",
        )
    for name, column in (("place", 1), ("sky", 2)):
        print(f", {name} {np.equal(found[name], targets[:, column]).mean():.1%}", end="")
    print()
    for part in (1, 0):
        groups = sorted({label[part] for label in wanted})
        shares = [
            np.mean([r for r, label in zip(right, wanted, strict=True) if label[part] == g]) for g in groups
        ]
        print("  " + ", ".join(f"{g} {share:.0%}" for g, share in zip(groups, shares, strict=True)))


def main(seed: int = 0) -> None:
    scratch = SLIM_WEIGHTS.parent / "runs"  # the pictures take 1.4 GB
    scratch.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=scratch, ignore_cleanup_errors=True) as folder:
        pictures, boxes, targets = draw_pictures(Path(folder) / "pictures.npy", PICTURES + HELD_OUT, seed)
        classifier, learner = build_learner(seed)
        train(learner, pictures[:PICTURES], boxes[:PICTURES], targets[:PICTURES], seed)
        report(learner, pictures[PICTURES:], targets[PICTURES:])
        fresh = Path(folder) / SLIM_WEIGHTS.name
        classifier.save_weights(fresh)
        os.replace(fresh, SLIM_WEIGHTS)
    print(f"{SLIM_WEIGHTS.name}: {SLIM_WEIGHTS.stat().st_size / 1e6:.2f} MB")


if __name__ == "__main__":
    main()

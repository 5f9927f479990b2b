"""Teach a slim network to see: `python -m utils.pretrain vgg16-slim` writes data/vgg16-slim.weights.h5.

The network learns first to name single drawn objects, as VGG16 learned to name the things of ImageNet; then,
on pictures of several, to say at each of its 49 positions what is there: the thing, its centre, how far it
reaches, how many there are of its kind and color, and what lies beside, above and below it. Its features then
describe scenes that it never saw. Of what the split `novel` keeps for itself it sees the things, each alone
(a purple umbrella among them), and nothing together. Half an hour to an hour on 2 cores. The weights are part
of the repository, so this is needed only after a change of how things are drawn.
"""

from __future__ import annotations

import os
import sys
import tempfile
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import keras
import numpy as np

from utils.datasets.drawing import COLORS, LABELS, PLACES, SIZE, SKY, single
from utils.datasets.scattered import scattered
from utils.encoders import SLIM, SLIM_FOLDER, preprocessing
from utils.files import UserError, exit_status

SINGLE, SCATTERED, CHECKED = 8_000, 8_000, 1_000  # pictures; of the last, half show a single thing
WINDOW, WINDOW_EPOCHS = 112, 12  # first single things alone, in windows of so many pixels: that is quick
AGAIN, EPOCHS = 2_000, 9  # then whole pictures: so many of the single things, and all of the scattered ones
BATCH, PEAK_RATE = 32, 2e-3
GRID, KINDS = 7, tuple(COLORS)
CELL = SIZE // GRID
PREPARE = preprocessing("vgg16-slim")  # all slim networks want the same
LOSSES = {  # what the network learns, how its mistakes count, and how much
    "predictions": ("sparse_categorical_crossentropy", 0.2),
    "place": ("sparse_categorical_crossentropy", 0.1),
    "sky": ("sparse_categorical_crossentropy", 0.1),
    "thing": ("sparse_categorical_crossentropy", 1.0),
    "centre": ("binary_crossentropy", 1.0),
    "reach": ("mean_absolute_error", 0.5),
    "number": ("sparse_categorical_crossentropy", 0.5),
    "neighbours": ("binary_crossentropy", 4.0),
}


def targets(labels: list[int], boxes: list[list[int]]) -> dict[str, np.ndarray]:
    """What there is at each position of a picture with these things, from the back to the front.

    thing       int (7, 7): 0 for none, else the label's number plus 1
    centre      float (7, 7, 1): 1 where the middle of a thing's box lies
    reach       float (7, 7, 4): to the thing's upper, lower, left and right end, in units of 64 pixels
    number      int (7, 7): how many there are with this label, less 1, at most 2
    neighbours  float (7, 7, 4 * kinds): 1 for each kind that lies to the left, right, above and below
    """
    found = {
        "thing": np.zeros((GRID, GRID), np.int32),
        "centre": np.zeros((GRID, GRID, 1), np.float32),
        "reach": np.zeros((GRID, GRID, 4), np.float32),
        "number": np.zeros((GRID, GRID), np.int32),
        "neighbours": np.zeros((GRID, GRID, 4, len(KINDS)), np.float32),
    }
    middles = (np.arange(GRID) + 0.5) * CELL
    rows = {label: np.array([b for b, other in zip(boxes, labels) if other == label]) for label in labels}
    for label, box in zip(labels, boxes):
        x0, y0, x1, y1 = box
        here = np.outer((middles > y0) & (middles < y1), (middles > x0) & (middles < x1))
        row, column = min(GRID - 1, (y0 + y1) // 2 // CELL), min(GRID - 1, (x0 + x1) // 2 // CELL)
        here[row, column] = True
        y, x = np.nonzero(here)
        found["thing"][here] = label + 1
        found["centre"][row, column] = 1
        reach = [middles[y] - y0, y1 - middles[y], middles[x] - x0, x1 - middles[x]]
        found["reach"][here] = np.stack(reach, axis=-1) / 64
        found["number"][here] = min(3, labels.count(label)) - 1
        found["neighbours"][here] = _beside(label, rows)
    found["neighbours"] = found["neighbours"].reshape(GRID, GRID, -1)
    return found


def _beside(label: int, rows: dict[int, np.ndarray]) -> np.ndarray:
    """For a row of things, 1 for each kind that another row shows to its left, right, above or below it."""
    sides = np.zeros((4, len(KINDS)), np.float32)
    hulls = {other: [*b[:, :2].min(axis=0), *b[:, 2:].max(axis=0)] for other, b in rows.items()}
    x, y = np.add(hulls[label][:2], hulls[label][2:]) / 2
    for other, hull in hulls.items():
        across, down = np.add(hull[:2], hull[2:]) / 2 - (x, y)
        if other != label:
            side = int(across > 0) if abs(across) > abs(down) else 2 + int(down > 0)
            sides[side, KINDS.index(LABELS[other].split()[1])] = 1
    return sides


def draw_one(job: tuple[int, int, bool]) -> tuple[np.ndarray, list[int], dict[str, np.ndarray]]:
    """One picture from (seed, number, whether of scattered things): uint8 (224, 224, 3), the box of its first
    thing, and the targets of LOSSES. `predictions` is -1 where there are several things."""
    seed, number, several = job
    rng = np.random.default_rng([seed, 2, number])
    if several:
        picture, labels, boxes, place, sky = scattered(rng)
    else:
        labels = [number % len(LABELS)]
        picture, box, place, sky = single(LABELS[labels[0]], rng)
        boxes = [box]
    found = targets(labels, boxes)
    found["predictions"] = np.array(-1 if several else labels[0])
    found |= {"place": np.array(PLACES.index(place)), "sky": np.array(list(SKY).index(sky))}
    return picture, boxes[0], found


def draw_pictures(path: Path, jobs: list[tuple]) -> tuple[np.ndarray, np.ndarray, dict[str, np.ndarray]]:
    """All pictures, uint8 (count, 224, 224, 3), as a memory map at `path`; boxes int (count, 4); targets."""
    pictures = np.lib.format.open_memmap(path, mode="w+", dtype=np.uint8, shape=(len(jobs), SIZE, SIZE, 3))
    progress, boxes, found = keras.utils.Progbar(len(jobs), unit_name="picture"), [], []
    with ProcessPoolExecutor(min(8, os.cpu_count() or 1), mp_context=get_context("spawn")) as pool:
        for i, (picture, box, target) in enumerate(pool.map(draw_one, jobs, chunksize=50)):
            pictures[i] = picture
            boxes.append(box)
            found.append(target)
            if (i + 1) % 100 == 0 or i + 1 == len(jobs):
                progress.update(i + 1)
    return pictures, np.array(boxes), {name: np.stack([one[name] for one in found]) for name in LOSSES}


class Pictures(keras.utils.PyDataset):
    """Batches of pictures, their targets and how much each counts, some mirrored; with a `window`, of square
    windows of so many pixels on the object (on part of it where it is larger), and without positions."""

    def __init__(
        self, rows: np.ndarray, pictures: np.ndarray, boxes: np.ndarray, targets: dict, window: int, seed: int
    ) -> None:
        super().__init__()
        self.pictures, self.boxes, self.targets, self.window = pictures, boxes, targets, window
        self.rng = np.random.default_rng([seed, window])
        self.rows = self.rng.permutation(rows)

    def __len__(self) -> int:
        return len(self.rows) // BATCH

    def on_epoch_end(self) -> None:
        self.rows = self.rng.permutation(self.rows)

    def _cut(self, i: int) -> np.ndarray:
        corner = []
        for start, stop in (self.boxes[i, [1, 3]], self.boxes[i, [0, 2]]):
            ends = sorted((int(stop) - self.window, int(start)))
            low, high = np.clip(ends, 0, SIZE - self.window)
            corner.append(int(self.rng.integers(low, high + 1)))
        y, x = corner
        return self.pictures[i, y : y + self.window, x : x + self.window]

    def __getitem__(self, batch: int) -> tuple[np.ndarray, dict, dict]:
        rows = np.sort(self.rows[batch * BATCH : (batch + 1) * BATCH])
        pictures = np.stack([self._cut(i) for i in rows]) if self.window else self.pictures[rows]
        names = ("predictions", "place", "sky") if self.window else tuple(LOSSES)
        wanted = {name: self.targets[name][rows] for name in names}
        if self.rng.random() < 0.5:
            pictures = pictures[:, :, ::-1]
            wanted = {name: _mirrored(name, target) for name, target in wanted.items()}
        counts = {name: np.ones(target.shape[:3], np.float32) for name, target in wanted.items()}
        counts["predictions"] = (wanted["predictions"] >= 0).astype(np.float32)
        wanted["predictions"] = np.maximum(wanted["predictions"], 0)
        if not self.window:  # where there is no thing, there is nothing else to say of it
            there = (wanted["thing"] > 0).astype(np.float32)
            counts |= {"thing": 0.4 + 0.6 * there, **dict.fromkeys(("reach", "number", "neighbours"), there)}
        return np.asarray(PREPARE(pictures)), wanted, counts


def _mirrored(name: str, target: np.ndarray) -> np.ndarray:
    """The targets of pictures that are mirrored."""
    if target.ndim == 1:
        return target
    target = target[:, :, ::-1]
    if name == "reach":
        return target[..., [0, 1, 3, 2]]
    if name == "neighbours":
        kinds = len(KINDS)
        left, right = target[..., :kinds], target[..., kinds : 2 * kinds]
        return np.concatenate([right, left, target[..., 2 * kinds :]], axis=-1)
    return target


def build_learner(name: str, seed: int) -> tuple[keras.Model, keras.Model, keras.Model]:
    """The classifier of that name; the same with heads for place and sky; and with heads for all of LOSSES.

    The heads shape the features, which captions need; they are not saved.
    """
    keras.utils.set_random_seed(seed)
    classifier = SLIM[name](classes=len(LABELS), input_shape=(None, None, 3))
    average = classifier.get_layer("average").output
    features = classifier.get_layer("average").input
    heads = {
        "predictions": classifier.output,
        "place": keras.layers.Dense(len(PLACES), activation="softmax", name="place")(average),
        "sky": keras.layers.Dense(len(SKY), activation="softmax", name="sky")(average),
    }
    whole = keras.Model(classifier.input, dict(heads))
    for head, outputs, activation in (
        ("thing", len(LABELS) + 1, "softmax"),
        ("centre", 1, "sigmoid"),
        ("reach", 4, None),
        ("number", 3, "softmax"),
        ("neighbours", 4 * len(KINDS), "sigmoid"),
    ):
        heads[head] = keras.layers.Conv2D(outputs, 1, activation=activation, name=head)(features)
    return classifier, whole, keras.Model(classifier.input, heads)


def train(learner: keras.Model, data: Pictures, epochs: int) -> None:
    """Under a learning rate that warms up and then falls to 0."""
    steps = len(data) * epochs
    rate = keras.optimizers.schedules.CosineDecay(
        PEAK_RATE / 20, steps - steps // 20, warmup_target=PEAK_RATE, warmup_steps=steps // 20
    )
    learner.compile(
        keras.optimizers.AdamW(rate, weight_decay=1e-4, global_clipnorm=1.0),
        loss={name: LOSSES[name][0] for name in learner.output_names},
        loss_weights={name: LOSSES[name][1] for name in learner.output_names},
        jit_compile=False,
    )
    learner.fit(data, epochs=epochs, verbose=2)


def report(learner: keras.Model, pictures: np.ndarray, targets: dict[str, np.ndarray]) -> None:
    """Print how often the held-out pictures are read rightly: single things, each position of the others."""
    batches = [
        learner.predict_on_batch(PREPARE(pictures[i : i + BATCH])) for i in range(0, len(pictures), BATCH)
    ]
    said = {name: np.concatenate([batch[name] for batch in batches]) for name in learner.output_names}
    alone, there = targets["predictions"] >= 0, targets["thing"] > 0
    names = ("place", "sky", "thing", "number")
    right = {name: said[name].argmax(axis=-1) == targets[name] for name in names}
    named = (said["predictions"].argmax(axis=-1) == targets["predictions"])[alone]
    print(f"held out: {alone.sum()} single things, {named.mean():.1%} named; of {(~alone).sum()} others:")
    several = there & ~alone[:, None, None]
    found = (said["centre"] > 0.5) == (targets["centre"] > 0.5)
    sides = ((said["neighbours"] > 0.5) == (targets["neighbours"] > 0.5)).all(axis=-1)
    print(f"  positions of things named {right['thing'][several].mean():.1%}, counted", end=" ")
    print(f"{right['number'][several].mean():.1%}, all neighbours {sides[several].mean():.1%}", end=", ")
    print(f"centres {found[targets['centre'] > 0.5].mean():.1%}", end=", reach off by ")
    print(f"{64 * np.abs(said['reach'] - targets['reach'])[several].mean():.0f} pixels", end="; all: ")
    print(f"place {right['place'].mean():.1%}, sky {right['sky'].mean():.1%}")


def main(name: str, seed: int = 0) -> None:
    name = name.strip().lower()
    if name not in SLIM:
        raise UserError(f"There is no slim network {name!r}. There are {', '.join(SLIM)}.")
    file = SLIM_FOLDER / f"{name}.weights.h5"
    scratch = SLIM_FOLDER / "runs"  # the pictures take 2.6 GB
    scratch.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=scratch, ignore_cleanup_errors=True) as folder:
        count = SINGLE + SCATTERED
        several = [i >= SINGLE for i in range(count)] + [i % 2 == 0 for i in range(CHECKED)]
        jobs = [(seed, i, scatter) for i, scatter in enumerate(several)]
        drawn = draw_pictures(Path(folder) / "pictures.npy", jobs)
        classifier, whole, learner = build_learner(name, seed)
        train(whole, Pictures(np.arange(SINGLE), *drawn, WINDOW, seed), WINDOW_EPOCHS)
        train(learner, Pictures(np.arange(SINGLE - AGAIN, count), *drawn, 0, seed), EPOCHS)
        pictures, _, wanted = drawn
        report(learner, pictures[count:], {name: target[count:] for name, target in wanted.items()})
        fresh = Path(folder) / file.name
        classifier.save_weights(fresh)
        os.replace(fresh, file)
    print(f"{file.name}: {file.stat().st_size / 1e6:.2f} MB")


if __name__ == "__main__":
    network = sys.argv[1] if sys.argv[1:] else "vgg16-slim"
    sys.exit(exit_status(lambda: main(network), "Stopped; the weights are as they were."))

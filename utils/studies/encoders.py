"""The study of other encoders for notebook 8: what a decoder can say depends on what it is shown.

Each slim network, and two of them side by side (feature fusion), under three decoders. Units, learning rates
and dropout are those of the study `08_other_decoders`, which has the rows of vgg16-slim; more channels give a
decoder more weights. For the Transformer that rate was seen to be too high on the fused features: it has a
row with half of it, too, on all of them and on vgg16-slim.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from utils.datasets import CaptionDataset, load_dataset
from utils.encoders import load_encoder
from utils.features import BATCH, encoder_function, extract_features
from utils.pictures import read_picture
from utils.settings import Settings, label
from utils.studies import PARTS, curve
from utils.studies.decoders import ROWS as EVERY
from utils.studies.decoders import SEEDS, as_tuned, cells

ENCODERS = ("resnet-slim", "vit-slim", "vgg16-slim+resnet-slim")
HALF = ", half the rate"
ROWS = (*curve.ROWS, f"Transformer{HALF}")
ROUNDS = 10  # batches of each encoder that are timed
SETTINGS: dict[str, Any] = {"encoders": ENCODERS, "rows": ROWS, "seeds": SEEDS}
SETTINGS |= {"units": {row: EVERY[row][1] for row in curve.ROWS}}
SLACK: dict[str, float] = {}  # no member of it is run live


def members(settings: Settings) -> dict[str, Callable[[], dict]]:
    """Each decoder on the features of each encoder, with each seed; all encoders timed side by side."""
    dataset = load_dataset(settings)
    pairs = [(settings.encoder, f"Transformer{HALF}")]  # the other rows are those of `08_other_decoders`
    pairs += [(encoder, row) for encoder in ENCODERS for row in ROWS]
    runs = {
        f"{encoder}, {row}/{seed}": partial(one_pair, settings, dataset, encoder, row, seed)
        for encoder, row in pairs
        for seed in SEEDS
    }
    return runs | {"side by side/1": partial(side_by_side, settings, dataset)}


def one_pair(
    settings: Settings, dataset: CaptionDataset, encoder: str, row: str, seed: int
) -> dict[str, Any]:
    """Train a decoder on the features of an encoder, and measure it on test and novel scenes."""
    folder = settings.features_dir.parent / f"{settings.dataset}-{label(encoder)}"
    cache = extract_features(dataset, load_encoder(encoder), folder)
    own = replace(settings, encoder=encoder, features_dir=folder)
    below, times = PARTS / "08_encoders" / label(encoder), 0.5 if row.endswith(HALF) else 1
    found = as_tuned(own, (dataset, cache), row.removesuffix(HALF), seed, below, times)
    return found | {"encoder": cache.encoder["weights"]}


def side_by_side(settings: Settings, dataset: CaptionDataset) -> dict[str, Any]:
    """By encoder, its number of weights, and the milliseconds that it looks at a picture: the median, in
    float32, the encoders taking turns."""
    encoders = {name: load_encoder(name) for name in (settings.encoder, *ENCODERS)}
    size = encoders[settings.encoder].input_size
    pictures = np.stack([read_picture(dataset.path(name), size) for name in dataset.images[:BATCH]])
    look = {name: encoder_function(encoder, BATCH) for name, encoder in encoders.items()}
    taken: dict[str, list[float]] = {name: [] for name in encoders}
    for _ in range(ROUNDS + 1):
        for name, function in look.items():
            started = time.monotonic()
            function(pictures)[0].numpy()
            taken[name].append((time.monotonic() - started) * 1000 / BATCH)
    return {
        "ms_per_picture": {name: round(float(np.median(some[1:])), 2) for name, some in taken.items()},
        "weights": {name: encoder.model.count_params() for name, encoder in encoders.items()},
    }


def show(study: dict) -> str:
    """The table as README prints it: means over the seeds, and in brackets the lowest and the highest."""
    rows: dict[tuple[str, str], list[dict]] = {}
    for name, one in study["members"].items():
        if "bleu4" in one:
            encoder, _, row = name.rpartition("/")[0].partition(", ")
            rows.setdefault((encoder, row), []).append(one)
    lines = ["| encoder | decoder | BLEU-4 | CIDEr-D | wholly true | left or right | decoder's weights |"]
    lines += [
        "|" + "---|" * 7,
        *(f"| `{name}` | {row} | {cells(some)} |" for (name, row), some in rows.items()),
    ]
    return "\n".join(lines)

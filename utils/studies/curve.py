"""The study of how much each decoder learns from few pictures, for notebook 8.

Units, learning rates and dropout are those of the study `08_other_decoders`, which has the rows of all
pictures. A quarter of the pictures gets up to twice the epochs, since an epoch of few pictures has few steps.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from utils.datasets import load_dataset
from utils.encoders import load_encoder
from utils.features import extract_features
from utils.settings import Settings
from utils.studies import PARTS
from utils.studies.decoders import SEEDS, World, as_tuned

ROWS = ("GRU, attention", "GRU, mean vector", "Transformer")
PICTURES = (100, 300, 1000)
SETTINGS = {"pictures": PICTURES, "rows": ROWS, "seeds": SEEDS}
SLACK = {"bleu4": 0.05, "cider": 0.15, "wholly_true": 0.08, "relation": 0.15, "loss": 0.1}


def members(settings: Settings) -> dict[str, Callable[[], dict]]:
    """Each decoder with each number of pictures and each seed."""
    dataset = load_dataset(settings)
    world = dataset, extract_features(dataset, load_encoder(settings.encoder), settings.features_dir)
    return {
        f"{row}, {pictures} pictures/{seed}": partial(one_size, settings, world, row, pictures, seed)
        for pictures in PICTURES
        for row in ROWS
        for seed in SEEDS
    }


def one_size(
    settings: Settings, world: World, row: str, pictures: int, seed: int, folder: Path | None = None
) -> dict[str, Any]:
    """Train a decoder on the first so many pictures, and measure it on test and novel scenes."""
    dataset, cache = world
    names = cache.readable(dataset.splits["train"])
    few = replace(dataset, splits={**dataset.splits, "train": names[:pictures]})
    epochs = round(settings.recipe.epochs * (len(names) / pictures) ** 0.5)
    own = replace(settings, recipe=replace(settings.recipe, epochs=epochs))
    below = (folder or PARTS / "08_learning_curve") / f"{pictures}"
    return as_tuned(own, (few, cache), row, seed, below)

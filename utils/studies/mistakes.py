"""The study behind the three classic mistakes of notebook 4: four ways to train a small model."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from utils.datasets import load_dataset
from utils.encoders import load_encoder
from utils.features import extract_features
from utils.mistakes import EPOCHS, PICTURES, WAYS, report
from utils.settings import Settings
from utils.text import build_vocabulary
from utils.training import longest_caption

SEEDS = (1, 2, 3)
SETTINGS = {"pictures": PICTURES, "epochs": EPOCHS, "ways": list(WAYS), "seeds": SEEDS}
SLACK = {"own_loss": 0.05, "loss": 0.05, "own_bleu4": 0.08, "bleu4": 0.03}
SLACK |= {"own_true": 0.05, "true": 0.05, "own_left_out": 0.05, "left_out": 0.05}


def members(settings: Settings) -> dict[str, Callable[[], dict]]:
    """Each way with each seed."""
    dataset = load_dataset(settings)
    cache = extract_features(dataset, load_encoder(settings.encoder), settings.features_dir)
    captions = [caption for name in dataset.splits["train"] for caption in dataset.captions[name]]
    world = dataset, cache, build_vocabulary(captions, settings.recipe.min_count), longest_caption(captions)
    return {f"{way}/{seed}": partial(report, *world, way, seed) for way in WAYS for seed in SEEDS}

"""The study of other decoders on photographs, for notebook 8: what drawn scenes said, does it hold there?

On the features of MobileNet, about as large as the GRU decoder of Part I, whose rows are those of the study
`flickr8k-mobilenet`. The learning rate is found as in `08_other_decoders`, on the first PICTURES training
photographs with the first seed; all seeds are then trained on all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from utils.datasets import limit_splits, load_dataset
from utils.decoders.base import Decoder
from utils.decoders.lstm import MeanVector
from utils.decoders.transformer import TransformerDecoder
from utils.encoders import load_encoder
from utils.features import extract_features
from utils.runs import Diverged, train
from utils.settings import Settings
from utils.studies import PARTS, compare, load_study, spread
from utils.studies.decoders import DIVERGED, SEEDS, World, by_doubling
from utils.studies.photographs import scored

FIRST, ON_WHOLE = "GRU, attention", "flickr8k-mobilenet"
ROWS: dict[str, tuple[type[Decoder], int]] = {
    "GRU, mean vector": (MeanVector, 560),
    "Transformer": (TransformerDecoder, 252),
}
"""The decoders, and the units that give them about as many weights as the GRU decoder with 512 has."""
RATES, RATE, PICTURES = (0.00025, 0.0005, 0.001, 0.002, 0.004, 0.008), 0.002, 2000
SLACK: dict[str, float] = {}  # no member of it is run live
SETTINGS: dict[str, Any] = {"units": {row: units for row, (_, units) in ROWS.items()}, "seeds": SEEDS}
SETTINGS |= {"rates": RATES, "first_rate": RATE, "pictures": PICTURES}


def members(settings: Settings) -> dict[str, Callable[[], dict]]:
    """Each decoder with each seed."""
    dataset = load_dataset(settings)
    world = dataset, extract_features(dataset, load_encoder(settings.encoder), settings.features_dir)
    return {f"{row}/{seed}": partial(one_row, settings, world, row, seed) for row in ROWS for seed in SEEDS}


def one_row(settings: Settings, world: World, row: str, seed: int) -> dict[str, Any]:
    """Train a decoder on all photographs at the best rate; its scores on dev and test."""
    dataset, cache = world
    few = limit_splits({"train": dataset.splits["train"]}, PICTURES)["train"]
    part, spent = (replace(dataset, splits={**dataset.splits, "train": few}), cache), list[float]()

    def loss_of(rate: float) -> float:
        try:
            _, history = run(settings, part, row, SEEDS[0], rate)
        except Diverged:
            return DIVERGED
        spent.extend(history["seconds"])
        return min(history["dev_loss"])

    tried = by_doubling(loss_of, RATES, RATE)
    rate = min(tried, key=lambda rate: tried[rate])
    decoder, history = run(settings, world, row, seed, rate)
    found = {split: scored(dataset, cache, decoder, split) for split in ("dev", "test")}
    return {
        "loss": min(history["dev_loss"]),
        "rate": rate,
        "tried": {str(rate): loss for rate, loss in tried.items()},
        "parameters": decoder.count_params(),
        "dev": found["dev"],
        "scores": found["test"],
        "seconds": round(sum(history["seconds"]) + sum(spent) * (seed == SEEDS[0]), 1),
    }


def run(
    settings: Settings, world: World, row: str, seed: int, rate: float
) -> tuple[Decoder, dict[str, list[float]]]:
    """A training of a row, in a folder of its own."""
    kind, units = ROWS[row]
    name = f"{kind.__name__}-{len(world[0].splits['train'])}-{rate}-{seed}"
    recipe = replace(settings.recipe, units=units, learning_rate=rate)
    own = replace(settings, recipe=recipe, seed=seed, run_dir=PARTS / "flickr8k-decoders" / name)
    return train(own, *world, kind)


def rows_of(study: Mapping) -> dict[str, dict[str, list[float]]]:
    """Row -> `greedy bleu4`, `beam 5 cider` and so on -> one number for each seed, on test; the first row is
    that of the stored study of Part I."""
    whole = [run for name, run in load_study(ON_WHOLE)["members"].items() if name.startswith("attention/")]
    runs = {FIRST: whole}
    for name, one in study["members"].items():
        runs.setdefault(name.rpartition("/")[0], []).append(one)
    return {
        row: {
            f"{search} {key}": [one["scores"][search][key] for one in some]
            for search in ("greedy", "beam 5")
            for key in ("bleu4", "cider")
        }
        for row, some in runs.items()
    }


def show(study: Mapping) -> str:
    """The table as README prints it: means over the seeds, in brackets the lowest and the highest; behind a
    row, whether each of its seeds lies above or below each of the first row's."""
    rows = rows_of(study)
    heads = [f"{search}: {score}" for search in ("greedy", "beam 5") for score in ("BLEU-4", "CIDEr-D")]
    lines = [f"| decoder | {' | '.join(heads)} | beam 5, CIDEr-D against the GRU |", "|" + "---|" * 6]
    for row, numbers in rows.items():
        cells = [spread(some) for some in numbers.values()]
        against = compare(numbers["beam 5 cider"], rows[FIRST]["beam 5 cider"]) if row != FIRST else ""
        lines.append(f"| {row} | {' | '.join(cells)} | {against} |")
    return "\n".join(lines)

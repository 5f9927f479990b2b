"""The study of other decoders on photographs, for notebook 8: what drawn scenes said, does it hold there?

On the features of MobileNet, with units that make them about as large as each other. Learning rate and
dropout of each are found with the first seed, on as many of the training photographs as PICTURES says: rate
after rate, each twice or half the one before, until the best has none better on either side (or RATES end);
dropout at that rate likewise; then the rate once more. Best is the highest CIDEr-D of greedy captions of dev,
and not, as in `08_other_decoders`, the lowest loss: on photographs the two were seen to disagree. Within a
training the epoch with the lowest loss is kept, as always. All seeds are then trained on all photographs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from utils.datasets import limit_splits, load_dataset
from utils.decoders.base import Decoder
from utils.decoders.gru import GRUDecoder
from utils.decoders.lstm import MeanVector
from utils.decoders.transformer import TransformerDecoder
from utils.decoding import describe
from utils.encoders import load_encoder
from utils.features import extract_features
from utils.runs import Diverged, train
from utils.scores import cider_d
from utils.settings import Settings
from utils.studies import PARTS, compare, spread
from utils.studies.decoders import DIVERGED, SEEDS, World, by_doubling
from utils.studies.photographs import of_split, scored
from utils.text import tokenize

ROWS: dict[str, tuple[type[Decoder], int]] = {
    "GRU, attention": (GRUDecoder, 512),
    "GRU, mean vector": (MeanVector, 560),
    "Transformer": (TransformerDecoder, 252),
}
"""The decoders, and the units that give the others about as many weights as the first has."""
FIRST = next(iter(ROWS))
RATES, RATE, PICTURES = (0.00025, 0.0005, 0.001, 0.002, 0.004, 0.008, 0.016), 0.002, 2000
DROPOUTS = (0.05, 0.1, 0.2, 0.4)  # no more than the recipe's: .5 was no gain for its decoder
SLACK: dict[str, float] = {}  # no member of it is run live
SETTINGS: dict[str, Any] = {"units": {row: units for row, (_, units) in ROWS.items()}, "seeds": SEEDS}
SETTINGS |= {"kinds": {row: f"{kind.__name__} {kind.version}" for row, (kind, _) in ROWS.items()}}
SETTINGS |= {"best": "greedy CIDEr-D on dev", "rates": RATES, "first_rate": RATE}
SETTINGS |= {"dropouts": DROPOUTS, "pictures": PICTURES}


def members(settings: Settings) -> dict[str, Callable[[], dict]]:
    """Each decoder with each seed."""
    dataset = load_dataset(settings)
    world = dataset, extract_features(dataset, load_encoder(settings.encoder), settings.features_dir)
    return {f"{row}/{seed}": partial(one_row, settings, world, row, seed) for row in ROWS for seed in SEEDS}


def one_row(settings: Settings, world: World, row: str, seed: int) -> dict[str, Any]:
    """Train a decoder on all photographs at the best rate and dropout; its scores on dev and test."""
    dataset, cache = world
    few = limit_splits({"train": dataset.splits["train"]}, PICTURES)["train"]
    part = replace(dataset, splits={**dataset.splits, "train": few}), cache
    tried = tune(settings, part, row)
    rate, dropout = best(tried)
    decoder, history = run(settings, world, row, seed, rate, dropout)
    found = {split: scored(dataset, cache, decoder, split) for split in ("dev", "test")}
    spent = sum(one["seconds"] for one in tried.values()) if seed == SEEDS[0] else 0
    return {
        "loss": min(history["dev_loss"]),
        "rate": rate,
        "dropout": dropout,
        "tried": {f"{rate} {dropout}": one for (rate, dropout), one in tried.items()},
        "parameters": decoder.count_params(),
        "dev": found["dev"],
        "scores": found["test"],
        "seconds": round(sum(history["seconds"]) + spent, 1),
    }


def tune(settings: Settings, part: World, row: str) -> dict[tuple[float, float], dict[str, float]]:
    """By rate and dropout, of all that was tried with the first seed, what `one_try` found."""
    tried = dict[tuple[float, float], dict[str, float]]()

    def badness(rate: float, dropout: float) -> float:
        setting = rate, dropout
        if setting not in tried:
            tried[setting] = one_try(settings, part, row, *setting)
        return -tried[setting]["cider"]

    by_doubling(lambda rate: badness(rate, DROPOUTS[-1]), RATES, RATE)
    rate, dropout = best(tried)
    by_doubling(lambda some: badness(rate, some), DROPOUTS, dropout)
    rate, dropout = best(tried)
    by_doubling(lambda some: badness(some, dropout), RATES, rate)
    return tried


def one_try(settings: Settings, part: World, row: str, rate: float, dropout: float) -> dict[str, float]:
    """Loss on dev, CIDEr-D of greedy captions of dev, and seconds, of a training on few photographs; one that
    comes to no number has the loss DIVERGED and a CIDEr-D of 0."""
    dataset, cache = part
    try:
        decoder, history = run(settings, part, row, SEEDS[0], rate, dropout)
    except Diverged:
        return {"loss": DIVERGED, "cider": 0.0, "seconds": 0.0}
    names, references = of_split(dataset, cache, "dev")
    captions = [tokenize(caption) for caption in describe(decoder, cache, names)]
    cider = float(cider_d(references, captions).mean())
    return {"loss": min(history["dev_loss"]), "cider": cider, "seconds": sum(history["seconds"])}


def best(tried: Mapping[tuple[float, float], Mapping[str, float]]) -> tuple[float, float]:
    """Rate and dropout of the highest CIDEr-D."""
    return max(tried, key=lambda setting: tried[setting]["cider"])


def run(
    settings: Settings, world: World, row: str, seed: int, rate: float, dropout: float
) -> tuple[Decoder, dict[str, list[float]]]:
    """A training of a row, in a folder of its own."""
    kind, units = ROWS[row]
    name = f"{kind.__name__}-{len(world[0].splits['train'])}-{rate}-{dropout}-{seed}"
    recipe = replace(settings.recipe, units=units, learning_rate=rate, dropout=dropout)
    own = replace(settings, recipe=recipe, seed=seed, run_dir=PARTS / "flickr8k-decoders" / name)
    return train(own, *world, kind)


def rows_of(study: Mapping) -> dict[str, dict[str, list[float]]]:
    """Row -> `greedy bleu4`, `beam 5 cider` and so on -> one number for each seed, on test."""
    runs = dict[str, list[dict]]()
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

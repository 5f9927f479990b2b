"""The study of notebook 8: each decoder of the project on the features of one encoder, with three seeds.

All have about as many weights as the GRU decoder of Part I, and are tuned alike: from its recipe on, seed 1
is trained with one learning rate after the other, each twice or half as high, until the best of them by loss
on dev has none better on either side (or RATES end); then with MORE_DROPOUT at that rate. What is best trains
the other seeds.
The models are kept beside the unfinished study, so that a stopped one goes on in the middle of a training.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from utils.datasets import CaptionDataset, load_dataset
from utils.decoders.base import Decoder
from utils.decoders.ensemble import Ensemble
from utils.decoders.gru import GRUDecoder
from utils.decoders.lstm import LSTMDecoder, MeanVector
from utils.decoders.transformer import TransformerDecoder
from utils.decoders.vector import Bidirectional, LongVector, ShowAndTell
from utils.decoding import describe, greedy_search
from utils.encoders import load_encoder
from utils.features import FeatureCache, extract_features
from utils.runs import Diverged, train
from utils.scores import cider_d, corpus_bleu
from utils.settings import Settings
from utils.studies import PARTS, load_study, spread
from utils.text import tokenize
from utils.training import batches, caption_table, load_batch, make_train_step
from utils.truth import judge, read, truth

SEEDS = (1, 2, 3)
ROWS: dict[str, tuple[type[Decoder], int]] = {
    "GRU, attention": (GRUDecoder, 256),
    "GRU, mean vector": (MeanVector, 280),
    "Transformer": (TransformerDecoder, 124),
    "LSTM, attention": (LSTMDecoder, 220),
    "LSTM, mean vector (Show and Tell)": (ShowAndTell, 284),
    "LSTM, bidirectional LSTM over the grid": (Bidirectional, 208),
    "LSTM, grid as one long vector": (LongVector, 228),
}
"""The decoders, and the units that give them about as many weights as the first has."""
TOGETHER = ("GRU, attention", "LSTM, attention", "Transformer")
RATES, RATE, MORE_DROPOUT = (0.001, 0.002, 0.004, 0.008, 0.016, 0.032), 0.004, 0.2
DIVERGED = 99.0  # the loss of a training that came to no number: worse than any other
SIDES = ("left of", "right of")
ROUNDS = 30  # steps of each decoder that are timed
SLACK: dict[str, float] = {}  # no member of it is run live
SETTINGS: dict[str, Any] = {"units": {row: units for row, (_, units) in ROWS.items()}, "together": TOGETHER}
SETTINGS |= {"rates": RATES, "first_rate": RATE, "more_dropout": MORE_DROPOUT, "seeds": SEEDS}
SETTINGS |= {"kinds": {row: f"{kind.__name__} {kind.version}" for row, (kind, _) in ROWS.items()}}

World = tuple[CaptionDataset, FeatureCache]


def members(settings: Settings) -> dict[str, Callable[[], dict]]:
    """Each decoder with each seed; three of them writing together; a step of each, timed side by side."""
    dataset = load_dataset(settings)
    world = dataset, extract_features(dataset, load_encoder(settings.encoder), settings.features_dir)
    runs = {f"{row}/{seed}": partial(one_row, settings, world, row, seed) for row in ROWS for seed in SEEDS}
    runs |= {f"{len(TOGETHER)} together/{seed}": partial(together, settings, world, seed) for seed in SEEDS}
    return runs | {"side by side/1": partial(side_by_side, settings, world)}


def one_row(settings: Settings, world: World, row: str, seed: int) -> dict[str, Any]:
    """Train a decoder as it was tuned, and measure it on test and novel scenes."""
    tried = tune(settings, world, row)
    rate, dropout = best(tried)
    decoder, history = run(settings, world, row, seed, rate, dropout)
    found: dict[str, Any] = {"loss": min(history["dev_loss"]), "rate": rate, "dropout": dropout}
    found |= {"parameters": decoder.count_params()} | measure(world, decoder)
    found |= {"tried": {f"{rate} {dropout}": loss for (rate, dropout), loss in tried.items()}}
    trained = [history]
    if seed == SEEDS[0]:  # that of the tuning counts as well
        lasting = [setting for setting, loss in tried.items() if loss < DIVERGED]
        trained = [run(settings, world, row, seed, *setting)[1] for setting in lasting]
    return found | {"seconds": round(sum(sum(one["seconds"]) for one in trained), 1)}


def run(
    settings: Settings,
    world: World,
    row: str,
    seed: int,
    rate: float,
    dropout: float,
    folder: Path | None = None,
) -> tuple[Decoder, dict[str, list[float]]]:
    """A training of a row, in a folder of its own below `folder`, by default that of this study."""
    kind, units = ROWS[row]
    name = f"{kind.__name__}-{rate}-{dropout}-{seed}"
    run_dir = (folder or PARTS / "08_other_decoders") / name
    recipe = replace(settings.recipe, units=units, learning_rate=rate, dropout=dropout)
    own = replace(settings, recipe=recipe, seed=seed, run_dir=run_dir)
    return train(own, *world, kind)


def tune(settings: Settings, world: World, row: str) -> dict[tuple[float, float], float]:
    """The loss on dev by learning rate and dropout, of all that was tried with the first seed."""

    def loss_of(dropout: float, rate: float) -> float:
        try:
            return min(run(settings, world, row, SEEDS[0], rate, dropout)[1]["dev_loss"])
        except Diverged:
            return DIVERGED

    usual = settings.recipe.dropout
    tried = {(rate, usual): loss for rate, loss in by_doubling(partial(loss_of, usual), RATES, RATE).items()}
    rate, _ = best(tried)
    return tried | {(rate, MORE_DROPOUT): loss_of(MORE_DROPOUT, rate)}


def by_doubling(
    badness: Callable[[float], float], values: Sequence[float], first: float
) -> dict[float, float]:
    """How bad each value is that was tried, from the first one on, until the best has none better on either
    side or `values`, in rising order, end. Of equals the lowest is the best: where a training came to no
    number, the next is more careful."""
    tried = {first: badness(first)}
    while True:
        at = values.index(min(tried, key=lambda value: (tried[value], value)))
        around = [value for value in values[max(0, at - 1) : at + 2] if value not in tried]
        if not around:
            return tried
        tried[around[0]] = badness(around[0])


def tuned(settings: Settings, world: World, row: str, seed: int) -> Decoder:
    """The decoder of a row and a seed, trained as it was tuned."""
    return run(settings, world, row, seed, *best(tune(settings, world, row)))[0]


def as_tuned(
    settings: Settings, world: World, row: str, seed: int, folder: Path, times: float = 1.0
) -> dict[str, Any]:
    """Train a decoder with the rate, `times` as high, and the dropout that the stored table has found, and
    measure it."""
    stored = load_study("08_other_decoders")["members"][f"{row}/{SEEDS[0]}"]
    rate, dropout = stored["rate"] * times, stored["dropout"]
    decoder, history = run(settings, world, row, seed, rate, dropout, folder)
    found = {"loss": min(history["dev_loss"]), "epochs": len(history["dev_loss"])} | measure(world, decoder)
    found |= {"rate": rate, "dropout": dropout, "parameters": decoder.count_params()}
    return found | {"seconds": round(sum(history["seconds"]), 1)}


def best(tried: Mapping[tuple[float, float], float]) -> tuple[float, float]:
    """Rate and dropout of the lowest loss."""
    return min(tried, key=lambda setting: tried[setting])


def measure(world: World, decoder: Decoder) -> dict[str, Any]:
    """BLEU-4, CIDEr-D and truth of greedy captions on test, truth on novel; how many are different."""
    dataset, cache = world
    scenes, said, facts = dataset.scenes or {}, dict[str, list[str]](), dict[str, dict[str, Any]]()
    for split in ("test", "novel"):
        names = cache.readable(dataset.splits[split])
        said[split], shown = describe(decoder, cache, names), [scenes[name] for name in names]
        facts[split] = truth(said[split], shown) | {"sides": sides(said[split], shown)}
    names = cache.readable(dataset.splits["test"])
    references = [[tokenize(caption) for caption in dataset.captions[name]] for name in names]
    words = [tokenize(caption) for caption in said["test"]]
    scores = {"bleu4": corpus_bleu(references, words)[3], "cider": float(cider_d(references, words).mean())}
    return scores | facts["test"] | {"distinct": len(set(said["test"])), "novel": facts["novel"]}


def sides(captions: Sequence[str], scenes: Sequence[Mapping[str, Any]]) -> list[int]:
    """How many captions are right about left and right, and how many there are: of the scenes with two groups
    of two kinds, one declared to be left or right of the other, those that name both, invent nothing, and
    relate once, by left or by right. Guessing is right in half of them."""
    right = stated = 0
    for caption, scene in zip(captions, scenes):
        kinds = {group["kind"] for group in scene["groups"]}
        beside = len(kinds) == len(scene["groups"]) == 2 and scene["groups"][1]["relation"] in SIDES
        said = [way.strip("~") for _, ways, _ in read(caption).relations for way in ways]
        found = judge(caption, scene)
        whole = not found["invented"] + found["left_out"]
        if beside and whole and len(said) == 1 and said[0] in SIDES:
            right, stated = right + found["relation"][0], stated + 1
    return [right, stated]


def together(settings: Settings, world: World, seed: int) -> dict[str, Any]:
    """The decoders of TOGETHER, of one seed, as an ensemble."""
    started = time.monotonic()
    decoders = [tuned(settings, world, row, seed) for row in TOGETHER]
    ensemble = Ensemble(decoders)
    found = {"parameters": sum(decoder.count_params() for decoder in decoders)} | measure(world, ensemble)
    return found | {"seconds": round(time.monotonic() - started, 1)}


def side_by_side(settings: Settings, world: World) -> dict[str, Any]:
    """By row, the milliseconds of a training step and of a greedy caption: medians, the decoders taking turns
    with the same batches; and the seconds that all steps of a training take at that pace."""
    dataset, cache = world
    models = {row: tuned(settings, world, row, SEEDS[0]) for row in ROWS}
    first = models[next(iter(ROWS))]
    rows, tokens = caption_table(dataset, cache, first.vocabulary, "train", first.longest)
    order = list(batches(tokens, settings.recipe.batch_size, np.random.default_rng(0)))
    features = cache.array[cache.rows(cache.readable(dataset.splits["test"])[:100])]
    steps = {}
    for row, model in models.items():
        model.compile("adam")
        steps[row] = make_train_step(model, model.optimizer)
    taken: dict[str, list[tuple[float, float]]] = {row: [] for row in ROWS}
    for indices in order[: ROUNDS + 1]:
        batch = load_batch(cache.array, rows, tokens, indices)
        for row, model in models.items():
            started = time.monotonic()
            np.asarray(greedy_search(model, features))
            between = time.monotonic()
            float(steps[row](*batch))
            taken[row].append((time.monotonic() - between, (between - started) / len(features)))
    medians = {row: 1000 * np.median(some[1:], axis=0) for row, some in taken.items()}
    whole = len(order) * settings.recipe.epochs / 1000
    return {
        "step_ms": {row: round(float(step), 2) for row, (step, _) in medians.items()},
        "training_seconds": {row: round(float(step) * whole, 1) for row, (step, _) in medians.items()},
        "ms_per_caption": {row: round(float(caption), 3) for row, (_, caption) in medians.items()},
    }


def show(study: Mapping) -> str:
    """The table as README prints it: means over the seeds, and in brackets the lowest and the highest."""
    rows: dict[str, list[dict]] = {}
    for name, one in study["members"].items():
        if "bleu4" in one:
            rows.setdefault(name.rpartition("/")[0], []).append(one)
    lines = ["| decoder | BLEU-4 | CIDEr-D | wholly true | left or right | weights |", "|" + "---|" * 6]
    lines += [f"| {row} | {cells(some)} |" for row, some in rows.items()]
    return "\n".join(lines)


def cells(some: Sequence[Mapping]) -> str:
    """Of one row of the table, one member for each seed: its columns behind the name."""
    found = [spread([one[key] for one in some]) for key in ("bleu4", "cider", "wholly_true")]
    found += [spread([right / max(stated, 1) for right, stated in (one["sides"] for one in some)])]
    return " | ".join([*found, f"{some[0]['parameters']:,}"])

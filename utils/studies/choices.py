"""The study of what makes captions of photographs better: one change at a time of the recipe of Flickr8k.

Each row is trained on the same PICTURES training photographs for two seeds, and measured on dev; what changes
only the search, or which weights are taken, is measured on the models of the first row. BEST, chosen when the
other rows were there, are trained once more on all photographs, with one seed. The models are kept beside the
unfinished study, so that a stopped one goes on in the middle of a training.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from utils import modelfile
from utils.datasets import CaptionDataset, limit_splits, load_dataset
from utils.decoders.base import Decoder
from utils.decoders.ensemble import Ensemble
from utils.decoding import beam_search, describe
from utils.encoders import load_encoder
from utils.features import FeatureCache, extract_features
from utils.files import UserError, write_text
from utils.runs import make_step, read_history, train
from utils.scores import cider_d, corpus_bleu
from utils.settings import Settings, label
from utils.studies import PARTS, compare, load_study, spread, table
from utils.studies.changes import DECAY, FIRST, ROWS, WORDS_DROPPED, cut
from utils.text import SPECIAL, decode, tokenize
from utils.training import make_optimizer

PICTURES, EPOCHS, SEEDS = 2000, 8, (1, 2)
ROUNDS = 9  # steps of each row that are timed
SLACK: dict[str, float] = {}  # no member of it is run live
WIDTHS, PENALTIES = (1, 2, 3, 5, 8), (0.0, 0.35, 0.7, 1.0)
TOGETHER = (1, 2, 3)  # seeds of the ensemble
ON_WHOLE = "flickr8k-mobilenet"  # the study that trains the recipe on all photographs
BEST, ON_ALL = ("units 768", "no label smoothing"), ", all photographs"  # once more, with one seed
SETTINGS = {"pictures": PICTURES, "epochs": EPOCHS, "seeds": SEEDS, "widths": WIDTHS, "penalties": PENALTIES}
SETTINGS |= {"together": TOGETHER, "best": BEST, "words_dropped": WORDS_DROPPED, "decay": DECAY}


def members(settings: Settings) -> dict[str, Callable[[], dict]]:
    """The first row with each seed, and what is found out with its models; the other rows; the best once more
    on all photographs; what a step of each row costs."""
    whole = load_dataset(settings)
    train_names = limit_splits({"train": whole.splits["train"]}, PICTURES)["train"]
    dataset = replace(whole, splits={"train": train_names, "dev": whole.splits["dev"], "test": ()})
    recipe = replace(settings.recipe, epochs=EPOCHS)
    base = replace(settings, recipe=recipe)
    runs = {
        f"{row}/{seed}": partial(one_row, base, whole, dataset, row, seed) for row in ROWS for seed in SEEDS
    }
    first: dict[str, Callable[[], dict]] = {f"{FIRST}/{seed}": runs[f"{FIRST}/{seed}"] for seed in SEEDS}
    first |= {f"searches/{seed}": partial(searching, base, whole, dataset, seed) for seed in SEEDS}
    first |= {f"the last weights/{seed}": partial(last_weights, base, whole, dataset, seed) for seed in SEEDS}
    first["three seeds together/1"] = partial(together, base, whole, dataset)
    full = replace(dataset, splits={**dataset.splits, "train": whole.splits["train"]})
    runs |= {f"{row}{ON_ALL}/1": partial(one_row, base, whole, full, row, 1) for row in BEST}
    return first | runs | {"seconds of a step/1": partial(step_seconds, base, whole, dataset)}


def one_row(
    settings: Settings, whole: CaptionDataset, dataset: CaptionDataset, row: str, seed: int
) -> dict[str, Any]:
    """Train what a row says, and measure it on dev: greedy, and a beam as wide as README's."""
    by_epoch: list[float] = []
    decoder, cache, history = _train(settings, whole, dataset, row, seed, by_epoch)
    best = int(np.argmin(history["dev_loss"]))
    found = {"loss": history["dev_loss"][best], "epoch": best + 1, "cider_by_epoch": by_epoch}
    found["parameters"] = decoder.count_params()
    for method, width in (("greedy", 1), ("beam", 5)):
        captions = describe(decoder, cache, dataset.splits["dev"], width)
        found |= {f"{method}_{key}": value for key, value in _scores(dataset, captions).items()}
    return found | {"seconds": round(sum(history["seconds"]), 1)}


def searching(
    settings: Settings, whole: CaptionDataset, dataset: CaptionDataset, seed: int
) -> dict[str, Any]:
    """The first row's model, its captions chosen by beams of several widths and penalties of their length."""
    decoder, cache, _ = _train(settings, whole, dataset, FIRST, seed)
    found: dict[str, Any] = {}
    for width in WIDTHS:
        tokens, scores = _beams(decoder, cache, dataset.splits["dev"], width)
        lengths = np.count_nonzero(tokens, axis=2)
        for penalty in PENALTIES:
            best = np.argmax(scores / lengths**penalty, axis=1)
            captions = [decode(beams[i], decoder.vocabulary) for beams, i in zip(tokens, best)]
            found[f"width {width}, penalty {penalty}"] = _scores(dataset, captions)
    return found


def last_weights(
    settings: Settings, whole: CaptionDataset, dataset: CaptionDataset, seed: int
) -> dict[str, Any]:
    """The first row's weights as the last step left them, in place of their running average."""
    decoder, cache, _ = _train(settings, whole, dataset, FIRST, seed)
    file = _run_dir(dataset, FIRST, seed) / "training.keras"
    modelfile.load_weights(decoder, file)
    captions = describe(decoder, cache, dataset.splits["dev"], 5)
    return {f"beam_{key}": value for key, value in _scores(dataset, captions).items()}


def together(settings: Settings, whole: CaptionDataset, dataset: CaptionDataset) -> dict[str, Any]:
    """Models of three seeds that write one caption together."""
    trained = [_train(settings, whole, dataset, FIRST, seed) for seed in TOGETHER]
    captions = describe(Ensemble([run[0] for run in trained]), trained[0][1], dataset.splits["dev"], 5)
    return {f"beam_{key}": value for key, value in _scores(dataset, captions).items()}


def step_seconds(settings: Settings, whole: CaptionDataset, dataset: CaptionDataset) -> dict[str, float]:
    """What a caption of twelve words costs in a training step of each row, in seconds: medians. The rows take
    turns, so that what else the machine does slows all alike."""
    steps: dict[str, partial] = {}
    for row, change in ROWS.items():
        recipe = replace(settings.recipe, **change.recipe)
        decoder, cache, _ = _train(settings, whole, dataset, row, SEEDS[0])
        decoder.compile(make_optimizer(recipe, 1))
        words = np.random.default_rng(0).integers(
            len(SPECIAL), len(decoder.vocabulary), (recipe.batch_size, 13)
        )
        features = cache.array[np.resize(np.arange(len(cache.array)), recipe.batch_size)]
        step = make_step(decoder, recipe.label_smoothing, words[:, 1:].size)
        steps[row] = partial(step, features, words.astype(np.int32))
    seconds: dict[str, list[float]] = {row: [] for row in steps}
    for _ in range(1 + ROUNDS):  # the first compiles
        for row, step in steps.items():
            started = time.monotonic()
            float(step())
            seconds[row].append((time.monotonic() - started) / len(step.args[1]))
    return {row: float(np.median(some[1:])) for row, some in seconds.items()}


def show(study: Mapping) -> str:
    """The table as README prints it: means over the seeds, in brackets the lowest and the highest; behind a
    CIDEr-D, where a row has as many seeds as the first one, whether all lie above or below all of it."""
    rows = table(study)
    first, seconds = rows[FIRST], study["members"]["seconds of a step/1"]
    runs = [run for name, run in load_study(ON_WHOLE)["members"].items() if name.startswith("attention/")]
    whole = {f"beam_{key}": [run["dev"]["beam 5"][key] for run in runs] for key in ("bleu4", "cider")}
    whole["loss"] = [min(run["history"]["dev_loss"]) for run in runs]
    at = next((n for n, row in enumerate(rows) if row.endswith(ON_ALL)), len(rows))
    rows = dict([*rows.items()][:at] + [(f"{FIRST}{ON_ALL}", whole)] + [*rows.items()][at:])
    head = "| change | dev loss | beam 5: BLEU-4 | CIDEr-D | both seeds against both of the recipe |"
    lines = [f"{head} time of a step |"]
    lines.append("|" + "---|" * 6)
    for row, numbers in rows.items():
        if "beam_cider" not in numbers:
            continue
        loss = f"{np.mean(numbers['loss']):.3f}" if "loss" in numbers else ""
        scores = [spread(numbers[f"beam_{key}"]) for key in ("bleu4", "cider")]
        alike = row != FIRST and len(numbers["beam_cider"]) == len(first["beam_cider"])
        verdict = compare(numbers["beam_cider"], first["beam_cider"]) if alike else ""
        times = f"{seconds[row] / seconds[FIRST]:.2f}" if row in seconds else ""
        lines.append(f"| {' | '.join([row, loss, *scores, verdict, times])} |")
    lines += ["", "| the recipe's models, beam width | length penalty | BLEU-4 | CIDEr-D |", "|" + "---|" * 4]
    runs = [study["members"][f"searches/{seed}"] for seed in SEEDS]
    for width in WIDTHS:
        for penalty in PENALTIES if width > 1 else PENALTIES[:1]:
            some = [run[f"width {width}, penalty {penalty}"] for run in runs]
            scores = [spread([one[key] for one in some]) for key in ("bleu4", "cider")]
            lines.append(f"| {width} | {penalty} | {' | '.join(scores)} |")
    return "\n".join(lines)


def _run_dir(dataset: CaptionDataset, row: str, seed: int) -> Path:
    size = len(dataset.splits["train"])
    return PARTS / f"choices-{size}-{EPOCHS}" / f"{label(row)}-{seed}"  # another size is another study


def _train(
    settings: Settings,
    whole: CaptionDataset,
    dataset: CaptionDataset,
    row: str,
    seed: int,
    by_epoch: list[float] | None = None,
) -> tuple[Decoder, FeatureCache, dict[str, list[float]]]:
    """The model of a row: trained, gone on with or loaded; CIDEr-D on dev after each epoch to `by_epoch`."""
    change = ROWS[row]
    cache = _features(settings, whole, dataset, change.layers)
    recipe = replace(settings.recipe, **change.recipe)
    run_dir = _run_dir(dataset, row, seed)
    file = run_dir / "cider.json"

    def after_epoch(decoder: Decoder) -> None:
        captions = describe(decoder, cache, dataset.splits["dev"])
        # A stop may have come after this file was written and before the epoch was saved.
        finished = len(read_history(run_dir)["dev_loss"])
        kept = _read_list(file)[:finished] if finished else []
        write_text(file, json.dumps([*kept, _scores(dataset, captions)["cider"]]))

    own = replace(settings, recipe=recipe, seed=seed, run_dir=run_dir)
    decoder, history = train(own, dataset, cache, change.kind, after_epoch)
    if by_epoch is not None:
        by_epoch += _read_list(file)
    return decoder, cache, history


def _read_list(file: Path) -> list[float]:
    try:
        return json.loads(file.read_text())
    except (OSError, ValueError):
        raise UserError(f"{file} is missing or damaged: delete its folder to train this row again.") from None


def _features(
    settings: Settings, whole: CaptionDataset, dataset: CaptionDataset, layers: Sequence[str]
) -> FeatureCache:
    """The features of the settings' encoder, or of other layers of it, for the study's pictures alone."""
    encoder = load_encoder(settings.encoder)
    if not layers:
        return extract_features(whole, encoder, settings.features_dir)
    folder = PARTS / "features" / "-".join(layers)
    return extract_features(dataset, cut(encoder, layers), folder)


def _beams(
    decoder: Decoder, cache: FeatureCache, names: Sequence[str], width: int
) -> tuple[np.ndarray, np.ndarray]:
    """All beams of each picture: tokens, padded alike, (pictures, width, T) and their log-probabilities."""
    rows = cache.rows(names)
    parts = [beam_search(decoder, cache.array[rows[i : i + 100]], width) for i in range(0, len(rows), 100)]
    longest = max(tokens.shape[2] for tokens, _ in parts)
    tokens = [np.pad(part, [(0, 0), (0, 0), (0, longest - part.shape[2])]) for part, _ in parts]
    return np.concatenate(tokens), np.concatenate([scores for _, scores in parts])


def _scores(dataset: CaptionDataset, captions: Sequence[str]) -> dict[str, float]:
    """BLEU-4 and CIDEr-D of captions for the dev split."""
    references = [[tokenize(text) for text in dataset.captions[name]] for name in dataset.splits["dev"]]
    said = [tokenize(caption) for caption in captions]
    return {
        "bleu4": float(corpus_bleu(references, said)[3]),
        "cider": float(cider_d(references, said).mean()),
    }

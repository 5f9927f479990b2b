"""Training runs of any decoder: epochs, the best model, early stopping, and going on after a stop."""

from __future__ import annotations

import csv
import hashlib
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from utils import modelfile, runfolder, session
from utils.datasets import CaptionDataset
from utils.decoders import decoder_named, load_decoder
from utils.decoders.base import Decoder
from utils.features import FeatureCache
from utils.files import UserError, alone_in, replacing, write_text
from utils.settings import Settings
from utils.text import build_vocabulary
from utils.training import (
    batches,
    caption_table,
    load_batch,
    longest_caption,
    make_decoder,
    make_loss_step,
    make_optimizer,
    make_parallel_step,
    make_train_step,
    masked_loss,
    mean_loss,
)
from utils.vocabulary import check_vocabulary, save_vocabulary

COLUMNS = ("train_loss", "dev_loss", "seconds")
PATIENCE = 3  # epochs without a new best dev loss before training stops


class Diverged(UserError):
    """A training whose loss is no number any more."""


def train(
    settings: Settings,
    dataset: CaptionDataset,
    cache: FeatureCache,
    kind: type[Decoder] | None = None,
    after_epoch: Callable[[Decoder], None] = lambda decoder: None,
) -> tuple[Decoder, dict[str, list[float]]]:
    """Train, or go on training, or load what was trained before: the best decoder and its history.

    kind         the decoder's class, where it is not the one that `settings.decoder` names
    after_epoch  called with the averaged model after each epoch

    Raises UserError that names the file when one of them can't be read or written.
    """
    kind = kind or decoder_named(settings.decoder)
    if session.workers() > 1:
        raise UserError("Training goes over the devices of one machine so far: take TF_CONFIG away.")
    with alone_in(settings.run_dir):  # two programs would overwrite each other's files
        return _train(settings, dataset, cache, kind, after_epoch)


def read_history(run_dir: Path) -> dict[str, list[float]]:
    """`history.csv` as columns, one number per finished epoch; empty columns if there is none yet."""
    file = run_dir / "history.csv"
    try:
        lines = list(csv.DictReader(file.read_text(encoding="utf-8").splitlines())) if file.exists() else []
        return {name: [float(line[name]) for line in lines] for name in COLUMNS}
    except (ValueError, KeyError, TypeError, csv.Error):
        raise UserError(f"{file} is damaged: delete it and training.json to train again.") from None


def _train(
    settings: Settings,
    dataset: CaptionDataset,
    cache: FeatureCache,
    kind: type[Decoder],
    after_epoch: Callable[[Decoder], None],
) -> tuple[Decoder, dict[str, list[float]]]:
    recipe, run_dir = settings.recipe, settings.run_dir
    captions = [caption for name in dataset.splits["train"] for caption in dataset.captions[name]]
    vocabulary, longest = build_vocabulary(captions, recipe.min_count), longest_caption(captions)
    check_vocabulary(captions, vocabulary)
    rows, tokens = caption_table(dataset, cache, vocabulary, "train", longest)
    dev = caption_table(dataset, cache, vocabulary, "dev", longest)
    steps = -(-len(tokens) // recipe.batch_size)

    run = {"decoder": f"{kind.__name__} {kind.version}", "recipe": vars(recipe), "seed": settings.seed}
    run |= {"features": cache.fingerprint, "captions": _digest(rows, tokens, *dev)}
    run |= {"longest": longest, "vocabulary": vocabulary}
    runfolder.open_run(run_dir, run)
    save_vocabulary(vocabulary, run_dir)
    if runfolder.is_finished(run_dir, run):
        print("captioner.keras is trained already: it is loaded")
        return _load_own(run_dir / "captioner.keras", kind, vocabulary, cache), read_history(run_dir)

    keras.utils.set_random_seed(settings.seed)
    with session.strategy().scope():
        decoder = make_decoder(recipe, vocabulary, cache.encoder, longest, kind)
        decoder.compile(make_optimizer(recipe, steps))
        decoder.optimizer.build(decoder.trainable_variables)
        if (run_dir / "training.keras").exists():
            modelfile.load_weights(decoder, run_dir / "training.keras")
        train_step = make_step(decoder, recipe.label_smoothing, np.count_nonzero(tokens[:, 1:]) / steps)
    epoch = int(keras.ops.convert_to_numpy(decoder.optimizer.iterations)) // steps
    history = {name: values[:epoch] for name, values in read_history(run_dir).items()}
    if epoch:
        print(f"going on after epoch {epoch} of {recipe.epochs}")

    loss_step = make_loss_step(decoder)
    while epoch < recipe.epochs and not _stalled(history["dev_loss"]):
        started = time.monotonic()
        _seed_dropout(decoder, settings.seed, epoch)
        order = batches(tokens, recipe.batch_size, np.random.default_rng((settings.seed, epoch)))
        losses, epoch = _run_epoch(train_step, cache, rows, tokens, order, steps), epoch + 1
        last_weights = decoder.get_weights()
        decoder.optimizer.finalize_variable_values(decoder.trainable_variables)  # the average
        numbers = (losses, mean_loss(loss_step, cache.array, *dev), time.monotonic() - started)
        said = "train loss {:.3f}, dev loss {:.3f}, {:.0f} s".format(*numbers)
        print(f"epoch {epoch:2} of {recipe.epochs}: {said}", flush=True)
        if not np.isfinite(numbers[:2]).all():
            raise Diverged(
                f"The loss is no number any more: lower learning_rate in RECIPES (utils/settings.py). "
                f"What was trained before stays in {run_dir}."
            )
        history = {name: [*history[name], number] for name, number in zip(COLUMNS, numbers, strict=True)}
        after_epoch(decoder)
        _save_epoch(run_dir, decoder, history, last_weights)
    if epoch < recipe.epochs:
        print(f"no better on dev for {PATIENCE} epochs: training stops, the best model is kept")
    runfolder.finish(run_dir, run)
    return load_decoder(run_dir / "captioner.keras", kind), history


def make_step(decoder: Decoder, smoothing: float, count: float) -> Callable:
    """The step for the devices of the current strategy; `count` words are in a batch, on average."""
    loss, measure = partial(masked_loss, smoothing=smoothing, count=count), None
    if smoothing:  # the curve of train is without it, as that of dev is
        measure = partial(masked_loss, count=count)
    several = tf.distribute.get_strategy().num_replicas_in_sync > 1
    make = make_parallel_step if several else make_train_step
    return make(decoder, decoder.optimizer, loss, measure)


def _run_epoch(
    train_step: Callable, cache: FeatureCache, rows: np.ndarray, tokens: np.ndarray, order: Any, steps: int
) -> float:
    """One pass over the training captions; returns the mean loss."""
    progress, losses = keras.utils.Progbar(steps, interval=0.5), []
    for number, indices in enumerate(order, 1):
        losses.append(float(train_step(*load_batch(cache.array, rows, tokens, indices))))
        progress.update(number)
    return float(np.mean(losses))


def _seed_dropout(decoder: Decoder, seed: int, epoch: int) -> None:
    """Make dropout a function of seed and epoch, so that a resumed run draws the same."""
    layers = [layer for layer in decoder._flatten_layers() if getattr(layer, "seed_generator", None)]
    # Keras's recurrent cells have a generator even where they drop nothing: those come last.
    for number, layer in enumerate(sorted(layers, key=lambda layer: not getattr(layer, "rate", 0))):
        layer.seed_generator.state.assign((seed + (number << 30), epoch << 20))


def _digest(*tables: np.ndarray) -> str:
    """12 hexadecimal digits of the captions and of the pictures they belong to, in train and dev."""
    digest = hashlib.sha256()
    for table in tables:
        digest.update(str(table.shape).encode() + np.ascontiguousarray(table).tobytes())
    return digest.hexdigest()[:12]


def _stalled(dev_losses: list[float]) -> bool:
    return len(dev_losses) - 1 - int(np.argmin(dev_losses or [0])) >= PATIENCE


def _save_epoch(
    run_dir: Path, decoder: Decoder, history: dict[str, list[float]], last_weights: list[np.ndarray]
) -> None:
    """Keep the averaged weights that `decoder` holds, if they are the best; go back to the last ones."""
    # `training.keras` comes last: a kill before it only means that this epoch is run again.
    if history["dev_loss"][-1] == min(history["dev_loss"]):
        best = type(decoder).from_config(decoder.get_config())
        best.build()
        best.set_weights(decoder.get_weights())
        _save(best, run_dir / "captioner.keras")
    lines = [",".join(("epoch", *COLUMNS))]
    for epoch, numbers in enumerate(zip(*(history[name] for name in COLUMNS), strict=True), 1):
        lines.append(",".join(map(str, (epoch, *numbers))))
    write_text(run_dir / "history.csv", "\n".join(lines) + "\n")
    decoder.set_weights(last_weights)
    _save(decoder, run_dir / "training.keras")


def _save(decoder: Decoder, file: Path) -> None:
    with replacing(file) as part:
        decoder.save(part)


def _load_own(file: Path, kind: type[Decoder], vocabulary: list[str], cache: FeatureCache) -> Decoder:
    """The saved decoder of this run: a file that was copied here from another one is refused."""
    decoder = load_decoder(file, kind)
    if decoder.vocabulary != vocabulary or decoder.encoder != cache.encoder:
        other = "vocabulary" if decoder.vocabulary != vocabulary else "encoder"
        raise UserError(f"{file} was trained with another {other}: move it away and run notebook 4 again.")
    return decoder

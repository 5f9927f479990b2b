"""Notebook 4's promises: the loss counts words, an epoch is an epoch, a stopped run goes on."""

import dataclasses
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from utils import training
from utils.datasets import CaptionDataset
from utils.features import FeatureCache
from utils.model import load_vocabulary
from utils.settings import ROOT, UserError, load_settings
from utils.training import batches, make_captioner, make_optimizer, make_train_step, masked_loss, train

NAMES = tuple(f"{i}.png" for i in range(12))


def tiny(run_dir):
    """(settings, dataset, cache) of a dozen pictures whose captions can be read from their features."""
    settings = load_settings({"CAPTION_RUN_DIR": str(run_dir), "CAPTION_EPOCHS": "3"})
    recipe = dataclasses.replace(settings.recipe, embedding_dim=8, units=16, batch_size=4)
    settings = dataclasses.replace(settings, recipe=recipe)
    rng = np.random.default_rng(0)
    captions = {}
    for name, color in zip(NAMES, ["red", "blue"] * 6, strict=True):
        captions[name] = (f"a {color} car", f"a {color} car far away")
    splits = {"train": NAMES[:8], "dev": NAMES[8:10], "test": NAMES[10:]}
    dataset = CaptionDataset(name="tiny", folder=Path("."), captions=captions, splits=splits, boxes=None)
    array = rng.random((12, 4, 6)).astype(np.float16)
    cache = FeatureCache(array=array, grid=(2, 2), names=NAMES, broken={}, fingerprint="one")
    return settings, dataset, cache


@pytest.fixture
def run(tmp_path, uncompiled):
    return tiny(tmp_path / "run")


def test_loss_is_the_mean_over_real_words_only():
    logits = tf.random.stateless_normal((2, 3, 5), (1, 2))
    target = np.array([[4, 1, 0], [2, 0, 0]])
    probabilities = tf.nn.softmax(logits).numpy()
    expected = -np.log([probabilities[0, 0, 4], probabilities[0, 1, 1], probabilities[1, 0, 2]]).mean()
    assert float(masked_loss(target, logits)) == pytest.approx(expected, rel=1e-5)


def test_a_word_weighs_the_same_in_a_short_batch_and_in_a_long_one(run, monkeypatch):
    settings, dataset, cache = run
    counts = []

    def spy(target, logits, smoothing=0.0, count=None):
        counts.append(count)
        return masked_loss(target, logits, smoothing, count)

    monkeypatch.setattr(training, "masked_loss", spy)
    recipe = dataclasses.replace(settings.recipe, epochs=1, dropout=0.0)
    train(dataclasses.replace(settings, recipe=recipe), dataset, cache)
    # "a red car" and "a red car far away", each with its <end>, of eight pictures, in batches of four.
    assert counts[0] == pytest.approx(8 * (4 + 6) / 4)

    target = np.array([[1, 2, 0, 0], [1, 2, 3, 4]])
    logits = tf.random.stateless_normal((2, 4, 5), (1, 2))
    parts = sum(masked_loss(target[[i]], logits[i : i + 1], count=7.0) for i in range(2))
    assert float(parts) == pytest.approx(float(masked_loss(target, logits)) * 6 / 7, rel=1e-5)


def test_label_smoothing_is_kerass():
    logits, target = tf.random.stateless_normal((1, 3, 5), (3, 4)), np.array([[4, 1, 2]])
    theirs = keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=0.1)
    expected = float(theirs(np.eye(5)[target], logits))
    assert float(masked_loss(target, logits, smoothing=0.1)) == pytest.approx(expected, rel=1e-5)


def test_an_epoch_has_each_caption_once_in_batches_of_similar_length():
    rng = np.random.default_rng(0)
    tokens = np.zeros((1003, 30), np.int32)
    for row, length in zip(tokens, rng.integers(3, 31, 1003), strict=True):
        row[:length] = 1
    order = list(batches(tokens, 8, np.random.default_rng((1, 0))))
    assert sorted(np.concatenate(order)) == list(range(1003))
    spread = [np.ptp((tokens[indices] != 0).sum(1)) for indices in order]
    assert np.median(spread) <= 1
    again, other = (list(batches(tokens, 8, np.random.default_rng((1, epoch)))) for epoch in (0, 1))
    assert all(map(np.array_equal, order, again)) and not all(map(np.array_equal, order, other))


def test_the_step_is_what_fit_does_and_is_traced_once(tmp_path):
    settings, _, cache = tiny(tmp_path)
    vocabulary = ["<pad>", "<unk>", "<start>", "<end>", "a", "b"]
    tokens = np.array([[2, 4, 5, 3, 0], [2, 5, 4, 5, 3]], np.int32)
    models = []
    for _ in range(2):
        keras.utils.set_random_seed(1)
        models.append(make_captioner(settings.recipe, vocabulary, 4, 6))
    ours, keras_own = models
    step = make_train_step(ours, make_optimizer(settings.recipe, 5))
    for width in (5, 4, 5):
        step(cache.array[:2], tokens[:, :width])
    assert step.experimental_get_tracing_count() == 1
    keras_own.compile(make_optimizer(settings.recipe, 5), loss=masked_loss, run_eagerly=True)
    for width in (5, 4, 5):
        keras_own.train_on_batch((cache.array[:2], tokens[:, : width - 1]), tokens[:, 1:width])
    for one, other in zip(ours.get_weights(), keras_own.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5)


def test_a_run_stopped_in_any_epoch_ends_like_one_that_was_not(run, monkeypatch, tmp_path):
    settings, dataset, cache = run
    through, history = train(settings, dataset, cache)
    stopped = dataclasses.replace(settings, run_dir=tmp_path / "stopped")
    load_batch, calls = training.load_batch, []

    def stop_in_the_second_epoch(*arguments):
        calls.append(1)
        if len(calls) == 8:
            raise KeyboardInterrupt
        return load_batch(*arguments)

    monkeypatch.setattr(training, "load_batch", stop_in_the_second_epoch)
    with pytest.raises(KeyboardInterrupt):
        train(stopped, dataset, cache)
    monkeypatch.setattr(training, "load_batch", load_batch)
    resumed, resumed_history = train(stopped, dataset, cache)
    for column in ("train_loss", "dev_loss"):
        assert resumed_history[column] == history[column] and len(history[column]) == 3
    for one, other in zip(through.get_weights(), resumed.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_the_average_is_measured_and_the_last_weights_go_on(run):
    settings, dataset, cache = run
    averages = []

    def stop_after_two(captioner):
        averages.append(captioner.get_weights())
        if len(averages) == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(settings, dataset, cache, stop_after_two)
    going_on = training.load_captioner(settings.run_dir / "training.keras").get_weights()
    best = training.load_captioner(settings.run_dir / "captioner.keras").get_weights()
    assert all(map(np.array_equal, best, averages[0]))
    assert not any(map(np.array_equal, going_on, averages[0]))


def test_each_epoch_has_its_own_order(run, monkeypatch):
    settings, dataset, cache = run
    load_batch, seen = training.load_batch, []

    def note(array, rows, tokens, indices):
        if len(tokens) == 16:  # not the dev captions
            seen.append(tuple(indices))
        return load_batch(array, rows, tokens, indices)

    monkeypatch.setattr(training, "load_batch", note)
    train(settings, dataset, cache)
    assert len(seen) == 12 and len({tuple(seen[start : start + 4]) for start in (0, 4, 8)}) == 3


def test_a_finished_run_is_not_trained_again_but_another_one_is(run, capsys):
    settings, dataset, cache = run
    settings = dataclasses.replace(settings, recipe=dataclasses.replace(settings.recipe, epochs=1))
    first, _ = train(settings, dataset, cache)
    capsys.readouterr()
    again, _ = train(settings, dataset, cache)
    assert "trained already" in capsys.readouterr().out
    np.testing.assert_array_equal(first.get_weights()[0], again.get_weights()[0])
    train(settings, dataset, dataclasses.replace(cache, fingerprint="two"))
    assert "another features: training starts anew" in capsys.readouterr().out
    train(dataclasses.replace(settings, seed=5), dataset, dataclasses.replace(cache, fingerprint="two"))
    assert "another seed: training starts anew" in capsys.readouterr().out


def test_the_saved_model_is_the_best_on_dev(run, monkeypatch):
    """Where the second of three epochs is said to be the best, its weights are kept."""
    settings, dataset, cache = run
    dev_losses, weights = iter([3.0, 1.0, 2.0]), []
    monkeypatch.setattr(training, "mean_loss", lambda *arguments: next(dev_losses))
    kept, history = train(settings, dataset, cache, lambda captioner: weights.append(captioner.get_weights()))
    assert history["dev_loss"] == [3.0, 1.0, 2.0]
    for one, other in zip(kept.get_weights(), weights[1], strict=True):
        np.testing.assert_array_equal(one, other)
    assert any((one != other).any() for one, other in zip(weights[1], weights[2], strict=True))


def test_a_damaged_model_file_is_named(run):
    settings, dataset, cache = run
    train(settings, dataset, cache)
    file = settings.run_dir / "captioner.keras"
    file.write_bytes(b"not a model")
    with pytest.raises(UserError, match="captioner.keras can't be loaded .cut off"):
        train(settings, dataset, cache)

    pickled = keras.Sequential([keras.Input((1,)), keras.layers.Lambda(lambda x: x)])  # code inside
    dense = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    other_words = make_captioner(settings.recipe, ["<pad>", "<unk>", "<start>", "<end>", "b"], 4, 6)
    other_shape = make_captioner(settings.recipe, load_vocabulary(settings.run_dir), 4, 7)
    for model, said in (
        (pickled, "captioner.keras can't be loaded .*Lambda"),
        (dense, "captioner.keras holds a Sequential, not a captioner"),
        (other_words, "captioner.keras was trained with another vocabulary"),
        (other_shape, "captioner.keras was trained with another shape of features"),
    ):
        model.save(file)
        with pytest.raises(UserError, match=f"(?s){said}"):
            train(settings, dataset, cache)
    (settings.run_dir / "history.csv").write_text("epoch,train_loss\n1,low\n")
    with pytest.raises(UserError, match="history.csv is damaged"):
        training.read_history(settings.run_dir)


TWO_DEVICES = """
import sys, tensorflow as tf
cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
import dataclasses, keras, numpy as np
from functools import partial
from pathlib import Path
from tests.test_training import make_captioner, make_train_step, tiny, train, training
settings, dataset, cache = tiny(Path(sys.argv[1]))
recipe = dataclasses.replace(settings.recipe, dropout=0.0)
tokens = [[2, 4, 5, 3, 0], [2, 5, 4, 5, 3], [2, 4, 3, 0, 0], [2, 5, 5, 3, 0], [2, 4, 4, 4, 3]]
tokens = np.array(tokens, np.int32)
strategies = {make_train_step: tf.distribute.get_strategy()}
strategies[training.make_parallel_step] = training.mirrored_strategy()
for make_step, strategy in strategies.items():
    with strategy.scope():
        keras.utils.set_random_seed(1)
        captioner = make_captioner(recipe, ["<pad>", "<unk>", "<start>", "<end>", "a", "b"], 4, 6)
        step = make_step(captioner, keras.optimizers.SGD(0.5), partial(training.masked_loss, count=9.0))
    print("losses", *[float(step(cache.array[:count], tokens[:count])) for count in (5, 1, 5)])
print(strategy.num_replicas_in_sync, "devices")
short = {name: said[:1] for name, said in dataset.captions.items()}
one_length = dataclasses.replace(dataset, captions=short)
_, history = train(dataclasses.replace(settings, devices="all"), one_length, cache)
print(history["dev_loss"][-1] < history["dev_loss"][0])
"""


@pytest.mark.slow
def test_two_devices_learn_what_one_does(tmp_path):
    """Two logical devices on the CPU. With plain gradient descent: Adam makes much of rounding errors."""
    command = [sys.executable, "-c", TWO_DEVICES, str(tmp_path)]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr[-2000:]
    said = [line.split()[1:] for line in result.stdout.splitlines() if line.startswith("losses")]
    one, two = (np.array(losses, float) for losses in said)
    assert "2 devices" in result.stdout and result.stdout.endswith("True\n")
    np.testing.assert_allclose(one, two, atol=1e-5)
    assert one[-1] < one[0] - 0.05

"""Training runs: the best model, a stop that changes nothing, and no trained model lost, whatever changes."""

import dataclasses
import hashlib
import json
from pathlib import Path

import keras
import numpy as np
import pytest

from tests.other_decoders import EVERY, Counting
from utils import runfolder, runs
from utils.datasets import CaptionDataset
from utils.decoders import load_decoder
from utils.decoders.gru import GRUDecoder
from utils.decoders.lstm import LSTMDecoder
from utils.features import FeatureCache
from utils.files import UserError
from utils.runs import train
from utils.settings import load_settings
from utils.text import build_vocabulary
from utils.training import caption_table, make_decoder, masked_loss
from utils.vocabulary import load_vocabulary, save_vocabulary

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
    encoder = {"name": "small", "weights": "0", "input_size": 32, "grid": [2, 2], "channels": 6}
    cache = FeatureCache(array=array, encoder=encoder, names=NAMES, broken={}, fingerprint="one")
    return settings, dataset, cache


def changed(settings, **changes):
    return dataclasses.replace(settings, recipe=dataclasses.replace(settings.recipe, **changes))


@pytest.fixture
def run(tmp_path, uncompiled):
    return tiny(tmp_path / "run")


def test_a_word_weighs_the_same_in_a_short_batch_and_in_a_long_one(run, monkeypatch):
    settings, dataset, cache = run
    counts = []

    def spy(target, logits, smoothing=0.0, count=None):
        counts.append(count)
        return masked_loss(target, logits, smoothing, count)

    monkeypatch.setattr(runs, "masked_loss", spy)
    train(changed(settings, epochs=1, dropout=0.0), dataset, cache)
    # "a red car" and "a red car far away", each with its <end>, of eight pictures, in batches of four.
    assert counts[0] == pytest.approx(8 * (4 + 6) / 4)


def test_the_curve_of_train_is_without_smoothing_as_that_of_dev_is(run):
    settings, dataset, cache = run
    captions = [caption for some in dataset.captions.values() for caption in some]
    vocabulary = build_vocabulary(captions)
    keras.utils.set_random_seed(2)
    decoder = make_decoder(changed(settings, dropout=0.0).recipe, vocabulary, cache.encoder, 5)
    decoder.embedding.set_weights([100 * decoder.embedding.get_weights()[0]])  # else all words are as likely
    decoder.compile(keras.optimizers.SGD(0.0))
    rows, tokens = caption_table(dataset, cache, vocabulary, "train")
    features, count = cache.array[rows], np.count_nonzero(tokens[:, 1:])
    said = float(runs.make_step(decoder, 0.5, count)(features, tokens))
    logits = decoder((features, tokens[:, :-1]))
    plain, smoothed = (float(masked_loss(tokens[:, 1:], logits, share)) for share in (0.0, 0.5))
    assert abs(plain - smoothed) > 1e-2, "with these weights the two can't be told apart"
    assert said == pytest.approx(plain, abs=1e-3)


@pytest.mark.parametrize("kind", [*EVERY.values(), Counting], ids=lambda kind: kind.__name__)
def test_a_run_stopped_in_any_epoch_ends_like_one_that_was_not(run, monkeypatch, tmp_path, kind):
    """Any decoder of the contract; dropout, order, optimizer and average go on where they were."""
    settings, dataset, cache = run
    through, history = train(settings, dataset, cache, kind)
    stopped = dataclasses.replace(settings, run_dir=tmp_path / "stopped")
    load_batch, calls = runs.load_batch, []

    def stop_in_the_second_epoch(*arguments):
        calls.append(1)
        if len(calls) == 8:
            raise KeyboardInterrupt
        return load_batch(*arguments)

    monkeypatch.setattr(runs, "load_batch", stop_in_the_second_epoch)
    with pytest.raises(KeyboardInterrupt):
        train(stopped, dataset, cache, kind)
    monkeypatch.setattr(runs, "load_batch", load_batch)
    resumed, resumed_history = train(stopped, dataset, cache, kind)
    for column in ("train_loss", "dev_loss"):
        assert resumed_history[column] == history[column] and len(history[column]) == 3
    for one, other in zip(through.get_weights(), resumed.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_the_average_is_measured_and_the_last_weights_go_on(run):
    settings, dataset, cache = run
    averages = []

    def stop_after_two(decoder):
        averages.append(decoder.get_weights())
        if len(averages) == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(settings, dataset, cache, after_epoch=stop_after_two)
    going_on = make_decoder(settings.recipe, load_vocabulary(settings.run_dir), cache.encoder, 5)
    runs.modelfile.load_weights(going_on, settings.run_dir / "training.keras")
    best = load_decoder(settings.run_dir / "captioner.keras").get_weights()
    assert all(map(np.array_equal, best, averages[0]))
    assert not any(map(np.array_equal, going_on.get_weights(), averages[0]))


def test_each_epoch_has_its_own_order(run, monkeypatch):
    settings, dataset, cache = run
    load_batch, seen = runs.load_batch, []

    def note(array, rows, tokens, indices):
        if len(tokens) == 16:  # not the dev captions
            seen.append(tuple(indices))
        return load_batch(array, rows, tokens, indices)

    monkeypatch.setattr(runs, "load_batch", note)
    train(settings, dataset, cache)
    assert len(seen) == 12 and len({tuple(seen[start : start + 4]) for start in (0, 4, 8)}) == 3


def test_the_saved_model_is_the_best_on_dev(run, monkeypatch):
    """Where the second of three epochs is said to be the best, its weights are kept."""
    settings, dataset, cache = run
    dev_losses, weights = iter([3.0, 1.0, 2.0]), []
    monkeypatch.setattr(runs, "mean_loss", lambda *arguments: next(dev_losses))
    kept, history = train(
        settings, dataset, cache, after_epoch=lambda decoder: weights.append(decoder.get_weights())
    )
    assert history["dev_loss"] == [3.0, 1.0, 2.0]
    for one, other in zip(kept.get_weights(), weights[1], strict=True):
        np.testing.assert_array_equal(one, other)
    assert any((one != other).any() for one, other in zip(weights[1], weights[2], strict=True))


def test_the_seed_is_set_before_anything_is_drawn(run, tmp_path):
    """Two runs of one seed are one run, whatever was drawn before; those of two seeds are two."""
    settings, dataset, cache = run
    settings, weights = changed(settings, epochs=1), []
    for number, seed in enumerate((1, 1, 2)):
        keras.utils.set_random_seed(100 + number)
        once = dataclasses.replace(settings, run_dir=tmp_path / str(number), seed=seed)
        weights.append(train(once, dataset, cache)[0].get_weights()[0])
    assert np.array_equal(weights[0], weights[1]) and not np.array_equal(weights[0], weights[2])


def models(run_dir):
    """Digests of all trained models in the folder, wherever they lie."""
    return {hashlib.sha256(file.read_bytes()).hexdigest() for file in run_dir.rglob("captioner.keras")}


def test_no_changed_setting_and_no_damage_deletes_a_trained_model(run):
    """One change after another, in one folder: every model that a finished run has made is still there."""
    settings, dataset, cache = run
    settings, made = changed(settings, epochs=1), set()
    file = settings.run_dir / "training.json"
    more_words = {name: (*said, "two men run home") for name, said in dataset.captions.items()}

    def damage(text):
        file.write_text(text, encoding="utf-8")
        return settings, dataset, cache, GRUDecoder

    def without(name):
        (settings.run_dir / name).unlink()
        return settings, dataset, cache, GRUDecoder

    ways = [
        lambda: (settings, dataset, cache, GRUDecoder),
        lambda: (changed(settings, epochs=2), dataset, cache, GRUDecoder),  # goes on
        lambda: (settings, dataset, cache, GRUDecoder),  # fewer: back again
        lambda: (dataclasses.replace(settings, seed=5), dataset, cache, GRUDecoder),
        lambda: (changed(settings, learning_rate=1e-3), dataset, cache, GRUDecoder),
        lambda: (settings, dataset, dataclasses.replace(cache, fingerprint="two"), GRUDecoder),
        lambda: (settings, dataclasses.replace(dataset, captions=more_words), cache, GRUDecoder),
        lambda: (settings, dataset, cache, LSTMDecoder),
        lambda: (settings, dataset, cache, Counting),
        lambda: damage("no json"),
        lambda: damage("[]"),
        lambda: without("training.json"),
        lambda: without("training.keras"),
        lambda: without("history.csv"),
    ]
    for number, way in enumerate(ways):
        some, pictures, features, kind = way()
        train(some, pictures, features, kind)
        lost = made - models(settings.run_dir)
        assert not lost, f"change {number} lost a model"
        made |= models(settings.run_dir)
    assert len(made) >= 8


def test_a_finished_run_is_loaded_and_comes_back_with_its_settings(run, capsys):
    settings, dataset, cache = run
    settings = changed(settings, epochs=1)
    first, _ = train(settings, dataset, cache)
    (settings.run_dir / "bleu.json").write_text("{}")
    train(settings, dataset, cache)
    assert "trained already" in capsys.readouterr().out
    train(dataclasses.replace(settings, seed=5), dataset, cache)
    said = capsys.readouterr().out
    assert "another seed: it is kept in before/" in said and "epoch  1 of 1" in said
    assert not (settings.run_dir / "bleu.json").exists(), "scores of another model"
    again, _ = train(settings, dataset, cache)
    said = capsys.readouterr().out
    assert "taken back from before/" in said and "trained already" in said and "epoch  1" not in said
    assert all(map(np.array_equal, first.get_weights(), again.get_weights()))
    assert (settings.run_dir / "bleu.json").exists()


def test_fewer_epochs_in_between_cost_nothing(run, capsys):
    """24, then 1 to try something, then 24 again: the first model is back, and nothing is trained."""
    settings, dataset, cache = run
    long, history = train(settings, dataset, cache)
    _, short = train(changed(settings, epochs=1), dataset, cache)
    assert len(short["dev_loss"]) == 1 and "goes on" not in capsys.readouterr().out
    again, same = train(settings, dataset, cache)
    said = capsys.readouterr().out
    assert "taken back" in said and "goes on" not in said and "epoch  1" not in said
    assert same == history and all(map(np.array_equal, long.get_weights(), again.get_weights()))


def test_a_run_stopped_before_it_had_a_model_is_not_in_the_way(run, capsys, monkeypatch):
    settings, dataset, cache = run
    settings = changed(settings, epochs=1)
    train(settings, dataset, cache)

    def stop(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(runs, "load_batch", stop)
        train(dataclasses.replace(settings, seed=5), dataset, cache)
    capsys.readouterr()
    train(settings, dataset, cache)
    said = capsys.readouterr().out
    assert "taken back" in said and "trained already" in said and "epoch  1" not in said


def test_captions_that_changed_without_a_new_word_are_another_run(run, capsys):
    settings, dataset, cache = run
    settings = changed(settings, epochs=1)
    train(settings, dataset, cache)
    exchanged = {
        **dataset.captions,
        NAMES[0]: dataset.captions[NAMES[1]],
        NAMES[1]: dataset.captions[NAMES[0]],
    }
    capsys.readouterr()
    train(settings, dataclasses.replace(dataset, captions=exchanged), cache)
    assert "trained with another captions" in capsys.readouterr().out


def test_vocabulary_and_model_of_a_run_stay_together(run):
    settings, dataset, cache = run
    settings = changed(settings, epochs=1)
    more_words = {name: (*said, "two men run home") for name, said in dataset.captions.items()}
    for captions in (dataset.captions, more_words, dataset.captions):
        some = dataclasses.replace(dataset, captions=captions)
        save_vocabulary(build_vocabulary(sum(captions.values(), ())), settings.run_dir)  # as notebook 3 does
        train(settings, some, cache)
    folders = [file.parent for file in settings.run_dir.rglob("captioner.keras")]
    assert len(folders) == 2
    for folder in folders:
        assert load_decoder(folder / "captioner.keras").vocabulary == load_vocabulary(folder)


def test_what_is_not_whole_is_kept_and_said(run, capsys):
    """A finished run needs its model alone; one that goes on without its history would not know its best."""
    settings, dataset, cache = run
    best, _ = train(changed(settings, epochs=1), dataset, cache)
    (settings.run_dir / "training.keras").unlink()
    capsys.readouterr()
    again, _ = train(changed(settings, epochs=1), dataset, cache)
    assert "trained already" in capsys.readouterr().out
    assert all(map(np.array_equal, best.get_weights(), again.get_weights()))

    def stop(decoder):
        raise KeyboardInterrupt

    other = dataclasses.replace(settings, seed=5)
    train(changed(other, epochs=1), dataset, cache)
    with pytest.raises(KeyboardInterrupt):
        train(other, dataset, cache, after_epoch=stop)
    (settings.run_dir / "history.csv").unlink()
    made = models(settings.run_dir)
    capsys.readouterr()
    train(other, dataset, cache)
    assert "of which nothing is known is kept in before/unnamed" in capsys.readouterr().out
    assert made <= models(settings.run_dir)


def test_a_stray_file_among_the_runs_stops_nothing(run):
    settings, dataset, cache = run
    settings = changed(settings, epochs=1)
    train(settings, dataset, cache)
    train(dataclasses.replace(settings, seed=5), dataset, cache)
    [before] = (settings.run_dir / "before").iterdir()
    (before / ".DS_Store").touch()
    (before / "captioner.txt").touch()
    for seed in (1, 5, 1):
        train(dataclasses.replace(settings, seed=seed), dataset, cache)
    assert len(list(settings.run_dir.rglob(".DS_Store"))) == 1


def test_more_epochs_go_on_where_the_run_ended(run, capsys):
    settings, dataset, cache = run
    _, short = train(changed(settings, epochs=1), dataset, cache)
    capsys.readouterr()
    _, history = train(settings, dataset, cache)
    said = capsys.readouterr().out
    assert "goes on from 1 to 3 epochs" in said and "going on after epoch 1 of 3" in said
    assert history["dev_loss"][0] == short["dev_loss"][0] and len(history["dev_loss"]) == 3
    _, back = train(changed(settings, epochs=1), dataset, cache)
    assert back == short


@pytest.mark.parametrize("killed_at", [1, 4, 6, 7, 9, 12])
def test_a_kill_while_runs_change_places_loses_nothing(run, monkeypatch, killed_at):
    settings, dataset, cache = run
    settings = changed(settings, epochs=1)
    other = dataclasses.replace(settings, seed=5)
    train(settings, dataset, cache)
    train(other, dataset, cache)
    before, replace, calls = models(settings.run_dir), runfolder.os.replace, []

    def die(*names):
        calls.append(names)
        if len(calls) == killed_at:
            raise KeyboardInterrupt
        replace(*names)

    with monkeypatch.context() as patch:
        patch.setattr(runfolder.os, "replace", die)
        with pytest.raises(KeyboardInterrupt):
            train(settings, dataset, cache)
    assert models(settings.run_dir) == before
    for wanted in (settings, other):
        train(wanted, dataset, cache)
        assert models(settings.run_dir) == before
        assert not [
            path for path in settings.run_dir.rglob("*") if path.suffix in (".moving", ".back", ".copy")
        ]


def test_a_loss_that_is_no_number_is_an_error_and_leaves_the_model(run, monkeypatch):
    settings, dataset, cache = run
    dev_losses = iter([1.0, float("nan")])
    monkeypatch.setattr(runs, "mean_loss", lambda *arguments: next(dev_losses))
    with pytest.raises(UserError, match="no number any more: lower learning_rate"):
        train(settings, dataset, cache)
    assert load_decoder(settings.run_dir / "captioner.keras").longest == 5


def test_a_damaged_model_file_is_named(run):
    settings, dataset, cache = run
    settings = changed(settings, epochs=1)
    train(settings, dataset, cache)
    file = settings.run_dir / "captioner.keras"
    file.write_bytes(b"not a model")
    with pytest.raises(UserError, match="captioner.keras can't be loaded .cut off"):
        train(settings, dataset, cache)
    vocabulary = load_vocabulary(settings.run_dir)
    seven = {**cache.encoder, "channels": 7}
    for model, said in (
        (make_decoder(settings.recipe, [*vocabulary, "b"], cache.encoder, 5), "another vocabulary"),
        (make_decoder(settings.recipe, vocabulary, seven, 5), "another encoder"),
    ):
        model.save(file)
        with pytest.raises(UserError, match=f"captioner.keras was trained with {said}"):
            train(settings, dataset, cache)
    (settings.run_dir / "history.csv").write_text("epoch,train_loss\n1,low\n")
    with pytest.raises(UserError, match="history.csv is damaged"):
        runs.read_history(settings.run_dir)


def test_next_to_no_words_is_an_error_before_any_step(run):
    settings, dataset, cache = run
    silent = dataclasses.replace(dataset, captions=dict.fromkeys(dataset.captions, ("一",)))
    with pytest.raises(UserError, match="The vocabulary has 1 words"):
        train(settings, silent, cache)
    assert not (settings.run_dir / "training.json").exists()


def test_what_a_run_says_of_itself_can_be_read_by_a_program(run):
    settings, dataset, cache = run
    train(changed(settings, epochs=1), dataset, cache)
    said = json.loads((settings.run_dir / "training.json").read_text(encoding="utf-8"))
    assert said["finished"] and said["recipe"]["epochs"] == 1
    assert said["decoder"] == f"GRUDecoder {GRUDecoder.version}"

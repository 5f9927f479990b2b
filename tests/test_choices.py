"""The study of choices: each row changes what it says, and all members run on a handful of pictures."""

import dataclasses

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.other_decoders import ENCODER, features
from utils import encoders, runs
from utils.decoders import gru
from utils.files import UserError
from utils.settings import RECIPES
from utils.studies import changes, choices, spread
from utils.text import SPECIAL

VOCABULARY = [*SPECIAL, *"abcdefgh"]


def build(kind):
    keras.utils.set_random_seed(0)
    decoder = kind(VOCABULARY, ENCODER, 8, embedding_dim=8, units=12, dropout=0.0)
    decoder.build()
    return decoder


def test_word_dropout_hides_one_word_in_ten_and_only_in_training(monkeypatch):
    decoder, seen = build(changes.WordDropout), []
    monkeypatch.setattr(
        decoder, "embedding", lambda tokens: seen.append(tokens) or tf.zeros((*tokens.shape, 8))
    )
    words = np.random.default_rng(0).integers(0, len(VOCABULARY), (40, 50))
    for training in (False, True):
        decoder((features(40), words), training=training)
    np.testing.assert_array_equal(seen[0], words)
    hidden = seen[1].numpy() != words
    assert set(seen[1].numpy()[hidden]) == {VOCABULARY.index("<unk>")}
    assert not hidden[words < len(SPECIAL)].any()
    assert hidden[words >= len(SPECIAL)].mean() == pytest.approx(0.1, abs=0.03)


def test_weight_decay_shrinks_weights_that_get_no_gradient():
    decoder = build(changes.WeightDecay)
    decoder.compile(keras.optimizers.Adam(0.1))
    before = decoder.embedding.get_weights()[0]
    decoder.optimizer.apply(
        [tf.zeros_like(w) for w in decoder.trainable_variables], decoder.trainable_variables
    )
    shrunk = before * (1 - 0.1 * changes.DECAY)
    np.testing.assert_allclose(decoder.embedding.get_weights()[0], shrunk, rtol=1e-5)


def test_wide_values_are_the_features_themselves(monkeypatch):
    monkeypatch.setattr(gru, "WIDEST", 3)
    decoder = build(changes.WideValues)
    decoder.reader.position.set_weights([np.zeros((9, 5))])
    values, _ = decoder.reader(features(3))
    np.testing.assert_allclose(values, decoder.reader.normalize(features(3)), atol=1e-3)
    narrow = build(gru.GRUDecoder)
    assert narrow.reader(features(3))[0].shape == (3, 9, 3)
    assert len(decoder.weights) == len(narrow.weights) - 2, "no layer that makes them narrow is left"


def test_other_layers_are_those_of_the_network():
    keras.utils.set_random_seed(0)
    whole = encoders.load_encoder("mobilenet", weights=None)
    pictures = np.random.default_rng(0).integers(0, 255, (2, 224, 224, 3))
    fine = changes.cut(whole, ("conv_pw_11_relu",))
    both = changes.cut(whole, ("conv_pw_11_relu", "conv_pw_13_relu"))
    assert (fine.grid, fine.channels) == ((14, 14), 384) and (both.grid, both.channels) == ((7, 7), 384 + 768)
    assert len({encoder.identity["name"] for encoder in (whole, fine, both)}) == 3
    middle, together = fine(pictures), both(pictures)
    np.testing.assert_allclose(together[..., 384:], whole(pictures), atol=1e-5)
    pooled = np.mean(np.reshape(middle, (2, 7, 2, 7, 2, 384)), axis=(2, 4))
    np.testing.assert_allclose(together[..., :384], pooled, atol=1e-5)


def test_each_row_changes_something_of_its_own():
    recipe = RECIPES["flickr8k"]
    for row, change in choices.ROWS.items():
        other = dataclasses.replace(recipe, **change.recipe)
        same = other == recipe and change.kind is gru.GRUDecoder and not change.layers
        assert same == (row == choices.FIRST), row


@pytest.mark.slow
def test_all_members_run_and_a_stopped_one_goes_on(tmp_path, monkeypatch, uncompiled, few_pictures):
    rows = {row: choices.ROWS[row] for row in (choices.FIRST, "word dropout 0.1", "dropout 0.3")}
    for name, value in {"PARTS": tmp_path / "parts", "PICTURES": 16, "EPOCHS": 2, "ROWS": rows}.items():
        monkeypatch.setattr(choices, name, value)
    monkeypatch.setattr(choices, "TOGETHER", (1, 2))
    monkeypatch.setattr(choices, "BEST", ("dropout 0.3",))
    save = runs._save_epoch

    def stop_at_the_second(run_dir, decoder, history, last_weights):
        if len(history["dev_loss"]) == 2:  # its CIDEr-D is written already, the epoch is not
            raise KeyboardInterrupt
        save(run_dir, decoder, history, last_weights)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(runs, "_save_epoch", stop_at_the_second)
        choices.members(few_pictures)[f"{choices.FIRST}/1"]()
    found = {name: run() for name, run in choices.members(few_pictures).items()}
    assert set(found) >= {f"{row}/{seed}" for row in rows for seed in (1, 2)}
    first = found[f"{choices.FIRST}/1"]
    assert len(first["cider_by_epoch"]) == 2 and 0 <= first["beam_bleu4"] <= 1 and first["loss"] > 0
    assert found["searches/1"]["width 5, penalty 0.7"]["bleu4"] == first["beam_bleu4"]
    assert found["searches/1"]["width 1, penalty 0.7"]["cider"] == first["greedy_cider"]
    again = choices.members(few_pictures)[f"{choices.FIRST}/1"]()
    [damaged] = (tmp_path / "parts").rglob(f"{choices.label('dropout 0.3')}-2/cider.json")
    damaged.write_text("[1,")
    with pytest.raises(UserError, match=f"{damaged}.*delete its folder"):
        choices.members(few_pictures)["dropout 0.3/2"]()
    assert again == first, "what is trained is not trained again"
    shown = choices.show({"members": found}).splitlines()
    cider = [found[f"dropout 0.3/{seed}"]["beam_cider"] for seed in (1, 2)]
    [row] = [line for line in shown if line.startswith("| dropout 0.3 |")]
    assert float(row.split("|")[-2]) > 0, "what a step costs"
    assert f"| {spread(cider)} |" in row
    assert any(line.startswith("| 8 | 1.0 |") for line in shown)

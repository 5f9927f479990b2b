"""Notebook 3's promises: text that survives the round trip, a decoder that remembers and saves."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from utils.model import (
    BahdanauAttention,
    Captioner,
    build_vocabulary,
    decode,
    encode,
    load_vocabulary,
    save_vocabulary,
    tokenize,
)
from utils.settings import UserError

CAPTIONS = ["A red car.", "Two dogs play with a ball!", "A dog"]


@pytest.fixture
def vocabulary():
    return build_vocabulary(CAPTIONS)


@pytest.fixture
def captioner(vocabulary):
    keras.utils.set_random_seed(0)
    captioner = Captioner(vocabulary, positions=9, channels=6, embedding_dim=8, units=16, dropout=0.5)
    captioner.build()
    return captioner


@pytest.fixture
def features():
    return np.random.default_rng(0).random((3, 9, 6)).astype(np.float16)


def test_words_are_lower_case_without_punctuation():
    assert tokenize("A dog's BALL -- t-shirt, 2 red.") == ["a", "dog's", "ball", "t-shirt", "2", "red"]


def test_vocabulary_is_by_frequency_then_alphabet_and_drops_rare_words():
    assert build_vocabulary(["b a", "a c b", "d"], min_count=2)[4:] == ["a", "b"]
    assert build_vocabulary(["b a", "a c b", "d"])[:4] == ["<pad>", "<unk>", "<start>", "<end>"]


def test_captions_survive_the_round_trip(vocabulary):
    tokens = encode([*CAPTIONS, "a zebra"], vocabulary)
    assert tokens.dtype == np.int32 and tokens.shape == (4, 8)
    expected = ["a red car", "two dogs play with a ball", "a dog", "a <unk>"]
    assert [decode(row, vocabulary) for row in tokens] == expected


def test_vocabulary_file_round_trips_and_a_broken_one_is_named(vocabulary, tmp_path):
    with pytest.raises(UserError, match="vocabulary.txt is missing"):
        load_vocabulary(tmp_path)
    save_vocabulary(vocabulary, tmp_path)
    assert load_vocabulary(tmp_path) == vocabulary
    (tmp_path / "vocabulary.txt").write_text("a\nb\n")
    with pytest.raises(UserError, match="vocabulary.txt is not a vocabulary"):
        load_vocabulary(tmp_path)


def test_attention_is_the_equation():
    rng = np.random.default_rng(0)
    query, values = rng.normal(size=(2, 5)), rng.normal(size=(2, 4, 3))
    w_k, b, w_q, v = (rng.normal(size=size) for size in ((3, 7), (7,), (5, 7), (7, 1)))
    layer = BahdanauAttention(7)
    layer.build(query.shape, values.shape)
    layer.set_weights([w_k, b, w_q, v])
    keys = layer.project(values)
    context, weights = layer(tf.constant(query, tf.float32), tf.constant(values, tf.float32), keys)
    for picture in range(2):
        scores = [(np.tanh(f @ w_k + b + query[picture] @ w_q) @ v).item() for f in values[picture]]
        expected = np.exp(scores) / np.exp(scores).sum()
        np.testing.assert_allclose(weights[picture], expected, atol=1e-5)
        np.testing.assert_allclose(context[picture], expected @ values[picture], atol=1e-5)


def test_teacher_forcing_equals_step_by_step_decoding(captioner, features):
    """The loop over a whole caption and the one-word step used in decoding are the same model."""
    tokens = encode(CAPTIONS, captioner.vocabulary)[:, :-1]
    logits, weights = captioner.teacher_force(features, tokens)
    picture, state = captioner.read(features)
    for t in range(tokens.shape[1]):
        word = captioner.embedding(tokens[:, t])
        state, context, one = captioner.step(word, state, picture)
        np.testing.assert_allclose(weights[:, t], one, atol=1e-5)
        np.testing.assert_allclose(logits[:, t], captioner.score_words(word, state, context), atol=1e-5)


def test_the_state_remembers_words_and_the_future_is_unknown(captioner, features):
    tokens = np.full((3, 6), 4)
    early, late = tokens.copy(), tokens.copy()
    early[:, 1], late[:, 5] = 5, 5
    logits = captioner((features, tokens)).numpy()
    assert (np.abs(captioner((features, early)) - logits)[:, 5].max(axis=1) > 1e-6).all()
    np.testing.assert_allclose(captioner((features, late))[:, :5], logits[:, :5], atol=1e-6)


def test_padding_behind_a_caption_changes_nothing_before_it(captioner, features):
    tokens = encode(CAPTIONS, captioner.vocabulary)[:, :-1]
    short, longer = captioner((features, tokens[:, :3])), captioner((features, tokens))
    np.testing.assert_allclose(short, longer[:, :3], atol=1e-5)


def test_the_first_word_depends_on_the_picture(captioner, features):
    first = captioner((features, np.full((3, 1), 2)))[:, 0]
    assert np.abs(first[0] - first[1]).max() > 1e-5


def test_dropout_is_on_in_training_only(captioner, features):
    tokens = encode(CAPTIONS, captioner.vocabulary)[:, :-1]
    np.testing.assert_array_equal(captioner((features, tokens)), captioner((features, tokens)))
    one, other = (captioner((features, tokens), training=True) for _ in range(2))
    assert np.abs(one - other).max() > 0


@pytest.mark.slow
def test_saved_model_loads_in_a_fresh_process_and_answers_the_same(captioner, features, tmp_path):
    import subprocess
    import sys

    tokens = encode(CAPTIONS, captioner.vocabulary)[:, :-1]
    captioner.save(tmp_path / "captioner.keras")
    np.savez(tmp_path / "batch.npz", features=features, tokens=tokens, logits=captioner((features, tokens)))
    code = (
        "import sys, numpy as np, keras, utils.model\n"
        "batch = np.load(sys.argv[1] + '/batch.npz')\n"
        "captioner = keras.saving.load_model(sys.argv[1] + '/captioner.keras')\n"
        "np.testing.assert_array_equal(captioner((batch['features'], batch['tokens'])), batch['logits'])\n"
        "assert captioner.vocabulary[0] == '<pad>'\n"
        "assert (captioner.dropout.rate, captioner.channel_dropout.rate) == (0.5, 0.25)\n"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=True)


def test_the_gate_lets_in_all_or_nothing_of_what_attention_saw(captioner, features):
    picture, state = captioner.read(features)
    word = captioner.embedding(np.array([4, 5, 6]))
    seen, _ = captioner.attention(tf.concat([state, word], axis=-1), *picture)
    for bias, expected in ((100.0, seen), (-100.0, np.zeros_like(seen))):
        captioner.gate.bias.assign([bias])
        _, context, _ = captioner.step(word, state, picture)
        np.testing.assert_allclose(context, expected, atol=1e-5)


def test_a_word_is_likely_where_its_own_vector_points(captioner):
    """One matrix for reading and writing: the logits are products with the word vectors."""
    vectors = captioner.embedding.get_weights()[0]
    word, state, context = (np.ones((1, size), np.float32) for size in (8, 16, 6))
    before = captioner.score_words(word, state, context).numpy()
    vectors[5] *= 2
    captioner.embedding.set_weights([vectors])
    after = captioner.score_words(word, state, context).numpy()
    bias = captioner.bias.numpy()
    np.testing.assert_allclose(after[0, 5] - bias[5], 2 * (before[0, 5] - bias[5]), rtol=1e-4)
    np.testing.assert_allclose(np.delete(after, 5), np.delete(before, 5), rtol=1e-5)


def test_the_first_state_comes_from_the_picture(captioner, features):
    _, state = captioner.read(features)
    assert np.ptp(state, axis=0).max() > 1e-3


def test_dropout_takes_a_channel_at_all_positions_and_outputs_one_by_one(captioner, features):
    (values, _), _ = captioner.read(features, training=True)
    gone = (values - captioner.position(np.arange(9))).numpy() == 0
    assert gone.any() and not gone.all() and (gone == gone[:, :1]).all()
    word, state, context = np.ones((1, 8), "f"), np.zeros((1, 16), "f"), np.ones((1, 6), "f")
    one, other = (captioner.score_words(word, state, context, training=True).numpy() for _ in range(2))
    assert not np.allclose(one, other)


def test_decoding_stops_at_the_first_end(vocabulary):
    assert decode([2, 4, 3, 5, 0], vocabulary) == vocabulary[4]

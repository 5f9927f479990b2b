"""What holds for each decoder that `CAPTION_DECODER` may name, and what tells them apart."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.other_decoders import EVERY
from utils.decoders import load_decoder
from utils.decoders.multihead import MultiHeadAttention
from utils.text import build_vocabulary, encode

CAPTIONS = ["A red car.", "Two dogs play with a ball!", "A dog"]
ENCODER = {"name": "small", "weights": "0", "input_size": 32, "grid": [3, 3], "channels": 6}
FEATURES = np.random.default_rng(0).normal(size=(3, 9, 6)).astype(np.float16)
TOKENS = encode(CAPTIONS, build_vocabulary(CAPTIONS))[:, :-1]


def make(name, **more):
    keras.utils.set_random_seed(0)
    sizes = {"embedding_dim": 8, "units": 16, "dropout": 0.5} | more
    decoder = EVERY[name](build_vocabulary(CAPTIONS), ENCODER, 6, **sizes)
    decoder.build()
    return decoder


@pytest.fixture(params=EVERY)
def decoder(request):
    return make(request.param)


def step_by_step(decoder, tokens):
    memory, state = decoder.read(FEATURES)
    logits = []
    for t in range(tokens.shape[1]):
        one, state = decoder.step(tokens[:, t], state, memory)
        logits.append(one)
    return np.stack(logits, axis=1)


def test_step_by_step_and_teacher_forcing_are_one_model(decoder):
    logits = decoder((FEATURES, TOKENS))
    assert logits.dtype == "float32" and logits.shape == (*TOKENS.shape, len(decoder.vocabulary))
    np.testing.assert_allclose(step_by_step(decoder, TOKENS), logits, atol=1e-5)


def test_early_words_are_remembered_and_the_future_is_unknown(decoder):
    tokens = np.full((3, 6), 4)
    early, late = tokens.copy(), tokens.copy()
    early[:, 1], late[:, 5] = 5, 5
    logits = decoder((FEATURES, tokens)).numpy()
    assert (np.abs(decoder((FEATURES, early)) - logits)[:, 5].max(axis=1) > 1e-5).all()
    np.testing.assert_allclose(decoder((FEATURES, late))[:, :5], logits[:, :5], atol=1e-6)


def test_every_weight_learns_and_dropout_is_on_in_training_only(decoder):
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(decoder((FEATURES, TOKENS), training=True) ** 2)
    gradients = tape.gradient(loss, decoder.trainable_variables)
    for weight, gradient in zip(decoder.trainable_variables, gradients, strict=True):
        assert np.any(gradient), weight.path
    np.testing.assert_array_equal(decoder((FEATURES, TOKENS)), decoder((FEATURES, TOKENS)))
    one, other = (decoder((FEATURES, TOKENS), training=True) for _ in range(2))
    assert np.abs(one - other).max() > 0


@pytest.mark.parametrize("policy", ["float32", "mixed_bfloat16"])
@pytest.mark.parametrize("name", EVERY)
def test_a_saved_decoder_answers_the_same(tmp_path, name, policy):
    decoder = make(name, dtype=policy)
    decoder.save(tmp_path / "captioner.keras")
    again = load_decoder(tmp_path / "captioner.keras", EVERY[name])
    assert type(again) is type(decoder) and again.get_config() == decoder.get_config()
    np.testing.assert_array_equal(again((FEATURES, TOKENS)), decoder((FEATURES, TOKENS)))
    tolerance = 0.05 if "mixed" in policy else 1e-5
    np.testing.assert_allclose(step_by_step(again, TOKENS), again((FEATURES, TOKENS)), atol=tolerance)


def test_maps_sum_to_one_where_there_is_attention(decoder):
    maps = decoder.attention(FEATURES, TOKENS)
    attends = type(decoder) in [EVERY[name] for name in ("gru", "lstm", "transformer")]
    assert (maps is not None) == attends
    if attends:
        assert maps.shape == (*TOKENS.shape, 9) and maps.dtype == "float32"
        np.testing.assert_allclose(np.sum(maps, axis=2), 1, atol=1e-5)


def test_the_maps_of_the_transformer_are_the_weights_of_its_last_block(monkeypatch):
    decoder, used = make("transformer"), []
    whole = decoder.attention(FEATURES, TOKENS)
    look = decoder.blocks[-1].picture.call

    def note(*given, **named):
        out, weights = look(*given, **named)
        used.append(np.mean(weights, axis=1)[:, 0])
        return out, weights

    monkeypatch.setattr(decoder.blocks[-1].picture, "call", note)
    step_by_step(decoder, TOKENS)
    np.testing.assert_allclose(np.stack(used, axis=1), whole, atol=1e-5)


@pytest.mark.parametrize("name", ["lstm", "show-and-tell", "long-vector", "bidirectional"])
def test_both_tensors_of_an_lstm_begin_with_the_picture(name):
    _, [one, other] = make(name).read(FEATURES)
    np.testing.assert_array_equal(one, other)
    assert np.ptp(one, axis=0).max() > 1e-3


def test_heads_share_the_units_out():
    with pytest.raises(ValueError, match="10 units can't be shared out among 4 heads"):
        make("transformer", units=10)


@pytest.mark.parametrize("name", EVERY)
def test_who_knows_where_things_are(name):
    """A mean is the same when the positions change places: it can't tell left from right."""
    decoder = make(name)
    there = np.abs(decoder((FEATURES, TOKENS)) - decoder((FEATURES[:, ::-1], TOKENS))).max()
    if name in ("mean-vector", "show-and-tell"):
        assert there < 1e-4
    else:
        assert there > 1e-3


def test_multi_head_attention_is_that_of_keras():
    rng = np.random.default_rng(0)
    asks, looked_at = rng.normal(size=(2, 3, 8)).astype("f"), rng.normal(size=(2, 5, 8)).astype("f")
    mask = rng.random((2, 3, 5)) < 0.6
    mask[:, :, 0] = True
    ours, theirs = MultiHeadAttention(8, 2), keras.layers.MultiHeadAttention(2, 4)
    ours(asks, *ours.project(looked_at))
    theirs(asks, looked_at)
    for dense in (ours.query, ours.value, ours.mix):
        dense.bias.assign(rng.normal(size=8))
    given = []
    for dense, shape in (
        (ours.query, (8, 2, 4)),
        (ours.key, (8, 2, 4)),
        (ours.value, (8, 2, 4)),
        (ours.mix, (2, 4, 8)),
    ):
        kernel, *bias = dense.get_weights()  # the keys have no bias here: theirs may have any
        given += [
            kernel.reshape(shape),
            np.reshape(bias or rng.normal(size=8), (8,) if dense is ours.mix else (2, 4)),
        ]
    theirs.set_weights(given)
    found, weights = ours(asks, *ours.project(looked_at), mask[:, None])
    expected, expected_weights = theirs(asks, looked_at, attention_mask=mask, return_attention_scores=True)
    np.testing.assert_allclose(found, expected, atol=1e-5)
    np.testing.assert_allclose(weights, expected_weights, atol=1e-5)
    assert not weights.numpy()[~np.broadcast_to(mask[:, None], weights.shape)].any()

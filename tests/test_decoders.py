"""The decoder of notebook 3: attention is the equation, the state remembers, and the file says it all."""

import json
import sys
import zipfile

import keras
import numpy as np
import pytest
import tensorflow as tf

from utils.decoders import DECODERS, decoder_named, load_decoder
from utils.decoders.gru import BahdanauAttention, GRUDecoder, position_vectors
from utils.decoders.lstm import LSTMDecoder
from utils.files import UserError
from utils.text import build_vocabulary, encode

CAPTIONS = ["A red car.", "Two dogs play with a ball!", "A dog"]
ENCODER = {"name": "small", "weights": "0", "input_size": 32, "grid": [3, 3], "channels": 6}


def make(vocabulary, **sizes):
    keras.utils.set_random_seed(0)
    decoder = GRUDecoder(vocabulary, ENCODER, 6, **{"embedding_dim": 8, "units": 16, "dropout": 0.5} | sizes)
    decoder.build()
    return decoder


@pytest.fixture
def decoder():
    return make(build_vocabulary(CAPTIONS))


@pytest.fixture
def features():
    return np.random.default_rng(0).random((3, 9, 6)).astype(np.float16)


def test_attention_is_the_equation():
    rng = np.random.default_rng(0)
    query, values = rng.normal(size=(2, 5)), rng.normal(size=(2, 4, 3))
    w_k, b, w_q, v = (rng.normal(size=size) for size in ((3, 7), (7,), (5, 7), (7, 1)))
    layer, given = BahdanauAttention(7), (tf.constant(query, tf.float32), tf.constant(values, tf.float32))
    layer(*given, layer.project(given[1]))  # makes the weights
    layer.set_weights([w_k, b, w_q, v])
    context, weights = layer(*given, layer.project(given[1]))
    for picture in range(2):
        scores = [(np.tanh(f @ w_k + b + query[picture] @ w_q) @ v).item() for f in values[picture]]
        expected = np.exp(scores) / np.exp(scores).sum()
        np.testing.assert_allclose(weights[picture], expected, atol=1e-5)
        np.testing.assert_allclose(context[picture], expected @ values[picture], atol=1e-5)


@pytest.mark.parametrize("embedding_dim", [32, 256])
def test_word_vectors_begin_at_length_one(embedding_dim):
    """Their table makes the logits too: shorter ones keep all gradients small, and training starts slowly."""
    vectors = make([str(n) for n in range(300)], embedding_dim=embedding_dim).embedding.get_weights()[0]
    assert np.linalg.norm(vectors, axis=1).mean() == pytest.approx(1, abs=0.05)


def test_step_by_step_and_teacher_forcing_are_one_model(decoder, features):
    """What `call` and `attention` say of a whole caption is what the one-word steps of decoding use."""
    tokens = encode(CAPTIONS, decoder.vocabulary)[:, :-1]
    logits, weights = decoder((features, tokens)), decoder.attention(features, tokens)
    memory, state = decoder.read(features)
    same = state
    for t in range(tokens.shape[1]):
        one, state = decoder.step(tokens[:, t], state, memory)
        _, _, used, same = decoder.advance(decoder.embedding(tokens[:, t]), same, memory)
        np.testing.assert_allclose(logits[:, t], one, atol=1e-5)
        np.testing.assert_allclose(weights[:, t], used, atol=1e-5)
    np.testing.assert_allclose(np.sum(weights, axis=2), 1, atol=1e-5)


def test_a_place_is_a_vector_near_those_of_its_neighbours(decoder):
    where = position_vectors(3, 5, 12)
    assert where.shape == (15, 12) and where.dtype == np.float32
    grid = where.reshape(3, 5, 12)
    np.testing.assert_array_equal(grid[1, :, :6], np.tile(grid[1, 0, :6], (5, 1)))  # the row
    np.testing.assert_array_equal(grid[:, 2, 6:], np.tile(grid[0, 2, 6:], (3, 1)))  # the column
    steps = np.linalg.norm(grid[0, 1:] - grid[0, 0], axis=1)
    assert (np.diff(steps[:3]) > 0).all() and steps[0] > 0.3
    slow = position_vectors(1, 7, 8)[:, 5]  # the sine of the slowest wave of the column
    assert (np.diff(slow) > 0).all()
    np.testing.assert_array_equal(decoder.reader.position.embeddings, position_vectors(3, 3, 6))


def test_padding_behind_a_caption_changes_nothing_before_it(decoder, features):
    tokens = encode(CAPTIONS, decoder.vocabulary)[:, :-1]
    short, longer = decoder((features, tokens[:, :3])), decoder((features, tokens))
    np.testing.assert_allclose(short, longer[:, :3], atol=1e-5)


def test_the_first_word_depends_on_the_picture(decoder, features):
    first = decoder((features, np.full((3, 1), 2)))[:, 0]
    assert np.abs(first[0] - first[1]).max() > 1e-5


@pytest.mark.parametrize("policy", ["float32", "mixed_bfloat16"])
def test_a_saved_decoder_answers_the_same_and_knows_its_encoder(features, tmp_path, policy):
    decoder = make(build_vocabulary(CAPTIONS), dtype=policy)
    tokens = encode(CAPTIONS, decoder.vocabulary)[:, :-1]
    decoder.save(tmp_path / "captioner.keras")
    again = load_decoder(tmp_path / "captioner.keras")
    np.testing.assert_array_equal(again((features, tokens)), decoder((features, tokens)))
    assert again.dtype_policy.name == policy and again.cell.dtype_policy.name == policy
    assert (again.vocabulary, again.longest, again.encoder) == (decoder.vocabulary, 6, ENCODER)
    rates = again.dropout.rate, again.score_words.dropout.rate, again.reader.dropout.rate
    assert rates == (0.5, 0.5, 0.25)
    memory, state = again.read(features)
    logits, _ = again.step(tokens[:, 0], state, memory)
    assert logits.dtype == "float32"
    np.testing.assert_allclose(
        logits, decoder((features, tokens))[:, 0], atol=0.03 if "mixed" in policy else 1e-5
    )


def rewritten(file, **changes):
    """The model file with other words in its config."""
    with zipfile.ZipFile(file) as old:
        members = {name: old.read(name) for name in old.namelist()}
    config = json.loads(members["config.json"])
    names = ("vocabulary", "encoder", "units", "longest")
    inside = {name: changes.pop(name) for name in names if name in changes}
    config["config"] |= inside
    members["config.json"] = json.dumps(config | changes).encode()
    with zipfile.ZipFile(file, "w") as new:
        for name, content in members.items():
            new.writestr(name, content)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"class_name": "Sequential"}, "holds a Sequential, not a captioner"),
        ({"class_name": "Decoder"}, "holds a Decoder, not a captioner"),
        ({"vocabulary": ["a", "b"]}, "special tokens"),
        ({"encoder": {"grid": [3, 3]}}, "can't be loaded"),
        ({"longest": 10**9}, "how long a caption may be"),
        ({"units": 7}, "can't be loaded"),
    ],
)
def test_a_file_that_is_no_captioner_is_named(decoder, tmp_path, changes, said):
    file = tmp_path / "captioner.keras"
    decoder.save(file)
    rewritten(file, **changes)
    with pytest.raises(UserError, match=f"(?s)captioner.keras.*{said}"):
        load_decoder(file)


def test_a_file_names_no_code_to_run(decoder, tmp_path):
    """Its module is not imported; what counts is the class of ours that bears its name."""
    (tmp_path / "evil.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')")
    decoder.save(tmp_path / "captioner.keras")
    rewritten(tmp_path / "captioner.keras", module="evil", registered_name=None, compile_config={"x": 1})
    sys.path.insert(0, str(tmp_path))
    try:
        load_decoder(tmp_path / "captioner.keras")
    finally:
        sys.path.remove(str(tmp_path))
    assert "evil" not in sys.modules and not (tmp_path / "ran").exists()


def test_an_unknown_decoder_is_named_with_those_there_are():
    assert decoder_named("gru") is GRUDecoder and decoder_named("lstm") is DECODERS["lstm"] is LSTMDecoder
    with pytest.raises(UserError, match="CAPTION_DECODER='lstm9': choose one of gru, lstm"):
        decoder_named("lstm9")


def test_the_gate_lets_in_all_or_nothing_of_what_attention_saw(decoder, features):
    memory, state = decoder.read(features)
    word = decoder.embedding(np.array([4, 5, 6]))
    seen, _ = decoder.attend(tf.concat([state[0], word], axis=-1), *memory)
    for bias, expected in ((100.0, seen), (-100.0, np.zeros_like(seen))):
        decoder.gate.bias.assign([bias])
        _, context, _, _ = decoder.advance(word, state, memory)
        np.testing.assert_allclose(context, expected, atol=1e-5)


def test_a_word_is_likely_where_its_own_vector_points(decoder):
    """One matrix for reading and writing: the logits are products with the word vectors."""
    vectors = decoder.embedding.get_weights()[0]
    word, state, context = (np.ones((1, size), np.float32) for size in (8, 16, 6))
    before = decoder.score_words(word, state, context).numpy()
    vectors[5] *= 2
    decoder.embedding.set_weights([vectors])
    after = decoder.score_words(word, state, context).numpy()
    bias = decoder.score_words.bias.numpy()
    np.testing.assert_allclose(after[0, 5] - bias[5], 2 * (before[0, 5] - bias[5]), rtol=1e-4)
    np.testing.assert_allclose(np.delete(after, 5), np.delete(before, 5), rtol=1e-5)


def test_the_first_state_comes_from_the_mean_of_the_features_in_one_scale(decoder, features):
    """Not from their maximum, nor from zeros; and a network with larger numbers gives the same."""
    _, [state] = decoder.read(features)
    reader = decoder.reader
    values = reader.normalize(features.astype(np.float32)) + reader.position(np.arange(9))
    np.testing.assert_allclose(state, reader.first_state(np.mean(values, axis=1)), atol=1e-5)
    assert np.ptp(state, axis=0).max() > 1e-3
    (larger, _), _ = decoder.read(100 * features.astype(np.float32))
    np.testing.assert_allclose(larger, values, atol=0.05)


def test_dropout_takes_a_channel_at_all_positions_and_outputs_one_by_one(decoder, features):
    (values, _), _ = decoder.read(features, training=True)
    gone = (values - decoder.reader.position(np.arange(9))).numpy() == 0
    assert gone.any() and not gone.all() and (gone == gone[:, :1]).all()
    word, state, context = np.ones((1, 8), "f"), np.zeros((1, 16), "f"), np.ones((1, 6), "f")
    one, other = (decoder.score_words(word, state, context, training=True).numpy() for _ in range(2))
    assert not np.allclose(one, other)

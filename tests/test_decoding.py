"""Notebook 5's promises: decoding finds what it says it finds, and its maps are the ones it used."""

import itertools

import keras
import numpy as np
import pytest
import tensorflow as tf

from utils.decoding import beam_search, describe, greedy_search
from utils.features import FeatureCache
from utils.model import Captioner, decode

VOCABULARY = ["<pad>", "<unk>", "<start>", "<end>", "a", "b", "c"]


@pytest.fixture(scope="module")
def captioner():
    """Untrained, but with logits far enough apart to have opinions."""
    keras.utils.set_random_seed(38)
    captioner = Captioner(VOCABULARY, positions=9, channels=5, embedding_dim=8, units=12)
    captioner.build()
    captioner.embedding.set_weights([20 * captioner.embedding.get_weights()[0]])
    captioner.bias.assign([0, 0, 0, 1.5, 0, 0, 0])  # captions of 0 to 6 words, and one that does not end
    return captioner


@pytest.fixture(scope="module")
def features():
    return np.random.default_rng(0).normal(size=(6, 9, 5)).astype(np.float16)


def log_probabilities(captioner, features, captions):
    """Of `<start>` + words under teacher forcing, `<pad>`, `<start>` and `<unk>` being impossible."""
    longest = max(map(len, captions))
    words = np.array([[*caption, *[0] * (longest - len(caption))] for caption in captions])
    inputs = np.pad(words[:, :-1], [(0, 0), (1, 0)], constant_values=2)
    logits = captioner((np.repeat(features[None], len(captions), axis=0), inputs)).numpy()
    logits[:, :, :3] = -1e9
    steps = np.take_along_axis(tf.nn.log_softmax(logits).numpy(), words[:, :, None], axis=2)[:, :, 0]
    return (steps * (words != 0)).sum(axis=1)


def whole(row):
    """The tokens of a decoded row up to and with `<end>`."""
    row = [int(token) for token in row]
    return row[: row.index(3) + 1] if 3 in row else row


def test_greedy_takes_the_best_word_each_time_with_the_weights_it_used(captioner, features):
    tokens, weights = greedy_search(captioner, features, max_length=8)
    for picture, row, maps in zip(features, tokens.numpy(), weights.numpy(), strict=True):
        words = whole(row)
        logits, expected = captioner.teacher_force(picture[None], np.array([[2, *words[:-1]]]))
        assert words == list(np.argmax(logits[0, :, 3:], axis=1) + 3)
        np.testing.assert_allclose(maps[: len(words)], expected[0], atol=1e-5)
        assert not row[len(words) :].any()


def test_beam_of_one_is_greedy(captioner, features):
    greedy, greedy_maps = greedy_search(captioner, features, max_length=8)
    beam, _, beam_maps = beam_search(captioner, features, 1, 0.7, 8)
    np.testing.assert_array_equal(beam[:, 0], greedy)
    np.testing.assert_allclose(beam_maps[:, 0], greedy_maps, atol=1e-5)


def test_beam_is_never_less_probable_than_greedy():
    """Plain beam search is, on some of these: it drops the greedy beginning for others."""
    keras.utils.set_random_seed(3)
    vocabulary = [*VOCABULARY[:4], *"abcdefghijkl"]
    captioner = Captioner(vocabulary, positions=9, channels=5, embedding_dim=8, units=12)
    captioner.build()
    captioner.embedding.set_weights([6 * captioner.embedding.get_weights()[0]])
    features = np.random.default_rng(1).normal(size=(300, 9, 5)).astype(np.float16)
    greedy = beam_search(captioner, features, 1, 0.0, 12)[1][:, 0]
    for width in (2, 3):
        assert np.min(beam_search(captioner, features, width, 0.0, 12)[1][:, 0] - greedy) > -1e-4


def test_beam_reports_the_true_log_probability_and_maps_of_its_captions(captioner, features):
    """Fails when states, tokens or maps do not follow their beginning to its new place."""
    tokens, scores, maps = (x.numpy() for x in beam_search(captioner, features, 3, 0.7, 8))
    for i, k in itertools.product(range(6), range(3)):
        words = whole(tokens[i, k])
        assert scores[i, k] == pytest.approx(log_probabilities(captioner, features[i], [words])[0], abs=1e-3)
        _, expected = captioner.teacher_force(features[i : i + 1], np.array([[2, *words[:-1]]]))
        np.testing.assert_allclose(maps[i, k, : len(words)], expected[0], atol=1e-4)


@pytest.mark.parametrize("penalty", [0.0, 1.0])
def test_full_width_is_exhaustive_search(captioner, features, penalty):
    captions = []
    for length in (1, 2, 3):
        for words in itertools.product([4, 5, 6], repeat=length - 1):
            captions.append([*words, 3])
    captions += [list(words) for words in itertools.product([4, 5, 6], repeat=3)]
    tokens, scores, _ = beam_search(captioner, features, 40, penalty, 3)
    for i in range(6):
        values = log_probabilities(captioner, features[i], captions)
        best = max(range(len(captions)), key=lambda j: values[j] / len(captions[j]) ** penalty)
        assert whole(tokens[i, 0].numpy()) == captions[best]
        assert float(scores[i, 0]) == pytest.approx(values[best], abs=1e-3)


def test_special_tokens_are_never_written(captioner, features):
    for row in beam_search(captioner, features, 3, 0.7, 8)[0].numpy().reshape(-1, 8):
        assert not set(whole(row)) & {0, 1, 2}


def test_batched_equals_one_by_one(captioner, features, tmp_path):
    np.save(tmp_path / "features.npy", features)
    names = tuple("abcdef")
    array = np.load(tmp_path / "features.npy", mmap_mode="r")
    cache = FeatureCache(array=array, grid=(3, 3), names=names, broken={}, fingerprint="")
    for width in (1, 3):
        together = describe(captioner, cache, names, width, batch_size=4)
        assert together == [describe(captioner, cache, [name], width, batch_size=1)[0] for name in names]
    third = greedy_search(captioner, features)[0][2]
    assert describe(captioner, cache, names)[2] == decode(third.numpy(), VOCABULARY)

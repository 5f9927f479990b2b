"""Notebook 5's promises, for decoders of any state: decoding finds what it says it finds."""

import itertools

import numpy as np
import pytest
import tensorflow as tf

from tests.other_decoders import ENCODER, EVERY, Counting, features, opinionated
from utils.decoders.ensemble import Ensemble
from utils.decoders.gru import GRUDecoder
from utils.decoders.lstm import LSTMDecoder, MeanVector
from utils.decoders.transformer import TransformerDecoder
from utils.decoding import attention_maps, beam_search, describe, generate, greedy_search, sample
from utils.features import FeatureCache
from utils.text import decode

VOCABULARY = ["<pad>", "<unk>", "<start>", "<end>", "a", "b", "c"]
PICTURES = features(6)


SEEDS = {"gru": 55, "lstm": 30, "transformer": 41, "mean-vector": 55}
SEEDS |= {"show-and-tell": 74, "long-vector": 18, "bidirectional": 37}
SEEDS = {EVERY[name]: seed for name, seed in SEEDS.items()} | {Counting: 38}
TOGETHER = GRUDecoder, LSTMDecoder, Counting


def one_of(kind):
    decoder = opinionated(kind, VOCABULARY, SEEDS[kind])
    if kind is not Counting:
        # Captions of 0 to 6 words, and one that does not end.
        decoder.score_words.bias.assign([0, 0, 0, 1.5, 0, 0, 0])
    return decoder


@pytest.fixture(scope="module", params=[*SEEDS, Ensemble], ids=lambda kind: kind.__name__)
def decoder(request):
    return (
        Ensemble([one_of(kind) for kind in TOGETHER]) if request.param is Ensemble else one_of(request.param)
    )


def log_probabilities(decoder, picture, captions):
    """Of `<start>` + words under teacher forcing, `<pad>`, `<start>` and `<unk>` being impossible."""
    longest = max(map(len, captions))
    words = np.array([[*caption, *[0] * (longest - len(caption))] for caption in captions])
    inputs = np.pad(words[:, :-1], [(0, 0), (1, 0)], constant_values=2)
    logits = decoder((np.repeat(picture[None], len(captions), axis=0), inputs)).numpy()
    logits[:, :, :3] = -1e9
    steps = np.take_along_axis(tf.nn.log_softmax(logits).numpy(), words[:, :, None], axis=2)[:, :, 0]
    return (steps * (words != 0)).sum(axis=1)


def whole(row):
    """The tokens of a decoded row up to and with `<end>`."""
    row = [int(token) for token in row]
    return row[: row.index(3) + 1] if 3 in row else row


def test_every_decoder_is_tested_here():
    assert set(EVERY.values()) < set(SEEDS)


def test_the_captions_decoded_here_have_many_lengths(decoder):
    """Else the tests below would see little."""
    lengths = {
        len(whole(row)) for row in beam_search(decoder, PICTURES, 3, 0.7, 8)[0].numpy().reshape(18, -1)
    }
    assert len(lengths) >= 4


def test_greedy_takes_the_best_word_each_time(decoder):
    for picture, row in zip(PICTURES, greedy_search(decoder, PICTURES, 8).numpy(), strict=True):
        words = whole(row)
        logits = decoder((picture[None], np.array([[2, *words[:-1]]])))
        assert words == list(np.argmax(logits[0, :, 3:], axis=1) + 3)
        assert not row[len(words) :].any()


def test_maps_are_the_weights_that_the_decoder_used(decoder):
    """`attention` reads a finished caption; `advance` is what wrote it, word by word."""
    tokens = greedy_search(decoder, PICTURES, 8)
    maps = attention_maps(decoder, PICTURES, tokens)
    if not hasattr(decoder, "attend"):  # of the ensemble one member has none
        assert (maps is None) != isinstance(decoder, TransformerDecoder)
        return
    if isinstance(decoder, MeanVector):
        assert maps is None
        return
    memory, state = decoder.read(PICTURES)
    word = np.full(6, 2)
    for t in range(tokens.shape[1]):
        _, _, used, state = decoder.advance(decoder.embedding(word), state, memory)
        word, writing = tokens[:, t], tokens[:, t] != 0
        np.testing.assert_allclose(maps[:, t][writing], used[writing], atol=1e-5)


def test_no_search_goes_on_beyond_the_longest_learned(decoder):
    """The Transformer knows no more places."""
    assert greedy_search(decoder, PICTURES, 20).shape[1] <= decoder.longest + 1
    assert beam_search(decoder, PICTURES, 2, 0.7, 20)[0].shape[2] <= decoder.longest + 1
    assert beam_search(decoder, PICTURES, 2, 0.7, tf.constant(2))[0].shape[2] == 2  # traced for every length


def test_beam_of_one_is_greedy(decoder):
    greedy = greedy_search(decoder, PICTURES, 8)
    np.testing.assert_array_equal(beam_search(decoder, PICTURES, 1, 0.7, 8)[0][:, 0], greedy)


@pytest.mark.parametrize("kind", [GRUDecoder, Counting])
def test_beam_is_never_less_probable_than_greedy(kind):
    """Plain beam search is, on some of these: it drops the greedy beginning for others."""
    vocabulary = [*VOCABULARY[:4], *"abcdefghijkl"]
    decoder = opinionated(kind, vocabulary, 3, longest=11, scale=0.5)
    many = features(300, seed=1)
    greedy = beam_search(decoder, many, 1, 0.0)[1][:, 0]
    for width in (2, 3):
        assert np.min(beam_search(decoder, many, width, 0.0)[1][:, 0] - greedy) > -1e-4


def test_beam_reports_the_true_log_probability_of_its_captions(decoder):
    """Fails when states or tokens do not follow their beginning to its new place."""
    tokens, scores = (x.numpy() for x in beam_search(decoder, PICTURES, 3, 0.7, 8))
    for i, k in itertools.product(range(6), range(3)):
        words = whole(tokens[i, k])
        assert scores[i, k] == pytest.approx(log_probabilities(decoder, PICTURES[i], [words])[0], abs=1e-3)


@pytest.mark.parametrize("penalty", [0.0, 1.0])
def test_full_width_is_exhaustive_search(decoder, penalty):
    captions = []
    for length in (1, 2, 3):
        for words in itertools.product([4, 5, 6], repeat=length - 1):
            captions.append([*words, 3])
    captions += [list(words) for words in itertools.product([4, 5, 6], repeat=3)]
    tokens, scores = beam_search(decoder, PICTURES, 40, penalty, 3)
    for i in range(6):
        values = log_probabilities(decoder, PICTURES[i], captions)
        best = max(range(len(captions)), key=lambda j: values[j] / len(captions[j]) ** penalty)
        assert whole(tokens[i, 0].numpy()) == captions[best]
        assert float(scores[i, 0]) == pytest.approx(values[best], abs=1e-3)


def test_special_tokens_are_never_written(decoder):
    for row in beam_search(decoder, PICTURES, 3, 0.7, 8)[0].numpy().reshape(18, -1):
        assert not set(whole(row)) & {0, 1, 2}


def test_words_are_drawn_as_often_as_they_are_probable():
    decoder = opinionated(GRUDecoder, VOCABULARY, 38, scale=1.0)
    picture = np.repeat(PICTURES[:1], 4000, axis=0)
    memory, state = decoder.read(PICTURES[:1])
    logits = decoder.step(np.array([2]), state, memory)[0].numpy()[0]
    for temperature in (1.0, 0.5):
        drawn = sample(decoder, picture, tf.constant(1), temperature, 1).numpy()[:, 0]
        weights = np.exp(logits[3:] / temperature)
        shares = np.bincount(drawn, minlength=7)[3:] / 4000
        np.testing.assert_allclose(shares, weights / weights.sum(), atol=0.03)
    first, same, other = (sample(decoder, PICTURES, tf.constant(seed)).numpy() for seed in (1, 1, 2))
    assert np.array_equal(first, same) and not np.array_equal(first, other)


def test_batched_equals_one_by_one(decoder, tmp_path):
    np.save(tmp_path / "features.npy", PICTURES)
    names = tuple("abcdef")
    array = np.load(tmp_path / "features.npy", mmap_mode="r")
    cache = FeatureCache(array=array, encoder=ENCODER, names=names, broken={}, fingerprint="")
    for width in (1, 3):
        together = describe(decoder, cache, names, width, batch_size=4)
        assert together == [describe(decoder, cache, [name], width, batch_size=1)[0] for name in names]
    third = greedy_search(decoder, PICTURES)[2]
    assert describe(decoder, cache, names)[2] == decode(third.numpy(), VOCABULARY)


def test_a_caption_without_an_end_is_said_and_stops_at_the_longest_learned(decoder, capsys):
    cache = FeatureCache(array=PICTURES, encoder=ENCODER, names=tuple("abcdef"), broken={}, fingerprint="")
    tokens = generate(decoder, PICTURES, lambda logits, t: tf.fill((6,), 4))
    assert tokens.shape == (6, decoder.longest + 1)
    endless = sum(3 not in row for row in greedy_search(decoder, PICTURES).numpy())
    describe(decoder, cache, "abcdef")
    said = f"{endless} of 6 captions have no end: cut after 8 words" if endless else ""
    assert said in capsys.readouterr().out


def test_decoders_write_together_by_the_mean_of_their_probabilities():
    models = [one_of(kind) for kind in TOGETHER]
    both, words = Ensemble(models), np.array([[2, 4, 5], [2, 6, 6]])
    probabilities = [tf.nn.softmax(model((PICTURES[:2], words))) for model in models]
    np.testing.assert_allclose(
        tf.nn.softmax(both((PICTURES[:2], words))), np.mean(probabilities, axis=0), atol=1e-5
    )
    assert np.std(probabilities, axis=0).max() > 0.1, "they do not agree"
    assert both.attention(PICTURES[:2], words) is None, "one of them has none"
    maps = Ensemble(models[:2]).attention(PICTURES[:2], words)
    np.testing.assert_allclose(
        maps, np.mean([model.attention(PICTURES[:2], words) for model in models[:2]], axis=0), atol=1e-6
    )
    other = opinionated(GRUDecoder, [*VOCABULARY, "more"], 1)
    with pytest.raises(ValueError, match="one vocabulary"):
        Ensemble([models[0], other])

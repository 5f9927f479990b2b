"""The clinic of notebook 7: each illness is what its name says, and each check sees it, on any decoder."""

import dataclasses

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.other_decoders import ENCODER, EVERY, features, opinionated
from utils import checks, clinic, studies
from utils.datasets import load_dataset
from utils.encoders import load_encoder
from utils.features import FeatureCache, extract_features
from utils.mistakes import loss_with_padding
from utils.text import build_vocabulary, decode, encode
from utils.training import make_train_step, masked_loss

SPOKEN = ["a red car", "two dogs play with a ball", "a dog", "a car on a ball"]
VOCABULARY = build_vocabulary(SPOKEN)
TOKENS = encode(SPOKEN, VOCABULARY)
FEATURES = features(4)


def patient(name="gru", wrap=lambda decoder: decoder, loss=masked_loss, features=FEATURES, rate=1e-2):
    def fresh():
        decoder = wrap(opinionated(EVERY[name], VOCABULARY, seed=0))
        decoder.build()
        return decoder, make_train_step(decoder, keras.optimizers.Adam(rate), loss)

    cache = FeatureCache(FEATURES, ENCODER, tuple("abcd"), {}, "")
    return clinic.Patient(fresh()[0], fresh, loss, cache, np.arange(4), TOKENS, features, TOKENS)


@pytest.mark.parametrize("name", EVERY)
def test_a_stateless_decoder_knows_the_last_word_alone(name):
    sick = patient(name, clinic.Stateless)
    assert checks.memory(sick) == pytest.approx(0, abs=1e-6) and checks.memory(patient(name)) > 1e-3
    logits = sick.decoder((FEATURES, TOKENS))
    memory, state = sick.decoder.read(FEATURES)
    for t in range(TOKENS.shape[1]):
        one, state = sick.decoder.step(TOKENS[:, t], state, memory)
        np.testing.assert_allclose(one, logits[:, t], atol=1e-5)
    np.testing.assert_allclose(logits[:, 0], patient(name).decoder((FEATURES, TOKENS))[:, 0], atol=1e-5)


@pytest.mark.parametrize("name", EVERY)
def test_a_blind_decoder_does_not_see(name):
    sick, well = patient(name, clinic.Blind), patient(name)
    assert checks.gradient(sick) == 0 < checks.gradient(well)
    assert checks.gain(sick) == pytest.approx(0, abs=1e-6)
    for one, same in ((sick, True), (well, False)):
        seen, other = (tf.nest.flatten(one.decoder.read(some)) for some in (FEATURES, -FEATURES))
        assert all(np.array_equal(*pair) for pair in zip(seen, other)) == same


@pytest.mark.parametrize("name", EVERY)
def test_a_noisy_decoder_never_says_the_same(name):
    sick, well = patient(name, clinic.Noisy), patient(name)
    assert checks.noise(well) == 0 < checks.noise(sick) <= 1
    one, other = (tf.nest.flatten(sick.decoder.read(FEATURES)) for _ in range(2))
    assert any(np.abs(a - b).max() > 0 for a, b in zip(one, other) if a.dtype == tf.float32)


def test_the_features_are_held_against_those_in_training():
    assert checks.spread(patient()) == pytest.approx(0, abs=1e-3)
    for times in (0.5, 2):
        found = checks.spread(patient(features=np.float16(times * FEATURES)))
        assert found == pytest.approx(np.log(2), abs=1e-2)


def test_the_right_picture_is_worth_something_to_who_has_learned_it():
    def known_by_heart(shift):
        one = patient()
        step = make_train_step(one.decoder, keras.optimizers.Adam(1e-2))
        for _ in range(60):
            step(np.roll(FEATURES, shift, axis=0), TOKENS)
        return checks.gain(one)

    assert known_by_heart(0) > 0.1 and known_by_heart(2) < -0.1


def test_padding_changes_the_loss_that_counts_it():
    assert checks.padding(patient()) == pytest.approx(0, abs=1e-6)
    assert checks.padding(patient(loss=loss_with_padding)) > 0.1


def test_four_captions_are_learned_by_heart_unless_the_steps_are_too_long():
    assert checks.by_heart(patient(rate=0.03)) < 0.5 * checks.by_heart(patient(rate=1e-9))
    assert 1 < checks.by_heart(patient(rate=100.0)) <= np.log(len(VOCABULARY)) + 1e-6
    assert checks.by_heart(patient(rate=np.inf)) == pytest.approx(np.log(len(VOCABULARY)))


def test_captions_without_an_end_and_different_captions_are_counted(monkeypatch):
    end, word = VOCABULARY.index("<end>"), VOCABULARY.index("dog")
    said = [[word, end, 0], [word, word, word], [word, end, 0], [end, 0, 0]]
    monkeypatch.setattr(checks, "greedy_search", lambda decoder, features: tf.constant(said))
    assert checks.endless(patient()) == 0.25 and checks.different(patient()) == 0.75


def test_a_line_lies_between_and_what_is_beyond_it_rings():
    assert checks.limit(0.5, 2) == checks.limit(2, 0.5) == pytest.approx(1)
    assert checks.limit(0, 3) == pytest.approx(0.3) == checks.limit(3, 0)
    lines = dict.fromkeys(checks.CHECKS, 1.0)
    good = {name: 2.0 if check.high_is_healthy else 0.5 for name, check in checks.CHECKS.items()}
    assert checks.alarms(good, lines) == []
    assert checks.alarms({name: 2.5 - n for name, n in good.items()}, lines) == list(checks.CHECKS)
    assert checks.alarms(dict.fromkeys(good, np.nan), lines) == list(checks.CHECKS)
    by_name = {name: {**good} for name in clinic.SICK}
    by_name["features never arrive"]["gradient"] = 0.5
    assert checks.limits(by_name)["gradient"] == pytest.approx(1)


def test_the_stored_clinic_finds_all_who_are_sick_and_nobody_else():
    """With lines drawn on the first seed of the GRU alone."""
    groups = checks.by_group(studies.load_study("07_clinic"))
    assert len(groups) == 5 and all(set(group) == set(clinic.SICK) for group in groups.values())
    lines = checks.limits(groups["GRU, seed 1"])
    for group in groups.values():
        assert not checks.alarms(group["healthy"], lines)
        for check in checks.CHECKS.items():
            assert check[0] in checks.alarms(group[check[1].finds], lines)


def test_each_patient_is_sick_in_one_way(few_pictures, monkeypatch):
    """Before any training: what it learns from, what it sees, and how long its steps are."""
    dataset, encoder = load_dataset(few_pictures), load_encoder("vgg16-slim")
    dev = ("0.png", "1.png", "3.png")  # a green and two red ones: in another order they are others
    dataset = dataclasses.replace(dataset, splits={**dataset.splits, "dev": dev})
    cache = extract_features(dataset, encoder, few_pictures.features_dir)
    ward, rates = clinic.open_ward(dataset, cache, encoder), []
    for name, tokens, seen in zip(dataset.splits["dev"], ward.captions, ward.prepared, strict=True):
        assert decode(tokens, ward.vocabulary) == dataset.captions[name][0]
        np.testing.assert_array_equal(seen, cache.array[cache.rows([name])[0]])
    assert np.abs(ward.prepared - ward.unprepared).max() > 0.1
    monkeypatch.setattr(clinic, "EPOCHS", 0)
    adam = keras.optimizers.Adam
    monkeypatch.setattr(keras.optimizers, "Adam", lambda rate: rates.append(rate) or adam(rate))
    end, (rows, tokens) = ward.vocabulary.index("<end>"), ward.learn
    for name in clinic.SICK:
        one = clinic.admit(ward, name, EVERY["gru"], seed=1)
        same = np.array_equal(one.rows, rows)
        assert same != (name == "features shuffled") and sorted(one.rows) == sorted(rows)
        assert (end in one.tokens) != (name == "without <end>")
        assert (one.features is ward.unprepared) == (name == "pictures not prepared")
        assert (one.loss is masked_loss) != (name == "padding in the loss")
        assert rates[-1] == pytest.approx(0.3 if name == "learning rate too high" else 0.01)
    np.testing.assert_array_equal(tokens, ward.learn[1])

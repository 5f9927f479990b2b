"""The captioner for photographs that comes with the project: half the size, the same captions, a card."""

import keras
import numpy as np
import pytest

from tests.other_decoders import ENCODER, features
from utils import captioner
from utils.caption import PHOTOGRAPHS
from utils.decoders import load_decoder
from utils.decoders.gru import GRUDecoder
from utils.decoding import greedy_search
from utils.files import UserError
from utils.settings import load_settings
from utils.text import SPECIAL


@pytest.fixture
def saved(tmp_path):
    keras.utils.set_random_seed(0)
    decoder = GRUDecoder([*SPECIAL, *"abcdefgh"], ENCODER, 8, embedding_dim=32, units=64)
    decoder.build()
    decoder.save(tmp_path / "whole.keras")
    return decoder, tmp_path


def test_half_the_size_and_the_same_captions(saved):
    decoder, folder = saved
    captioner.halve(folder / "whole.keras", folder / "half.keras")
    assert (folder / "half.keras").stat().st_size < 0.6 * (folder / "whole.keras").stat().st_size
    half = load_decoder(folder / "half.keras")
    assert half.get_config() == decoder.get_config()
    for exact, short in zip(decoder.get_weights(), half.get_weights(), strict=True):
        assert short.dtype == np.float32
        np.testing.assert_array_equal(short, exact.astype(np.float16))
    some = features(20)
    np.testing.assert_array_equal(greedy_search(half, some), greedy_search(decoder, some))


def test_a_number_that_half_precision_does_not_hold_is_named(saved):
    decoder, folder = saved
    decoder.score_words.bias.assign([1e6] * 12)
    decoder.save(folder / "whole.keras")
    (folder / "half.keras").write_bytes(b"as it was")
    with pytest.raises(UserError, match="whole.keras: the numbers in .* are too large for float16"):
        captioner.halve(folder / "whole.keras", folder / "half.keras")
    assert (folder / "half.keras").read_bytes() == b"as it was"


def test_persons_are_counted_where_most_references_have_one_and_where_none_has():
    man, dog = ["a", "man", "runs"], ["a", "dog"]
    references = [[man] * 5, [man] * 4 + [dog], [man] * 3 + [dog] * 2, [dog] * 5, [dog] * 5]
    found = captioner.persons_named(references, [man, dog, dog, man, dog])
    assert found == {"there": 0.5, "not_there": 0.5, "there_count": 2, "not_there_count": 2}


def test_the_card_has_the_figures():
    rows = {"beam 5": dict.fromkeys(("bleu1", "bleu4"), 0.1234)}
    persons = {"there": 0.97, "not_there": 0.13, "there_count": 371, "not_there_count": 101}
    elsewhere = {"a logo": ("a dog", 0.311)}
    card = " ".join(captioner.card("9 words, 3 MB", 6000, 500, rows, persons, elsewhere).split())
    for figure in (
        "9 words, 3 MB",
        "6,000 photographs",
        "the 500 photographs",
        "| beam 5 | 0.123 | 0.123 |",
        'a logo: "a dog", 0.31',
    ):
        assert figure in card
    assert (
        "97% of the captions" in card and "(371 photographs)" in card and "13% where none has (101)" in card
    )


def test_what_is_stored_is_small_and_has_a_card_of_its_own():
    decoder, megabytes = load_decoder(PHOTOGRAPHS), PHOTOGRAPHS.stat().st_size / 1e6
    assert decoder.encoder["name"] == "mobilenet" and megabytes <= 10
    card = " ".join(PHOTOGRAPHS.with_suffix(".md").read_text(encoding="utf-8").split())
    sizes = f"{len(decoder.vocabulary) - 4:,} words, {decoder.count_params() / 1e6:.1f} million numbers"
    assert f"{sizes}, {megabytes:.1f} MB" in card


@pytest.mark.parametrize(
    "change",
    [
        {"CAPTION_DATASET": "scenes"},
        {"CAPTION_ENCODER": "vgg16"},
        {"CAPTION_EPOCHS": "1"},
        {"CAPTION_SEED": "2"},
    ],
)
def test_only_the_whole_run_makes_it(change):
    wanted = {"CAPTION_DATASET": "flickr8k", "CAPTION_ENCODER": "mobilenet"}
    with pytest.raises(UserError, match="CAPTION_DATASET=flickr8k CAPTION_ENCODER=mobilenet"):
        captioner.make(load_settings(wanted | change))

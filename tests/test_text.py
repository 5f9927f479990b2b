"""Captions as numbers and back, in any language; a vocabulary that is worth learning."""

import unicodedata

import numpy as np
import pytest

from utils.files import UserError
from utils.text import build_vocabulary, decode, encode, tokenize
from utils.vocabulary import check_vocabulary, load_vocabulary, save_vocabulary

CAPTIONS = ["A red car.", "Two dogs play with a ball!", "A dog"]


@pytest.fixture
def vocabulary():
    return build_vocabulary(CAPTIONS)


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


def test_decoding_stops_at_the_first_end(vocabulary):
    assert decode([2, 4, 3, 5, 0], vocabulary) == vocabulary[4]


@pytest.mark.parametrize(
    ("caption", "words"),
    [
        ("一只棕色的狗 Max 在草地上。", ["一", "只", "棕", "色", "的", "狗", "max", "在", "草", "地", "上"]),
        ("犬がボールで遊ぶ。", list("犬がボールで遊ぶ")),
        ("หมาสีน้ำตาล", ["ห", "ม", "า", "สี", "น้", "ำ", "ต", "า", "ล"]),
        ("कुत्ता दौड़ता है", ["कुत्ता", "दौड़ता", "है"]),
        ("שָׁלוֹם עולם", ["שָׁלוֹם", "עולם"]),
        ("nai\u0308ve cafe\u0301", ["na\u00efve", "caf\u00e9"]),
        ("İstanbul", ["i\u0307stanbul"]),
        ("the dog\u2019s ball", ["the", "dog's", "ball"]),
        ("개가 달린다", ["개가", "달린다"]),
    ],
)
def test_words_of_any_language_stay_whole_and_come_back(caption, words):
    assert [unicodedata.normalize("NFC", word) for word in words] == tokenize(caption)
    vocabulary = build_vocabulary([caption])
    again = decode(encode([caption], vocabulary)[0], vocabulary)
    assert tokenize(again) == tokenize(caption), "what is decoded can be cut into the same words"


def test_chinese_is_joined_without_spaces_and_english_in_it_with():
    vocabulary = build_vocabulary(["狗 in 草地 上"])
    assert decode(encode(["狗 in 草地上"], vocabulary)[0], vocabulary) == "狗 in 草地上"


def test_a_caption_is_cut_only_where_it_is_asked_for(vocabulary):
    assert encode(["a red car"], vocabulary).shape == (1, 5)
    cut = encode(["a red car"], vocabulary, longest=2)[0]
    assert decode(cut, vocabulary) == "a red" and cut[-1] == vocabulary.index("<end>")


def test_a_vocabulary_of_next_to_nothing_is_an_error_that_says_why(capsys):
    captions = [f"caption{i} about thing{i} nobody{i} names{i} twice{i} here" for i in range(12)]
    with pytest.raises(UserError, match="2 words, and 71% .* would become <unk>.*min_count"):
        check_vocabulary(captions, build_vocabulary(captions, min_count=2))
    check_vocabulary(captions, build_vocabulary(captions))
    assert not capsys.readouterr().out
    captions = [*["one two three four five"] * 3, "six seven one"]
    check_vocabulary(captions, build_vocabulary(captions, min_count=2))
    assert not capsys.readouterr().out, "a tenth is no reason for a notice"
    check_vocabulary([*captions, "eight nine ten"], build_vocabulary(captions, min_count=2))
    assert "24% of the words" in capsys.readouterr().out

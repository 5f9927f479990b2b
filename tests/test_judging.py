"""Notebook 7's promises: facts stand at the word that completes them, lies are false, facts agree."""

import numpy as np
import pytest

from utils.judging import KINDS, LIES, agreement, auroc, claims, facts_by_word, lie, smoothed_bleu
from utils.truth import judge

GROUP = {"size": "small", "relation": None}
CATS = {**GROUP, "kind": "cat", "color": "orange", "count": 2, "box": [20, 120, 140, 200]}
FLOWER = {**GROUP, "kind": "flower", "color": "yellow", "count": 1, "box": [150, 150, 180, 200]}
SCENE = {"place": "meadow", "sky": "night", "groups": [CATS, {**FLOWER, "relation": "right of"}]}


def test_facts_stand_at_the_word_that_completes_them_and_only_those_that_stay():
    words = "two orange cats and a red flower on the left of a dog in a meadow".split()
    stated, wrong = facts_by_word(words, SCENE)
    found = {word: {KINDS[k] for k in np.flatnonzero(row)} for word, row in zip(words, wrong) if row.any()}
    assert found == {"flower": {"color"}, "dog": {"invented", "relation"}}
    assert stated.sum() == judge(" ".join(words), SCENE)["stated"]
    assert stated[words.index("cats")].tolist() == [1, 0, 1, 0, 0, 0, 1]


@pytest.mark.parametrize("what", LIES)
def test_a_lie_differs_in_one_word_and_is_false(what):
    words = "two orange cats to the left of a yellow flower".split()
    changed = lie(words, LIES[what], SCENE)
    assert sum(a != b for a, b in zip(words, changed, strict=True)) == 1
    assert judge(" ".join(words), SCENE)["wholly_true"] and not judge(" ".join(changed), SCENE)["wholly_true"]


def test_where_there_is_nothing_to_lie_about_there_is_no_lie():
    assert lie("a picture of the meadow".split(), LIES["color"], SCENE) is None


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("two orange cats to the left of a flower", "a flower right of a pair of orange cats"),
        ("a boat behind a dog", "a dog in front of a boat"),
        ("a bird on a bench", "a bench under a bird"),
        ("a big cat and another big cat by a tree", "a tree beside two big cats"),
        ("a red boat with a dog in front of it", "a dog in front of a red boat"),
    ],
)
def test_the_same_facts_in_other_words_agree(one, other):
    assert claims(one) == claims(other) != {}


def test_the_opposite_disagrees_and_what_is_left_open_is_no_claim():
    relation = ("boat", "dog")
    assert claims("a dog behind a boat")[relation] != claims("a boat behind a dog")[relation]
    assert relation not in claims("a dog beside a boat")
    assert claims("some cats") == {("thing", "cat"): True}
    two = claims("a red dog and a small blue dog")
    assert two == {("size", "dog"): "small", ("thing", "dog"): True, ("count", "dog"): 2}


def test_agreement_is_of_those_that_speak_of_a_fact():
    others = [claims("a flower left of two cats"), claims("a flower")]
    assert agreement("a flower right of two cats", others) == pytest.approx((1 + 1 + 1 / 2 + 1 + 0) / 5)
    # Of the color nobody else speaks, of the cats all do: by leaving them out.
    assert agreement("two orange cats", [claims("a flower"), claims("two cats")]) == pytest.approx(3 / 4)
    assert agreement("nothing at all", others) == 0


def test_auroc_counts_pairs_and_ties_half():
    true = np.array([True, True, False, False])
    assert auroc(np.array([3.0, 1.0, 2.0, 0.0]), true) == 0.75
    assert auroc(np.zeros(4), true) == 0.5
    assert np.isnan(auroc(np.zeros(4), np.ones(4, bool)))


def test_smoothed_bleu_of_a_caption_without_a_run_of_four_is_not_zero():
    reference = "a red car by a house".split()
    assert smoothed_bleu(reference, [reference]) == 1
    # Precisions 4/6, 2+1 of 5+1, 1 of 4+1, 1 of 3+1.
    changed = "a red bus by a tree".split()
    assert smoothed_bleu(changed, [reference]) == pytest.approx((4 / 6 * 3 / 6 * 1 / 5 * 1 / 4) ** 0.25)

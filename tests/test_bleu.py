"""Notebook 6's promise: BLEU as Papineni et al. (2002) define it."""

import math

import numpy as np
import pytest
from sacrebleu.metrics import BLEU

from utils.bleu import closest_length, corpus_bleu, matches


def words(text):
    return text.split()


def test_clipping_the_example_of_the_paper():
    """Papineni et al. 2002, section 2.1, example 2: modified unigram precision 2/7."""
    references = [words("the cat is on the mat"), words("there is a cat on the mat")]
    assert matches(words("the the the the the the the"), references, 1) == (2, 7)


def test_closest_reference_length_and_its_tie():
    hypothesis = words("a b c d e")
    assert closest_length(hypothesis, [words("a b"), words("a b c d e f")]) == 6
    assert closest_length(hypothesis, [words("a b c d e f"), words("a b c d")]) == 4


def test_counts_are_added_over_the_corpus_before_dividing():
    """By hand: 3 of 4 words and 1 of 2 pairs match, lengths 4 and 5."""
    references, hypotheses = [[words("a b c")], [words("d e")]], [words("a b"), words("d x")]
    penalty = math.exp(1 - 5 / 4)
    expected = [penalty * 3 / 4, penalty * math.sqrt(3 / 4 * 1 / 2)]
    assert corpus_bleu(references, hypotheses, 2) == pytest.approx(expected, abs=1e-12)


def test_no_match_at_an_order_is_zero_from_there_on():
    assert corpus_bleu([[words("a b c d")]], [words("a c b d")]) == [1.0, 0.0, 0.0, 0.0]


def test_empty_hypotheses_score_zero_and_do_not_fail():
    assert corpus_bleu([[words("a b")]], [[]]) == [0.0] * 4


def test_all_references_count():
    references = [[words("a red car"), words("one red car"), words("the car is red")]]
    assert corpus_bleu(references, [words("the red car")], 2)[1] == pytest.approx(math.sqrt(1 * 1 / 2))


def test_lists_of_different_length_are_refused():
    with pytest.raises(ValueError, match="1 lists of references for 2 hypotheses"):
        corpus_bleu([[words("a")]], [words("a"), words("b")])


def random_corpus(rng):
    """Over few words: repeated n-grams, ties of length, empty and very short hypotheses."""

    def caption(shortest):
        return [str(word) for word in rng.integers(rng.integers(1, 8), size=rng.integers(shortest, 9))]

    count = rng.integers(1, 6)
    references = [[caption(1) for _ in range(rng.integers(1, 6))] for _ in range(count)]
    copies = [references[i][0] if rng.random() < 0.3 else caption(0) for i in range(count)]
    return references, copies


def test_the_score_is_sacrebleus():
    rng, zeros, penalties = np.random.default_rng(0), 0, 0
    for _ in range(400):
        references, hypotheses = random_corpus(rng)
        ours = corpus_bleu(references, hypotheses)
        most = max(map(len, references))
        lines = [[" ".join(words) for words in some] + [None] * (most - len(some)) for some in references]
        by_place = list(zip(*lines, strict=True))
        for order, score in enumerate(ours, 1):
            theirs = BLEU(tokenize="none", smooth_method="none", max_ngram_order=order)
            result = theirs.corpus_score([" ".join(words) for words in hypotheses], by_place)
            assert score == pytest.approx(result.score / 100, abs=1e-9)
        zeros, penalties = zeros + (ours[3] == 0), penalties + (result.bp < 1)
    assert 50 < zeros < 350 and 50 < penalties < 350, "all cases are among them"

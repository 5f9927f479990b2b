"""Notebook 6's promise: BLEU, CIDEr-D and ROUGE-L as their papers define them and the field computes them."""

import math

import numpy as np
import pytest
from pycocoevalcap.cider.cider import Cider
from pycocoevalcap.rouge.rouge import Rouge
from sacrebleu.metrics import BLEU

from utils.scores import (
    bleu4,
    bleu_counts,
    cider_d,
    closest_length,
    corpus_bleu,
    document_frequencies,
    matches,
    resample,
    rouge_l,
    verdict,
)


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
    for score in (cider_d, rouge_l):
        with pytest.raises(ValueError):
            score([[words("a")]], [words("a"), words("b")])


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


def same_as_pycocoevalcap(references, hypotheses):
    """Each caption's CIDEr-D and ROUGE-L, and their means, are pycocoevalcap's; returns both, per caption."""
    truth = {i: [" ".join(one) for one in some] for i, some in enumerate(references)}
    found = {i: [" ".join(one)] for i, one in enumerate(hypotheses)}
    ours = cider_d(references, hypotheses), rouge_l(references, hypotheses)
    for scores, metric in zip(ours, (Cider(), Rouge()), strict=True):
        mean, each = metric.compute_score(truth, found)
        np.testing.assert_allclose(scores, each, rtol=0, atol=1e-9)
        assert scores.mean() == pytest.approx(mean, abs=1e-9)
    return ours


def test_cider_d_and_rouge_l_are_pycocoevalcaps():
    rng, both = np.random.default_rng(1), []
    for _ in range(200):
        both.append(np.array(same_as_pycocoevalcap(*random_corpus(rng))))
    cider, rouge = np.concatenate(both, axis=1)
    assert np.mean(cider == 0) > 0.1 and np.mean(cider > 1) > 0.1, "bad and good captions are among them"
    assert np.mean(rouge == 0) > 0.02 and np.mean(rouge > 0.5) > 0.1


PICTURES = [
    ["a brown dog runs on the beach", "the dog is running along the sea", "a wet dog at the sea"],
    ["two men play football on the grass", "men in red shirts with a ball"],
    ["a girl in a red dress eats an ice cream", "a small girl with ice cream", "the girl eats", "ice cream"],
    ["a man rides a bicycle down a steep hill in the woods", "a cyclist in the woods"],
    ["the black dog jumps over the black log and the white dog looks on"],
]


@pytest.mark.parametrize(
    "captions",
    [
        [some[-1] for some in PICTURES],  # as a reference
        ["a dog runs on the beach"] * 5,
        ["", "men", "girl girl girl girl ice ice", "on the beach runs dog brown a", "a unicorn"],
        ["the dog and the dog and the dog jumps over the log " * 3] * 5,
    ],
    ids=["references", "one for all", "empty, one word, repeated, backwards, unknown", "long"],
)
def test_corner_cases_are_pycocoevalcaps(captions):
    references = [[words(one) for one in some] for some in PICTURES]
    same_as_pycocoevalcap(references, [words(caption) for caption in captions])
    for some, caption in zip(references, captions, strict=True):  # of one picture no word tells anything
        assert same_as_pycocoevalcap([some], [words(caption)])[0] == 0
    same = [[*some, words("a dog")] for some in references]  # words that occur in all pictures
    same_as_pycocoevalcap(same, [words(caption) for caption in captions])


def test_one_score_per_caption_and_the_highest_for_the_only_reference():
    references = [[words(some[0])] for some in PICTURES]
    copies = [some[0] for some in references]
    for score, highest in ((cider_d, 10), (rouge_l, 1)):
        found = score(references, copies)
        assert found.dtype == np.float64 and found == pytest.approx(np.full(5, highest))


def test_frequencies_of_other_pictures_can_be_used_again():
    """Scored one at a time with the frequencies of all, captions score as they do together."""
    references = [[words(one) for one in some] for some in PICTURES]
    captions = [words("the brown dog eats ice cream in the woods")] * 5
    frequencies = document_frequencies(references)
    alone = [cider_d([some], [one], frequencies)[0] for some, one in zip(references, captions, strict=True)]
    assert alone == pytest.approx(cider_d(references, captions), abs=1e-12) and max(alone) > 0.1
    assert frequencies[()] == 5 and frequencies["dog",] == 2 and frequencies["ice", "cream"] == 1


def test_an_empty_caption_scores_zero_even_against_an_empty_reference():
    assert cider_d([[[]], [words("a")]], [[], []]).tolist() == [0, 0]
    assert rouge_l([[[]], [words("a")]], [[], []]).tolist() == [0, 0]


def test_sums_of_counts_give_the_score_of_the_corpus():
    """What the bootstrap adds up, also of captions that are drawn twice or not at all."""
    rng = np.random.default_rng(2)
    for _ in range(100):
        references, hypotheses = random_corpus(rng)
        counts = np.array([bleu_counts(*pair) for pair in zip(hypotheses, references)])
        drawn = resample(len(counts), draws=3, seed=int(rng.integers(1000)))
        assert drawn.shape == (3, len(counts)) and set(drawn.sum(axis=1)) == {len(counts)}
        for score, times in zip(bleu4(drawn @ counts), drawn):
            chosen = np.repeat(range(len(counts)), times)
            some, said = [references[i] for i in chosen], [hypotheses[i] for i in chosen]
            assert score == pytest.approx(corpus_bleu(some, said)[3], abs=1e-9)


def test_draws_are_the_same_for_the_same_seed():
    assert (resample(30) == resample(30)).all() and (resample(30, seed=1) != resample(30)).any()
    assert resample(30).shape == (1000, 30) and resample(1).tolist() == [[1]] * 1000


def test_an_interval_in_words():
    assert [verdict(*pair) for pair in ((0.1, 0.2), (-0.2, -0.1), (-0.1, 0.2), (0.0, 0.1), (-0.1, 0.0))] == [
        "a gain", "a loss", *["no difference shown"] * 3,
    ]  # fmt: skip

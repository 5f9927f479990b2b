"""Attention maps lie where the network looked."""

import numpy as np
import pytest
from matplotlib import pyplot as plt

from utils.plots import show_attention, upsample


@pytest.mark.parametrize("cell", [(0, 0), (1, 5), (6, 3)])
def test_an_enlarged_map_peaks_in_its_own_cell(cell):
    weights = np.zeros((7, 7))
    weights[cell] = 1
    large = upsample(weights, 224)
    y, x = np.unravel_index(large.argmax(), large.shape)
    assert (y // 32, x // 32) == cell
    assert large.min() >= 0 and large.shape == (224, 224)


def test_an_even_map_stays_even():
    np.testing.assert_allclose(upsample(np.full((7, 7), 1 / 49), 224), 1 / 49)


def test_each_word_gets_its_own_map_over_the_picture():
    picture = np.random.default_rng(0).integers(0, 255, (224, 224, 3), np.uint8)
    weights = np.random.default_rng(1).random((3, 7, 7))
    figure = show_attention(picture, weights, ["a", "red", "car"])
    shown = [axis for axis in figure.axes if axis.images]
    np.testing.assert_array_equal(shown[0].images[0].get_array(), picture)
    for axis, word, one in zip(shown[1:], ["a", "red", "car"], weights, strict=True):
        assert axis.get_title(loc="left") == word
        np.testing.assert_allclose(axis.images[-1].get_array(), upsample(one, 224))
    plt.close(figure)

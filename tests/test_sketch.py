"""The second style: other pixels everywhere, yet the same things, in the same places and nameable colors."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from utils.datasets.drawing import OBJECT_LIGHT, PALETTE, SKIES, draw
from utils.datasets.sketch import PAPER, sketch


def _ball(color: str, sky: str = "sunny", **where: float) -> tuple[Image.Image, list[int]]:
    """A drawn ball on a meadow, and its box."""
    ball = {"kind": "ball", "pose": "ball", "px": 110.0, "x": 60, "foot": 205, "flip": False}
    things = [ball | {"color": color, "ground": "ground"} | where]
    image, boxes = draw("meadow", sky, things, np.random.default_rng(3))
    return image, boxes[0]


def _sketched(image: Image.Image, seed: int = 0) -> np.ndarray:
    return np.asarray(sketch(image, np.random.default_rng(seed)), dtype=float)


def test_a_sketch_repeats_with_its_rng_and_differs_with_another():
    image, _ = _ball("red")
    before = image.tobytes()
    assert np.array_equal(_sketched(image, 1), _sketched(image, 1))
    assert np.abs(_sketched(image, 1) - _sketched(image, 2)).mean() > 5
    assert image.tobytes() == before


@pytest.mark.parametrize("size", [(224, 224), (150, 97)])
def test_a_sketch_is_an_rgb_picture_of_the_same_size(size):
    picture = sketch(_ball("red")[0].resize(size), np.random.default_rng(0))
    assert (picture.size, picture.mode) == (size, "RGB")


@pytest.mark.parametrize("px, x, foot", [(60, 70, 190), (40, 3, 218), (110, 112, 120)])
def test_nothing_moves(px, x, foot):
    """In another color a ball changes the sketch within its box, up to the box's edges, as in the drawing."""
    (red, box), (blue, _) = (_ball(color, px=px, x=x, foot=foot) for color in ("red", "blue"))
    rows, columns = np.nonzero(np.abs(_sketched(red) - _sketched(blue)).sum(axis=-1) > 30)
    changed = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
    assert np.abs(np.subtract(changed, box)).max() <= 3


@pytest.mark.parametrize("sky", ["sunny", "rainy", "night", "sunset"])
def test_every_color_can_still_be_named(sky):
    """Of all colors, a sketched one is nearest to what it was, once the paper's own tint is taken away."""
    names, colors = list(PALETTE), np.array(list(PALETTE.values()))
    for name in names:
        image, (x0, y0, x1, y1) = _ball(name, sky)
        lit = np.multiply(PALETTE[name], OBJECT_LIGHT[sky])
        plain = np.abs(np.asarray(image) - lit).max(axis=-1)[y0:y1, x0:x1] < 16
        assert plain.sum() > 500
        mean = _sketched(image)[y0:y1, x0:x1][plain].mean(axis=0) / PAPER
        assert names[np.square(colors - mean).sum(axis=1).argmin()] == name, mean


@pytest.mark.parametrize("sky", SKIES["meadow"])
def test_the_style_is_another(sky):
    """Other pixels, and a surface that is nowhere flat: in both it is far from the drawing."""
    image, _ = _ball("green", sky)
    drawn, sketched = np.asarray(image, dtype=float), _sketched(image)
    assert np.abs(drawn - sketched).mean() > 15

    def roughness(pixels: np.ndarray) -> float:
        return float(np.median(np.abs(np.diff(pixels, axis=1))))

    assert roughness(sketched) > 2 + roughness(drawn)

"""What is drawn onto pictures lies where it should, and leaves them as they are."""

import numpy as np
import pytest
from matplotlib import pyplot as plt

from utils.annotated import show_boxes, show_captions

PICTURE = np.zeros((224, 224, 3), np.uint8)


def test_boxes_margins_and_points_lie_where_they_were_given_and_the_picture_is_not_cut():
    figure = show_boxes([PICTURE], [[(10, 20, 50, 220)]], [[("cat", 30, 40)]], margin=15)
    (axis,) = figure.axes
    assert {patch.get_bbox().bounds for patch in axis.patches} == {(10, 20, 40, 200), (-5, 5, 70, 230)}
    assert [tuple(*line.get_xydata()) for line in axis.lines] == [(30, 40)]
    assert [text.get_text() for text in axis.texts] == ["cat"]
    assert axis.get_xlim() == (-0.5, 223.5) and axis.get_ylim() == (223.5, -0.5)
    plt.close(figure)


@pytest.mark.parametrize("lines", [1, 6])
def test_pictures_keep_their_size_however_long_the_notes(lines):
    captions = ["a cat", "a dog that is " * 12, "two boats", "a bird", "$5 or $10"]
    notes = ["\n".join([caption] * lines) for caption in captions]
    figure = show_captions([PICTURE] * 5, captions, notes, ["red", *["black"] * 4])
    shown = [axis for axis in figure.axes if axis.images]
    for axis, note in zip(shown, notes, strict=True):
        wide, high = axis.get_position().size * figure.get_size_inches()
        assert wide == pytest.approx(2.5, abs=0.01) and high == pytest.approx(2.5, abs=0.01)
        assert [text.get_text() for text in axis.texts] == [note]
    assert shown[0].title.get_color() != "red" and shown[0]._left_title.get_color() == "red"
    figure.canvas.draw()  # a formula in "$5 or $10" would be an error
    plt.close(figure)

"""Attention maps lie where the network looked."""

import base64
import io

import numpy as np
import pytest
from matplotlib import pyplot as plt
from matplotlib.colors import to_rgb
from PIL import Image

from utils import charts, diagrams, fonts, parts, plots, schemes
from utils.clinic import SICK
from utils.plots import show_attention, show_pictures, upsample


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


def test_characters_that_no_font_has_are_said_once_and_no_price_is_a_formula(capsys, monkeypatch):
    monkeypatch.setattr(fonts, "_said", set())
    monkeypatch.setattr(fonts, "_drawable", lambda character: character < "\u3000")
    figure = show_pictures([np.zeros((4, 4, 3), np.uint8)] * 2, ["$5 or $10", "一只狗"])
    assert not figure.axes[0]._left_title.get_parse_math()
    figure.canvas.draw()
    fonts.check_font(["狗"])
    said = capsys.readouterr().out
    assert said.count("No font on this machine has 一 只 狗") == 1 and "Noto" in said
    plt.close(figure)


def test_a_font_of_this_machine_has_the_letters_of_europe():
    assert fonts.FONTS[0] == "DejaVu Sans" and all(map(fonts._drawable, "aäłжα"))


def test_a_figure_is_shown_once_with_its_text_as_wide_as_before(monkeypatch):
    shown = []
    monkeypatch.setattr(plots, "display", shown.append)
    many = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    for picture, kind in ((np.full((8, 8, 3), (0.8, 0.2, 0.4)), "image/png"), (many, "image/jpeg")):
        figure = show_pictures([picture])
        plots.show(figure, alt="a square")
        data, metadata = shown.pop()._repr_mimebundle_()
        assert not shown and not plt.fignum_exists(figure.number)  # or it would be shown once more
        assert list(data) == [kind] and metadata[kind]["alt"] == "a square" and figure.dpi >= 120
        with Image.open(io.BytesIO(base64.b64decode(data[kind]))) as image:
            house = np.asarray(image.convert("RGB"), int)[image.height // 2, image.width // 2]
            assert kind == "image/jpeg" or abs(house - (204, 51, 102)).max() <= 3
            assert abs(metadata[kind]["width"] / image.width - 80 / figure.dpi) < 0.01


def test_a_receptive_field_grows_as_the_layers_say():
    axis = parts.receptive_field().axes[0]
    said = [text.get_text() for text in axis.texts if text.get_text().startswith("each")]
    assert sorted(said) == [f"each sees {n} pixel{'s' * (n > 1)}" for n in (1, 3, 4, 8)]
    colored = [box for box in axis.patches if box.get_y() == 0 and box.get_facecolor()[:3] != (1, 1, 1)]
    assert len(colored) == 8


def test_drawings_say_what_they_are_given():
    words, losses = ["a", "dog", "<pad>"], [0.5, 1.5, 0.1]
    said = [text.get_text() for text in diagrams.loss_cells(words, losses, "<pad>").axes[0].texts]
    assert {"mean over real words: 1.000", "mean over all cells: 0.700"} <= set(said)
    learn = np.array([[True, True], [True, False], [False, False]])
    axis = diagrams.splits({"by caption": learn}).axes[0]
    assert "1 of 3 pictures" in axis.get_title(loc="left") + axis.get_title()
    assert [patch.get_label() for patch in axis.patches].count("train") == 3


def test_dots_of_a_row_lie_apart_and_a_single_one_says_its_value():
    axis = plots.show_dots({"one": {"seed 1": 2.0, "seed 2": 2.0}}, "", "", start=None).axes[0]
    heights = {float(line.get_ydata()[0]) for line in axis.lines}
    assert len(heights) == 2
    axis = plots.show_dots({"fell": {"words": -0.5}}, "", "").axes[0]
    (text,) = axis.texts
    assert text.get_text() == "-0.500" and text.xy[0] == -0.5
    plots.show_dots({}, "", "")  # own pictures may leave nothing to show


def test_words_that_are_wrong_stand_on_a_color_with_what_is_wrong_below():
    figure = charts.show_words([["a", "red", "cat"], ["one"]], [["", "color", ""], [""]], ["1", "2"])
    (axis,) = figure.axes
    assert [text.get_text() for text in axis.texts] == ["1", "a", "red", "color", "cat", "2", "one"]
    (box,) = axis.patches
    assert box.get_x() <= axis.texts[2].get_position()[0] <= box.get_x() + box.get_width()
    plt.close(figure)


def test_confusions_are_counted_in_their_cells_and_colored_by_the_share_of_their_row():
    counts = np.array([[30, 10], [0, 0]])
    figure = charts.show_confusions({"color": (["red", "pink"], counts)}, "said", "true")
    (axis,) = figure.axes
    np.testing.assert_array_equal(axis.images[0].get_array(), [[0.75, 0.25], [0, 0]])
    found = {text.get_position(): text.get_text() for text in axis.texts}
    assert found == {(0, 0): "30", (1, 0): "10"} and axis.get_xlabel() == "said"
    plt.close(figure)


def test_paths_go_through_their_points_in_order_with_a_note_at_each():
    figure = charts.show_paths({"a": [(2, 1, "x"), (1, 3, "")]}, "t", "x", "y", diagonal=True)
    (axis,) = figure.axes
    np.testing.assert_array_equal(axis.lines[0].get_xydata(), [(2, 1), (1, 3)])
    assert [text.get_text() for text in axis.texts] == ["x", ""]
    assert axis.lines[1].get_slope() == 1 and len(axis.get_legend().get_texts()) == 1
    plt.close(figure)


def test_a_point_of_several_numbers_is_their_mean_with_a_bar_from_the_lowest_to_the_highest():
    figure = charts.show_paths({"a": [(1, [2, 6, 4], ""), (3, 5, "")]}, "t", "x", "y")
    (axis,) = figure.axes
    np.testing.assert_array_equal(axis.lines[0].get_xydata(), [(1, 4), (3, 5)])
    bars = [bar.tolist() for bar in axis.collections[0].get_segments()]
    assert bars == [[[1, 2], [1, 6]], [[3, 5], [3, 5]]]
    plt.close(figure)


def test_a_table_of_checks_has_each_text_in_its_place_and_marks_on_color():
    texts, marked = {"well": ["1", "2"], "ill": ["3", "4"]}, {"well": [False, True], "ill": [False, False]}
    figure = charts.show_checks(texts, marked, ["a", "b"], "t")
    (axis,) = figure.axes
    assert {text.get_position(): text.get_text() for text in axis.texts} == {
        (0, 0): "1", (1, 0): "2", (0, 1): "3", (1, 1): "4"
    }  # fmt: skip
    on_color = [box.get_xy() for box in axis.patches if box.get_facecolor()[3]]
    assert on_color == [(0.5, -0.5)]
    assert [label.get_text() for label in axis.get_yticklabels()] == ["well", "ill"]
    plt.close(figure)


def test_a_mask_shows_who_may_look_at_what():
    allowed = np.array([[True, False], [True, True]])
    figure = schemes.mask(["<start>", "a"], allowed, (2, 3))
    words, picture = figure.axes
    blue = [box for box in words.patches if to_rgb(box.get_facecolor()) == to_rgb(plots.BLUE)]
    assert [(box.get_x() + 0.5, box.get_y() + 0.5) for box in blue] == [(0, 0), (0, 1), (1, 1)]
    assert picture.images[0].get_array().shape == (2, 3)
    plt.close(figure)


def test_the_illnesses_are_numbered_as_in_the_clinic():
    figure = schemes.illnesses()
    texts = [text.get_text().replace("\n", " ") for text in figure.axes[0].texts]
    numbered = dict(text.split(" ", 1) for text in texts if text[:1].isdigit())
    for number, name in enumerate([name for name in SICK if name != "healthy"], 1):
        assert numbered[str(number)].startswith(name), name
    assert len(numbered) == len(SICK) - 1
    plt.close(figure)


def test_patches_are_those_in_the_frame():
    picture = np.random.default_rng(0).integers(0, 255, (48, 64, 3), np.uint8)
    figure = schemes.patches(picture, 8)
    left, right = figure.axes
    [frame] = left.patches
    x, y = map(round, frame.get_xy())
    shown = [image.get_array() for image in right.images]
    framed = picture[y : y + 8, x : x + round(frame.get_width())]
    np.testing.assert_array_equal(np.concatenate(shown, axis=1), framed)
    plt.close(figure)


def test_decision_fusion_shows_the_mean_of_what_it_shows():
    figure = schemes.fusions()
    heights = [[bar.get_height() for bar in bars] for bars in figure.axes[1].containers]
    np.testing.assert_allclose(heights[2], np.mean(heights[:2], axis=0))
    assert np.isclose(np.sum(heights, axis=1), 1).all()
    plt.close(figure)

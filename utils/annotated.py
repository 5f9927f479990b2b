"""Pictures with what is known of them: captions beside references, boxes, and points that fall into them."""

from __future__ import annotations

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib import patheffects
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from utils.fonts import check_font
from utils.plots import ORANGE, show_pictures, wrap


def show_captions(
    pictures: Sequence[np.ndarray],
    captions: Sequence[str],
    notes: Sequence[str],
    colors: Sequence[str],
    columns: int = 4,
) -> Figure:
    """Each picture with its caption above, in a color of its own, and a note of any number of lines below."""
    titles = [wrap(caption, 32) for caption in captions]
    check_font([*titles, *notes])
    columns = min(columns, len(pictures))
    rows, side, gap = -(-len(pictures) // columns), 2.5, 0.4  # inches, like all below
    above, below = (max(text.count("\n") + 1 for text in some) * 0.18 + 0.1 for some in (titles, notes))
    wide, high = columns * (side + gap), rows * (above + side + below)
    # Of a fixed layout: one that makes room for text would make the pictures smaller.
    figure, axes = plt.subplots(rows, columns, figsize=(wide, high), squeeze=False, layout="none")
    figure.subplots_adjust(left=0, right=1 - gap / wide, top=1 - above / high, bottom=below / high)
    figure.subplots_adjust(wspace=gap / side, hspace=(above + below) / side)
    for axis in axes.flat:
        axis.axis("off")
    for axis, picture, title, note, color in zip(axes.flat, pictures, titles, notes, colors):
        axis.imshow(picture)
        axis.set_title(title, color=color, fontsize=10, parse_math=False)
        where = axis.transAxes
        axis.text(0, -0.03, note, va="top", transform=where, fontsize=9, color="#555555", parse_math=False)
    return figure


def show_boxes(
    pictures: Sequence[np.ndarray],
    boxes: Sequence[Sequence[Sequence[float]]],
    points: Sequence[Sequence[tuple[str, float, float]]],
    margin: float,
) -> Figure:
    """Each picture with its boxes [x0, y0, x1, y1] in pixels, a dotted line `margin` pixels around them, and
    crosses at its points (name, x, y)."""
    check_font([name for some in points for name, *_ in some])
    figure = show_pictures(pictures, size=3.2)
    outlined: list[patheffects.AbstractPathEffect] = [patheffects.withStroke(linewidth=4, foreground="white")]
    for axis, some, named in zip(figure.axes, boxes, points, strict=False):
        for x0, y0, x1, y1 in some:
            for grow, line in ((0, "-"), (margin, ":")):
                corner, wide, high = (x0 - grow, y0 - grow), x1 - x0 + 2 * grow, y1 - y0 + 2 * grow
                box = Rectangle(corner, wide, high, fill=False, linewidth=1.5, linestyle=line)
                box.set_path_effects(outlined)
                axis.add_patch(box)
        axis.set(xlim=axis.get_xlim(), ylim=axis.get_ylim())  # a margin may lie outside of the picture
        for name, x, y in named:
            axis.plot(x, y, "X", color=ORANGE, markersize=11, markeredgecolor="k")
            text = axis.annotate(name, (x, y), (8, 5), textcoords="offset points", fontsize=10)
            text.set_path_effects(outlined)
    return figure

"""Drawings of Part II: where captioners fall ill; readers of a grid, an LSTM, masks; encoders, and fusion."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from utils.fonts import check_font
from utils.parts import arrow, box, gates
from utils.plots import BLUE, GREEN, ORANGE, PURPLE, RED

SHADES = np.array([[0.15, 0.5, 0.3], [0.75, 0.9, 0.4], [0.25, 0.6, 0.15]])


def _grid(axis: Axes, x: float, y: float, shades: np.ndarray = SHADES, side: float = 0.5) -> None:
    """Squares in shades of orange, the upper left corner at (x, y)."""
    for (row, col), shade in np.ndenumerate(shades):
        at = x + side * col, y - side * (row + 1)
        axis.add_patch(Rectangle(at, side, side, facecolor=ORANGE, alpha=shade, edgecolor="none"))
        axis.add_patch(Rectangle(at, side, side, fill=False, edgecolor="#444444"))


def illnesses() -> Figure:
    """A captioner from picture to loss and caption; in red, where eight mistakes sit."""
    figure, axis = plt.subplots(figsize=(13, 4))
    names = [(0.6, 2.0, "picture", "#888888"), (3.2, 2.0, "encoder", ORANGE)]
    names += [(5.9, 2.0, "features", ORANGE), (8.8, 2.0, "decoder", BLUE)]
    names += [(11.5, 3.1, "loss", PURPLE), (11.5, 0.9, "search", GREEN), (14.0, 3.1, "captions", "#888888")]
    for x, y, name, color in names:
        box(axis, x, y, name, color)
    for left, right in ((1.3, 2.3), (4.1, 4.9), (6.9, 7.9)):
        arrow(axis, (left, 2), (right, 2))
    arrow(axis, (9.7, 2.1), (10.9, 3.0))
    arrow(axis, (9.7, 1.9), (10.7, 1.0))
    arrow(axis, (12.3, 0.9), (13.1, 0.9))
    axis.text(13.2, 0.9, "a caption", va="center")
    arrow(axis, (13.05, 3.1), (12.1, 3.1))
    arrow(axis, (11.5, 3.45), (8.8, 2.4), connectionstyle="arc3,rad=0.35", color=PURPLE)
    arrow(axis, (8.4, 1.65), (9.2, 1.65), connectionstyle="arc3,rad=1.4", color=BLUE)
    wrong = [(1.8, 2.7, "1 pictures\nnot prepared"), (5.9, 2.85, "2 features shuffled\nagainst captions")]
    wrong += [(7.4, 1.3, "3 features\nnever arrive"), (8.8, 0.75, "4 state dropped")]
    wrong += [(7.6, 2.75, "7 dropout\nleft on"), (12.4, 3.75, "5 padding in the loss")]
    wrong += [(9.6, 4.05, "6 learning rate too high"), (14.0, 2.3, "8 without\n<end>")]
    axis.text(9.2, 3.5, "training step", ha="right", va="center", color=PURPLE, fontsize=10)
    axis.text(9.3, 1.3, "state", va="center", color=BLUE, fontsize=10)
    for x, y, text in wrong:
        axis.text(x, y, text, ha="center", va="center", color=RED, fontsize=11, weight="bold")
    axis.set(xlim=(-0.4, 15.2), ylim=(0.1, 4.6))
    axis.axis("off")
    return figure


def readers() -> Figure:
    """The grid as a mean, as one long vector, swept over by two LSTMs, and kept for attention."""
    figure, axes = plt.subplots(1, 4, figsize=(13, 3.4))
    notes = ["mean: which position\nwas which is gone", "one long vector:\neach position has its place"]
    notes += ["bidirectional LSTM: reads\nthe grid, row by row", "attention: asks the grid\nbefore each word"]
    for axis, note in zip(axes, notes):
        _grid(axis, 0, 3.5)
        axis.set(xlim=(-0.6, 5.3), ylim=(-0.5, 3.7))
        axis.axis("off")
        axis.text(2.3, -0.45, note, ha="center", va="bottom")
    mean, long, sweep, attention = axes
    for row, col in np.ndindex(3, 3):
        arrow(mean, (0.25 + 0.5 * col, 3.25 - 0.5 * row), (3.2, 2.75), linewidth=0.6, color="#999999")
    _grid(mean, 3.3, 3, np.array([[SHADES.mean()]]))
    arrow(mean, (3.55, 2.4), (3.55, 1.6))
    box(mean, 3.55, 1.2, "LSTM", BLUE)
    arrow(long, (1.6, 2.75), (2.6, 2.75))
    _grid(long, 2.7, 2.9, SHADES.reshape(1, -1), 0.28)
    arrow(long, (3.9, 2.5), (3.9, 1.6))
    box(long, 3.9, 1.2, "LSTM", BLUE)
    for row in range(3):
        y = 3.25 - 0.5 * row
        arrow(sweep, (0.05, y + 0.1), (1.45, y + 0.1), color=PURPLE)
        arrow(sweep, (1.45, y - 0.1), (0.05, y - 0.1), color=GREEN)
    for y, color in ((3.05, GREEN), (2.05, PURPLE)):  # each leaves where its sweep ends
        arrow(sweep, (1.6, y + 0.2), (2.7, y + 0.2), color=color)
        sweep.add_patch(Rectangle((2.8, y), 0.5, 0.5, facecolor=color, edgecolor="k"))
        arrow(sweep, (3.4, y + 0.2), (4.0, 1.6))
    box(sweep, 4.0, 1.2, "LSTM", BLUE)
    for x, shade in ((0.4, 0.9), (2.2, 0.5), (4.0, 0.3)):
        box(attention, x, 1.0, "$h$", BLUE)
        arrow(attention, (0.4 + 0.42 * x / 2, 1.95), (x, 1.4), color=ORANGE, linewidth=1 + 2 * shade)
        attention.plot((x,), (1.42,), ".", color=ORANGE)
    for left, right in ((0.75, 1.85), (2.55, 3.65)):
        arrow(attention, (left, 1.0), (right, 1.0))
    return figure


def lstm_cell() -> Figure:
    """A long short-term memory: the cell state on top, three gates and a candidate below it."""
    figure, axis = plt.subplots(figsize=(9, 4.6))
    named = [(2.2, "$f$", "forget gate", RED), (4.4, "$i$", "input gate", BLUE)]
    named += [(6.6, r"$\tilde{c}$", "candidate", GREEN), (8.8, "$o$", "output gate", PURPLE)]
    gates(axis, 1.9, named)
    axis.plot((0.6, 8.8), (0.4, 0.4), color="#444444", linewidth=1.5)
    axis.text(0.6, 0.1, "input $x$ and output $h$ go into all four", va="top")
    arrow(axis, (-0.4, 0.4), (0.6, 0.4))
    axis.text(-0.5, 0.4, "$x, h$", ha="right", va="center", fontsize=16)
    for left, right in ((-0.4, 1.9), (2.5, 5.2), (5.8, 11.2)):
        arrow(axis, (left, 4.6), (right, 4.6))
    arrow(axis, (2.2, 2.3), (2.2, 4.3), color=RED)
    arrow(axis, (4.4, 2.3), (5.25, 3.15), color=BLUE)
    arrow(axis, (6.6, 2.3), (5.75, 3.15), color=GREEN)
    arrow(axis, (5.5, 3.65), (5.5, 4.3))
    arrow(axis, (8.8, 2.3), (9.75, 3.0), color=PURPLE)
    arrow(axis, (10, 4.6), (10, 3.55))
    axis.text(10.1, 4.1, r"$\tanh$", va="center", fontsize=13)
    arrow(axis, (10.3, 3.2), (11.2, 3.2))
    times = "\u00d7"
    for x, y, sign in ((2.2, 4.6, times), (5.5, 4.6, "+"), (5.5, 3.35, times), (10, 3.2, times)):
        circle = {"boxstyle": "circle,pad=0.15", "facecolor": "white", "edgecolor": "k"}
        axis.text(x, y, sign, ha="center", va="center", fontsize=14, bbox=circle)
    axis.text(-0.5, 4.6, "$c$", ha="right", va="center", fontsize=16)
    for y, name in ((4.6, "$c'$"), (3.2, "$h'$")):
        axis.text(11.3, y, name, va="center", fontsize=16)
    axis.text(2.35, 3.6, "how much stays", va="center", fontsize=10)
    axis.text(4.7, 3.0, "how much\ncomes in", ha="right", va="center", fontsize=10)
    axis.text(9.75, 2.5, "how much\nis shown", va="center", fontsize=10)
    axis.set(xlim=(-1.6, 12), ylim=(-0.5, 5.1))
    axis.axis("off")
    return figure


def decoder_block() -> Figure:
    """A block of a Transformer decoder: three parts, each normalized before and added to what came in."""
    figure, axis = plt.subplots(figsize=(12.5, 3.6))
    parts = [(2.6, "attention to\nthe words so far", BLUE, 1.0)]
    parts += [(6.8, "attention to\nthe picture", ORANGE, 0.8), (10.8, "two dense\nlayers", GREEN, 0.75)]
    before = -0.1
    axis.text(-0.2, 1, "words", ha="right", va="center")
    for x, text, color, half in parts:
        box(axis, x, 1, text, color, size=11)
        axis.plot((before + 0.25, before + 0.25, x + 1.55), (1, -0.1, -0.1), color="#444444", linewidth=1.5)
        arrow(axis, (x + 1.55, -0.1), (x + 1.55, 0.7))
        arrow(axis, (before, 1), (x - half, 1))
        axis.text((before + 0.25 + x - half) / 2, 1.12, "norm", ha="center", va="bottom", fontsize=9)
        arrow(axis, (x + half, 1), (x + 1.3, 1))
        circle = {"boxstyle": "circle,pad=0.1", "facecolor": "white", "edgecolor": "k"}
        axis.text(x + 1.55, 1, "+", ha="center", va="center", fontsize=12, bbox=circle)
        before = x + 1.8
    arrow(axis, (before, 1), (before + 0.6, 1))
    axis.text(before + 0.7, 1, "to the next\nblock", va="center")
    for x, text, color in (
        (2.6, "keys and values of the words so far:\nkept, one more at each step", BLUE),
        (6.8, "keys and values of the positions:\nmade once, by read", ORANGE),
    ):
        axis.text(x, 2.6, text, ha="center", va="bottom", fontsize=11)
        arrow(axis, (x, 2.5), (x, 1.6), color=color)
    axis.set(xlim=(-1.1, 14.6), ylim=(-0.3, 3.5))
    axis.axis("off")
    return figure


def mask(words: Sequence[str], allowed: np.ndarray, grid: tuple[int, int]) -> Figure:
    """Which words (columns) each word (rows) may look at, bool (words, words); and that it may look at the
    whole grid."""
    check_font(words)
    figure, (left, right) = plt.subplots(1, 2, figsize=(9.5, 4.2), width_ratios=(1.5, 1))
    count, said = len(words), list(words)
    for (row, col), may in np.ndenumerate(np.asarray(allowed)):
        face: dict[str, Any] = {"facecolor": BLUE if may else "white", "alpha": 0.6 if may else 1}
        left.add_patch(Rectangle((col - 0.5, row - 0.5), 1, 1, edgecolor="#bbbbbb", **face))
    left.set(xlim=(-0.5, count - 0.5), ylim=(count - 0.5, -0.5), aspect="equal", xlabel="looks at the word")
    left.set_title("the words of the caption")
    left.set(xticks=range(count), yticks=range(count), yticklabels=said, ylabel="the word")
    left.set_xticklabels(said, rotation=50, ha="right", rotation_mode="anchor")
    rows, cols = grid
    right.imshow(np.full(grid, 0.6), cmap="Oranges", vmin=0, vmax=1)
    right.set(xticks=np.arange(-0.5, cols), yticks=np.arange(-0.5, rows), xticklabels=[], yticklabels=[])
    right.set(xlabel="each word looks at every position", title="the grid of the picture")
    right.grid(color="white")
    for axis in (left, right):
        axis.tick_params(length=0)
    left.grid(False)
    return figure


def residual_block() -> Figure:
    """A bottleneck: three convolutions whose result is added to what came in."""
    figure, axis = plt.subplots(figsize=(12.5, 3.4))
    axis.text(-0.2, 1, "$x$", ha="right", va="center", fontsize=16)
    parts = [(2.0, "1 x 1\nmakes the\nvectors narrow", BLUE, 1.15), (4.4, "relu", GREEN, 0.45)]
    parts += [(6.1, "3 x 3", BLUE, 0.5), (7.8, "relu", GREEN, 0.45)]
    parts += [(10.1, "1 x 1\nmakes them\nwide again", BLUE, 0.95)]
    before = -0.1
    for x, text, color, half in parts:
        arrow(axis, (before, 1), (x - half - 0.05, 1))
        box(axis, x, 1, text, color, size=11)
        before = x + half + 0.05
    arrow(axis, (before, 1), (11.9, 1))
    axis.plot((0.3, 0.3, 12.2), (1, 2.5, 2.5), color=ORANGE, linewidth=2.5)
    arrow(axis, (12.2, 2.5), (12.2, 1.3), color=ORANGE, linewidth=2.5)
    shortcut = "shortcut: $x$ as it is (first block of a stage: through a 1 x 1 convolution of its own)"
    axis.text(6.2, 2.6, shortcut, ha="center", va="bottom", color=ORANGE)
    circle = {"boxstyle": "circle,pad=0.15", "facecolor": "white", "edgecolor": "k"}
    axis.text(12.2, 1, "+", ha="center", va="center", fontsize=14, bbox=circle)
    axis.plot((0.8, 0.8, 11.1, 11.1), (0.15, 0, 0, 0.15), color=BLUE)  # a bracket: all this is f
    axis.text(6.0, -0.1, "$f(x)$: what is to be added", ha="center", va="top", color=BLUE)
    arrow(axis, (12.5, 1), (13.0, 1))
    box(axis, 13.5, 1, "relu", GREEN, size=11)
    arrow(axis, (14.0, 1), (14.5, 1))
    axis.text(14.6, 1, "$\\mathrm{relu}(x + f(x))$", va="center", fontsize=15)
    axis.set(xlim=(-0.6, 17.2), ylim=(-0.7, 3.1))
    axis.axis("off")
    return figure


def patches(picture: np.ndarray, size: int) -> Figure:
    """A picture, uint8 (rows, cols, 3), cut into squares of `size` pixels; some of them, each as a vector."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(11, 3.6), width_ratios=(1, 2.1))
    left.imshow(picture)
    rows, cols, _ = picture.shape
    left.set(xticks=np.arange(size, cols, size) - 0.5, yticks=np.arange(size, rows, size) - 0.5)
    left.grid(color="white", linewidth=0.7)
    left.tick_params(length=0, labelleft=False, labelbottom=False)
    shown = min(6, cols // size)
    line, first = rows // size * 5 // 8, (cols // size - shown) // 2
    left.add_patch(
        Rectangle((first * size, line * size), shown * size, size, fill=False, edgecolor=RED, lw=2)
    )
    for i in range(shown):
        row, col = line * size, (first + i) * size
        right.imshow(picture[row : row + size, col : col + size], extent=(2 * i, 2 * i + 1.5, 3.4, 4.9))
        arrow(right, (2 * i + 0.75, 3.3), (2 * i + 0.75, 2.55))
        _grid(right, 2 * i + 0.5, 2.5, np.linspace(0.2, 0.9, 4)[[i % 4, (i + 2) % 4, (i + 1) % 4]][:, None])
    box(right, 5.75, 0.1, f"{'each position asks all others':^66}", BLUE)
    for i in range(shown):
        arrow(right, (2 * i + 0.75, 0.95), (2 * i + 0.75, 0.5))
    right.text(12.1, 4.15, "patches", va="center")
    right.text(12.1, 1.75, "a vector each,\nwith its place", va="center")
    right.set(xlim=(-0.2, 15), ylim=(-0.4, 5.1))
    right.axis("off")
    return figure


def fusions() -> Figure:
    """Feature fusion: two encoders before one decoder. Decision fusion: two decoders behind one encoder."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(13, 3.9))
    for axis, title in ((left, "feature fusion"), (right, "decision fusion")):
        axis.set(xlim=(-0.9, 9.3), ylim=(-0.3, 4.6), title=title)
        axis.axis("off")
    _picture(left, -0.7, 2.1)
    for y, name, color in ((3.2, "encoder", ORANGE), (1.0, "encoder", GREEN)):
        arrow(left, (0.35, 2.1), (1.0, y), color="#444444")
        box(left, 2.0, y, name, color)
        arrow(left, (3.0, y), (3.9, 2.1 + (y - 2.1) / 3))
    for (row, col), shade in np.ndenumerate(SHADES):
        for part, color in enumerate((ORANGE, GREEN)):
            at = 4.0 + 0.6 * col + 0.3 * part, 2.7 - 0.6 * row
            face: dict[str, Any] = {"facecolor": color, "alpha": shade if part else SHADES[col, row]}
            left.add_patch(Rectangle(at, 0.3, 0.6, edgecolor="none", **face))
        left.add_patch(
            Rectangle((4.0 + 0.6 * col, 2.7 - 0.6 * row), 0.6, 0.6, fill=False, edgecolor="#444444")
        )
    left.text(4.9, 1.2, "one grid, channels\nof both", ha="center", va="top", fontsize=11)
    arrow(left, (5.95, 2.4), (6.6, 2.4))
    box(left, 7.6, 2.4, "decoder", BLUE)
    _picture(right, -0.7, 2.1)
    arrow(right, (0.35, 2.1), (0.8, 2.1))
    box(right, 1.75, 2.1, "encoder", ORANGE)
    bars = {3.2: np.array([0.2, 0.7, 0.1]), 1.0: np.array([0.5, 0.4, 0.1])}
    for y, heights in bars.items():
        arrow(right, (2.75, 2.1), (3.5, y))
        box(right, 4.4, y, "decoder", BLUE if y > 2 else PURPLE)
        right.bar(5.85 + 0.35 * np.arange(3), heights, 0.3, bottom=y - 0.4, color=BLUE if y > 2 else PURPLE)
        arrow(right, (6.95, y), (7.5, 2.1 + (y - 2.1) / 3))
    right.bar(
        7.85 + 0.35 * np.arange(3), np.mean(list(bars.values()), axis=0), 0.3, bottom=1.75, color="#555555"
    )
    right.text(8.2, 1.5, "mean of the\nprobabilities", ha="center", va="top", fontsize=11)
    return figure


def _picture(axis: Axes, x: float, y: float) -> None:
    """A small picture, a meadow under a sky; its left side at x, its middle at y."""
    for bottom, height, color in ((y - 0.5, 0.45, GREEN), (y - 0.05, 0.55, "#a8d0f0")):
        axis.add_patch(Rectangle((x, bottom), 1, height, facecolor=color, edgecolor="none"))
    axis.add_patch(Rectangle((x + 0.3, y - 0.3), 0.4, 0.35, facecolor=RED, edgecolor="k"))
    axis.add_patch(Rectangle((x, y - 0.5), 1, 1, fill=False, edgecolor="k"))

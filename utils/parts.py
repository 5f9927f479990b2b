"""Drawings of parts: a receptive field; word vectors, a GRU cell, attention, a decoder word by word."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from utils.fonts import check_font
from utils.plots import BLUE, GREEN, ORANGE, PURPLE, RED

_ARROW: dict[str, Any] = {"arrowstyle": "-|>", "color": "#444444", "linewidth": 1.5, "mutation_scale": 14}


def arrow(axis: Axes, start: tuple[float, float], end: tuple[float, float], **style: Any) -> None:
    """From one point to another."""
    axis.annotate("", end, start, arrowprops={**_ARROW, "shrinkA": 0, "shrinkB": 0, **style})


def box(axis: Axes, x: float, y: float, text: str, color: str, size: float = 13) -> None:
    """White text in a round box, its middle at (x, y)."""
    style = {"boxstyle": "round,pad=0.4", "facecolor": color, "edgecolor": "k"}
    axis.text(x, y, text, ha="center", va="center", fontsize=size, color="white", bbox=style)


def _cell(axis: Axes, x: float, y: float, text: str, color: str, strength: float) -> None:
    """A square with its upper left corner at (x, y), in the color from white (0) to full (1)."""
    face = Rectangle((x, y - 1), 1, 1, facecolor=color, alpha=strength, edgecolor="none")
    for patch in (face, Rectangle((x, y - 1), 1, 1, fill=False, edgecolor="#444444")):
        axis.add_patch(patch)
    axis.text(x + 0.5, y - 0.5, text, ha="center", va="center", fontsize=10)


def _cells(
    axis: Axes, x: float, y: float, numbers: np.ndarray, color: str, most: float, digits: int = 1
) -> None:
    """A number in each square: the further from 0 the stronger its color, up to `most`."""
    for (row, col), number in np.ndenumerate(numbers):
        said = f"{round(number, digits) + 0.0:.{digits}f}".replace("-", "\u2212")  # 0.0: never "-0.0"
        _cell(axis, x + col, y - row, said, color, min(0.7, 0.7 * abs(number) / most))


def receptive_field() -> Figure:
    """A line of pixels under a convolution, a pooling and a convolution, and all that one place at the top
    depends on, in color."""
    pixels, chosen = 12, 2  # the chosen place at the top: what it sees does not reach the border
    layers = (("pixels", 1, 1), ("convolution", 3, 1), ("pooling", 2, 2), ("convolution", 3, 1))
    figure, axis = plt.subplots(figsize=(0.6 * pixels + 2.8, 4.2))
    steps = np.cumprod([stride for *_, stride in layers])  # how many pixels apart two neighbors lie
    sides = np.cumsum([1, *((window - 1) * step for (_, window, _), step in zip(layers[1:], steps))])
    seen = {chosen}
    for y, (name, window, stride) in reversed(list(enumerate(layers))):
        middle = (np.arange(pixels // steps[y]) + 0.5) * steps[y]
        for place, x in enumerate(middle):
            face: dict[str, Any] = {"facecolor": ORANGE if place in seen else "white", "edgecolor": "#444444"}
            axis.add_patch(Rectangle((x - 0.4, 1.4 * y), 0.8, 0.5, **face))
        below: set[int] = set()
        for place in sorted(seen) if y else ():
            start = place * stride - (window // 2 if stride == 1 else 0)
            inputs = range(start, start + window)
            for x in (np.array(inputs) + 0.5) * steps[y - 1]:
                axis.plot((middle[place], x), (1.4 * y, 1.4 * y - 0.9), color=ORANGE, linewidth=1.2, zorder=0)
            below |= set(inputs)
        axis.text(-0.3, 1.4 * y + 0.25, name, ha="right", va="center", style="italic")
        note = f"each sees {sides[y]} pixel" + "s" * (y > 0)
        axis.text(pixels + 0.3, 1.4 * y + 0.25, note, va="center")
        seen = below
    axis.set(xlim=(-2.6, pixels + 3.2), ylim=(-0.1, 1.4 * (len(layers) - 1) + 0.6))
    axis.axis("off")
    return figure


def embedding(words: Sequence[str], table: np.ndarray, chosen: int) -> Figure:
    """A look-up as a product: the one-hot vector of a word, times the table of word vectors, is a row.

    words   of the first rows of the table, in the order of their numbers
    table   float (words, numbers of a vector)
    chosen  the row that is looked up
    """
    check_font(words)
    rows, cols = table.shape
    figure, axis = plt.subplots(figsize=(0.5 * (2 * cols + 8.5), 0.5 * (rows + 2.1)))
    for row, word in enumerate(words):
        bold = "bold" if row == chosen else None
        axis.text(-0.3, -row - 0.5, f"{word}  {row}", ha="right", va="center", weight=bold)
    most = np.abs(table).max()
    _cells(axis, 0, 0, np.eye(rows)[:, [chosen]], GREEN, 1, digits=0)
    _cells(axis, 3, 0, table, BLUE, most)
    _cells(axis, cols + 5, -chosen, table[[chosen]], BLUE, most)
    axis.text(2, -rows / 2, "\u00d7", ha="center", va="center", fontsize=20)
    axis.add_patch(Rectangle((3, -chosen - 1), cols, 1, fill=False, edgecolor=RED, linewidth=3, zorder=3))
    arrow(axis, (cols + 3.2, -chosen - 0.5), (cols + 4.8, -chosen - 0.5), linewidth=2)
    found = f"the vector of '{words[chosen]}'"
    for x, y, note in ((0.5, 0, "one-hot"), (3 + cols / 2, 0, "table"), (cols * 1.5 + 5, -chosen, found)):
        axis.text(x, y + 0.25, note, ha="center", va="bottom", style="italic")
    axis.text(0.5, -rows - 0.2, "...", ha="center", va="top")
    axis.text(3 + cols / 2, -rows - 0.2, "...", ha="center", va="top")
    axis.set(xlim=(-3, 2 * cols + 5.5), ylim=(-rows - 0.9, 1.2), aspect="equal")
    axis.axis("off")
    return figure


def gates(axis: Axes, y: float, named: Sequence[tuple[float, str, str, str]]) -> None:
    """A row of boxes at the height y, each (x, name, note, color), with its note and an arrow into it."""
    for x, name, note, color in named:
        box(axis, x, y, f"  {name}  ", color, 16)
        axis.text(x + 0.12, y - 0.68, note, va="top", fontsize=11)
        arrow(axis, (x, y - 1.5), (x, y - 0.45))


def gru_cell() -> Figure:
    """A gated recurrent unit: two gates and a candidate, and how the next state is made from them."""
    figure, axis = plt.subplots(figsize=(8.6, 4.4))
    candidate = 8.6, r"$\tilde{h}$", "candidate", GREEN
    gates(axis, 2, [(3.4, "$z$", "update gate", BLUE), (6.0, "$r$", "reset gate", PURPLE), candidate])
    axis.plot((1, 8.6), (0.5, 0.5), color="#444444", linewidth=1.5)  # x and h go to all three
    axis.plot((1, 1), (0.5, 5), color="#444444", linewidth=1.5)
    axis.text(1, 0.2, "input $x$ and state $h$ go into all three", va="top")
    arrow(axis, (-0.2, 0.5), (1, 0.5))
    axis.text(-0.4, 0.5, "$x$", ha="right", va="center", fontsize=16)
    arrow(axis, (6.45, 2), (8.1, 2), color=PURPLE)
    axis.text(7.25, 2.12, "how much\nof $h$ it sees", ha="center", va="bottom", fontsize=10)
    for left, right in ((-0.2, 3.1), (3.7, 8.3), (8.9, 10.2)):
        arrow(axis, (left, 5), (right, 5))
    for low, high in ((2.5, 3.4), (4.0, 4.7)):
        arrow(axis, (8.6, low), (8.6, high))
    arrow(axis, (3.4, 2.45), (3.4, 4.7), color=BLUE)
    arrow(axis, (3.4, 3.7), (8.3, 3.7), color=BLUE)
    for x, y, sign in ((3.4, 5, "\u00d7"), (8.6, 5, "+"), (8.6, 3.7, "\u00d7")):
        circle = {"boxstyle": "circle,pad=0.15", "facecolor": "white", "edgecolor": "k"}
        axis.text(x, y, sign, ha="center", va="center", fontsize=14, bbox=circle)
    axis.text(3.55, 4.35, "$z$: how much of $h$ stays", va="center")
    axis.text(3.7, 3.4, r"$1 - z$: how much of $\tilde{h}$ comes in", va="center")
    axis.text(-0.4, 5, "$h$", ha="right", va="center", fontsize=16)
    axis.text(10.4, 5, "$h'$", va="center", fontsize=16)
    axis.set(xlim=(-1, 11), ylim=(-0.4, 5.5))
    axis.axis("off")
    return figure


def attention_step(
    names: Sequence[Sequence[str]],
    scores: np.ndarray,
    weights: np.ndarray,
    query: str,
    context: Mapping[str, float],
) -> Figure:
    """One step of attention on a small grid: compare with the query, softmax, weighted sum.

    names    what is at each position, (rows, cols)
    scores, weights  of each position, (rows, cols)
    context  the numbers of the context vector by what they stand for
    """
    rows, wide = np.shape(scores)
    figure, axis = plt.subplots(figsize=(11, 0.62 * rows + 1.5))
    colors = {"red": RED, "blue": BLUE, "green": GREEN, "yellow": ORANGE}
    lefts = [0, wide + 2.2, 2 * wide + 4.4, 3 * wide + 6.8]
    for (row, col), name in np.ndenumerate(np.array(names)):
        _cell(axis, col, rows - row, str(name), colors.get(str(name), "white"), 0.75)
    _cells(axis, lefts[1], rows, scores, "white", 1)
    _cells(axis, lefts[2], rows, weights, ORANGE, weights.max(), digits=2)
    top = rows / 2 + len(context) / 2
    _cells(axis, lefts[3] + 1.2, top, np.array(list(context.values()))[:, None], ORANGE, 1, digits=2)
    for number, name in enumerate(context):
        axis.text(lefts[3] + 1, top - number - 0.5, name, ha="right", va="center")
    for left, note in zip(lefts[:3], ("values", "scores", "weights, sum 1")):
        axis.text(left + wide / 2, rows + 0.2, note, ha="center", va="bottom", style="italic")
    axis.text(lefts[3] + 1.4, top + 0.2, "context", ha="center", va="bottom", style="italic")
    steps = ("compare", "softmax", "weighted\nsum")
    for left, note in zip(lefts, steps):
        arrow(axis, (left + wide + 0.25, rows / 2), (left + wide + 1.95, rows / 2), linewidth=2)
        axis.text(left + wide + 1.1, rows / 2 + 0.2, note, ha="center", va="bottom", fontsize=10)
    box(axis, wide + 1.1, -0.55, f"query: {query}", "#444444", 11)
    arrow(axis, (wide + 1.1, -0.1), (wide + 1.1, rows / 2 - 0.1), linewidth=2)
    axis.set(xlim=(-0.2, lefts[3] + 2.6), ylim=(-1, rows + 0.9), aspect="equal")
    axis.axis("off")
    return figure


def unrolled(reads: Sequence[str], writes: Sequence[str], title: str) -> Figure:
    """A decoder word by word: it reads the word below, asks attention for a context, and should write the
    word above; its state goes to the right. The first state, and every context, come from the picture."""
    check_font(reads)
    figure, axis = plt.subplots(figsize=(1.3 * len(reads) + 2.2, 4))
    axis.plot((-1, len(reads) - 1.5), (0.65, 0.65), color=ORANGE)  # the picture is there for every word
    for x, (read, write) in enumerate(zip(reads, writes, strict=True)):
        arrow(axis, (x - 0.5, 0.65), (x - 0.5, 1.12), color=ORANGE)
        arrow(axis, (x - 0.9, 2.3), (x - 0.58, 1.65), linestyle="--")
        arrow(axis, (x - 0.02, 0.85), (x - 0.25, 1.2), linestyle="--")
        arrow(axis, (x - 0.42, 1.6), (x - 0.12, 2.25), color=ORANGE)
        arrow(axis, (x - 0.75, 2.5), (x - 0.25, 2.5))
        arrow(axis, (x, 0.2), (x, 2.2))
        arrow(axis, (x, 2.8), (x, 3.4))
        box(axis, x - 0.5, 1.35, f"$c_{{{x + 1}}}$", ORANGE)
        box(axis, x, 2.5, f"$h_{{{x + 1}}}$", BLUE)
        axis.text(x, 0, read, ha="center", va="center")
        axis.text(x, 3.6, write, ha="center", va="center", color=BLUE, weight="bold")
    arrow(axis, (-1, 0.65), (-1, 2.2), color=ORANGE)
    box(axis, -1, 2.5, "$h_0$", BLUE)
    axis.text(-1, 0.45, "picture", ha="center", va="top", weight="bold")
    for y, name in ((0, "reads"), (1.35, "context"), (2.5, "state"), (3.6, "should\nwrite")):
        axis.text(-1.9, y, name, ha="center", va="center", style="italic")
    axis.set(xlim=(-2.4, len(reads) - 0.4), ylim=(-0.3, 4), title=title)
    axis.axis("off")
    return figure

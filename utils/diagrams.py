"""Drawings of ideas: how a model is built, how a search goes. In the style of `utils.plots`, without data."""

from __future__ import annotations

from collections.abc import Sequence

import matplotlib.pyplot as plt
from matplotlib.figure import Figure

from utils.fonts import check_font
from utils.plots import BLUE, ORANGE


def show_tree(levels: Sequence[Sequence[Sequence[str]]], best: Sequence[str], title: str) -> Figure:
    """The beginnings that a beam search kept, as a tree that grows to the right.

    levels  for each step the beginnings alive after it, best first, each a list of words
    best    the caption that won; its words stand on blue
    """
    check_font(best)
    figure, axis = plt.subplots(figsize=(1.45 * len(levels) + 0.6, 0.62 * max(map(len, levels)) + 0.8))
    places: dict[tuple[str, ...], tuple[float, float]] = {(): (-0.6, (max(map(len, levels)) - 1) / 2)}
    for step, level in enumerate(levels):
        for row, words in enumerate(map(tuple, level)):
            if words in places:  # a finished caption, carried on from the step before
                continue
            places[words] = (step, row)
            won = words == tuple(best[: len(words)])
            (x, y), (parent_x, parent_y) = places[words], places[words[:-1]]
            color, width = (BLUE, 2) if won else ("#999999", 1)
            axis.plot((parent_x, x), (parent_y, y), zorder=1 + won, color=color, linewidth=width)
            box = {"boxstyle": "round,pad=0.25", "linewidth": 1}
            box |= {"facecolor": BLUE if won else "white", "edgecolor": BLUE if won else "#999999"}
            color = "white" if won else "black"
            axis.text(x, y, words[-1], ha="center", va="center", color=color, bbox=box, zorder=3)
    axis.set(xlim=(-0.7, len(levels) - 0.4), title=title)
    axis.set_ylim(max(map(len, levels)) - 0.4, -0.6)
    axis.axis("off")
    return figure


def show_unrolled(reads: Sequence[str], writes: Sequence[str], title: str) -> Figure:
    """A decoder, word by word: what it reads below, what it should write above, its state going right, and
    the picture at every word."""
    check_font(reads)
    figure, axis = plt.subplots(figsize=(1.15 * len(reads) + 1.2, 3))
    arrow = {"arrowstyle": "-|>", "color": "#666666", "linewidth": 1.5, "shrinkA": 12, "shrinkB": 12}
    first = {"color": ORANGE, "shrinkA": 30}
    box = {"boxstyle": "round,pad=0.35", "facecolor": BLUE, "edgecolor": BLUE}
    axis.text(-1, 1, "picture", ha="center", va="center", color=ORANGE)
    axis.plot((-1, len(reads) - 1.3), (1.55, 1.55), color=ORANGE)  # it is there for every word
    axis.plot((-1, -1), (1.2, 1.55), color=ORANGE)
    for x, (read, write) in enumerate(zip(reads, writes, strict=True)):
        axis.annotate("", (x, 1), (x - 1, 1), arrowprops=arrow | (first if x == 0 else {}))
        axis.annotate("", (x, 1), (x, 0), arrowprops=arrow)
        axis.annotate("", (x, 2), (x, 1), arrowprops=arrow)
        axis.annotate("", (x, 1), (x - 0.3, 1.57), arrowprops=arrow | {"color": ORANGE, "shrinkA": 0})
        axis.text(x, 1, f"$h_{{{x + 1}}}$", ha="center", va="center", color="white", bbox=box)
        axis.text(x, 0, read, ha="center", va="center")
        axis.text(x, 2, write, ha="center", va="center", color=BLUE)
    for y, name in ((0, "reads"), (2, "writes")):
        axis.text(-1, y, name, ha="center", va="center", style="italic")
    axis.set(xlim=(-1.5, len(reads) - 0.4), ylim=(-0.3, 2.3), title=title)
    axis.axis("off")
    return figure

"""Charts of Part II: what is taken for what, words that are wrong, and one measure against another."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from utils.fonts import check_font, width
from utils.plots import MARKERS, ORANGE


def show_words(
    captions: Sequence[Sequence[str]], wrong: Sequence[Sequence[str]], names: Sequence[str]
) -> Figure:
    """Captions in rows, a name before each; what is wrong with a word, where its text is not empty, stands
    below it, and the word on orange."""
    check_font([word for words in captions for word in words])
    wide = max(sum(width(word) + 0.6 for word in words) for words in captions)
    margin = max(map(width, names)) + 1
    inches = min(12.5, 0.105 * (wide + margin))  # a long caption is drawn smaller
    figure, axis = plt.subplots(figsize=(inches, 0.62 * len(captions) + 0.2))
    size = 11 * inches / (0.105 * (wide + margin))
    for y, (name, words, faults) in enumerate(zip(names, captions, wrong, strict=True)):
        axis.text(-1, y, name, ha="right", va="center", fontsize=size, style="italic")
        x = 0.0
        for word, fault in zip(words, faults, strict=True):
            middle = x + width(word) / 2
            axis.text(middle, y, word, ha="center", va="center", size=size, weight="bold" if fault else None)
            if fault:
                box = Rectangle((x, y - 0.24), width(word), 0.48, facecolor=ORANGE, alpha=0.55, edgecolor="k")
                axis.add_patch(box)
                axis.text(
                    middle, y + 0.42, fault, ha="center", va="center", size=0.75 * size, color="#555555"
                )
            x += width(word) + 0.6
    axis.set(xlim=(-margin, wide), ylim=(len(captions) - 0.35, -0.5))
    axis.axis("off")
    return figure


def show_confusions(
    panels: Mapping[str, tuple[Sequence[str], np.ndarray]], xlabel: str, ylabel: str, size: float = 3.6
) -> Figure:
    """For each name its labels and a matrix of how often the row's was taken for the column's. The darker,
    the larger the share of the row; the number stands in the cell where there is any."""
    figure, axes = plt.subplots(
        1, len(panels), figsize=(size * len(panels) + 0.4, size + 0.7), squeeze=False, layout="constrained"
    )
    for axis, (name, (labels, counts)) in zip(axes[0], panels.items(), strict=True):
        shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
        axis.imshow(shares, cmap="Blues", vmin=0, vmax=1)
        for row, column in zip(*np.nonzero(counts)):
            color = "white" if shares[row, column] > 0.6 else "k"
            weight = "bold" if row != column else None
            text = f"{counts[row, column]:.0f}"
            axis.text(column, row, text, ha="center", va="center", fontsize=9, color=color, weight=weight)
        axis.set(title=name, xlabel=xlabel, yticks=range(len(labels)), xticks=range(len(labels)))
        axis.set_yticklabels(labels, fontsize=9)
        axis.set_xticklabels(labels, fontsize=9, rotation=60, ha="right", rotation_mode="anchor")
        axis.grid(False)
    axes[0, 0].set_ylabel(ylabel)
    return figure


def show_paths(
    paths: Mapping[str, Sequence[tuple[float, float | Sequence[float], str]]],
    title: str,
    xlabel: str,
    ylabel: str,
    diagonal: bool = False,
) -> Figure:
    """Each name's points (x, y, what stands beside it) in their order, joined by a line; with `diagonal`, a
    line where both measures are equal. Where y is several numbers, the point is at their mean, and a bar goes
    from the lowest to the highest."""
    figure, axis = plt.subplots(figsize=(7, 4.2))
    for (name, points), marker in zip(paths.items(), itertools.cycle(MARKERS)):
        x, several, notes = zip(*points)
        y = [np.mean(some) for some in several]
        [line] = axis.plot(x, y, marker=marker, markersize=7, markeredgecolor="k", label=name)
        bars = [np.min(some) for some in several], [np.max(some) for some in several]
        axis.vlines(x, *bars, color=line.get_color(), linewidth=4, alpha=0.4)
        for one in zip(notes, zip(x, y)):
            axis.annotate(*one, (7, 5), textcoords="offset points", fontsize=9)
    if diagonal:
        axis.axline((x[-1], x[-1]), slope=1, color="#999999", linestyle="--", linewidth=1, zorder=0)
    axis.set(title=title, xlabel=xlabel, ylabel=ylabel)
    axis.margins(0.08)
    axis.legend(frameon=False, loc="center left", bbox_to_anchor=(1, 0.5))
    return figure


def show_checks(
    texts: Mapping[str, Sequence[str]],
    marked: Mapping[str, Sequence[bool]],
    columns: Sequence[str],
    title: str,
) -> Figure:
    """A table: a text for each row and column, on orange where it is marked."""
    check_font([*texts, *columns])
    figure, axis = plt.subplots(figsize=(0.82 * len(columns) + 3, 0.36 * len(texts) + 1.6))
    for y, (row, cells) in enumerate(texts.items()):
        for x, (text, mark) in enumerate(zip(cells, marked[row], strict=True)):
            face = (*to_rgb(ORANGE), 0.55) if mark else "none"
            axis.add_patch(Rectangle((x - 0.5, y - 0.5), 1, 1, facecolor=face, edgecolor="#bbbbbb"))
            axis.text(x, y, text, ha="center", va="center", fontsize=10, weight="bold" if mark else None)
    axis.set(xlim=(-0.5, len(columns) - 0.5), ylim=(len(texts) - 0.5, -0.5), title=title)
    axis.set(xticks=range(len(columns)), yticks=range(len(texts)), yticklabels=list(texts))
    axis.set_xticklabels(columns, rotation=40, ha="right", rotation_mode="anchor")
    axis.tick_params(length=0)
    axis.grid(False)
    return figure

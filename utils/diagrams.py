"""Drawings of ideas: how a model is built, how a search goes. In the style of `utils.plots`, without data."""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Mapping, Sequence
from difflib import SequenceMatcher
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from utils.fonts import check_font, width
from utils.plots import BLUE, GREEN, ORANGE

_HATCHED: dict[str, Any] = {"facecolor": "#e8e8e8", "hatch": "////", "edgecolor": "#aaaaaa", "linewidth": 0}


def show_tree(levels: Sequence[Sequence[Sequence[str]]], best: Sequence[str], title: str) -> Figure:
    """The beginnings that a beam search kept, as a tree that grows to the right.

    levels  for each step the beginnings alive after it, best first, each a list of words; where the first
            level given is not the first of the search, the last three words of its beginnings are shown
    best    the caption that won; its words stand on blue
    A finished caption has no children: a dotted line goes on from it for as long as it is kept.
    """
    check_font(best)
    most = max(map(len, levels))
    figure, axis = plt.subplots(figsize=(1.45 * len(levels) + 0.6, 0.62 * most + 0.8))
    places: dict[tuple[str, ...], tuple[float, float]] = {(): (-0.6, (most - 1) / 2)}
    for step, level in enumerate(levels):
        for row, words in enumerate(map(tuple, level)):
            won = words == tuple(best[: len(words)])
            color, width = (BLUE, 2) if won else ("#999999", 1)
            before = places.get(words) or places.get(words[:-1])
            if before:
                style = ":" if words in places else "-"
                axis.plot(*zip(before, (step, row)), style, color=color, linewidth=width, zorder=1 + won)
            if words not in places:
                text = words[-1] if before else "... " + "\n".join(textwrap.wrap(" ".join(words[-3:]), 14))
                box = {"boxstyle": "round,pad=0.25", "linewidth": 1}
                box |= {"facecolor": BLUE if won else "white", "edgecolor": BLUE if won else "#999999"}
                color = "white" if won else "black"
                axis.text(step, row, text, ha="center", va="center", color=color, bbox=box, zorder=3)
            places[words] = (step, row)
    axis.set(xlim=(-0.7, len(levels) - 0.4), title=title)
    axis.set_ylim(most - 0.4, -0.6)
    axis.axis("off")
    return figure


def system(
    picture: np.ndarray,
    words: Sequence[str],
    grid: tuple[int, int, int] = (7, 7, 512),
    looks: int | None = None,
) -> Figure:
    """The whole system, from left to right: picture, encoder, grid of features, attention, GRU, words.

    words  the caption so far, two at least; the last is the one that is being written
    grid   rows, columns and channels of the features
    looks  the position on the grid that attention looks at most, counted row by row; else the middle
    """
    check_font(words)
    rows, cols, channels = grid
    figure, axis = plt.subplots(figsize=(11, 3.4))
    arrow = {"arrowstyle": "-|>", "color": "#444444", "linewidth": 2, "mutation_scale": 18}
    axis.imshow(picture, extent=(0, 2.4, 1.3, 3.7))
    for block, side in enumerate((2.4, 1.8, 1.3, 0.9, 0.6)):  # each has a smaller map than the one before
        corner = (3.2 + 0.36 * block, 2.5 - side / 2)
        axis.add_patch(Rectangle(corner, 0.26, side, facecolor=BLUE, edgecolor="k"))
    peak = np.reshape(divmod(rows * cols // 2 if looks is None else looks, cols), (2, 1, 1))
    weights = np.exp(-np.hypot(*(np.indices((rows, cols)) - peak)))
    axis.imshow(weights, extent=(5.7, 8.1, 1.3, 3.7), cmap="Oranges", vmin=0, vmax=1.2)
    axis.hlines(np.linspace(1.3, 3.7, rows + 1), 5.7, 8.1, color="#444444", linewidth=0.8)
    axis.vlines(np.linspace(5.7, 8.1, cols + 1), 1.3, 3.7, color="#444444", linewidth=0.8)
    for x, name, color in ((9.9, "attention", ORANGE), (12.6, "GRU", GREEN)):
        box = {"boxstyle": "round,pad=0.6", "facecolor": color, "edgecolor": "k"}
        axis.text(x, 2.5, name, ha="center", va="center", fontsize=14, bbox=box)
    for start, end in ((2.5, 3.1), (5.0, 5.6), (8.2, 8.85), (10.95, 11.95), (13.25, 13.95)):
        axis.annotate("", (end, 2.5), (start, 2.5), arrowprops=arrow)
    axis.annotate("", (9.9, 3.0), (12.5, 3.0), arrowprops=arrow | {"connectionstyle": "arc3,rad=0.4"})
    axis.annotate("", (12.7, 2.0), (14.6, 2.1), arrowprops=arrow | {"connectionstyle": "arc3,rad=-0.5"})
    for line, word in enumerate(words[::-1]):  # the newest where the arrow points, the older ones above
        color, weight = ("#666666", "normal") if line else (BLUE, "bold")
        axis.text(14.05, 2.5 + 0.55 * line, word, fontsize=15, va="center", color=color, weight=weight)
    notes = (
        (1.2, 3.9, "picture"),
        (4.1, 3.9, "encoder"),
        (4.1, 0.4, "trained without\ncaptions"),
        (6.9, 3.9, "features"),
        (6.9, 0.4, f"{rows} x {cols} positions,\n{channels} channels"),
        (11.2, 3.75, "state: what has been written"),
        (11.45, 2.62, "context"),
        (13.6, 0.4, "each word goes back in\nfor the next one"),
    )
    for x, y, note in notes:
        axis.text(x, y, note, ha="center", va="bottom")
    axis.set(xlim=(-0.2, 15.8), ylim=(0.2, 4.6))
    axis.axis("off")
    return figure


def ngram_matches(hypothesis: Sequence[str], references: Sequence[Sequence[str]]) -> Figure:
    """What a caption, in the first row, shares with its references below it.

    A word that the other side has too stands in a box, as often as both have it; the longest run of words
    in the same order as in the caption on blue; in the first row, the longest run of any reference.
    """
    check_font([word for words in (hypothesis, *references) for word in words])
    most: Counter = Counter()
    for words in references:
        most |= Counter(words)
    pairs = [SequenceMatcher(None, hypothesis, words, autojunk=False) for words in references]
    found = [pair.find_longest_match() for pair in pairs]
    best = max(found, key=lambda run: run.size)
    rows = [("hypothesis", hypothesis, most, best.a, best.size)]
    for number, (words, run) in enumerate(zip(references, found), 1):
        rows.append((f"reference {number}", words, Counter(hypothesis), run.b, run.size))
    wide = max(sum(width(word) + 0.8 for word in words) for _, words, *_ in rows)
    inches = min(12.5, 0.105 * (wide + 14) + 0.2)  # a long caption is drawn smaller
    figure, axis = plt.subplots(figsize=(inches, 0.36 * len(rows) + 0.5))
    size = 11 * inches / (0.105 * (wide + 14) + 0.2)
    for y, (name, words, limits, start, length) in enumerate(rows):
        axis.text(-1, y, name, ha="right", va="center", fontsize=size, style="italic")
        x, left = 0.0, Counter(limits)
        left.subtract(words[start : start + length])  # words of the run have their matches first
        for at, word in enumerate(words):
            inside = start <= at < start + length
            shared = not inside and left[word] > 0
            left[word] -= shared
            if shared or inside:
                joined = 0.8 * (inside and at + 1 < start + length)
                box = Rectangle((x, y - 0.36), width(word) + joined, 0.72, edgecolor=BLUE, linewidth=1.5)
                box.set_facecolor(BLUE if inside else "white")
                axis.add_patch(box)
            color, weight = "white" if inside else "k" if shared else "#777777", "bold" if inside else None
            middle = x + width(word) / 2
            axis.text(middle, y, word, ha="center", va="center", size=size, color=color, weight=weight)
            x += width(word) + 0.8
        axis.text(x + 0.5, y, f"run of {length}", va="center", fontsize=size, style="italic")
    axis.set(xlim=(-12, wide + 8), ylim=(len(rows) - 0.4, -0.6))
    axis.axis("off")
    return figure


def pyramid(picture: np.ndarray, maps: Sequence[np.ndarray], names: Sequence[str]) -> Figure:
    """A picture and the maps of a convolutional network, each smaller and with more channels than the last.

    maps  (rows, cols, channels) each; of every map the channel that varies most is shown
    """
    figure, axis = plt.subplots(figsize=(11, 3.2))
    shapes = [picture.shape, *(one.shape for one in maps)]
    shown = [picture, *(one[:, :, one.std(axis=(0, 1)).argmax()] for one in maps)]
    x = 0.0
    for number, (image, shape, name) in enumerate(zip(shown, shapes, ("picture", *names), strict=True)):
        side = 2.6 * 0.82**number
        axis.imshow(image, extent=(x, x + side, -side / 2, side / 2), cmap="viridis", interpolation="nearest")
        text = f"{name}\n{' x '.join(map(str, shape))}"
        axis.text(x + side / 2, -1.5, text, ha="center", va="top", fontsize=10)
        if number:
            axis.annotate("", (x - 0.05, 0), (x - 0.55, 0), arrowprops={"arrowstyle": "-|>", "linewidth": 2})
        x += side + 0.6
    axis.set(xlim=(-0.1, x), ylim=(-2.1, 1.4), aspect="equal")
    axis.axis("off")
    return figure


def array_file(pictures: Sequence[np.ndarray], header: int, row: int, positions: int) -> Figure:
    """How the first pictures lie in a `.npy` file: the header, then a row of `positions` vectors for each.

    header, row  bytes
    """
    figure, axis = plt.subplots(figsize=(10, 2.9))
    axis.add_patch(Rectangle((0, 0), 0.8, 0.8, facecolor="#cccccc", edgecolor="k"))
    axis.text(0.4, 0.4, "header", ha="center", va="center", fontsize=10)
    for number, picture in enumerate(pictures):
        left = 0.8 + 3 * number
        for cell, text in enumerate(("1", "2", "3", "...", str(positions))):
            color = "white" if text == "..." else BLUE if number % 2 == 0 else ORANGE
            x = left + 0.6 * cell
            axis.add_patch(Rectangle((x, 0), 0.6, 0.8, facecolor=color, alpha=0.6, edgecolor="k"))
            axis.text(x + 0.3, 0.4, text, ha="center", va="center", fontsize=10)
        axis.plot((left, left), (-0.25, 0), color="k", linewidth=1.5)
        axis.text(left, -0.3, f"byte {header + number * row:,}", va="top")
        axis.imshow(picture, extent=(left + 0.7, left + 2.3, 1, 2.6))
    axis.text(left + 3.1, 0.4, "...", va="center", fontsize=20)
    axis.set(xlim=(-0.1, left + 3.6), ylim=(-0.9, 2.7), aspect="equal")
    axis.axis("off")
    return figure


def padding(lengths: Sequence[int], batch_size: int) -> Figure:
    """Captions as rows of cells, words dark and padding light and hatched: on the left as they come, in one
    table as wide as the longest; on the right sorted, in batches that are cut to their own longest."""
    ordered = sorted(lengths)
    cut = [ordered[start : start + batch_size] for start in range(0, len(ordered), batch_size)]
    panels = {"as they come, one width for all": [list(lengths)], "similar lengths share a batch": cut}
    figure, axes = plt.subplots(1, 2, figsize=(10, 4), sharex=True, sharey=True)
    for axis, (title, batches) in zip(axes, panels.items()):
        y = 0.0
        for batch in batches:
            for length in batch:
                words = axis.barh(y, length, height=0.8, color=BLUE)
                padded = axis.barh(y, max(batch) - length, height=0.8, left=length, **_HATCHED)
                y += 1
            edge: dict[str, Any] = {"fill": False, "edgecolor": "k", "linewidth": 1.5, "zorder": 3}
            axis.add_patch(Rectangle((0, y - len(batch) - 0.5), max(batch), len(batch), **edge))
            y += 1
        axis.vlines(range(1, max(lengths)), -0.4, y - 1.6, color="white", linewidth=0.8)
        share = sum(lengths) / sum(len(batch) * max(batch) for batch in batches)
        axis.set(title=f"{title}: {share:.0%} words", xlabel="words and padding", yticks=[])
        axis.grid(visible=False)
        axis.spines[:].set_visible(False)
    axes[1].legend([words, padded], ["words", "padding"], frameon=False, loc="upper right")
    rows = len(lengths) + len(cut) - 1
    axes[0].set(xlim=(-0.2, max(lengths) + 0.2), ylim=(rows, -1), ylabel="one caption a row")
    return figure


def loss_cells(words: Sequence[str], losses: Sequence[float], pad: str) -> Figure:
    """A loss in a cell under each word, those of padding crossed out, and the two means beside them."""
    figure, axis = plt.subplots(figsize=(8.5, 1.5))
    for x, (word, loss) in enumerate(zip(words, losses)):
        style: dict[str, Any] = _HATCHED if word == pad else {"facecolor": BLUE, "edgecolor": "k"}
        axis.add_patch(Rectangle((x + 0.04, 0.04), 0.92, 0.92, **style))
        color = "k" if word == pad else "white"
        axis.text(x + 0.5, 0.5, f"{loss:.3f}", ha="center", va="center", color=color, fontsize=13)
        axis.text(x + 0.5, 1.25, word, ha="center", va="center", fontsize=13, style="italic")
        if word == pad:
            axis.plot((x + 0.1, x + 0.9), (0.1, 0.9), color="k", linewidth=1.5)
    real = [loss for word, loss in zip(words, losses) if word != pad]
    for y, what, some in ((0.75, "real words", real), (0.25, "all cells", losses)):
        said = f"mean over {what}: {sum(some) / len(some):.3f}"
        axis.text(len(words) + 0.3, y, said, va="center", fontsize=13)
    axis.set(xlim=(0, len(words) + 4), ylim=(-0.05, 1.5))
    axis.axis("off")
    return figure


def splits(panels: Mapping[str, np.ndarray]) -> Figure:
    """For each way to split, captions as cells, a row for each picture: bool (pictures, captions), those that
    are for train in blue, those for dev light and hatched."""
    size = (4.6 * len(panels), 3.6)
    figure, (axes,) = plt.subplots(1, len(panels), figsize=size, sharey=True, squeeze=False)
    for axis, (title, learn) in zip(axes, panels.items()):
        for (row, col), train in np.ndenumerate(learn):
            style: dict[str, Any] = {"facecolor": BLUE, "edgecolor": "white"} if train else _HATCHED
            cell = axis.add_patch(Rectangle((col + 0.04, row + 0.1), 0.92, 0.8, **style))
            cell.set_label("train" if train else "dev")
        both = int((learn.any(axis=1) & ~learn.all(axis=1)).sum())
        axis.set(title=f"{title}: {both} of {len(learn)} pictures are in both", xticks=[], yticks=[])
        axis.set(xlim=(0, learn.shape[1]), ylim=(len(learn), 0), xlabel="captions")
        axis.spines[:].set_visible(False)
    axes[0].set_ylabel("one picture a row")
    handles = {cell.get_label(): cell for axis in axes for cell in axis.patches}
    axes[-1].legend(handles.values(), handles, frameon=False, loc="center left", bbox_to_anchor=(1, 0.5))
    return figure

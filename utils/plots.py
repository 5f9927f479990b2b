"""Figures in one house style: few lines, large enough for a projector, safe for color-blind readers."""

from __future__ import annotations

import io
import itertools
import textwrap
from collections.abc import Iterable, Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from IPython.display import Image as ShownImage
from IPython.display import display
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from PIL import Image

from utils.fonts import FONTS, check_font

# Okabe and Ito's palette ("Color universal design", 2008), told apart by all readers.
BLUE, ORANGE, GREEN, RED, PURPLE = "#0072B2", "#E69F00", "#009E73", "#D55E00", "#CC79A7"
MARKERS = "osD^v*"  # as many shapes as colors and one more: told apart in print as well
# Attention over a pale picture: from nothing over orange to nearly black, read without color as well.
_LOOKED = LinearSegmentedColormap.from_list(
    "looked", [(0, "#E69F0000"), (0.15, "#E69F0099"), (0.45, "#D55E00CC"), (1, "#400010F2")]
)

plt.rcParams.update(
    {
        "font.family": FONTS,
        "axes.axisbelow": True,
        "axes.grid": True,
        "axes.prop_cycle": plt.cycler(color=[BLUE, ORANGE, GREEN, RED, PURPLE]),
        "axes.spines.right": False,
        "axes.spines.top": False,
        "axes.titlelocation": "left",
        "axes.titlesize": 12,
        "figure.constrained_layout.use": True,
        "figure.dpi": 120,
        "font.size": 11,
        "grid.color": "#dddddd",
        "lines.linewidth": 2,
    }
)


def show(figure: Figure, alt: str) -> None:
    """Show a figure below the cell, with a text for those who cannot see it.

    At 120 dots per inch, and as wide on the page as at 80: sharp on a projector. Drawings as PNG, pictures
    (more than a thousand colors) as JPEG: a fraction of the size, in the same colors.
    """
    raw, small = io.BytesIO(), io.BytesIO()
    figure.savefig(raw, format="png", bbox_inches="tight")
    plt.close(figure)  # or it would be shown once more, as a figure of the cell
    with Image.open(raw) as drawn:
        kind = "png" if drawn.getcolors(1024) else "jpeg"
        colors = drawn.convert("RGB") if kind == "jpeg" else drawn.convert("RGB").quantize(256)
        how = {"quality": 90, "subsampling": 0} if kind == "jpeg" else {"optimize": True}
        colors.save(small, format=kind, **how)
        width = round(drawn.width * 80 / figure.dpi)
    display(ShownImage(small.getvalue(), format=kind, width=width, alt=alt))


def wrap(caption: str, width: int = 34) -> str:
    """A caption in lines short enough to stand above a picture."""
    return textwrap.fill(caption, width)


def show_pictures(
    pictures: Sequence[np.ndarray],
    titles: Sequence[str] = (),
    columns: int = 4,
    size: float = 2.6,
    cmap: str | None = None,
) -> Figure:
    """Pictures side by side, (rows, cols, 3) or (rows, cols) each, with a title above each."""
    check_font(titles)
    columns = min(columns, len(pictures))
    rows = -(-len(pictures) // columns)
    lines = max([title.count("\n") + 1 for title in titles], default=0)
    figsize = (columns * size, rows * (size + 0.2 * lines))
    figure, axes = plt.subplots(rows, columns, figsize=figsize, squeeze=False)
    for axis in axes.flat:
        axis.axis("off")
    for axis, picture in zip(axes.flat, pictures, strict=False):
        axis.imshow(picture, cmap=cmap)
    for axis, title in zip(axes.flat, titles, strict=False):
        axis.set_title(title, fontsize=10, parse_math=False)  # "$5 or $10" is no formula
    return figure


def show_recognition(
    pictures: Sequence[np.ndarray], predictions: Sequence[Sequence[tuple[str, float]]], size: float = 2.6
) -> Figure:
    """Each picture above a bar chart of its most probable classes, (name, probability) in falling order."""
    count = len(pictures)
    figure, axes = plt.subplots(
        2, count, figsize=(count * size, 1.7 * size), squeeze=False, height_ratios=[1, 0.6]
    )
    for picture, best, (above, below) in zip(pictures, predictions, axes.T, strict=True):
        above.imshow(picture)
        above.axis("off")
        below.barh(range(len(best)), [probability for _, probability in best], color=BLUE, alpha=0.5)
        for row, (name, probability) in enumerate(best):
            below.text(0.02, row, f"{name}  {probability:.0%}", va="center", fontsize=10)
        below.set(xlim=(0, 1), yticks=[], xticks=[])
        below.invert_yaxis()
        below.grid(False)
        below.spines[:].set_visible(False)
    return figure


def show_squares(
    picture: np.ndarray, sides: Iterable[float], labels: Sequence[str], cmap: str | None = None
) -> Figure:
    """The picture with a square of each side (pixels) around its middle, named in a legend."""
    figure, axis = plt.subplots(figsize=(5.6, 3.6))
    axis.imshow(picture, cmap=cmap)
    axis.axis("off")
    colors = [BLUE, ORANGE, GREEN, RED, PURPLE]
    for side, label, color in zip(sides, labels, colors, strict=False):
        corner = ((picture.shape[1] - side) / 2 - 0.5, (picture.shape[0] - side) / 2 - 0.5)
        axis.add_patch(Rectangle(corner, side, side, fill=False, color=color, linewidth=2.5, label=label))
    axis.legend(frameon=False, loc="center left", bbox_to_anchor=(1, 0.5))
    return figure


def show_curve(
    x: Sequence[float], y: Sequence[float], title: str, xlabel: str, ylabel: str, log: bool = False
) -> Figure:
    """One line; with `log` both axes are logarithmic."""
    figure, axis = plt.subplots(figsize=(7, 3.5))
    axis.plot(x, y)
    axis.set(title=title, xlabel=xlabel, ylabel=ylabel)
    if log:
        axis.set(xscale="log", yscale="log")
    return figure


def show_curves(curves: Mapping[str, Sequence[float]], title: str, xlabel: str, ylabel: str) -> Figure:
    """Several lines over 1, 2, 3 ..., named in a legend."""
    figure, axis = plt.subplots(figsize=(7, 3.5))
    for (name, values), marker in zip(curves.items(), itertools.cycle(MARKERS)):
        axis.plot(range(1, len(values) + 1), values, marker=marker, markersize=5, label=name)
    axis.legend(frameon=False)
    axis.set(title=title, xlabel=xlabel, ylabel=ylabel)
    return figure


def show_bars(values: Mapping[str, float], title: str, xlabel: str) -> Figure:
    """One horizontal bar per name, its value written beside it."""
    check_font(values)
    figure, axis = plt.subplots(figsize=(7, 0.5 * len(values) + 1))
    bars = axis.barh(list(values), list(values.values()), color=BLUE)
    axis.bar_label(bars, [f"{value:.3g}" for value in values.values()], padding=4)
    axis.set(title=title, xlabel=xlabel)
    axis.invert_yaxis()
    axis.grid(axis="y", visible=False)
    return figure


def upsample(weights: np.ndarray, size: int) -> np.ndarray:
    """Attention weights (rows, cols) as a smooth map (size, size), aligned with the picture.

    Bilinear, with cell centres where the network has them: the centre of cell (i, j) of `rows`
    lies at (i + 0.5) / rows of the picture's height. Never negative; the peak stays in its cell.
    """
    rows, cols = weights.shape
    down = np.interp((np.arange(size) + 0.5) * rows / size - 0.5, np.arange(rows), np.arange(rows))
    right = np.interp((np.arange(size) + 0.5) * cols / size - 0.5, np.arange(cols), np.arange(cols))
    top, left = np.minimum(down.astype(int), rows - 2), np.minimum(right.astype(int), cols - 2)
    down, right = (down - top)[:, None], (right - left)[None, :]
    above = weights[np.ix_(top, left)] * (1 - right) + weights[np.ix_(top, left + 1)] * right
    below = weights[np.ix_(top + 1, left)] * (1 - right) + weights[np.ix_(top + 1, left + 1)] * right
    return above * (1 - down) + below * down


def show_attention(
    picture: np.ndarray, weights: np.ndarray, words: Sequence[str], columns: int = 6, size: float = 1.9
) -> Figure:
    """The picture, then one panel per word: the darker the orange, the more the decoder looked there as it
    wrote the word.

    picture  (size, size, 3) as the network saw it
    weights  (words, rows, cols), each map summing to 1; all panels share one scale, from no weight
             to the largest weight of all (but at least four times an even share)
    """
    check_font(words)
    columns = min(columns, len(words) + 1)
    rows = -(-(len(words) + 1) // columns)
    figure, axes = plt.subplots(rows, columns, figsize=(columns * size, rows * (size + 0.3)), squeeze=False)
    for axis in axes.flat:
        axis.axis("off")
    axes.flat[0].imshow(picture)
    even = 1 / np.prod(weights.shape[1:])
    most = max(weights.max(initial=0), 4 * even)
    scale = plt.cm.ScalarMappable(plt.Normalize(0, most), _LOOKED)
    gray = np.asarray(picture, float)[..., :3].mean(-1)
    for axis, word, one in zip(axes.flat[1:], words, weights, strict=False):
        axis.imshow(gray, cmap="gray", vmin=-350, vmax=255)
        axis.imshow(upsample(one, len(picture)), cmap=_LOOKED, norm=scale.norm)
        axis.set_title(word, fontsize=11)
    bar = figure.colorbar(scale, ax=axes, aspect=12 * rows, label="weight")
    bar.set_ticks([even, most], labels=[f"{even:.2f}, even", f"{most:.2f}"])
    return figure


def show_line(words: Sequence[str], values: Sequence[float], limit: float, title: str, ylabel: str) -> Figure:
    """One value per word of a caption, and a dashed line at the largest value possible."""
    check_font(words)
    figure, axis = plt.subplots(figsize=(max(5, 0.8 * len(words)), 2.6))
    axis.plot(values, marker="o")
    axis.axhline(limit, color=RED, linestyle="--", linewidth=1.5)
    axis.set(title=title, ylabel=ylabel, ylim=(0, 1.1 * limit), xticks=range(len(words)))
    axis.set_xticklabels(words, rotation=45, ha="right", rotation_mode="anchor")
    return figure


def show_intervals(samples: Mapping[str, Sequence[float]], title: str, xlabel: str) -> Figure:
    """For each name the middle 95% of its samples as a bar, and their median as a dot."""
    figure, axis = plt.subplots(figsize=(7, 0.5 * len(samples) + 1))
    for row, values in enumerate(samples.values()):
        low, middle, high = np.percentile(values, (2.5, 50, 97.5))
        axis.plot((low, high), (row, row), color=BLUE, linewidth=6, alpha=0.4, solid_capstyle="butt")
        axis.plot(middle, row, "o", color=BLUE)
        axis.text(high, row, f"  {low:.3f} to {high:.3f}", va="center")
    axis.set(yticks=range(len(samples)), yticklabels=list(samples), title=title, xlabel=xlabel)
    axis.margins(x=0.25)
    axis.set_ylim(len(samples) - 0.5, -0.5)
    axis.grid(axis="y", visible=False)
    return figure


def show_dots(
    rows: Mapping[str, Mapping[str, float]], title: str, xlabel: str, start: float | None = 0
) -> Figure:
    """A line for each row, from `start` where there is one, with a dot for each of its values, a shape and
    color to each name; where a row has a single value, it is written beside the dot."""
    check_font(rows)
    most = max(map(len, rows.values()), default=1)
    figure, axis = plt.subplots(figsize=(8.5, (0.4 if most == 1 else 0.5) * len(rows) + 1.3))
    names = list(dict.fromkeys(name for values in rows.values() for name in values))
    for name, marker in zip(names, itertools.cycle(MARKERS)):
        # Dots of a row at different heights: none hides another.
        shift = 0.0 if most == 1 else 0.36 * (names.index(name) / (len(names) - 1) - 0.5)
        found = [(values[name], y + shift) for y, values in enumerate(rows.values()) if name in values]
        axis.plot(*zip(*found), marker, markersize=9, markeredgecolor="k", label=name)
    for y, values in enumerate(rows.values()):
        ends = [*values.values()] if start is None else [start, *values.values()]
        axis.hlines(y, min(ends), max(ends), color="#999999", zorder=1)
        if len(values) == 1:
            (value,) = values.values()
            axis.annotate(f"{value:.3f}", (value, y), (12, 0), textcoords="offset points", va="center")
    axis.set(yticks=range(len(rows)), title=title, xlabel=xlabel)
    axis.set(yticklabels=list(rows), ylim=(max(len(rows), 1) - 0.5, -0.5))
    axis.margins(x=0.12)
    if names:
        axis.legend(frameon=False, loc="center left", bbox_to_anchor=(1, 0.5))
    axis.grid(axis="y", visible=False)
    return figure


def show_pairs(x: Sequence[float], y: Sequence[float], title: str, xlabel: str, ylabel: str) -> Figure:
    """Two measures of the same things as points, and the diagonal, on which they are equal."""
    figure, axis = plt.subplots(figsize=(4.5, 4.5))
    axis.plot(x, y, ".", alpha=0.4)
    axis.axline((x[0], x[0]), slope=1, color=RED, linestyle="--")
    axis.set(title=title, xlabel=xlabel, ylabel=ylabel)
    return figure


def show_scatter(
    groups: Mapping[str, Mapping[str, tuple[float, float]]], title: str, xlabel: str, ylabel: str
) -> Figure:
    """Words as points, a shape and color to each group; a word stands where it hides the fewest."""
    figure, axis = plt.subplots(figsize=(10, 7.5))
    for (name, points), marker in zip(groups.items(), MARKERS):
        axis.plot(*zip(*points.values()), marker, label=name, markeredgecolor="k")
    axis.set(title=title, xlabel=xlabel, ylabel=ylabel)
    axis.legend(frameon=False, loc="center left", bbox_to_anchor=(1, 0.5))
    figure.canvas.draw()  # from here on it is known where each point lies, in pixels
    axis.autoscale(False)
    words = {word: axis.transData.transform(at) for points in groups.values() for word, at in points.items()}
    check_font(words)
    taken = [(x - 5, y - 5, x + 5, y + 5) for x, y in words.values()]
    for word, (x, y) in words.items():
        wide, boxes = 9 * len(word), []
        for far, right, up in itertools.product((1, 2, 3), (1, -1, 0), (0, 1, -1)):
            left, low = x + 9 * far * right - wide * (1 - right) / 2, y + 14 * far * up - 8
            hits = sum(left < c and a < left + wide and low < d and b < low + 16 for a, b, c, d in taken)
            boxes.append((hits, left, low, left + wide, low + 16))
        best = min(boxes, key=lambda box: box[0])[1:]
        taken.append(best)
        edge = np.clip((x, y), best[:2], best[2:])
        (left, low), *line = axis.transData.inverted().transform([(best[0], best[1] + 4), (x, y), edge])
        axis.text(left, low, word, fontsize=10)
        axis.plot(*zip(*line), color="#999999", linewidth=0.6, zorder=0)
    return figure

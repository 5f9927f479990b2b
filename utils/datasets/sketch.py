"""A second style for the drawn scenes: the same picture in coloured pencil, on paper.

Nothing is composed anew, so what a caption says and where a box lies stay true. Colour, line and surface
change: what a network has learned from the first style has to be adapted to this one.
"""

from __future__ import annotations

import math

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

PAPER = (0.975, 0.95, 0.895)  # red, green and blue, in [0, 1]
PENCILS = (  # each of red, green and blue as a mix of the drawing's, and a little light
    0.94, 0.02, 0.00, 9,
    0.01, 0.93, 0.02, 9,
    0.00, 0.02, 0.94, 9,
)  # fmt: skip


def sketch(image: Image.Image, rng: np.random.Generator) -> Image.Image:
    """The drawn picture `image` (RGB) as a sketch of the same size; nothing moves by more than a pixel.

    The paper, the strokes' direction and weight and the outlines' wobble come from `rng`.
    """
    size = image.size
    grain = _noise(rng, size, 1.5)
    pressure = rng.uniform(0.78, 0.92) * (1 + 0.18 * _noise(rng, size, 30))
    strokes = _strokes(rng, size, rng.uniform(0.6, 1.0) * rng.choice((-1, 1)), 800)

    # Pencil is a filter in front of the paper: the more of it, the darker. It stays on top of the grain.
    pencils = np.asarray(image.convert("RGB", PENCILS), np.float32) / 255
    amount = pressure * _margin(rng, size) * (0.82 + 0.3 * strokes + 0.16 * grain)
    picture = np.moveaxis(pencils, -1, 0).copy() ** amount

    grey = np.asarray(image.convert("L"), np.float32) / 255
    hatching = 0.35 + 0.65 * strokes[:, ::-1]  # mirrored, they cross
    picture *= 1 - 0.5 * ((0.34 - grey) / 0.2).clip(0, 1) * hatching
    outlines = _outlines(image)
    for strength in (0.42, 0.32):  # gone over twice
        pencil = (1 + 0.9 * _noise(rng, size, 14) + 0.3 * grain).clip(0, 1.6)
        picture *= 1 - strength * pencil * _wobble(outlines, rng)

    tint = (PAPER + rng.uniform(-0.02, 0.02, 3)).astype(np.float32)
    picture *= tint[:, None, None] * (1 + 0.035 * grain + 0.03 * _noise(rng, size, 1))
    return Image.fromarray((255 * np.moveaxis(picture, 0, -1)).clip(0, 255).astype(np.uint8))


def _noise(rng: np.random.Generator, size: tuple[int, int], cell: float) -> np.ndarray:
    """Smooth noise in [-1, 1] with spots of about `cell` pixels."""
    wide, tall = (math.ceil(side / cell) for side in size)
    spots = Image.fromarray(rng.integers(0, 256, (tall, wide), dtype=np.uint8))
    return np.asarray(spots.resize(size, Image.Resampling.BICUBIC), np.float32) / 127.5 - 1


def _strokes(rng: np.random.Generator, size: tuple[int, int], angle: float, count: int) -> np.ndarray:
    """How much pencil `count` nearly parallel strokes leave at each pixel, in [0, 1]."""
    layer = Image.new("L", (2 * size[0], 2 * size[1]))
    draw = ImageDraw.Draw(layer)
    x, y, lean, length, tone = rng.uniform(0, 1, (5, count))
    across = (10 + 22 * length) * np.cos(angle + 0.24 * (lean - 0.5))
    down = (10 + 22 * length) * np.sin(angle + 0.24 * (lean - 0.5))
    ends = np.stack([x * layer.width - across, y * layer.height - down], -1)
    ends = np.concatenate([ends, ends + 2 * np.stack([across, down], -1)], -1)
    for end, shade in zip(ends.tolist(), (120 + 135 * tone).astype(int).tolist(), strict=True):
        draw.line(end, fill=shade, width=2)
    return np.asarray(layer.resize(size, Image.Resampling.BOX), np.float32) / 255


def _outlines(image: Image.Image) -> Image.Image:
    """Bright where a colour ends."""
    slope = np.zeros(image.size[::-1], np.int16)
    for channel in image.filter(ImageFilter.GaussianBlur(0.7)).split():
        level = np.asarray(channel, np.int16)
        slope[:, 1:-1] = np.maximum(slope[:, 1:-1], np.abs(level[:, 2:] - level[:, :-2]))
        slope[1:-1] = np.maximum(slope[1:-1], np.abs(level[2:] - level[:-2]))
    return Image.fromarray((2 * (slope - 24)).clip(0, 255).astype(np.uint8))


def _wobble(layer: Image.Image, rng: np.random.Generator, cells: int = 12) -> np.ndarray:
    """The layer, every part of it moved by up to a pixel, in [0, 1]."""
    xs, ys = (np.linspace(0, side, cells + 1).round() for side in layer.size)
    grid = np.stack(np.meshgrid(xs, ys), -1)
    boxes = np.concatenate([grid[:-1, :-1], grid[1:, 1:]], -1).astype(int)
    at = grid + rng.uniform(-1, 1, grid.shape)
    corners = np.concatenate([at[:-1, :-1], at[1:, :-1], at[1:, 1:], at[:-1, 1:]], -1)
    mesh = list(zip(boxes.reshape(-1, 4).tolist(), corners.reshape(-1, 8).tolist(), strict=True))
    moved = layer.transform(layer.size, Image.Transform.MESH, mesh, Image.Resampling.BILINEAR)
    return np.asarray(moved, np.float32) / 255


def _margin(rng: np.random.Generator, size: tuple[int, int]) -> np.ndarray:
    """1 inside, 0 at the ragged border that the pencil leaves free."""
    xs, ys = (np.minimum(np.arange(side), np.arange(side)[::-1]) for side in size)
    free = 2 + 1.5 * _noise(rng, size, 24) + 1.5 * _noise(rng, size, 4)
    return ((np.minimum(xs, ys[:, None]) - free) / 2).clip(0, 1).astype(np.float32)

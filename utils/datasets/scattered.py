"""Things scattered over a picture, for teaching the slim encoder to see several at once. Not scenes: which
things, how many and where is chance, and nothing is there together that only the split `novel` may show."""

from __future__ import annotations

import numpy as np

from utils.datasets.drawing import (
    COLORS,
    FLIERS,
    HOME,
    LABELS,
    MAIN_PX,
    PLACES,
    SECOND_PX,
    SIZE,
    SKIES,
    WATERLINE,
    draw,
    extent,
    make_thing,
    pick,
)
from utils.datasets.layout import HELD_OUT

_APART = {(held[0], held[2]) for held in HELD_OUT if len(held) == 3}
COVERED = 0.3  # the largest share of a thing that another one may cover


def scattered(rng: np.random.Generator) -> tuple[np.ndarray, list[int], list[list[int]], str, str]:
    """A picture uint8 (224, 224, 3) of one to nine things, RGB; of each, from the back to the front, the
    number of its label in LABELS and its box [x0, y0, x1, y1] in pixels; the place and the sky."""
    place = pick(rng, PLACES)
    sky = pick(rng, SKIES[place])
    here = [kind for kind in COLORS if place in HOME.get(kind, PLACES)]
    things: list[dict] = []
    for _ in range(int(rng.integers(1, 4))):
        kind = pick(rng, here)
        color, count = pick(rng, COLORS[kind]), int(rng.choice((1, 1, 2, 3)))
        pairs = {(kind, thing["kind"]) for thing in things} | {(thing["kind"], kind) for thing in things}
        again = any((thing["kind"], thing["color"]) == (kind, color) for thing in things)
        if again or (color, kind) in HELD_OUT or any(kinds in pairs for kinds in _APART):
            continue  # of one that comes again there might be as many as only `novel` may show
        row: list[dict] = []
        for thing in _row(kind, color, count, place, rng):
            others = [*things, *row]
            if all(max(_cover(thing, other), _cover(other, thing)) < COVERED for other in others):
                row.append(thing)
        things += row[:1] if (len(row), kind) in HELD_OUT else row
    if not things:  # all that was picked is held out
        return scattered(rng)
    things.sort(key=lambda thing: thing["foot"])
    image, boxes = draw(place, sky, things, rng)
    labels = [LABELS.index(f"{thing['color']} {thing['kind']}") for thing in things]
    return np.asarray(image), labels, boxes, place, sky


def _row(kind: str, color: str, count: int, place: str, rng: np.random.Generator) -> list[dict]:
    """Things of one label side by side, as many as fit, anywhere."""
    low = (SECOND_PX if kind in SECOND_PX else MAIN_PX)[kind][0]
    high = (MAIN_PX if kind in MAIN_PX else SECOND_PX)[kind][1]
    flies = kind in FLIERS and (kind != "bird" or rng.random() < 0.5)
    px, row, foot = rng.uniform(low, high), [], 0
    x = rng.uniform(2, SIZE - 60)
    for _ in range(count):
        thing = make_thing(kind, color, px * rng.uniform(0.98, 1.02), rng, flying=flies)
        wide, tall = extent(thing)
        if not foot:
            water = int(rng.integers(*WATERLINE[place])) + 8 if kind == "boat" else 0
            foot = water or int(rng.integers(tall + 4, 150 if flies else 219))
        if x + wide > SIZE - 2:
            break
        thing.update(x=round(x), foot=foot + int(rng.integers(-2, 3)))
        row.append(thing)
        x += wide + rng.uniform(5, 14)
    return row


def _cover(thing: dict, other: dict) -> float:
    """The share of `other`'s rectangle that `thing`'s covers."""
    (wide, tall), (x, foot) = extent(thing), (thing["x"], thing["foot"])
    (w, h), (x0, y1) = extent(other), (other["x"], other["foot"])
    across = max(0, min(x + wide, x0 + w) - max(x, x0))
    down = max(0, min(foot, y1) - max(foot - tall, y1 - h))
    return across * down / (w * h)

"""Layout of the drawn scenes: what is in a picture, how much of it, and where."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from utils.datasets.drawing import (
    COLORS,
    FEET,
    FLIERS,
    HOME,
    MAIN_PX,
    PLACES,
    SECOND_PX,
    SIZE,
    SKIES,
    WATERLINE,
    extent,
    make_thing,
    pick,
)

# Combinations that only the split `novel` shows; the other splits show their parts, each with others.
HELD_OUT = (
    ("purple", "umbrella"), ("yellow", "car"), ("black", "cat"), ("pink", "tree"), ("red", "boy"),
    (3, "cat"), (2, "tree"), (3, "girl"),
    ("cat", "under", "umbrella"), ("bird", "on", "bench"), ("dog", "left of", "tree"),
    ("kite", "above", "house"),
)  # fmt: skip

ANIMALS = ("dog", "cat", "sheep")
CHILDREN = ("girl", "boy")
SIDE = {  # what may stand beside each main kind
    **dict.fromkeys(
        ("house", "tree", "bus"), (*ANIMALS, *CHILDREN, "car", "bench", "ball", "bird", "flower")
    ),
    **dict.fromkeys(("car", "umbrella", "bench"), (*ANIMALS, *CHILDREN, "ball", "bird", "flower")),
    **dict.fromkeys(ANIMALS, ("dog", "cat", "sheep", "ball", "bird", "flower")),
    **dict.fromkeys(CHILDREN, (*ANIMALS, "ball", "bird", "flower")),
    "boat": ("boat",),
}
FRONT = {
    "house": (*ANIMALS, *CHILDREN, "car", "bench", "ball", "flower"),
    "bus": (*ANIMALS, *CHILDREN, "ball", "flower"),
    "car": (*ANIMALS, *CHILDREN, "ball", "flower"),
    "bench": ("dog", "cat", "ball", "flower"),
    "boat": (*CHILDREN, "dog", "cat", "bench", "ball", "bird"),
}
UNDER = {"tree": (*ANIMALS, "ball", "bird", "flower"), "umbrella": (*ANIMALS, *CHILDREN, "ball", "bird")}
ON = dict.fromkeys(("house", "car", "bus", "bench"), ("bird", "cat"))
PERCH = {"house": 0.06, "car": 0.06, "bus": 0.05, "bench": 0.64}  # how far down from its top one sits
RELATIONS: dict[str, Mapping[str, tuple[str, ...]]] = {
    "left of": SIDE, "right of": SIDE, "in front of": FRONT, "above": dict.fromkeys(MAIN_PX, FLIERS),
    "under": UNDER, "on": ON}  # of the second group to the main one  # fmt: skip
OFTEN = {"left of": 1.0, "right of": 1.0, "in front of": 2.0, "above": 0.8, "under": 3.2, "on": 1.4}
MANY = ("tree", "umbrella", "boat", *ANIMALS, *CHILDREN, *FLIERS, "ball", "flower", "car")


class _Row(NamedTuple):
    """The things of a group side by side, and how much room they take, in pixels."""

    group: dict
    things: list[dict]
    wide: int
    tall: int


def _row(group: dict, px: float, gap: float, rng: np.random.Generator, flying: bool = False) -> _Row:
    """The things of a group, from x = 0 on."""
    things, x = [], 0.0
    for _ in range(group["count"]):
        thing = make_thing(group["kind"], group["color"], px * rng.uniform(0.98, 1.02), rng, flying)
        thing["x"] = round(x)
        things.append(thing)
        x += extent(thing)[0] + gap
    return _Row(group, things, round(x - gap), max(extent(thing)[1] for thing in things))


def _put(row: _Row, x: float, foot: float, wobble: float, rng: np.random.Generator) -> None:
    """Move a row to where it belongs."""
    for thing in row.things:
        thing["x"] += round(x)
        thing["foot"] = round(foot + rng.uniform(-wobble, wobble))


def _rectangle(thing: dict, margin: int = 0) -> tuple[int, int, int, int]:
    wide, tall = extent(thing)
    return (
        thing["x"] - margin,
        thing["foot"] - tall - margin,
        thing["x"] + wide + margin,
        thing["foot"] + margin,
    )


def _overlap(a: Sequence[float], b: Sequence[float]) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def attempt(kind: str, count: int, relation: str, rng: np.random.Generator) -> dict | None:
    """A scene about `count` things of a kind, or None where the other choices do not fit."""
    place = pick(rng, HOME.get(kind, PLACES))
    sky = "snowing" if place == "snow" and rng.random() < 0.25 else pick(rng, SKIES[place])
    here = {kind for kind in COLORS if place in HOME.get(kind, PLACES)}
    groups = _choose(kind, count, relation, here, rng)
    if not groups:
        return None
    arranged = _arrange(groups[0], groups[1], place, rng)
    if not arranged:
        return None
    rows: tuple[_Row, ...] = arranged
    things = [thing for row in rows for thing in row.things]
    third = _third(here, groups, things, rng) if rng.random() < 0.3 else None
    if third:
        groups.append(third.group)
        rows = (*rows, third)
        things += third.things
    for thing in things:
        x0, y0, x1, y1 = _rectangle(thing)
        if x0 < 1 or y0 < 2 or x1 > SIZE - 1 or y1 > SIZE - 2:
            return None
    for row in rows:
        corners = np.array([_rectangle(thing) for thing in row.things])
        row.group["box"] = [*corners[:, :2].min(axis=0).tolist(), *corners[:, 2:].max(axis=0).tolist()]
    return {"place": place, "sky": sky, "groups": groups, "things": things}


def held_out(groups: Sequence[Mapping]) -> set[tuple]:
    """The combinations of HELD_OUT that a scene with these groups shows."""
    shown: set[tuple] = {(group["color"], group["kind"]) for group in groups}
    shown |= {(group["count"], group["kind"]) for group in groups}
    shown |= {(group["kind"], group["relation"], groups[0]["kind"]) for group in groups[1:]}
    return shown.intersection(HELD_OUT)


def _choose(
    kind: str, count: int, relation: str, here: set[str], rng: np.random.Generator
) -> list[dict] | None:
    """The main group and a second one that may stand in the relation to it, or None."""
    main = _group(kind, rng)
    main["count"] = count
    twins = kind == "boat"  # the only kind that a second group may have in common with the first
    kinds = [other for other in RELATIONS[relation][kind] if other in here and (other != kind or twins)]
    if not kinds:
        return None
    second = _group(pick(rng, kinds), rng)
    second.update(relation=relation, size="small")
    if second["kind"] == kind and second["color"] == main["color"]:
        return None
    if relation == "under":
        main["size"] = "big"
        second["count"] = min(second["count"], 2)
    if relation == "on" and kind != "bus":
        second["count"] = 1
    return [main, second]


def _arrange(main: dict, second: dict, place: str, rng: np.random.Generator) -> tuple[_Row, _Row] | None:
    """Both groups, with sizes and positions, or None where they do not fit."""
    relation = second["relation"]
    main_px = MAIN_PX[main["kind"]][main["size"] == "big"] * rng.uniform(0.97, 1.04)
    second_px = rng.uniform(*SECOND_PX[second["kind"]])
    first = _row(main, main_px, 6 + rng.uniform(0, 6), rng)
    gap = 26 if relation == "under" else 5 + rng.uniform(0, 7)
    other = _row(second, second_px, gap, rng, flying=relation == "above")
    # The main thing must be plainly the largest: captions name it first.
    a, b = extent(first.things[0]), extent(other.things[0])
    if a[0] * a[1] < 1.35 * b[0] * b[1]:
        return None
    foot = rng.uniform(*(WATERLINE[place] if main["kind"] == "boat" else FEET[place]))
    if main["kind"] == "boat":
        foot += 8
    elif relation == "in front of":
        foot = min(foot, 190)
    if relation in ("left of", "right of"):
        fits = _put_beside(first, other, foot, rng)
    else:
        fits = _put_around(first, other, foot, rng)
    return (first, other) if fits else None


# Each of these moves both rows, and says whether they fit.


def _put_beside(first: _Row, other: _Row, foot: float, rng: np.random.Generator) -> bool:
    space = rng.uniform(10, 22)
    slack = SIZE - 8 - first.wide - other.wide - space
    if slack < 0:
        return False
    start = 4 + slack * rng.uniform(0.25, 0.75)
    right = other.group["relation"] == "right of"
    _put(first, start if right else start + other.wide + space, foot, 2, rng)
    lower = rng.uniform(-1, 5 if other.group["kind"] == "boat" else 8)
    _put(other, start + first.wide + space if right else start, foot + lower, 2, rng)
    return True


def _put_around(first: _Row, other: _Row, foot: float, rng: np.random.Generator) -> bool:
    slack = SIZE - 8 - first.wide
    if slack < 0:
        return False
    left = 4 + slack * rng.uniform(0.1, 0.9)
    _put(first, left, foot, 2 if first.group["count"] > 1 else 0, rng)
    # The second row, as far to the left as when it is centred on the first.
    centred = left + first.wide / 2 - other.wide / 2
    return _PUT[other.group["relation"]](first, other, centred, foot, rng)


def _put_above(first: _Row, other: _Row, centred: float, foot: float, rng: np.random.Generator) -> bool:
    room = foot - first.tall - 10 - other.tall
    if room < 8:
        return False
    x = centred + rng.uniform(-0.1, 0.1) * first.wide
    _put(other, x, other.tall + rng.uniform(6, min(room, 40)), 2, rng)
    return True


def _put_in_front(first: _Row, other: _Row, centred: float, foot: float, rng: np.random.Generator) -> bool:
    if other.wide * (other.tall - 20) > 0.4 * first.wide * first.tall or other.wide > first.wide:
        return False
    shift = rng.uniform(-0.5, 0.5) * max(0.0, first.wide - other.wide)
    boat = first.group["kind"] == "boat"  # in front of one on the water is the shore
    low = rng.uniform(206, 216) if boat else foot + rng.uniform(18, 26)
    _put(other, centred + shift, low, 1, rng)
    return True


def _put_under(first: _Row, other: _Row, centred: float, foot: float, rng: np.random.Generator) -> bool:
    roof = 0.47 if first.group["kind"] == "umbrella" else 0.66
    if other.tall > (1 - roof) * first.tall + 8 or other.wide > first.wide + 4:
        return False
    shift = 0 if other.group["count"] > 1 else pick(rng, (-1, 1)) * 0.22 * first.wide
    _put(other, centred + shift, foot + rng.uniform(3, 7), 1, rng)
    return True


def _put_on(first: _Row, other: _Row, centred: float, foot: float, rng: np.random.Generator) -> bool:
    if other.wide > 0.8 * first.wide:
        return False
    kind = first.group["kind"]
    reach = {"house": 0.0, "car": 0.06, "bus": 0.3, "bench": 0.3}[kind]
    x = centred + rng.uniform(-reach, reach) * (first.wide - other.wide)
    _put(other, x, foot - first.tall * (1 - PERCH[kind]), 0, rng)
    for thing in other.things:
        thing["ground"] = None
    return True


_PUT = {"above": _put_above, "in front of": _put_in_front, "under": _put_under, "on": _put_on}


def _group(kind: str, rng: np.random.Generator) -> dict:
    count = 1
    if kind in MANY:
        count = int(rng.random() < 0.4) + 1
    size = "small" if kind not in MAIN_PX or rng.random() < 0.5 else "big"
    color = pick(rng, COLORS[kind])
    return {"kind": kind, "color": color, "size": size, "count": count, "relation": None}


def _third(here: set[str], groups: list[dict], things: list[dict], rng: np.random.Generator) -> _Row | None:
    """A third group where the picture has room for it: in the sky or in the foreground."""
    taken = [group["kind"] for group in groups]
    flying = groups[1]["relation"] != "above" and rng.random() < 0.7
    kinds = [
        kind
        for kind in (FLIERS if flying else ("ball", "flower", "bird"))
        if kind in here
        and kind not in taken
        and (not flying or (kind, "above", taken[0]) not in HELD_OUT)  # in the sky is above as well
    ]
    if not kinds:
        return None
    group = _group(pick(rng, kinds), rng)
    group.update(relation="in the sky" if flying else "in the foreground", size="small")
    row = _row(group, SECOND_PX[group["kind"]][0] * rng.uniform(0.98, 1.06), 6, rng, flying)
    occupied = [_rectangle(thing, 7) for thing in things]
    for _ in range(40):
        x = rng.uniform(4, SIZE - 4 - row.wide)
        foot = rng.uniform(row.tall + 6, row.tall + 44) if flying else rng.uniform(207, 217)
        if not any(_overlap((x, foot - row.tall - 2, x + row.wide, foot + 2), box) for box in occupied):
            _put(row, x, foot, 2, rng)
            return row
    return None

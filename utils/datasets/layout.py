"""Layout of the drawn scenes: what is in a picture, how much of it, and where."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from utils.datasets.drawing import (
    COLORS, FEET, FLIERS, HOME, MAIN_PX, PLACES, SECOND_PX, SIZE, SKIES, WATERLINE, extent, make_thing, pick,
)  # fmt: skip

# In the scenes each kind comes in two of its colours: 800 pictures must be enough to learn them all.
SCENE_COLORS = {
    "house": ("white", "yellow"), "tree": ("green", "pink"), "car": ("red", "blue"),
    "bus": ("green", "yellow"), "boat": ("red", "white"), "umbrella": ("blue", "purple"),
    "bench": ("brown", "red"), "dog": ("brown", "white"), "cat": ("orange", "grey"),
    "sheep": ("white", "black"), "girl": ("yellow", "pink"), "boy": ("blue", "green"),
    "bird": ("blue", "white"), "ball": ("red", "green"), "balloon": ("red", "purple"),
    "kite": ("blue", "orange"), "flower": ("red", "purple"),
}  # fmt: skip

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




def _row(
    group: dict, px: float, gap: float, rng: np.random.Generator, flying: bool = False
) -> tuple[list[dict], int, int]:
    """The things of a group side by side from x = 0, their whole width, and their height."""
    things, x = [], 0.0
    for _ in range(group["count"]):
        thing = make_thing(group["kind"], group["color"], px * rng.uniform(0.98, 1.02), rng, flying)
        thing["x"] = round(x)
        things.append(thing)
        x += extent(thing)[0] + gap
    return things, round(x - gap), max(extent(thing)[1] for thing in things)


def _put(things: Sequence[dict], x: float, foot: float, wobble: float, rng: np.random.Generator) -> None:
    for thing in things:
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
    main = _group(kind, rng)
    main["count"] = count
    pairs = RELATIONS[relation]
    kinds = [
        kind for kind in pairs[main["kind"]] if kind in here and (kind != main["kind"] or kind == "boat")
    ]
    if not kinds:
        return None
    second = _group(pick(rng, kinds), rng)
    second["relation"] = relation
    if second["kind"] == main["kind"] and second["color"] == main["color"]:
        return None
    if relation == "under":
        main["size"] = "big"
        second["count"] = min(second["count"], 2)
    if relation == "on" and main["kind"] != "bus":
        second["count"] = 1
    main_px = MAIN_PX[main["kind"]][main["size"] == "big"] * rng.uniform(0.97, 1.04)
    second_px = rng.uniform(*SECOND_PX[second["kind"]])
    flying = relation == "above"
    first, wide, tall = _row(main, main_px, 6 + rng.uniform(0, 6), rng)
    gap = 26 if relation == "under" else 5 + rng.uniform(0, 7)
    others, other_wide, other_tall = _row(second, second_px, gap, rng, flying)
    # The main thing must be plainly the largest: captions name it first.
    one, other = extent(first[0]), extent(others[0])
    if one[0] * one[1] < 1.35 * other[0] * other[1]:
        return None
    foot = rng.uniform(*(WATERLINE[place] if main["kind"] == "boat" else FEET[place]))
    if main["kind"] == "boat":
        foot += 8
    if relation in ("left of", "right of"):
        space = rng.uniform(10, 22)
        slack = SIZE - 8 - wide - other_wide - space
        if slack < 0:
            return None
        start = 4 + slack * rng.uniform(0.25, 0.75)
        _put(first, start if relation == "right of" else start + other_wide + space, foot, 2, rng)
        lower = rng.uniform(-1, 5 if second["kind"] == "boat" else 8)
        _put(others, start + wide + space if relation == "right of" else start, foot + lower, 2, rng)
    else:
        slack = SIZE - 8 - wide
        if slack < 0:
            return None
        if relation == "in front of" and main["kind"] != "boat":
            foot = min(foot, 190)
        left = 4 + slack * rng.uniform(0.1, 0.9)
        _put(first, left, foot, 2 if main["count"] > 1 else 0, rng)
        middle = left + wide / 2
        if relation == "above":
            room = foot - tall - 10 - other_tall
            if room < 8:
                return None
            _put(
                others,
                middle - other_wide / 2 + rng.uniform(-0.1, 0.1) * wide,
                other_tall + rng.uniform(6, min(room, 40)),
                2,
                rng,
            )
        elif relation == "in front of":
            if other_wide * (other_tall - 20) > 0.4 * wide * tall or other_wide > wide:
                return None
            shift = rng.uniform(-0.5, 0.5) * max(0.0, wide - other_wide)
            depth = rng.uniform(18, 26) if main["kind"] != "boat" else 0
            low = foot + depth if depth else rng.uniform(206, 216)
            _put(others, middle - other_wide / 2 + shift, low, 1, rng)
        elif relation == "under":
            roof = 0.47 if main["kind"] == "umbrella" else 0.66
            if other_tall > (1 - roof) * tall + 8 or other_wide > wide + 4:
                return None
            shift = 0 if second["count"] > 1 else pick(rng, (-1, 1)) * 0.22 * wide
            _put(others, middle - other_wide / 2 + shift, foot + rng.uniform(3, 7), 1, rng)
        else:
            if other_wide > 0.8 * wide:
                return None
            reach = {"house": 0.0, "car": 0.06, "bus": 0.3, "bench": 0.3}[main["kind"]]
            _put(
                others,
                middle - other_wide / 2 + rng.uniform(-reach, reach) * (wide - other_wide),
                foot - tall * (1 - PERCH[main["kind"]]),
                0,
                rng,
            )
            for thing in others:
                thing["ground"] = None
    things, groups = [*first, *others], [main, second]
    third = _third(place, here, groups, things, rng) if rng.random() < 0.3 else None
    if third:
        groups.append(third[0])
        things += third[1]
    for thing in things:
        x0, y0, x1, y1 = _rectangle(thing)
        if x0 < 1 or y0 < 2 or x1 > SIZE - 1 or y1 > SIZE - 2:
            return None
    return {"place": place, "sky": sky, "groups": groups, "things": things}


def _group(kind: str, rng: np.random.Generator) -> dict:
    count = 1
    if kind in MANY:
        count = int(rng.random() < 0.4) + 1
    size = "small" if kind not in MAIN_PX or rng.random() < 0.5 else "big"
    color = pick(rng, SCENE_COLORS[kind])
    return {"kind": kind, "color": color, "size": size, "count": count, "relation": None}


def _third(
    place: str, here: set[str], groups: list[dict], things: list[dict], rng: np.random.Generator
) -> tuple[dict, list[dict]] | None:
    """A third group where the picture has room for it: in the sky or in the foreground."""
    taken = [group["kind"] for group in groups]
    flying = groups[1]["relation"] != "above" and rng.random() < 0.7
    kinds = [
        kind
        for kind in (FLIERS if flying else ("ball", "flower", "bird"))
        if kind in here and kind not in taken
    ]
    if not kinds:
        return None
    group = _group(pick(rng, kinds), rng)
    group["relation"] = "in the sky" if flying else "in the foreground"
    row, wide, tall = _row(group, SECOND_PX[group["kind"]][0] * rng.uniform(0.98, 1.06), 6, rng, flying)
    occupied = [_rectangle(thing, 7) for thing in things]
    for _ in range(40):
        x = rng.uniform(4, SIZE - 4 - wide)
        foot = rng.uniform(tall + 6, tall + 44) if flying else rng.uniform(207, 217)
        if not any(_overlap((x, foot - tall - 2, x + wide, foot + 2), box) for box in occupied):
            _put(row, x, foot, 2, rng)
            return group, row
    return None



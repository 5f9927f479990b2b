"""Captions of the drawn scenes, written from what was drawn, so that what they say is true."""

from __future__ import annotations

import numpy as np

from utils.datasets.layout import CHILDREN

PLURALS = {"sheep": "sheep", "bus": "buses", "bench": "benches"}
NUMBERS = {2: "two", 3: "three"}


def _noun(group: dict, size: str = "", article: bool = True) -> str:
    """`a red car`, `two girls in pink`, `a small white dog`."""
    kind, color = group["kind"], group["color"]
    if group["count"] > 1:
        kind = PLURALS.get(kind, kind + "s")
    words = [size, kind, "in", color] if kind.startswith(CHILDREN) else [size, color, kind]
    phrase = " ".join(word for word in words if word)
    if group["count"] > 1:
        return f"{NUMBERS[group['count']]} {phrase}"
    if not article:
        return phrase
    return f"{'an' if phrase[0] in 'aeiou' else 'a'} {phrase}"


def _is(group: dict) -> str:
    return "is" if group["count"] == 1 else "are"


# Each person's own words for the place and the weather.
PLACE_WORDS: tuple[dict[str, str], ...] = (
    {"meadow": "meadow", "beach": "beach", "lake": "lake", "street": "street", "snow": "snow",
     "desert": "desert"},
    {"meadow": "on the grass", "beach": "on the beach", "lake": "by the lake", "street": "on the street",
     "snow": "in the snow", "desert": "in the desert"},
    {"meadow": "in the country", "beach": "at the seaside", "lake": "at the lake", "street": "in town",
     "snow": "in winter", "desert": "in the desert"},
    {},
    {"meadow": "in a green meadow", "beach": "on a sandy beach", "lake": "beside a lake",
     "street": "in a city street", "snow": "in deep snow", "desert": "in a dry desert"},
)  # fmt: skip
SKY_WORDS: tuple[dict[str, str], ...] = (
    {"sunny": "sunshine", "cloudy": "clouds", "rainy": "rain", "night": "night", "sunset": "sunset",
     "snowing": "snowfall"},
    {},
    {"sunny": "sunny day", "cloudy": "cloudy day", "rainy": "rainy day", "night": "starry night",
     "sunset": "calm evening", "snowing": "snowy day"},
    {"sunny": "in bright sunlight", "cloudy": "under a grey sky", "rainy": "in the rain",
     "night": "in the moonlight", "sunset": "at dusk", "snowing": "in falling snow"},
    {"sunny": "while the sun shines", "cloudy": "below dull clouds", "rainy": "while it rains",
     "night": "late at night", "sunset": "as the sun sets", "snowing": "while it snows"},
)  # fmt: skip
VERBS = {  # what a thing does, for one and for several
    "house": ("stands", "stand"), "tree": ("grows", "grow"), "car": ("is parked", "are parked"),
    "bus": ("waits", "wait"), "boat": ("sails", "sail"), "umbrella": ("is open", "are open"),
    "bench": ("is", "are"), "dog": ("is walking", "are walking"), "cat": ("sits", "sit"),
    "sheep": ("is grazing", "are grazing"), "girl": ("waves", "wave"), "boy": ("waves", "wave"),
}  # fmt: skip


def describe_scene(scene: dict, rng: np.random.Generator) -> list[str]:
    """Five captions, each as its own person words it; all of them name the largest group first
    or, in a sentence about where something is, as that relation has it."""
    place, sky, (main, second, *rest) = scene["place"], scene["sky"], scene["groups"]
    relation = second["relation"]
    boat = main["kind"] == "boat"

    # 1 is terse.
    listed = [_noun(group, article=False) for group in (main, second)]
    terse = f"{' with '.join(listed)}, {PLACE_WORDS[0][place]}"
    if rng.random() < 0.8:
        terse += f", {SKY_WORDS[0][sky]}"

    # 2 says where things are.
    if relation in ("left of", "right of"):
        mirrored = "left" if relation == "right of" else "right"
        where = f"{_noun(main)} {_is(main)} to the {mirrored} of {_noun(second)}"
    else:
        verb = {"above": f"{_is(second)} flying above", "in front of": f"{_is(second)} in front of",
                "under": f"{_is(second)} under", "on": f"{_is(second)} on top of"}[relation]  # fmt: skip
        where = f"{_noun(second)} {verb} {_noun(main)}"
    where += f" {'on the water' if boat and relation != 'in front of' else PLACE_WORDS[1][place]}"

    # 3 starts from the weather and the place.
    link = {"left of": "beside", "right of": "beside", "above": "below", "in front of": "behind",
            "under": "beneath", "on": "on"}[relation]  # fmt: skip
    pair = [_noun(main), _noun(second)]
    if relation in ("under", "on"):
        pair.reverse()
    weather = f"{SKY_WORDS[2][sky]} {PLACE_WORDS[2][place]} with {pair[0]} {link} {pair[1]}"

    # 4 counts up everything there is.
    names = [_noun(group) for group in (main, second, *rest)]
    there = f"there {_is(main)} {', '.join(names[:-1])} and {names[-1]} {SKY_WORDS[3][sky]}"

    # 5 sees the main thing only.
    size = {"big": "big", "small": "little"}[main["size"]]
    spot = {"beach": "on the sea", "lake": "on the lake"}[place] if boat else PLACE_WORDS[4][place]
    alone = f"{_noun(main, size)} {VERBS[main['kind']][main['count'] > 1]} {spot}"
    if rng.random() < 0.8:
        alone += f" {SKY_WORDS[4][sky]}"

    return [f"{text[0].upper()}{text[1:]}." for text in (terse, where, weather, there, alone)]

"""Is a caption true of its scene? Reads English captions of drawn scenes and checks each fact they state.

BLEU, CIDEr-D and ROUGE-L compare a caption with other captions. A drawn scene is known exactly: its captions
are held against the world itself, as in Xie et al. 2019 (arXiv 1912.08960, "Going Beneath the Surface").
The reader knows nothing of the grammar that writes the captions of the scenes.

A scene is {"place", "sky", "groups": [main, second, third?]}, a group {"kind", "color", "size", "count",
"relation", "box"}. The relation of the second is to the main one, of the third "in the sky" or "in the
foreground"; boxes are [x0, y0, x1, y1] in pixels, y downwards.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from .lexicon import LEXICON, LONGEST, PLACING, RELATING
from .text import tokenize

PARTS = ("color", "size", "count", "relation", "place", "weather")
MARGIN = 4  # pixels by which what is "above" a thing may overlap it
PLACES = frozenset("meadow beach lake street snow desert".split())
SIDEWAYS = ("left of", "right of")
FLIERS = {"bird", "kite", "balloon"}
ONE_OF_TWO = {"bloom", "blooms", "blossom", "blossoms"}  # nouns after "a", "two", "red" ... , else verbs
SKY = -1  # who does something where it is the sun, the rain, or a thing with an unknown name

ATTRIBUTES = ("color", "size", "count")
OF_A_NOUN = {"loose", "color", "size", "count", "noun"}
Found = tuple[int | None, ...]  # the group that each thing is; None: there is none of its kind


class Item(NamedTuple):
    """A word or phrase of a caption: what it is, what it means, how it was put."""

    kind: str
    value: Any = None
    text: str = ""


@dataclass
class Thing:
    """What a noun phrase says: `kinds` it may be; None where it says nothing. A count may be "several"."""

    kinds: frozenset[str]
    color: str | None = None
    size: str | None = None
    count: int | str | None = None


class Reading(NamedTuple):
    """The facts of a caption. A relation (i, ways, others): thing i relates to one of the others, or, where
    the caption leaves open to what, to any, in one of the ways. A place or sky: one of the names."""

    things: list[Thing]
    relations: list[tuple[int, frozenset[str], tuple[int, ...]]]
    places: list[frozenset[str]]
    skies: list[frozenset[str]]
    unknown: list[str]


def read(caption: str) -> Reading:
    """What a caption says. Never raises: what can't be used of broken English is among the `unknown`."""
    words = " ".join(tokenize(caption)).replace("'s", "").replace("-", " ").split()
    items, at = [], 0
    while at < len(words):
        for end in range(min(at + LONGEST, len(words)), at, -1):
            text = " ".join(words[at:end])
            if text in LEXICON or end == at + 1:
                break
        items.append(Item(*LEXICON.get(text, ("unknown", None)), text))
        at = end
    reading = Reading([], [], [], [], [])
    _relate(_phrases(items, reading), reading)
    return reading


def _phrases(items: list[Item], reading: Reading) -> list[Item]:
    """Builds things of nouns with what stands before them; what is left, in order, relates the things."""
    elements: list[Item] = []
    pending: dict[str, Item] = {}  # what waits for its noun
    placed = False  # after a preposition: "in the rain" does nothing, "the rain" may fall on a car

    def release(*fields: str) -> None:
        elements.extend(pending.pop(field) for field in fields if field in pending)

    for item, after in zip(items, [*items[1:], Item("end")]):
        kind, value, text = item
        if kind == "her":
            kind = "det" if after.kind in OF_A_NOUN else "pron"
        elif text == "one" and reading.things and pending.keys() & {"color", "size"}:
            kind, value = "noun", (reading.things[-1].kinds, False)  # "a blue one"
        elif kind == "noun" and text in ONE_OF_TWO and not pending:
            kind = "verb"
        elif kind == "unknown":
            reading.unknown.append(text)
            named = pending and after.kind not in OF_A_NOUN  # "a zebra", not "a furry dog"
            kind, value = ("setting", (frozenset(), False)) if named else ("loose", None)
        if kind == "loose" or kind == "and" and "noun" != after.kind in OF_A_NOUN and len(pending) > ("det" in pending):
            continue  # "small and green"
        if kind in ATTRIBUTES:
            if kind == "count":
                release(*ATTRIBUTES)
            elif kind in pending and pending[kind].value != value:
                release(kind)  # "a girl in pink red balloons"
            pending[kind] = item
        elif kind == "noun":
            elements.append(Item("thing", _name(reading.things, *value, pending)))
            pending.clear()
        elif kind == "setting":
            facts = reading.places if value[0] & PLACES else reading.skies
            if value[0] and value[0] not in facts:
                facts.append(value[0])
            if value[1]:
                continue
            if text.endswith(("sky", "skies")) and elements and elements[-1].text == "in":
                elements[-1] = Item("relation", "in the sky", "in the sky")  # "in the starry sky"
            elements.append(Item("setting", not placed))
            pending.clear()  # "the green meadow": no colour of a thing
        elif kind == "carrier":  # "in a pink dress"
            release("color")
            pending.clear()
        else:
            release(*ATTRIBUTES)
            pending.clear()
            if kind == "det":
                pending["det"] = item
            elif kind != "of":
                elements.append(Item(kind, value, text))
                if kind == "relation" and text.split()[1:2] and {"its", "their", "his", "her"} & set(text.split()):
                    elements.append(Item("pron", None, "its"))
        placed = kind in ("relation", "of") or placed and kind in ("det", *ATTRIBUTES)
    release(*ATTRIBUTES)
    return elements


def _name(things: list[Thing], kinds: frozenset[str], many: bool | None, said: Mapping[str, Item]) -> int:
    """The number of the thing that a noun names: a new one, or with "the" one that was named before."""
    start = said["det"].text if "det" in said else ""
    one = many is False or many is None and start in ("a", "an", "another", "this")
    count = said["count"].value if "count" in said else "several" if many else 1 if one else None
    color, size = (said[field].value if field in said else None for field in ("color", "size"))
    if start in ("the", "this", "these"):
        for number, old in enumerate(things):
            pairs = ((old.color, color), (old.size, size), (old.count, count))
            if old.kinds == kinds and all(None in pair or pair[0] == pair[1] for pair in pairs):
                old.color, old.size, old.count = (first or second for first, second in pairs)
                return number
    things.append(Thing(kinds, color, size, count))
    return len(things) - 1


def _relate(elements: list[Item], reading: Reading) -> None:
    """Who relates to what, and whose the attributes are that follow their noun ("a car that is red")."""
    who = last = None  # the thing that does something; the thing named last
    fronted: list[tuple[frozenset[str], tuple[int, ...]]] = []  # "behind a tree ...": who is still to be named
    named, taken = 0, -1  # things so far; where the other thing of the last relation stands
    for at, (kind, value, text) in enumerate(elements):
        before = elements[at - 1].kind if at else "start"
        if kind == "thing":
            last, named = value, max(named, value + 1)
            if at != taken:
                who = value
                reading.relations.extend((value, ways, others) for ways, others in fronted)
                fronted.clear()
        elif kind == "that" and at != taken:
            who = last
        elif kind == "setting" and value:
            who = SKY
        elif kind in ATTRIBUTES:
            owner = who if before == "verb" else last  # "the car behind the dogs is red"
            if owner is None or owner != SKY and getattr(reading.things[owner], kind) not in (None, value):
                reading.unknown.append(text)
            elif owner != SKY:
                setattr(reading.things[owner], kind, value)
        elif kind == "relation":
            target = elements[at + 1] if value in RELATING and at + 1 < len(elements) else Item("end")
            if target.kind == "setting":  # "under the stars" is read as the weather that it is
                continue
            its, was_taken = target.kind in ("pron", "that"), taken == at - 1
            taken = at + 1 if its or target.kind == "thing" else taken
            meaning = RELATING[value] if taken > at else PLACING.get(value)
            if meaning is None or its and not named:
                reading.unknown.extend([text] * (value != "in"))  # "in pink" relates nothing
                continue
            ways = frozenset(meaning.split(", "))
            others = tuple(range(named)) if its else (target.value,) if taken > at else ()
            rest = (element for element in elements[max(at, taken) + 1 :] if element.kind != "verb")
            then = next(rest, Item("end"))
            front = who is None or (named == 1 if its else who in others)
            if then.kind == "thing":
                front |= before in ("and", "with") or who == SKY
                front |= not others and (before == "setting" or was_taken)
                if who is not None and "in the sky" in ways:  # of two things, the one that can fly is there
                    fly = [n >= 0 and bool(reading.things[n].kinds & FLIERS) for n in (who, then.value)]
                    front = fly[1] if fly[0] != fly[1] or who == SKY else front
            if front:
                fronted.append((ways, others))
            elif who != SKY:
                reading.relations.append((who, ways, others))
    reading.unknown.extend(" or ".join(sorted(ways)) for ways, _ in fronted)


def judge(caption: str, scene: Mapping[str, Any]) -> dict[str, Any]:
    """What holds of a caption: for each of the PARTS (right, stated), then counts, then `wholly_true`.

    `invented` are things of a kind that is not in the scene, as CHAIR counts them (Rohrbach et al. 2018, "Object
    Hallucination in Image Captioning"): what such a thing is like is no fact, that something relates to it is a
    wrong one. Of all ways to find the things among the groups, the one with most right facts counts.
    """
    reading, groups = read(caption), scene["groups"]
    fits: list[list[int | None]] = [
        [n for n, group in enumerate(groups) if group["kind"] in thing.kinds] or [None] for thing in reading.things
    ]

    def merit(found: Found) -> tuple[int, int]:
        return len({*found} - {None}), sum(right for _, right in _facts(reading, scene, found))

    found = max(itertools.islice(itertools.product(*fits), 4096), key=merit)  # no end to "a boat a boat a boat ..."
    facts = _facts(reading, scene, found)
    verdict: dict[str, Any] = {
        part: (facts.count((part, True)), sum(name == part for name, _ in facts)) for part in PARTS
    }
    verdict |= {"invented": found.count(None), "left_out": len(groups) - merit(found)[0], "named": len(found)}
    verdict |= {"groups": len(groups), "unknown": len(reading.unknown), "stated": len(found) + len(facts)}
    true = bool(found) and None not in found and not reading.unknown and all(right for _, right in facts)
    return verdict | {"wholly_true": true}


def _facts(reading: Reading, scene: Mapping[str, Any], found: Found) -> list[tuple[str, bool]]:
    """The part of each fact and whether it holds, where `found` are the groups that the things are."""
    groups, facts = scene["groups"], []
    for thing, n in zip(reading.things, found):
        if n is not None:
            facts += [("color", groups[n]["color"] == thing.color)] * (thing.color is not None)
            facts += [("size", groups[n]["size"] == thing.size)] * (thing.size is not None)
            if thing.count is not None:  # "a dog and another dog" are a group of two
                counts = [other.count for other, m in zip(reading.things, found) if m == n]
                least = sum(count if isinstance(count, int) else 2 for count in counts if count)
                exact = all(isinstance(count, int) for count in counts)
                facts.append(("count", groups[n]["count"] == least or not exact and groups[n]["count"] > least))
    for i, ways, others in reading.relations:
        a = found[i]
        to = [found[j] for j in others] if others else [0 if a or len(groups) < 2 else 1]
        holds = (_holds(groups, a, way, b) for way in ways for b in to if None not in (a, b) and (a != b or not others))
        facts.append(("relation", any(holds)))
    setting = {scene["place"], scene["sky"]}
    facts += [("place", bool(names & setting)) for names in reading.places]
    return facts + [("weather", bool(names & setting)) for names in reading.skies]


def _holds(groups: Sequence[Mapping[str, Any]], a: int, way: str, b: int) -> bool:
    """Whether group a relates to group b that way: as declared; where nothing is, as their boxes lie."""
    if way.startswith("~"):
        a, b, way = b, a, way[1:]
    declared, in_front = groups[a]["relation"], ("in front of", "in the foreground")
    if way == "in the sky":
        return declared in ("above", way)
    if way == "in the foreground":
        return declared in in_front
    if way == "in the background":
        return declared not in in_front and any(group["relation"] in in_front for group in groups)
    if {a, b} == {0, 1} and (way not in SIDEWAYS or groups[1]["relation"] in SIDEWAYS):
        return declared == way
    (ax0, _, ax1, ay1), (bx0, by0, bx1, by1) = groups[a]["box"], groups[b]["box"]
    if way in SIDEWAYS:
        return ax1 <= bx0 if way == "left of" else ax0 >= bx1
    overlap = ax0 < bx1 and bx0 < ax1
    return overlap and (way == "above" and ay1 <= by0 + MARGIN or way == "in front of" and ay1 > by1)


def truth(captions: Sequence[str], scenes: Sequence[Mapping[str, Any]]) -> dict[str, float | None]:
    """What share of the captions and of their facts holds; `stated` is facts per caption.

    A share of the PARTS is None where no caption states such a fact: silence is no truth.
    Raises ValueError unless there is a scene for each caption, and at least one.
    """
    if not captions or len(captions) != len(scenes):
        raise ValueError(f"{len(captions)} captions of {len(scenes)} scenes")
    verdicts = [judge(caption, scene) for caption, scene in zip(captions, scenes)]
    shares: dict[str, float | None] = {"invented": sum(v["invented"] > 0 for v in verdicts) / len(verdicts)}
    shares["left_out"] = sum(v["left_out"] for v in verdicts) / sum(v["groups"] for v in verdicts)
    for part in PARTS:
        right, stated = (sum(numbers) for numbers in zip(*(v[part] for v in verdicts)))
        shares[part] = right / stated if stated else None
    shares["wholly_true"] = sum(v["wholly_true"] for v in verdicts) / len(verdicts)
    shares["not_understood"] = sum(v["unknown"] > 0 for v in verdicts) / len(verdicts)
    return shares | {"stated": sum(v["stated"] for v in verdicts) / len(verdicts)}

"""Is a caption true of its scene? Reads English captions and checks each fact that they state.

A drawn scene is known exactly, so a caption can be held against the world that it was drawn from: Xie et al.
2019, "Going Beneath the Surface" (arXiv 1912.08960). The reader doesn't know the grammar of the captions.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from .lexicon import ITS, LEXICON, TINTS, Item
from .text import tokenize

PARTS = ("color", "size", "count", "relation", "place", "weather")
PLACES = frozenset("meadow beach lake street snow desert".split())
MARGIN = 4  # pixels by which what is "above" a thing may overlap it
BEFORE_NOUNS = ("det", "number", "several", "color", "size")
WHENCE = re.compile("in |on |by |after |downt")  # so begins a setting that isn't a noun
OWNED = re.compile("((?:the|an?) (?:[a-z]+ )?[a-z]+)'s (left|right)(?: hand)?(?: side)?")
WORN = ("in", "wear", "wears", "wearing")  # a color alone may follow
NOBODY, NOTHING = -2, -1  # in place of a thing or group: not named yet; none of the scene's, as the rain

CHUNK = re.compile(  # in first letters of kinds: "dlct" is a determiner, a loose word, a color, their thing
    r"(?P<thing>d?[lmu]*n*(?:[lmsu](?:a(?=[lsc]))?)*(?:c(?:a(?=[ls]))?)?[lmsu]*t"
    r"|[dns]l*[sc]+n(?![lmsc]*t)|(?:[dns][lmnscu]*|c|(?:^|(?<=[rh]))[lmu]*)b)"
    r"|(?P<env>d?[nlscmu]*e|[dnsc][nlscm]*u)|(?P<worn>d?[nlsmu]*c?[lmu]*g)|."
)


Chunk = tuple[str, Any, str]  # as an Item; the meaning may be the number of a thing


@dataclass
class Thing:
    """What a noun phrase says: one of `kinds`; None is what it does not; the count may be "several"."""

    kinds: frozenset[str]
    color: str | None
    size: str | None
    count: int | str | None


class Reading(NamedTuple):
    """A relation (i, ways, others): thing i, one of the ways, to one of the others or, if none, anything."""

    things: list[Thing]
    relations: list[tuple[int, list[str], tuple[int, ...]]]
    places: list[frozenset[str]]
    skies: list[frozenset[str]]
    unknown: list[str]


def read(caption: str) -> Reading:
    """What a caption says. Never raises: what can't be used of broken English is among the `unknown`."""
    text = OWNED.sub(r"\2 of \1", " ".join(tokenize(caption)).replace("-", " "))
    words = re.sub("'s( (head|roof|top|branche)s?)?(?= |$)", "", text).split()
    items, reading = list[Item](), Reading([], [], [], [], [])
    while words:
        texts = (" ".join(words[:end]) for end in range(min(9, len(words)), 0, -1))
        adverb = re.search("(?<!f)ly$", words[0]) and not (items and items[-1][0] in BEFORE_NOUNS)
        manner = "loose" if adverb else "unknown"  # "bravely" is no fact, "a lily" and "butterfly" would be
        items.append(next((LEXICON[text] for text in texts if text in LEXICON), (manner, "", words[0])))
        kind, meaning, text = items[-1]
        del words[: len(text.split())]
        names = frozenset(meaning.split() if kind in ("env", "mood") else ())
        facts = reading.places if names & PLACES else reading.skies
        facts.extend([names] * (bool(names) and names not in facts))
        reading.unknown.extend([text] * (kind == "unknown"))
    reading.unknown.extend([end for kind, _, end in items[-1:] if kind[0] in "dah" and end != "her"])
    _relate(_chunks(items, reading), reading)
    return reading


def _chunks(items: list[Item], reading: Reading) -> list[Chunk]:
    """Makes things of nouns with what stands before them; returns these and what relates them, in order."""
    letters = "".join("x" if kind == "env" and WHENCE.match(text) else kind[0] for kind, _, text in items)
    chunks, things = list[Chunk](), reading.things
    for found in CHUNK.finditer(letters):
        said = {kind: meaning for kind, meaning, _ in items[found.start() : found.end()]}
        kind, what, text = item = items[found.end() - 1]
        if found["thing"]:
            start, number, color, size = (said.get(kind) for kind in ("det", "number", "color", "size"))
            again = " ".join(things[-1].kinds if things else ()) + f"+{what}"  # of "a blue one"
            noun, count = said.get("thing", said.get("bloom", again)).split("+")
            kinds, count = frozenset(noun.split()), number or count or "1" * (start == "one")
            same = [n for n, thing in enumerate(things) if thing.kinds == kinds and start == "the"]
            if not same or number or color or size:  # else "the dog" was named before
                things.append(Thing(kinds, color, size, int(count) if count.isdigit() else count or None))
                same = [len(things) - 1]
            chunks.append(("thing", same[0], text))
        elif found["env"] or kind == "env":
            if text.endswith(("sky", "skies")) and chunks and chunks[-1][2] == "in":
                chunks[-1] = LEXICON["in the sky"]  # "in the starry sky"
            at = letters[: found.start()][-1:] if found["env"] else "p"  # "underneath at night"
            chunks += [("prep", "", "")] * (at == "p") + [("env", at in ("r", "p"), text)]
            tints = [TINTS[name] for name in what.split() if name in TINTS] + [""] * text.endswith("sky")
            if tints and said.get("color", "") not in " ".join(tints):  # "a red lake"
                reading.unknown.append(said["color"])
        elif found["worn"]:  # "in a pink dress"
            chunks += [("color", said["color"], "")] if "color" in said else []
        elif text == "her":  # no thing follows that is hers
            chunks.append(LEXICON["it"])
        elif kind not in ("loose", "det", "mood", "prep", "unknown"):
            chunks += [item, LEXICON["it"]] if {*ITS.split("/")} & {*text.split()} else [item]
    return chunks


def _relate(chunks: list[Chunk], reading: Reading) -> None:
    """Who relates to what, and whose the attributes are that follow their noun ("a car that is red")."""
    who = last = NOBODY  # the thing that does something; the thing named last
    fronted: list[tuple[list[str], tuple[int, ...]]] = []  # "behind a tree ...": who is still to be named
    named, taken, mates = 0, -1, list[int]()  # things so far; where the last other stands; "A and Bs are"
    letters, things = "".join(kind[0] for kind, _, _ in chunks), reading.things
    for at, (kind, meaning, text) in enumerate(chunks):
        before, after = letters[:at], letters[at + 1 :]
        if kind == "thing":
            last, named = meaning, max(named, meaning + 1)
            if at != taken:
                who, mates = meaning, []
                reading.relations.extend((meaning, *relation) for relation in fronted)
                fronted.clear()
        elif kind == "who" and at != taken:
            who = last
        elif kind == "verb" and text[-1:] != "s" and (pair := re.search("(?<![rt])ta(?=tw?$)", before)):
            both = things[last].count == 1 or re.search("(^|[ea])tat$", before)  # not "there is A and Bs are"
            mates = [chunks[pair.start()][1]] if both and chunks[pair.end() - 1][2] == "and" else []
        elif kind == "env" and not meaning:  # "rain" may fall on a car, "in the rain" nothing can
            who = NOTHING
        elif kind in ("number", "color", "size"):
            owner = who if before.rstrip("csa").endswith("v") else last  # "the car behind the dogs is red"
            part, value = ("count", int(meaning)) if kind == "number" and meaning != "1" else (kind, meaning)
            if not text or at and chunks[at - 1][2] in WORN:  # "a girl under a tree in pink"
                owner = max((n for n in range(named) if things[n].kinds & {"girl", "boy"}), default=owner)
            for one in (owner, *mates * (owner == who)):
                if one < 0 or getattr(things[one], part, 0) not in (None, value, "several"):
                    reading.unknown.append(text)
                else:
                    setattr(things[one], part, value)
        elif kind == "relation" and (meaning[0] == "|" or not after.startswith("e")):  # not "under the stars"
            other = meaning[0] != "|" and after.startswith(("t", "i", "w"))
            its, after_other = other and not after.startswith("t"), taken == at - 1
            taken, ways = at + 1 if other else taken, meaning.split("|")[not other].split(",")
            others: tuple[int, ...] = (chunks[at + 1][1],) if other else ()
            others = tuple(range(named)) if its else others
            if ways == [""] or its and not named:
                reading.unknown.extend([text] * (text not in WORN))  # "in pink" relates nothing
                continue
            alone = its and named == 1  # "it" is the only thing so far, or the place
            follows = bool(re.match("v*t", after[other:]))  # "and behind it stands a house"
            front = before.endswith(("a", "h")) or not other and (before.endswith("e") or after_other)
            if alone and letters[0] == "h" and len(things) > 1:  # "with a kite above it, a house"
                reading.relations.append((who, ways, (1,)))
            elif who == NOBODY or follows and (front or alone or who == NOTHING) or who in others and not its:
                fronted.append((ways, others))
            elif who != NOTHING and not (alone and "e" in before):
                reading.relations.extend((n, ways, others) for n in (who, *{*mates} - {*others}))
    reading.unknown.extend(" or ".join(ways) for ways, _ in fronted)


def judge(caption: str, scene: Mapping[str, Any]) -> dict[str, Any]:
    """What of a caption holds: (right, stated) for each of the PARTS, then numbers, then `wholly_true`.

    `invented` counts things of a kind that is not in the scene, as CHAIR does (Rohrbach et al. 2018, "Object
    Hallucination in Image Captioning"): what they are like is no fact, a relation to them a wrong one.
    Of all ways to find the things among the groups, of the first 512, one that leaves out least and is most
    right counts."""
    reading, groups = read(caption), scene["groups"]
    fits = [[n for n, g in enumerate(groups) if g["kind"] in it.kinds] or [NOTHING] for it in reading.things]
    ways = itertools.islice(itertools.product(*fits), 512)  # "a boat a boat a boat ..." has no end
    tries = ((len({*found} - {NOTHING}), _facts(reading, scene, found), found) for found in ways)
    named, facts, found = max(tries, key=lambda way: (way[0], sum(right for _, right in way[1])))
    true = found and NOTHING not in found and not reading.unknown and all(right for _, right in facts)
    return {
        **{part: (facts.count((part, True)), sum(name == part for name, _ in facts)) for part in PARTS},
        **{"invented": found.count(NOTHING), "left_out": len(groups) - named, "groups": len(groups)},
        **{"named": len(found), "unknown": len(reading.unknown), "stated": len(found) + len(facts)},
        "wholly_true": bool(true),
    }


def _facts(reading: Reading, scene: Mapping[str, Any], found: Sequence[int]) -> list[tuple[str, bool]]:
    """The part of each fact and whether it holds, where `found` are the groups that the things are."""
    groups, facts = scene["groups"], list[tuple[str, bool]]()
    for thing, n in zip(reading.things, found):
        if n != NOTHING:
            facts += [(p, getattr(thing, p) == groups[n][p]) for p in ("color", "size") if getattr(thing, p)]
            counts = [other.count for other, m in zip(reading.things, found) if m == n]
            more = groups[n]["count"] - sum(2 if count == "several" else int(count or 0) for count in counts)
            if thing.count is not None:  # "a dog and another dog" are a group of two
                facts.append(("count", more == 0 or more > 0 and ("several" in counts or None in counts)))
    for i, ways, others in reading.relations:
        a = found[i]
        to = {found[j] for j in others} - {a, NOTHING} if others else {0 if a else 1} & {*range(len(groups))}
        facts.append(("relation", a != NOTHING and any(_holds(groups, a, w, b) for w in ways for b in to)))
    setting = {scene["place"], scene["sky"]}
    facts += [("place", bool(names & setting)) for names in reading.places]
    return facts + [("weather", bool(names & setting)) for names in reading.skies]


def _holds(groups: Sequence[Mapping[str, Any]], a: int, way: str, b: int) -> bool:
    """Whether group a relates to group b: as declared; where nothing is, as their boxes lie."""
    if way[0] == "~":
        a, b, way = b, a, way[1:]
    declared, second, sides = groups[a]["relation"], groups[1]["relation"], ("left of", "right of")
    if way in ("in the sky", "in the foreground"):
        return declared in (way, "above" if way == "in the sky" else "in front of")
    if {a, b} == {0, 1} and (second in sides or way not in sides):
        return way == second if a else {way, second} == {*sides}
    (left, _, right, bottom), (left_too, top, right_too, bottom_too) = groups[a]["box"], groups[b]["box"]
    if way in sides:
        return right <= left_too if way == "left of" else left >= right_too
    fits = bottom <= top + MARGIN if way == "above" else way == "in front of" and bottom > bottom_too
    return fits and left < right_too and left_too < right


def truth(captions: Sequence[str], scenes: Sequence[Mapping[str, Any]]) -> dict[str, float | None]:
    """The shares of captions, groups and facts that the keys say, None where none is stated; facts a caption.
    Raises ValueError unless there is a scene for each caption, and a caption."""
    if not captions or len(captions) != len(scenes):
        raise ValueError(f"{len(captions)} captions of {len(scenes)} scenes")
    verdicts = [judge(caption, scene) for caption, scene in zip(captions, scenes)]
    parts = {part: [sum(numbers) for numbers in zip(*(v[part] for v in verdicts))] for part in PARTS}
    return {
        "invented": sum(v["invented"] > 0 for v in verdicts) / len(verdicts),
        "left_out": sum(v["left_out"] for v in verdicts) / sum(v["groups"] for v in verdicts),
        **{part: right / stated if stated else None for part, (right, stated) in parts.items()},
        "wholly_true": sum(v["wholly_true"] for v in verdicts) / len(verdicts),
        "not_understood": sum(v["unknown"] > 0 for v in verdicts) / len(verdicts),
        "stated": sum(v["stated"] for v in verdicts) / len(verdicts),
    }

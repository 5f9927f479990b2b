"""Is a caption true of its scene? Reads English captions and checks each fact that they state.

A drawn scene is known exactly: captions are held against the world that they were drawn from, as in Xie et
al. 2019, "Going Beneath the Surface" (arXiv 1912.08960), by a reader that doesn't know the grammar that wrote them.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from .text import tokenize

PARTS = ("color", "size", "count", "relation", "place", "weather")
PLACES = frozenset("meadow beach lake street snow desert".split())
PLURALS = {"child": "children", "person": "people", "sheep": "sheep"}
FLIERS = {"bird", "kite", "balloon"}
ALONE = {"in the sky": ("in the sky", "above"), "in the foreground": ("in the foreground", "in front of")}
MARGIN = 4  # pixels by which what is "above" a thing may overlap it
NOTHING, ATTRIBUTES = ("", "", ""), ("number", "color", "size")
NONE = -1  # who does something where it is no thing of the scene: the sun, the rain, a zebra

# The lexicon, rows of "kind meaning: entries". "_" joins the words of an entry, "/" parts choices, "?" marks words
# that may be missing; the longest entry that fits is read. An "env" or "mood" means one of its names, or nothing.
# Relations mean "with a thing|without"; a comma parts what is as good; "A ~under B" is "B under A". "Loose" words
# may stand among the adjectives of a noun; prepositions and verbs end them.
ITS, TONE = "its/their/his/her", "light/dark/pale/bright/deep"
SIDE = f"""relation {{0}} of|: to/on/at?_the?_{{0}}_hand?_side?_of/from to/on/at_{ITS}_{{0}}_hand?_side?_by?;
relation |{{0}} of: to/on/at_the?_{{0}}_hand?_side? to/on/at/in_the_{{0}}_side?_of_the/this_picture/image/scene;"""
ROWS = f"""{SIDE.format("left")}
{SIDE.format("right")}
thing house: house home cottage cabin building villa bungalow hut farmhouse; thing tree:
palm/pine/oak/fir/fruit/apple?_tree oak pine fir; thing car: car automobile sedan hatchback motorcar; thing
car bus: vehicle; thing bus: city/school?_bus coach omnibus; thing sheep: sheep lamb ewe; thing kite: kite;
thing boat: sailing/fishing/rowing?_boat sailboat yacht dinghy vessel ship; thing umbrella: beach?_umbrella
parasol sunshade brolly; thing bench: park/garden?_bench seat; thing dog: dog doggy puppy pup hound mutt
pooch terrier; thing cat: cat kitten kitty tabby feline tomcat; thing dog cat: pet; thing girl: girl lass
schoolgirl daughter; thing boy: boy lad schoolboy son; thing girl boy: child kid youngster toddler person;
thing bird: bird songbird seagull; thing ball: beach/toy?_ball football; thing balloon: balloon; thing
flower: wild?_flower wildflower blossom bloom; thing dog cat sheep bird: animal creature; thing ball balloon
kite: toy; color red: {TONE}?_red scarlet crimson; color blue: {TONE}/sky/navy?_blue azure navy; color green:
{TONE}/grass?_green emerald; color yellow: {TONE}/golden?_yellow golden gold; color white:
{TONE}/snow/snowy?_white; color black: {TONE}/jet/coal?_black; color orange: {TONE}?_orange tangerine ginger;
color purple: {TONE}?_purple violet lilac lavender; color pink: {TONE}?_pink rosy; color brown: {TONE}?_brown
chestnut tan; color grey: {TONE}?_grey/gray silver silvery; size big: big large huge giant enormous massive
tall; size small: small little tiny mini miniature short; number 1: one 1 a?_lone/single/solitary; number 2:
two 2 both_the? a?_pair/couple_of; number 3: three 3 a?_trio_of all_three; number 9: four 4 five 5 six seven
eight nine ten; number several: some several a?_few many lots_of a?_group/flock/herd/bunch/number_of; env
meadow: meadow/meadows grass grassland field/fields pasture countryside lawn in_the_country green_hills; env
beach: beach seaside seashore coast sea ocean surf sandy_beach/shore/coast the_waves on/in/by_the?_waves; env
lake: lake lakeside lakeshore pond; env beach lake: water waterside shore shoreline; env street:
street/streets road/roads roadside town city avenue pavement sidewalk kerb curb downtown asphalt; env snow:
fresh/deep?_snow winter snowdrifts snow_covered_ground; env snow snowing: in_heavy/light_snow
snowy/wintry_field/fields/ground/landscape; env desert: desert dune/dunes sand_dune/dunes cactus cacti
wilderness dry_land/ground; env beach desert: sand; env sunny: sun sunshine sunlight
clear/blue/bright_blue?_sky/skies bright/clear_day/weather fine_weather; env sunny cloudy rainy snowing:
morning afternoon daylight; env cloudy: cloud/clouds gray/grey/dull/gloomy_sky/skies/day/weather/clouds; env
rainy: rain raining rains rainfall raindrops drizzle drizzling shower/showers downpour rain_clouds; env
night: night nighttime moon moonlight star/stars starlight darkness in_the_dark after_dark midnight
dark/black_sky/night; env sunset: sunset dusk evening twilight sundown
sun_is?_setting/sets/sinks/going/goes_down? setting/low/evening_sun end_of_the?_day
red/orange/pink/golden/glowing/evening_sky; env snowing: snowing snows snowfall snowflakes snowstorm flurries
blizzard snowy/wintry_weather/day/sky falling_snow snow_is?_gently/softly/quietly/slowly?_falling/falls
snow_is?_coming/comes/drifting/drifts_down?; env sunrise: sunrise dawn; env: picture photo photograph image
drawing painting scene view sketch sky skies day weather air light glow horizon ground side edge middle
centre center corner wind breeze shade landscape hill/hills in_the_distance/background; mood meadow: grassy;
mood street: urban; mood snow: snow_covered; mood snow snowing: snowy wintry; mood desert: barren arid; mood
beach desert: sandy; mood sunny: sunny sunlit cloudless; mood rainy: rainy drizzly wet stormy; mood cloudy:
cloudy overcast dull gloomy; mood night: moonlit starry starlit dark; relation in front of|: in_front_of
before ahead_of at_the_front_of in_{ITS}_front; relation ~in front of|~in front of: behind; relation ~in
front of|: at/in/on_the_back_of; relation above,~under|: over high_above/over over/above_{ITS}_head/heads;
relation above,~under|in the sky,~under: above; relation ~under|: shelters shading shades sheltering;
relation under,~above,~on|under,~above,~on: under below beneath underneath; relation under,~above|:
in/under_the?_shade/shadow/shelter_of sheltered/shaded_by in/under_{ITS}_shade/branches; relation on|: on
upon atop on_top_of onto on_the?_roof/top/seat/back/branches_of in inside
on_{ITS}_top/roof/back/seat/branches; relation |on: on_top on_the_roof/top; relation left of,right of|:
next_to by near close_to at/by/on?_the_side_of at/by_{ITS}_side/sides; relation left of,right of|left
of,right of: beside alongside nearby; relation |in the sky: in/across/through_the_sky/air aloft up?_high_up
up/high?_up?_in_the_sky/air; relation |in the sky,~under: overhead; relation |in the foreground,~under:
in/at_the_foreground in/at_the?_front; determiner: a an the another this these those every each its their his
her; and: and while as but when where then; having: with has have having holds holding carries carrying
together/along_with; who: that who which whom; it: it them him he she they; preposition: of at for from to
along across through into toward towards around against amid during past among; verb: is are was were be
being can could we you i do there here sat lay lies lying stood grown seen shown sits sit like; loose: lovely
pretty old new young nice cute happy lonely friendly shiny bright quiet calm peaceful gentle empty busy wide
open long lush wooden playful lazy sleepy leafy fine good great colourful colorful fluffy woolly warm cold
hot cool clear soft simple asleep alone together very quite so too also just right directly still quietly
calmly happily gently slowly softly brightly side_by_side in_a_row up down out all other more again now deep
high low wearing dressed clad coloured colored on_{ITS}_own by_itself; garment: dress frock skirt outfit
shirt t_shirt top jumper sweater jacket coat clothes clothing colour color fur wool leaves; action: stand
wait graze wave grow sail float fly hover drift rest sleep play park moor bob bloom walk run jump roll drive
ride move stroll wander swim soar glide perch roost nap relax watch look gaze face pose appear show see
depict display picture contain gather line shine fall come go pass travel stop anchor hang rise tower stretch
bathe bounce dance place enjoy locate find stay remain twinkle glow pour linger
"""
CHUNK = re.compile(  # in first letters of kinds: "dlct" is a determiner, a loose word, a colour, their thing
    r"(?P<thing>d?[lmu]*n?(?:[lmsu](?:a(?=[lsc]))?)*(?:c(?:a(?=[ls]))?)?[lmsu]*t|dl*[sc]+n(?![lmsc]*t))"
    r"|(?P<env>d?[nlscmu]*e|[dnsc][nlscm]*u)|(?P<garment>d?[nlsmu]*c?[lmu]*g)|."
)
Item = tuple[str, Any, str]  # a word or phrase: its kind, meaning and text


@dataclass
class Thing:
    """What a noun phrase says: one of `kinds`; None is what it does not; the count may be "several"."""

    kinds: frozenset[str]
    color: str | None
    size: str | None
    count: int | str | None


class Reading(NamedTuple):
    """A relation (i, ways, others): thing i relates in one of the ways to one of the others, or where they are
    none to whatever there is. A place or sky: one of the names."""

    things: list[Thing]
    relations: list[tuple[int, list[str], tuple[int, ...]]]
    places: list[frozenset[str]]
    skies: list[frozenset[str]]
    unknown: list[str]


def _forms(kind: str, meaning: str, text: str) -> list[Item]:
    """An entry, with the plural of a noun; what becomes of a verb in a sentence: by rule."""
    with_s = re.sub("([^aeiou])y$", r"\1ie", text) + ("es" if text.endswith(("s", "x", "ch", "sh")) else "s")
    if kind == "thing":
        return [(kind, meaning, text), (kind, meaning + " many", PLURALS.get(text, with_s))]
    if kind != "action":
        return [(kind, meaning, text)]
    stems = (text, text + text[-1], text.removesuffix("e"), re.sub("y$", "i", text))
    loose = [("loose", "", stem + ending) for stem in stems for ending in ("ing", "ed")]
    return [*loose, ("verb", "", text), ("verb", "", with_s)]


def _lexicon() -> dict[str, Item]:
    """What every entry is. Of two meanings the one in the earlier row stays."""
    lexicon: dict[str, Item] = {}
    for row in reversed(ROWS.split(";")):
        head, entries = row.split(":")
        kind, _, meaning = " ".join(head.split()).partition(" ")
        for entry in entries.split():
            choices = [[*part.rstrip("?").split("/"), *[""] * ("?" in part)] for part in entry.split("_")]
            for words in itertools.product(*choices):
                lexicon |= {item[2]: item for item in _forms(kind, meaning, " ".join(filter(None, words)))}
    return lexicon


LEXICON = _lexicon()
LONGEST = max(len(text.split()) for text in LEXICON)


def read(caption: str) -> Reading:
    """What a caption says. Never raises: what can't be used of broken English is among the `unknown`."""
    words = " ".join(tokenize(caption)).replace("'s", "").replace("-", " ").split()
    items, reading = list[Item](), Reading([], [], [], [], [])
    while words:
        texts = (" ".join(words[:end]) for end in range(min(LONGEST, len(words)), 0, -1))
        items.append(next((LEXICON[text] for text in texts if text in LEXICON), ("unknown", "", words[0])))
        kind, meaning, text = items[-1]
        del words[: len(text.split())]
        names = frozenset(meaning.split() if kind in ("env", "mood") else ())
        facts = reading.places if names & PLACES else reading.skies
        facts.extend([names] * (bool(names) and names not in facts))
        reading.unknown.extend([text] * (kind == "unknown"))
    _relate(_chunks(items, reading.things), reading)
    return reading


def _chunks(items: list[Item], things: list[Thing]) -> list[Item]:
    """Makes things of nouns with what stands before them; returns these and what relates them, in order."""
    letters, chunks = "".join(kind[0] for kind, _, _ in items), list[Item]()
    for found in CHUNK.finditer(letters):
        said = {item[0]: item for item in items[found.start() : found.end()]}
        kind, _, text = item = items[found.end() - 1]
        if found["thing"]:
            chunks.append(("thing", _name(said, things), text))
        elif found["env"]:
            if text.endswith(("sky", "skies")) and chunks and chunks[-1][2] == "in":
                chunks[-1] = LEXICON["in the sky"]  # "in the starry sky"
            chunks.append(("env", letters[: found.start()].endswith(("r", "p")), text))
        elif found["garment"]:  # "in a pink dress"
            chunks += [said["color"]] if "color" in said else []
        elif text == "her":
            chunks.append(LEXICON["it"])
        elif kind not in ("loose", "determiner", "mood", "preposition", "unknown"):
            chunks += [item, LEXICON["it"]] if {*ITS.split("/")} & {*text.split()} else [item]
    return chunks


def _name(said: Mapping[str, Item], things: list[Thing]) -> int:
    """The number of the thing that a noun phrase names: with "the" perhaps one that was named before."""
    start, number, color, size, noun = (
        said.get(kind, NOTHING) for kind in ("determiner", *ATTRIBUTES, "thing")
    )
    again = things[-1].kinds if things else frozenset[str]()  # of "a blue one"
    kinds = frozenset(noun[1].split()) - {"many"} if "thing" in said else again
    if start[2] == "the" and not (number[1] or color[1] or size[1]):
        for thing in (thing for thing in things if thing.kinds == kinds):
            return things.index(thing)
    count = number[1] or ("several" if "many" in noun[1] else "1")
    if noun[2] == "sheep" and not number[1]:
        count = "1" if start[2] in ("a", "an", "another") else ""
    things.append(
        Thing(kinds, color[1] or None, size[1] or None, int(count) if count.isdigit() else count or None)
    )
    return len(things) - 1


def _relate(chunks: list[Item], reading: Reading) -> None:
    """Who relates to what, and whose the attributes are that follow their noun ("a car that is red")."""
    who = last = None  # who does something; what was named last
    fronted: list[tuple[list[str], tuple[int, ...]]] = []  # "behind a tree ...": who is still to be named
    named, taken = 0, -1  # things so far; where the other thing of the last relation stands
    letters = "".join(kind[0] for kind, _, _ in chunks)
    for at, (kind, meaning, text) in enumerate(chunks):
        before, after = letters[:at], letters[at + 1 :]
        if kind == "thing":
            last, named = meaning, max(named, meaning + 1)
            if at != taken:
                who = meaning
                reading.relations.extend((meaning, *relation) for relation in fronted)
                fronted.clear()
        elif kind == "who" and at != taken:
            who = last
        elif kind == "env" and not meaning:  # "rain" may fall on a car, "in the rain" nothing can
            who = NONE
        elif kind in ATTRIBUTES:
            owner = who if before.rstrip("csa").endswith("v") else last  # "the car behind the dogs is red"
            if owner is None or getattr(reading.things[owner], kind, 0) not in (None, meaning):
                reading.unknown.append(text)
            elif owner != NONE:
                setattr(reading.things[owner], kind, meaning)
        elif kind == "relation":
            target = "" if meaning[0] == "|" else after[:1]
            other, its = target in (*"tiw",), target in (*"iw",)
            taken = at + 1 if other else taken
            ways = meaning.split("|")[not other].split(",")
            others = tuple(range(named)) if its else (chunks[at + 1][1],) if other else ()
            if target == "e" or text == "in" and not other:
                continue  # "under the stars" was read as weather, "in pink" is no relation
            if ways == [""] or its and not named:
                reading.unknown.append(text)
                continue
            front = who is None or (named == 1 if its else who in others)
            if then := re.match("v*t", after[other:]):
                someone = chunks[at + other + then.end()][1]
                front |= before.endswith(("a", "h")) or who == NONE or not other and before.endswith("e")
                if who is not None and "in the sky" in ways:  # of two things, the one that can fly is there
                    fly = [n != NONE and bool(reading.things[n].kinds & FLIERS) for n in (who, someone)]
                    front = fly[1] if fly[0] != fly[1] or who == NONE else front
            if front:
                fronted.append((ways, others))
            elif who != NONE:
                reading.relations.append((who, ways, others))
    reading.unknown.extend(" or ".join(ways) for ways, _ in fronted)


def judge(caption: str, scene: Mapping[str, Any]) -> dict[str, Any]:
    """What of a caption holds: (right, stated) for each of the PARTS, then numbers, then `wholly_true`.

    `invented` are things of a kind that is not in the scene, as in CHAIR (Rohrbach et al. 2018, "Object
    Hallucination in Image Captioning"): what they are like is no fact, what relates to them is wrong.
    Of all ways to find the things among the groups, the one that leaves out least and is right most counts.
    """
    reading, groups = read(caption), scene["groups"]
    fits = [[n for n, g in enumerate(groups) if g["kind"] in it.kinds] or [None] for it in reading.things]
    ways = itertools.islice(itertools.product(*fits), 4096)  # "a boat a boat a boat ..." has no end of them
    tries = ((len({*found} - {None}), _facts(reading, scene, found), found) for found in ways)
    named, facts, found = max(tries, key=lambda way: (way[0], sum(right for _, right in way[1])))
    true = found and None not in found and not reading.unknown and all(right for _, right in facts)
    return {
        **{part: (facts.count((part, True)), sum(name == part for name, _ in facts)) for part in PARTS},
        **{"invented": found.count(None), "left_out": len(groups) - named, "groups": len(groups)},
        **{"named": len(found), "unknown": len(reading.unknown), "stated": len(found) + len(facts)},
        "wholly_true": bool(true),
    }


def _facts(reading: Reading, scene: Mapping[str, Any], found: Sequence[int | None]) -> list[tuple[str, bool]]:
    """The part of each fact and whether it holds, where `found` are the groups that the things are."""
    groups, facts = scene["groups"], list[tuple[str, bool]]()
    for thing, n in zip(reading.things, found):
        if n is not None:
            said: dict = {"color": thing.color, "size": thing.size}
            facts += [(part, value == groups[n][part]) for part, value in said.items() if value is not None]
            counts = [other.count for other, m in zip(reading.things, found) if m == n]
            more = groups[n]["count"] - sum(2 if count == "several" else int(count or 0) for count in counts)
            if thing.count is not None:  # "a dog and another dog" are a group of two
                facts.append(("count", more == 0 or more > 0 and ("several" in counts or None in counts)))
    for i, ways, others in reading.relations:
        to = {found[j] for j in others} - {found[i]} if others else {0 if found[i] else 1}
        facts.append(("relation", any(_holds(groups, found[i], way, n) for way in ways for n in to)))
    setting = {scene["place"], scene["sky"]}
    facts += [("place", bool(names & setting)) for names in reading.places]
    return facts + [("weather", bool(names & setting)) for names in reading.skies]


def _holds(groups: Sequence[Mapping[str, Any]], a: int | None, way: str, b: int | None) -> bool:
    """Whether group a relates to group b: as declared; where nothing is, as their boxes lie."""
    if a is None or b is None:
        return False
    if way[0] == "~":
        a, b, way = b, a, way[1:]
    declared, second, sides = groups[a]["relation"], groups[1]["relation"], ("left of", "right of")
    if way in ALONE:
        return declared in ALONE[way]
    if {a, b} == {0, 1} and (second in sides or way not in sides):
        return way == second if a else {way, second} == {*sides}
    (left, _, right, bottom), (left_too, top, right_too, bottom_too) = groups[a]["box"], groups[b]["box"]
    if way in sides:
        return right <= left_too if way == "left of" else left >= right_too
    fits = bottom <= top + MARGIN if way == "above" else way == "in front of" and bottom > bottom_too
    return fits and left < right_too and left_too < right


def truth(captions: Sequence[str], scenes: Sequence[Mapping[str, Any]]) -> dict[str, float | None]:
    """The shares of the captions, groups and facts of which it is so; `stated` is facts a caption.

    None for a part of which no caption states a fact: silence is no truth.
    Raises ValueError unless there is one scene for each caption, and one caption at least.
    """
    if not captions or len(captions) != len(scenes):
        raise ValueError(f"{len(captions)} captions of {len(scenes)} scenes")
    verdicts = [judge(caption, scene) for caption, scene in zip(captions, scenes)]
    parts = {part: [sum(numbers) for numbers in zip(*(v[part] for v in verdicts))] for part in PARTS}
    total = {key: sum(v[key] for v in verdicts) for key in ("left_out", "groups", "wholly_true", "stated")}
    some = {key: sum(v[key] > 0 for v in verdicts) / len(verdicts) for key in ("invented", "unknown")}
    return {
        **{"invented": some["invented"], "left_out": total["left_out"] / total["groups"]},
        **{part: right / stated if stated else None for part, (right, stated) in parts.items()},
        **{"wholly_true": total["wholly_true"] / len(verdicts), "not_understood": some["unknown"]},
        "stated": total["stated"] / len(verdicts),
    }

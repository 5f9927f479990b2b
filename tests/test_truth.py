"""What a caption says of its scene: read in many wordings, and every false fact caught."""

import random
import re
import time

import pytest

from utils.truth import LEXICON, PARTS, judge, read, truth

PLACES = ["meadow", "beach", "lake", "street", "snow", "desert"]
SKIES = ["sunny", "cloudy", "rainy", "night", "sunset", "snowing"]
COLORS = "red blue green yellow white black orange purple pink brown grey".split()
KINDS = "house tree car bus boat umbrella bench dog cat sheep girl boy bird ball balloon kite flower".split()


def group(words, relation=None, box=(80, 90, 140, 150)):
    count, size, color, kind = words.split()
    return {"kind": kind, "color": color, "size": size, "count": int(count), "relation": relation, "box": box}


def scene(place, sky, *groups):
    return {"place": place, "sky": sky, "groups": list(groups)}


LEFT, RIGHT, ABOVE, FRONT = (10, 110, 60, 150), (160, 110, 210, 150), (90, 20, 130, 60), (85, 140, 135, 190)
SCENES = {
    "house": scene("beach", "sunny", group("1 big red house"), group("2 small brown dog", "left of", LEFT),
                   group("1 small yellow kite", "in the sky", (150, 5, 190, 40))),
    "tree": scene("meadow", "night", group("1 big green tree"), group("1 small pink girl", "under", (95, 120, 120, 150))),
    "bus": scene("street", "rainy", group("1 big blue bus"), group("1 small white bird", "on", (100, 70, 120, 90)),
                 group("2 small black cat", "in the foreground", (20, 170, 80, 210))),
    "boats": scene("lake", "sunset", group("1 big white boat"), group("2 small red boat", "right of", RIGHT)),
    "car": scene("snow", "snowing", group("1 small grey car"), group("3 small white sheep", "in front of", FRONT)),
    "bench": scene("desert", "cloudy", group("1 small brown bench"), group("3 big orange balloon", "above", ABOVE)),
}  # fmt: skip
# Scene, facts stated (where counted by hand), caption.
TRUE = """
house 10 a big red house on a sunny beach with two small dogs to the left of it
house 10 to the left of a large house are two brown dogs, and a kite flies in the sky
house 6 there is a house with two dogs on its left under a clear blue sky
house - the scarlet cottage by the sea has a pair of little puppies on the left-hand side
house - on a bright sunny day a yellow kite flies high in the sky above the coast
house - this is a picture of two dogs standing beside a house that is red
house - a house stands to the right of some dogs while a golden kite hovers overhead
house - two brown pets and a toy in the air at the seaside
house - the house next to the dogs is big and red
house - in the sky there is a kite and dogs wait near the house
tree 8 a girl in pink under a big tree at night
tree 9 under a green tree stands a girl in a pink dress in the starry meadow
tree - a tree shelters a young lass dressed in pink
tree - a pink-clad child sits beneath a tall emerald tree on the moonlit grass
tree - in the shade of a tree a girl wearing a pink frock rests in the dark
tree - a large tree over a little girl in a pink T-shirt, in a field after dark
tree - it's night and the girl's dress is pink
tree - we can see a big tree with a girl underneath and the stars shine above
bus 10 a white bird sits on top of a big blue bus in the rain on a wet road
bus 9 a bus with a bird on its roof and two black cats in the foreground
bus - on a navy coach perches a small bird, and in the foreground there are two cats
bus - two jet-black kittens at the front, a bird upon a vehicle
bus - rain falls on a blue bus in town and on the bus sits a lone bird
bus - a bus carrying a bird on top drives down the street through a downpour
boats 8 a white boat and two red boats on a lake at sunset
boats 9 two small red sailboats to the right of a large white one
boats - red boats float beside a white boat as the sun goes down over the water
boats - a big boat to the left of two little boats in the orange light of dusk
boats - left of a couple of scarlet dinghies drifts a big yacht, the evening sky glowing
boats - two boats that are red and another boat to their left on a pond
car 8 three white sheep in front of a grey car in the snow
car - behind all three sheep a silver car is parked while snow is falling
car - snow falls on a small gray automobile and on the lambs in front of it
car - a car which is grey stands on a snowy field, in front of it graze three sheep
car - a few sheep of white colour before a car, flurries in the winter air
bench 8 three orange balloons hang above a brown bench under a grey sky
bench - below three big balloons there is a small wooden bench in the overcast desert
bench - a bench on the sand with balloons floating over it on a cloudy day
bench - several large balloons in the air over the dunes
bench - a chestnut seat is seen below huge tangerine balloons, dull clouds above
"""
TRUE = [line.split(maxsplit=2) for line in TRUE.strip().splitlines()]


@pytest.mark.parametrize("name, stated, caption", TRUE)
def test_many_wordings_are_understood_and_true(name, stated, caption):
    verdict = judge(caption, SCENES[name])
    assert verdict["wholly_true"], (verdict, read(caption))
    assert stated in ("-", str(verdict["stated"])), (verdict, read(caption))
    for plain in (caption.upper(), re.sub("[.,;]", "", caption.lower())):
        assert read(plain) == read(caption)


@pytest.mark.parametrize(
    "part, name, caption",
    [
        ("color", "tree", "a girl in green under a pink tree"),
        ("size", "house", "a house with two big dogs"),
        ("count", "bus", "a bird and a cat"),
        ("count", "house", "a dog and another dog and another dog"),
        ("relation", "house", "a house to the left of two dogs"),
        ("relation", "bus", "two cats in the sky"),
        ("relation", "car", "in front of three sheep stands a car"),
        ("relation", "tree", "a tree under a girl"),
        ("relation", "house", "two dogs on a bench"),
        ("place", "car", "a car on the street"),
        ("weather", "boats", "boats on a sunny day"),
    ],
)
def test_what_is_false_counts_as_false(part, name, caption):
    verdict = judge(caption, SCENES[name])
    right, stated = verdict[part]
    assert right < stated and not verdict["wholly_true"]


def test_the_best_matching_group_decides():
    two = SCENES["boats"]
    assert judge("a white boat", two)["color"] == judge("two red boats", two)["color"] == (1, 1)
    assert judge("a red boat and a white boat", two)["count"] == (1, 2)
    assert judge("a boat and a boat", two)["left_out"] == 0
    assert judge("a green boat and a white boat", two)["color"] == (1, 2)
    assert judge("an animal in front of a vehicle", SCENES["bus"])["named"] == 2


@pytest.mark.parametrize("word", ["zebra", "table", "Butterfly", "without", "qwertz", "mountains"])
def test_a_word_outside_the_lexicon_is_not_understood(word):
    for caption in (f"a red house and a {word}", f"a house {word} two dogs", f"{word}"):
        assert word.lower() in read(caption).unknown
        verdict = judge(caption, SCENES["house"])
        assert verdict["unknown"] and not verdict["wholly_true"]
    assert read(f"a dog and a red {word}").things[0].color is None


def test_an_invented_thing_has_no_colour_to_be_right_but_relations_to_it_are_wrong():
    verdict = judge("a purple cat to the left of two dogs", SCENES["house"])
    assert (verdict["invented"], verdict["left_out"], verdict["color"], verdict["relation"]) == (
        1,
        2,
        (0, 0),
        (0, 1),
    )


def random_scene(rng):
    """With boxes that agree with the relations: the main thing in the middle."""
    relation, box = rng.choice(
        [("left of", LEFT), ("right of", RIGHT), ("above", ABOVE), ("in front of", FRONT)]
    )
    kinds = rng.sample(KINDS, 2)
    color, other = rng.sample(COLORS, 2)
    first, second = (f"{rng.randint(1, 3)} {rng.choice(['big', 'small'])}" for _ in kinds)
    groups = group(f"{first} {color} {kinds[0]}"), group(f"{second} {other} {kinds[1]}", relation, box)
    return scene(rng.choice(PLACES), rng.choice(SKIES), *groups)


PLACE_WORDS = {"meadow": "in a meadow", "beach": "at the seaside", "lake": "on a lake", "street": "on a street",
               "snow": "in the deep snow", "desert": "among the dunes"}  # fmt: skip
SKY_WORDS = {"sunny": "in the sunshine", "cloudy": "under a grey sky", "rainy": "in the rain", "night": "at night",
             "sunset": "at dusk", "snowing": "while snow is falling"}  # fmt: skip
AGAINST = {"left of": "right of", "right of": "above", "above": "in front of", "in front of": "left of"}


def describe(it, rng):
    main, second = it["groups"]
    one, two = (
        f"{['a', 'two', 'three'][g['count'] - 1]} {g['size']} {g['color']} {plural(g)}"
        for g in (main, second)
    )
    relation = {"left of": "to the left of", "right of": "to the right of"}.get(
        second["relation"], second["relation"]
    )
    sentence = rng.choice(
        [f"{two} {relation} {one}", f"{relation} {one} there are {two}", f"{one} with {two} {relation} it"]
    )
    return f"{sentence} {PLACE_WORDS[it['place']]} {SKY_WORDS[it['sky']]}"


def plural(g):
    ending = {"sheep": "", "bus": "es", "bench": "es"}.get(g["kind"], "s")
    return g["kind"] + ending * (g["count"] > 1)


def changed(it, fact, rng):
    """The scene with one fact changed, to be described in its place."""
    new = {**it, "groups": [dict(g) for g in it["groups"]]}
    g = rng.choice(new["groups"])
    used = [other["kind"] for other in it["groups"]]
    if fact in ("place", "sky"):
        new[fact] = rng.choice([name for name in (PLACES if fact == "place" else SKIES) if name != it[fact]])
    elif fact == "relation":
        new["groups"][1]["relation"] = AGAINST[it["groups"][1]["relation"]]
    else:
        values = {"color": COLORS, "size": ["big", "small"], "count": [1, 2, 3], "kind": KINDS}[fact]
        g[fact] = rng.choice([value for value in values if value != g[fact] and value not in used])
    return new


def test_every_kind_of_fact_that_is_false_is_caught_under_its_own_part():
    rng = random.Random(0)
    for number in range(500):
        it = random_scene(rng)
        caption = describe(it, rng)
        verdict = judge(caption, it)
        assert verdict["wholly_true"] and verdict["stated"] == 11, (caption, it, verdict)
        fact = ["color", "size", "count", "kind", "relation", "place", "sky"][number % 7]
        caption = describe(changed(it, fact, rng), rng)
        verdict = judge(caption, it)
        wrong = {part for part in PARTS if verdict[part][0] < verdict[part][1]}
        assert not verdict["wholly_true"] and verdict["invented"] == (fact == "kind"), (caption, it, verdict)
        assert wrong == {{"kind": "relation", "sky": "weather"}.get(fact, fact)}, (caption, it, verdict)


def test_truth_of_a_list_by_hand():
    captions = ["a red house and two dogs", "a zebra", "a blue boat, a cat and a boat at night", "two sheep"]
    scenes = [SCENES["house"], SCENES["tree"], SCENES["boats"], SCENES["car"]]
    numbers = truth(captions, scenes)
    assert list(numbers) == ["invented", "left_out", *PARTS, "wholly_true", "not_understood", "stated"]
    assert numbers == {
        "invented": 1 / 4,
        "left_out": 4 / 9,  # the kite, tree and girl, the car
        "color": 1 / 2,
        "size": None,
        "count": 3 / 5,  # one of the boats is two, and there are three sheep
        "relation": None,
        "place": None,
        "weather": 0.0,
        "wholly_true": 1 / 4,
        "not_understood": 1 / 4,
        "stated": (5 + 0 + 7 + 2) / 4,
    }
    for captions in ([], ["a", "b"]):
        with pytest.raises(ValueError, match=f"{len(captions)} captions"):
            truth(captions, [SCENES["car"]])


def test_salads_of_known_words_never_raise_and_a_thousand_captions_take_no_time():
    rng = random.Random(1)
    words, names = list(LEXICON), list(SCENES)
    for _ in range(2000):
        judge(" ".join(rng.choices(words, k=rng.randint(0, 12))), SCENES[rng.choice(names)])
    judge("a boat " * 30, SCENES["boats"])
    start = time.perf_counter()
    truth(
        [TRUE[n % len(TRUE)][2] for n in range(1000)], [SCENES[TRUE[n % len(TRUE)][0]] for n in range(1000)]
    )
    assert time.perf_counter() - start < 2

"""Five speakers describe the drawn scenes, each with habits of its own: what is mentioned and what is left
out, in which order, in a sentence or a fragment. They know what was composed, and say nothing untrue.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from utils.datasets import words
from utils.datasets.drawing import pick
from utils.datasets.layout import ANIMALS, CHILDREN

# How often an alternative is said, for one time of the one before it: among the first of a bank, among the
# names of things, and from the fifth of a bank on.
COMMON, SELDOM, TAIL = 0.76, 0.38, 0.13
TASTE = 4  # among the first four each speaker has another favourite


def describe_scene(scene: dict, rng: np.random.Generator) -> list[str]:
    """Five captions, one by each speaker; `scene` has place, sky and groups, and need not be drawn."""
    captions = [speak(Voice(scene, rng, number)) for number, speak in enumerate(SPEAKERS)]
    return [f"{text[0].upper()}{text[1:]}." for text in captions]


@dataclass
class Voice:
    """One speaker in front of one scene: everything that is said of it comes from here."""

    scene: dict
    rng: np.random.Generator
    number: int

    def often(self, share: float) -> bool:
        return bool(self.rng.random() < share)

    def say(self, bank: str, turn: int = 0, common: float = COMMON) -> str:
        """One of a bank's alternatives: that at `turn` most often, then the first, the second and so on."""
        options = bank.split("|")
        turn %= min(TASTE, len(options))
        options = options[turn : turn + 1] + options[:turn] + options[turn + 1 :]
        ranks = np.arange(len(options))
        ends = np.cumsum(common ** np.minimum(ranks, TASTE - 1) * TAIL ** np.maximum(0, ranks - TASTE + 1))
        return options[int(np.searchsorted(ends, self.rng.random() * ends[-1], side="right"))]

    @property
    def main(self) -> dict:
        return self.scene["groups"][0]

    @property
    def second(self) -> dict:
        return self.scene["groups"][1]

    @property
    def third(self) -> dict | None:
        return self.scene["groups"][2] if len(self.scene["groups"]) > 2 else None

    def noun(self, group: dict, article: str = "a", size: float = 0.05, color: float = 1.0) -> str:
        """`a red car`, `two little girls in pink`: size and color as often as these shares."""
        noun, shade = self.say(words.NOUNS[group["kind"]], turn=self.number in (0, 3), common=SELDOM), ""
        dressed = group["kind"] in CHILDREN
        if group["count"] > 1:
            noun = plural(noun)
        if self.often(color):
            shade = self.say(words.COLOR_WORDS[group["color"]], common=TAIL)
        size_word = self.say(words.SIZE_WORDS[group["size"]]) if self.often(size) else ""
        look = self.say(words.LOOKS[group["kind"]], common=TAIL) if self.often(0.06) else ""
        opinion = pick(self.rng, words.OPINIONS) if self.often(0.008) else ""
        parts = [opinion, size_word, look, "" if dressed else shade, noun]
        phrase = " ".join(part for part in parts if part)
        if dressed and shade:
            worn = self.say(words.DRESSED[group["kind"]]).format(shade)
            start, one, dress = worn.partition(" a ")
            if one:
                dress = f" {plural(dress) if group['count'] > 1 else with_article(dress)}"
            phrase = f"{phrase} {start}{dress}"
        if group["count"] > 1:
            count = self.say(words.COUNT_WORDS[group["count"]])
            return f"{'the ' + words.NUMBERS[group['count']] if article == 'the' else count} {phrase}"
        return with_article(phrase) if article == "a" else join(article, phrase)

    def verb(self, group: dict, form: int | None = None, bank: str = "") -> str:
        """What a group does: `stands`, `stand` or, as form 2, `standing`."""
        forms = self.say(words.VERBS[bank or group["kind"]]).split()
        alive = group["kind"] in (*ANIMALS, *CHILDREN)
        manner = pick(self.rng, words.MANNERS["alive" if alive else "thing"]) if self.often(0.012) else ""
        return join(forms[(group["count"] > 1) if form is None else form].replace("_", " "), manner)

    def second_verb(self, form: int | None = None) -> str:
        """What the second group does, where its place decides it: birds above fly, a cat on a roof sits."""
        bank = {"above": "in the air", "on": "on"}.get(self.second["relation"], "")
        return self.verb(self.second, form, bank)

    def to_main(self, vague: float = 0.0) -> str:
        """How the second group stands to the main one; `beside` for left and right as often as `vague`."""
        relation = self.second["relation"]
        if relation in ("left of", "right of") and self.often(vague):
            return self.say(words.BESIDE, turn=self.number)
        return self.say(words.TO_MAIN[relation], turn=self.number)

    def to_second(self, vague: float = 0.0) -> str:
        """How the main group stands to the second one; empty where nobody would say so."""
        relation = self.second["relation"]
        if relation in ("left of", "right of") and self.often(vague):
            return self.say(words.BESIDE, turn=self.number)
        return self.say(words.TO_SECOND[relation], turn=self.number) if relation in words.TO_SECOND else ""

    def with_second(self) -> str:
        """`in front of it`, `to their left`: where the second group is, after the main one has been named."""
        text = self.say(words.WITH[self.second["relation"]], turn=self.number)
        it, its = ("it", "its")
        if self.main["count"] > 1:
            it, its = "them", "their"
        elif self.main["kind"] in CHILDREN:
            it, its = ("her", "her") if self.main["kind"] == "girl" else ("him", "his")
        return " ".join({"it": it, "its": its}.get(word, word) for word in text.split())

    def place(self) -> str:
        """`on the grass`, `on the lake`: where the main group is."""
        return self.say(self._places(), turn=self.number)

    def _places(self) -> str:
        if self.scene["sky"] == "snowing":  # "in the snow" would say it twice
            return words.WINTRY
        if self.main["kind"] == "boat":
            ashore = self.second["relation"] == "in front of"
            return (words.ASHORE if ashore else words.AFLOAT)[self.scene["place"]]
        return words.PLACES_SAID[self.scene["place"]]

    def sky(self) -> str:
        """`in the rain`, `at dusk`."""
        return self.say(words.SKIES_SAID[self.scene["sky"]], turn=self.number)

    def setting(self) -> str:
        """Place and weather in one: `on a rainy street`."""
        at, grounds = words.GROUNDS[self.scene["place"]].split("|")
        ground = self.say(grounds.replace(" ", "|")).replace("_", " ")
        return f"{at} {with_article(self.say(words.SKY_ADJECTIVES[self.scene['sky']]))} {ground}"

    def be(self, group: dict) -> str:
        return "is" if group["count"] == 1 else "are"


def plural(noun: str) -> str:
    last = noun.split()[-1]
    if last in words.PLURALS:
        return noun[: -len(last)] + words.PLURALS[last]
    if last.endswith("y") and last[-2] not in "aeiou":
        return noun[:-1] + "ies"
    return noun + ("es" if last.endswith(("s", "ch")) else "s")


def with_article(phrase: str) -> str:
    return f"{'an' if phrase[0] in 'aeiou' else 'a'} {phrase}"


def join(*parts: str) -> str:
    return " ".join(part for part in parts if part)


# The speakers, one function each.


def terse(v: Voice) -> str:
    """Fragments: `Red car parked next to two dogs on a rainy street`."""
    article = "" if v.often(0.35) else "a"
    main, second = v.noun(v.main, article, size=0.3), v.noun(v.second, article, color=0.95)
    behind = v.to_second(vague=0.4)
    if behind and v.often(0.5):
        said = join(main, v.verb(v.main, 2) if v.often(0.6) else "", behind, second)
    elif v.often(0.5):
        said = join(main, "with", second, v.with_second())
    else:
        said = join(second, v.second_verb(2) if v.often(0.5) else "", v.to_main(vague=0.4), main)
    if v.often(0.4) and v.main["kind"] != "boat":
        return join(said, v.setting())
    return join(said, v.place() if v.often(0.8) else "", v.sky() if v.often(0.6) else "")


def locating(v: Voice) -> str:
    """Whole sentences about what is where: `There is a dog in front of the white house in the snow`."""
    article = "the" if v.often(0.4) else "a"
    to_second = v.to_second()
    if to_second and v.often(0.35):
        main = v.noun(v.main, "the" if v.often(0.4) else "a", size=0.2)
        does = v.say(words.SEEN).format(be=v.be(v.main)) if v.often(0.2) else v.verb(v.main)
        said = join(main, does, to_second, v.noun(v.second, article))
    else:
        main = v.noun(v.main, article, size=0.3)
        if v.often(0.35):
            said = join("there", v.be(v.second), v.noun(v.second), v.to_main(), main)
        else:
            second = v.noun(v.second, "the" if v.often(0.4) else "a")
            said = join(second, v.second_verb() if v.often(0.6) else v.be(v.second), v.to_main(), main)
    return join(said, v.place() if v.often(0.85) else "", v.sky() if v.often(0.5) else "")


def weather_first(v: Voice) -> str:
    """The sky comes first: `It is raining and a dog stands under a tree in the meadow`."""
    main, second = v.noun(v.main, size=0.25), v.noun(v.second, color=0.95)
    to_second = v.to_second(vague=0.3)
    if to_second and v.often(0.5):
        said = join(main, v.verb(v.main), to_second, second)
    elif v.often(0.6):
        said = join(second, v.second_verb(), v.to_main(vague=0.3), main)
    else:
        said = join(main, v.verb(v.main), "with", second, v.with_second())
    if v.often(0.6):
        return f"{v.say(words.SKY_OPENERS[v.scene['sky']], turn=v.number)} and {said} {v.place()}"
    return f"{join(v.sky(), v.place() if v.often(0.9) else '')}, {said}"


def counting(v: Voice) -> str:
    """Names everything there is: `We see a tree, two cats under it and a blue kite in the sky at dusk`."""
    frame = v.say(words.FRAMES, common=0.7).format(be=v.be(v.main))
    main, second = v.noun(v.main, size=0.3), v.noun(v.second)
    said = f"{frame} {main}"
    if v.third:
        third = v.noun(v.third, color=0.95)
        where = v.say(words.THIRD[v.third["relation"]]) if v.often(0.9) else ""
        said = f"{said}, {second} {v.with_second()} and {join(third, where)}"
    elif v.often(0.6):
        said = f"{said} with {second} {v.with_second()}"
    else:
        said = f"{said} and {second} {v.with_second()}"
    place = v.place() if v.often(0.65) and not v.third else ""  # behind the third thing it would be its own
    return join(said, place, v.sky() if v.often(0.65 if place else 0.45) else "")


def main_thing(v: Voice) -> str:
    """The main thing with its size and what it does: `A big house stands in a field with a dog in front`."""
    main, second = v.noun(v.main, size=0.95), v.noun(v.second, color=0.85, size=0.0)
    said = join(main, v.verb(v.main), v.place())
    sky = v.sky() if v.often(0.75) else ""
    clause = sky.startswith(("as ", "while "))  # "while it snows with a ball" would be the snow's
    if v.often(0.5) and not clause:
        return join(said, sky, "with", second, v.with_second())
    if v.often(0.6) or clause:
        return join(said, "with", second, v.with_second(), sky)
    return join(said, sky, "and", second, v.second_verb(), v.with_second())


SPEAKERS = (terse, locating, weather_first, counting, main_thing)

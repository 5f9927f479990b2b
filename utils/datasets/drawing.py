"""Drawing: things in their colours, places and skies, with Pillow."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TypeVar

import numpy as np
from PIL import Image, ImageChops, ImageDraw, ImageFilter

SIZE = 224  # pixels, both ways: what VGG16 takes

PALETTE = {
    "red": (214, 42, 44), "blue": (38, 92, 214), "green": (44, 158, 66), "yellow": (252, 206, 32),
    "white": (246, 246, 243), "black": (42, 42, 48), "orange": (242, 132, 28), "purple": (128, 54, 178),
    "pink": (246, 132, 182), "brown": (138, 86, 48), "grey": (142, 146, 154),
}  # fmt: skip

COLORS = {
    "house": ("white", "yellow", "red", "blue"),
    "tree": ("green", "orange", "pink"),
    "car": ("red", "blue", "green", "yellow", "white"),
    "bus": ("red", "blue", "green", "yellow"),
    "boat": ("red", "blue", "yellow", "white"),
    "umbrella": ("red", "blue", "yellow", "purple"),
    "bench": ("brown", "red", "blue"),
    "dog": ("brown", "black", "white"),
    "cat": ("orange", "black", "grey"),
    "sheep": ("white", "black"),
    "girl": ("red", "yellow", "pink", "purple"),
    "boy": ("red", "blue", "green", "orange"),
    "bird": ("red", "blue", "yellow", "white"),
    "ball": ("red", "blue", "green", "yellow"),
    "balloon": ("red", "blue", "yellow", "pink", "purple"),
    "kite": ("red", "blue", "green", "orange"),
    "flower": ("red", "yellow", "pink", "purple"),
}
LABELS: tuple[str, ...] = tuple(f"{color} {kind}" for kind, colors in COLORS.items() for color in colors)
"""What the slim encoder learns to tell apart: every kind in every colour it comes in."""

SKIES = {
    "meadow": ("sunny", "cloudy", "rainy", "night", "sunset"),
    "beach": ("sunny", "cloudy", "rainy", "night", "sunset"),
    "lake": ("sunny", "cloudy", "rainy", "night", "sunset"),
    "street": ("sunny", "cloudy", "rainy", "night", "sunset"),
    "snow": ("sunny", "cloudy", "snowing", "night", "sunset"),
    "desert": ("sunny", "cloudy", "night", "sunset"),
}
PLACES = tuple(SKIES)

Color = tuple[int, ...]  # red, green, blue
T = TypeVar("T")
Light = Callable[[Color], Color]  # a color as it is under the sky


# ---------------------------------------------------------------- objects

# Width and height of each kind's drawing, in its own units; "flying" is a bird's other pose.
EXTENT = {
    "house": (100, 98), "tree": (88, 112), "car": (112, 56), "bus": (126, 70), "boat": (100, 100),
    "umbrella": (100, 100), "bench": (104, 60), "dog": (94, 68), "cat": (62, 82), "sheep": (90, 66),
    "girl": (50, 100), "boy": (50, 100), "bird": (66, 54), "flying": (80, 56), "ball": (60, 60),
    "balloon": (52, 88), "kite": (72, 92), "flower": (50, 74),
}  # fmt: skip
FINE = 4  # objects are drawn this much larger, then reduced


class Pen:
    """Draws on a transparent tile in an object's own units."""

    def __init__(self, extent: tuple[float, float], scale: float) -> None:
        size = [max(1, round(side * scale)) for side in extent]
        self.image = Image.new("RGBA", size, (0, 0, 0, 0))
        self.draw = ImageDraw.Draw(self.image)
        self.scale = scale

    def points(self, points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
        return [(x * self.scale, y * self.scale) for x, y in points]

    def box(self, x0: float, y0: float, x1: float, y1: float) -> list[float]:
        return [value * self.scale for value in (x0, y0, x1, y1)]

    def oval(self, x0: float, y0: float, x1: float, y1: float, fill: Color) -> None:
        self.draw.ellipse(self.box(x0, y0, x1, y1), fill=fill)

    def dot(self, x: float, y: float, radius: float, fill: Color) -> None:
        self.oval(x - radius, y - radius, x + radius, y + radius, fill)

    def rect(self, x0: float, y0: float, x1: float, y1: float, fill: Color, radius: float = 0) -> None:
        self.draw.rounded_rectangle(self.box(x0, y0, x1, y1), radius=radius * self.scale, fill=fill)

    def poly(self, points: Sequence[tuple[float, float]], fill: Color) -> None:
        self.draw.polygon(self.points(points), fill=fill)

    def line(self, points: Sequence[tuple[float, float]], fill: Color, width: float) -> None:
        points = self.points(points)
        width = max(1, round(width * self.scale))
        self.draw.line(points, fill=fill, width=width, joint="curve")
        for x, y in (points[0], points[-1]):  # round ends
            self.draw.ellipse([x - width / 2, y - width / 2, x + width / 2, y + width / 2], fill=fill)

    def arc(self, box: Sequence[float], start: float, end: float, fill: Color, width: float) -> None:
        width = max(1, round(width * self.scale))
        self.draw.arc(self.box(*box), start, end, fill=fill, width=width)

    def pie(self, box: Sequence[float], start: float, end: float, fill: Color) -> None:
        self.draw.pieslice(self.box(*box), start, end, fill=fill)


def _dark(color: Color, factor: float = 0.76) -> Color:
    return tuple(round(value * factor) for value in color)


def _light(color: Color, share: float = 0.3) -> Color:
    return tuple(round(value + (255 - value) * share) for value in color)


def pick(rng: np.random.Generator, options: Sequence[T]) -> T:
    """One of the options, each as likely as the others."""
    return options[int(rng.integers(len(options)))]


INK: Color = (34, 32, 40)
GLASS: Color = (176, 216, 236)


def _house(pen: Pen, c: Color, rng: np.random.Generator) -> None:
    roof = pick(rng, [(92, 74, 70), (84, 86, 98), (112, 78, 60)])
    pen.rect(68, 10, 79, 34, _dark(roof, 0.85))
    pen.rect(66, 8, 81, 13, _dark(roof, 0.7))
    pen.rect(12, 42, 88, 96, c)
    pen.rect(12, 42, 88, 53, _dark(c, 0.84))
    pen.rect(12, 90, 88, 96, _dark(c, 0.7))
    pen.poly([(2, 48), (50, 4), (98, 48)], roof)
    pen.poly([(50, 4), (98, 48), (89, 48), (50, 13)], _dark(roof, 0.8))
    pen.dot(50, 31, 6.5, (250, 246, 232))
    pen.dot(50, 31, 4.6, GLASS)
    door = 43 if rng.random() < 0.6 else 63
    pane = (255, 232, 150) if rng.random() < 0.4 else GLASS
    windows = (19, 65) if door == 43 else (18, 40)
    pen.rect(door, 65, door + 15, 96, (98, 62, 40), 2)
    pen.rect(door + 2, 67, door + 13, 96, (124, 80, 52), 2)
    pen.dot(door + 11, 82, 1.4, (240, 210, 120))
    for x in windows:
        pen.rect(x - 1.5, 58.5, x + 17.5, 76.5, (250, 247, 238))
        pen.rect(x, 60, x + 16, 75, pane)
        pen.line([(x + 8, 60), (x + 8, 75)], (250, 247, 238), 1.5)
        pen.line([(x, 67.5), (x + 16, 67.5)], (250, 247, 238), 1.5)
        pen.rect(x - 3, 76, x + 19, 79, _dark(c, 0.66))


def _tree(pen: Pen, c: Color, rng: np.random.Generator) -> None:
    bark = (104, 70, 44)
    pen.poly([(38, 60), (50, 60), (51, 98), (57, 110), (31, 110), (37, 98)], bark)
    pen.poly([(46, 60), (50, 60), (51, 98), (57, 110), (47, 110)], _dark(bark))
    pen.line([(44, 74), (60, 60)], bark, 4)
    pen.line([(43, 78), (28, 62)], bark, 4)
    lobes: list[tuple[float, float, int]] = [
        (24, 52, 20),
        (64, 52, 20),
        (44, 56, 20),
        (20, 36, 17),
        (68, 35, 17),
        (44, 36, 24),
        (32, 20, 17),
        (56, 19, 16),
    ]
    lobes = [(x + rng.uniform(-1.5, 1.5), y + rng.uniform(-1.5, 1.5), r) for x, y, r in lobes]
    for x, y, r in lobes:
        pen.dot(x, y, r, _dark(c, 0.74))
    for x, y, r in lobes:
        pen.dot(x - 1, y - 3, r * 0.86, c)
    for x, y, r in lobes[3:]:
        pen.dot(x - 4, y - 6, r * 0.45, _light(c, 0.18))
    for _ in range(16):
        x, y, r = pick(rng, lobes)
        angle, reach = rng.uniform(0, 2 * math.pi), rng.uniform(0, 0.7) * r
        pen.dot(x + reach * math.cos(angle), y - 3 + reach * math.sin(angle), 1.7, _light(c, 0.35))


def _wheel(pen: Pen, x: float, y: float, r: float) -> None:
    pen.dot(x, y, r, INK)
    pen.dot(x, y, r * 0.56, (178, 182, 190))
    pen.dot(x, y, r * 0.22, (92, 94, 102))


def _car(pen: Pen, c: Color, rng: np.random.Generator) -> None:
    pen.poly([(24, 27), (37, 6), (41, 3), (73, 3), (78, 6), (92, 27)], c)
    pen.rect(3, 24, 109, 46, c, 8)
    pen.rect(3, 37, 109, 46, _dark(c, 0.78), 5)
    pen.poly([(31, 25), (41, 9), (54, 9), (54, 25)], GLASS)
    pen.poly([(58, 25), (58, 9), (72, 9), (84, 25)], GLASS)
    pen.poly([(34, 25), (43, 9), (47, 9), (39, 25)], _light(GLASS, 0.6))
    pen.line([(56, 26), (56, 43)], _dark(c, 0.66), 1.3)
    pen.line([(61, 31), (67, 31)], _dark(c, 0.6), 2)
    pen.rect(102, 28, 110, 34, (255, 244, 190), 2)
    pen.rect(2, 28, 7, 34, (200, 40, 40), 2)
    pen.rect(0.5, 40, 111.5, 45, (120, 122, 130), 2)
    for x in (28, 85):
        pen.pie((x - 14, 30, x + 14, 58), 180, 360, _dark(c, 0.55))
        _wheel(pen, x, 44, 11)


def _bus(pen: Pen, c: Color, rng: np.random.Generator) -> None:
    pen.rect(2, 3, 124, 60, c, 9)
    pen.rect(2, 48, 124, 60, _dark(c, 0.76), 6)
    pen.rect(8, 3, 118, 8, _light(c, 0.4), 3)
    pen.rect(2, 40, 124, 44, (248, 246, 238))
    for x in range(10, 92, 20):
        pen.rect(x, 14, x + 16, 33, GLASS, 3)
        pen.poly([(x + 3, 33), (x + 9, 14), (x + 13, 14), (x + 7, 33)], _light(GLASS, 0.55))
    pen.rect(94, 14, 107, 54, _dark(c, 0.6), 2)
    pen.rect(96, 16, 105, 52, GLASS, 2)
    pen.rect(110, 12, 123, 36, GLASS, 3)
    pen.rect(118, 47, 125, 53, (255, 244, 190), 2)
    pen.rect(1, 47, 6, 53, (200, 40, 40), 2)
    for x in (28, 80):
        _wheel(pen, x, 58, 10.5)


def _boat(pen: Pen, c: Color, rng: np.random.Generator) -> None:
    pale = (250, 246, 232)
    pen.line([(48, 4), (48, 78)], (112, 78, 50), 2.6)
    pen.poly([(51, 6), (51, 68), (92, 68), (74, 36)], c)
    pen.poly([(51, 48), (51, 68), (92, 68), (82, 48)], _dark(c, 0.86))
    pen.poly([(45, 14), (45, 68), (12, 68)], pale)
    pen.poly([(45, 54), (45, 68), (12, 68), (21, 54)], _dark(pale, 0.88))
    pen.poly([(48, 3), (48, 11), (34, 7)], (226, 70, 60) if c != PALETTE["red"] else (250, 206, 60))
    pen.poly([(3, 74), (97, 74), (86, 92), (78, 97), (20, 97), (12, 90)], c)
    pen.poly([(9, 84), (92, 84), (86, 92), (78, 97), (20, 97), (12, 90)], _dark(c, 0.74))
    pen.rect(2, 72, 98, 77, (128, 88, 56), 2)
    for x in (30, 48, 66):
        pen.dot(x, 81.5, 2.5, (250, 246, 232))
        pen.dot(x, 81.5, 1.5, (70, 90, 120))


def _umbrella(pen: Pen, c: Color, rng: np.random.Generator) -> None:
    pen.rect(48.4, 4, 51.6, 98, (150, 108, 70), 1.5)
    pen.dot(50, 4, 2.6, (150, 108, 70))
    pale = _light(c, 0.42)
    for left, right, tone in [(3, 97, c), (20, 80, pale), (39, 61, c)]:
        pen.pie((left, 6, right, 84), 180, 360, tone)
    for left, right, tone in [(3, 20, c), (20, 39, pale), (39, 61, c), (61, 80, pale), (80, 97, c)]:
        pen.pie((left, 38.5, right, 51.5), 0, 180, tone)
        pen.arc((left, 38.5, right, 51.5), 8, 172, _dark(tone, 0.8), 2.4)


def _bench(pen: Pen, c: Color, rng: np.random.Generator) -> None:
    iron = (66, 68, 78)
    for x in (12, 88):
        pen.rect(x, 6, x + 4, 58, iron, 1)
    for y in (4, 14, 24):
        pen.rect(3, y, 101, y + 7.5, c, 2)
        pen.rect(3, y + 5, 101, y + 7.5, _dark(c, 0.72), 1)
    pen.rect(1, 35, 103, 43, _light(c, 0.12), 2)
    pen.rect(1, 39.5, 103, 44, _dark(c, 0.66), 1)
    for x in (8, 91):
        pen.rect(x, 43, x + 5, 59, iron, 1)
        pen.line([(x + 2, 26), (x + 2, 36)], iron, 3)
        pen.line([(x - 2, 26), (x + 7, 26)], iron, 3)


def _eye(pen: Pen, x: float, y: float, r: float = 2.4) -> None:
    pen.dot(x, y, r, (252, 252, 250))
    pen.dot(x + r * 0.2, y, r * 0.62, (20, 18, 22))


def _dog(pen: Pen, c: Color, rng: np.random.Generator) -> None:
    dark, light = _dark(c, 0.74), _light(c, 0.22)
    pen.line([(15, 30), (7, 22), (6, 11)], c, 6)
    for x in (26, 52):
        pen.rect(x, 40, x + 8, 65, dark, 3)
    pen.rect(12, 23, 69, 48, c, 12)
    pen.rect(20, 42, 58, 48, dark, 3)
    for x in (15, 60):
        pen.rect(x, 38, x + 8.5, 66, c, 3)
        pen.rect(x, 61, x + 11, 66.5, light, 2.5)
    pen.oval(50, 17, 73, 47, c)
    pen.oval(56, 5, 82, 31, c)
    pen.rect(70, 15, 92, 29, light, 6)
    pen.oval(86, 13.5, 93, 20, INK)
    pen.line([(80, 25), (88, 25)], _dark(c, 0.5), 1.3)
    pen.oval(54, 7, 65, 33, dark)
    _eye(pen, 74, 13, 2.7)
    pen.line([(59, 34), (73, 32)], (206, 60, 60) if c != PALETTE["brown"] else (70, 120, 200), 3.4)


def _cat(pen: Pen, c: Color, rng: np.random.Generator) -> None:
    dark, light = _dark(c, 0.74), _light(c, 0.28)
    pen.line([(44, 74), (54, 70), (57, 60), (54, 51), (57, 45)], dark, 6)
    for left in (7, 30):
        pen.oval(left, 52, left + 22, 80, dark)
    pen.oval(13, 33, 47, 80, c)
    pen.oval(22, 42, 38, 66, light)
    for left in (21, 31):
        pen.rect(left, 56, left + 8, 80, c, 4)
        pen.rect(left - 1, 74, left + 9, 80.5, light, 3)
    pen.line([(30, 60), (30, 78)], dark, 1.2)
    for side in (-1, 1):
        pen.poly([(30 + side * 19, 24), (30 + side * 17, 2), (30 + side * 4, 12)], c)
        pen.poly([(30 + side * 16, 19), (30 + side * 15, 7), (30 + side * 8, 13)], (236, 160, 160))
    pen.oval(10, 9, 50, 43, c)
    for x in (25, 30, 35):
        pen.line([(x, 11), (x, 17)], dark, 1.8)
    for side in (-1, 1):
        pen.oval(30 + side * 9 - 4.5, 21, 30 + side * 9 + 4.5, 30, (206, 224, 92))
        pen.oval(30 + side * 9 - 1.6, 21.5, 30 + side * 9 + 1.6, 29.5, (20, 18, 22))
        pen.oval(30 + side * 4 - 5, 31, 30 + side * 4 + 5, 39, light)
        pen.line([(30 + side * 8, 35), (30 + side * 22, 33)], (232, 232, 232), 0.9)
        pen.line([(30 + side * 8, 37), (30 + side * 21, 39)], (232, 232, 232), 0.9)
    pen.poly([(27, 30), (33, 30), (30, 34)], (224, 120, 130))


def _sheep(pen: Pen, c: Color, rng: np.random.Generator) -> None:
    face = (74, 64, 64) if sum(c) > 400 else (122, 108, 102)
    dark = _dark(c, 0.82) if sum(c) > 400 else (28, 28, 32)
    for leg in (20, 30, 48, 57):
        pen.rect(leg, 44, leg + 5.5, 65, _dark(face, 0.85 if leg in (30, 48) else 1.0), 2)
    ring = [(40 + 28 * math.cos(a), 30 + 16 * math.sin(a)) for a in np.linspace(0, 2 * math.pi, 13)[:-1]]
    for x, y in ring:
        pen.dot(x, y + 2, 10, dark)
    pen.oval(12, 14, 68, 48, c)
    for x, y in ring:
        pen.dot(x, y - 0.5, 8.8, c)
    for x, y in [(28, 26), (44, 22), (54, 34), (36, 38), (22, 34)]:
        pen.arc((x - 6, y - 5, x + 6, y + 5), 20, 170, dark, 1.6)
    pen.oval(60, 21, 72, 29, _dark(face, 0.8))
    pen.oval(66, 14, 86, 42, face)
    pen.oval(73, 32, 87, 42, _light(face, 0.18))
    _eye(pen, 79, 24, 2.5)
    for x, y in [(68, 15), (74, 12), (80, 15)]:
        pen.dot(x, y, 5.5, c)


def _bird(pen: Pen, c: Color, rng: np.random.Generator) -> None:
    dark, light = _dark(c, 0.72), _light(c, 0.34)
    for x in (28, 36):
        pen.line([(x, 42), (x, 51), (x + 5, 52)], (228, 132, 40), 2)
    pen.poly([(20, 26), (1, 34), (3, 44), (24, 40)], dark)
    pen.oval(11, 16, 50, 47, c)
    pen.oval(24, 26, 49, 46, light)
    pen.oval(34, 3, 58, 28, c)
    pen.poly([(55, 12), (65, 17), (55, 21)], (240, 150, 40))
    pen.pie((8, 8, 42, 42), 10, 160, dark)
    _eye(pen, 49, 13, 3)


def _flying(pen: Pen, c: Color, rng: np.random.Generator) -> None:
    dark, light = _dark(c, 0.8), _light(c, 0.34)
    pen.poly([(40, 30), (40, 12), (48, 2), (54, 6), (58, 28)], dark)
    pen.poly([(24, 34), (2, 34), (6, 48), (26, 44)], dark)
    pen.oval(16, 25, 64, 50, c)
    pen.oval(26, 36, 60, 50, light)
    pen.oval(50, 16, 73, 39, c)
    pen.poly([(70, 25), (79, 29), (70, 33)], (240, 150, 40))
    pen.poly([(28, 36), (10, 20), (8, 4), (24, 8), (42, 20), (50, 36)], dark)
    pen.poly([(30, 34), (15, 19), (13, 8), (25, 12), (39, 22), (46, 34)], _light(dark, 0.12))
    _eye(pen, 64, 25, 2.8)


SKIN = ((252, 214, 176), (228, 176, 124), (150, 98, 62))
HAIR = ((72, 44, 28), (40, 32, 34), (176, 112, 52))


def _face(pen: Pen, skin: Color) -> None:
    pen.oval(13, 5, 37, 31, skin)
    for x in (20, 30):
        pen.oval(x - 1.7, 16, x + 1.7, 20.5, INK)
        pen.dot(x + (x - 25) * 0.6, 23, 2.2, tuple(np.add(skin, (2, -30, -26)).clip(0, 255).tolist()))
    pen.arc((20, 18, 30, 27), 20, 160, (150, 52, 52), 1.6)


def _girl(pen: Pen, c: Color, rng: np.random.Generator) -> None:
    skin, hair = pick(rng, SKIN), pick(rng, HAIR)
    pen.rect(8, 6, 42, 46, hair, 14)
    for x in (18, 27):
        pen.rect(x, 74, x + 5, 95, skin, 2)
        pen.rect(x - 1.5, 92, x + 6.5, 98.5, _dark(c, 0.6), 2.5)
    pen.line([(17, 38), (8, 58)], skin, 4.6)
    pen.line([(33, 39), (45, 30), (46, 17)], skin, 4.6)
    pen.rect(21, 27, 29, 38, _dark(skin, 0.88))
    pen.poly([(17, 34), (33, 34), (34, 52), (45, 79), (5, 79), (16, 52)], c)
    pen.poly([(28, 34), (33, 34), (34, 52), (45, 79), (33, 79)], _dark(c, 0.82))
    pen.rect(15.5, 50, 34.5, 54, _light(c, 0.45))
    pen.line([(15, 36), (12, 45)], c, 6)
    pen.line([(35, 36), (39, 38)], c, 6)
    _face(pen, skin)
    pen.pie((10, 2, 40, 28), 180, 360, hair)
    pen.poly([(10, 14), (18, 14), (12, 24)], hair)
    pen.poly([(40, 14), (32, 14), (38, 24)], hair)
    pen.dot(14, 7, 3.6, c)


def _boy(pen: Pen, c: Color, rng: np.random.Generator) -> None:
    skin, hair = pick(rng, SKIN), pick(rng, HAIR)
    trousers = (70, 74, 92)
    for x in (15.5, 26.5):
        pen.rect(x, 62, x + 8.5, 94, trousers, 2)
        pen.rect(x - 2, 91, x + 9.5, 98.5, (52, 44, 44), 3)
    pen.rect(15, 58, 35, 70, trousers, 2)
    pen.line([(13, 40), (5, 60)], skin, 5)
    pen.line([(37, 40), (45, 30), (46, 18)], skin, 5)
    pen.rect(21, 27, 29, 38, _dark(skin, 0.88))
    pen.rect(12, 34, 38, 65, c, 5)
    pen.rect(30, 36, 38, 65, _dark(c, 0.82), 4)
    pen.line([(14, 38), (9.5, 48)], c, 8)
    pen.line([(36, 38), (42, 34)], c, 8)
    pen.rect(11, 8, 39, 22, hair, 5)
    _face(pen, skin)
    pen.pie((11, 1, 39, 26), 180, 360, c)
    pen.rect(10, 11, 46, 15.5, _dark(c, 0.78), 2)


def _ball(pen: Pen, c: Color, rng: np.random.Generator) -> None:
    pen.dot(30, 30, 28.5, _dark(c, 0.78))
    pen.dot(29, 28.5, 26.6, c)
    turn = rng.uniform(0, 120)
    for start in (0, 120, 240):
        pen.pie((2.4, 1.9, 55.6, 55.1), start + turn, start + turn + 34, _light(c, 0.72))
    pen.dot(29, 28.5, 5, _light(c, 0.72))
    pen.oval(15, 8, 26, 17, _light(c, 0.78))


def _balloon(pen: Pen, c: Color, rng: np.random.Generator) -> None:
    pen.line([(26, 58), (24, 66), (28, 74), (25, 86)], (228, 228, 228), 1.8)
    pen.poly([(26, 53), (20.5, 61), (31.5, 61)], _dark(c, 0.7))
    pen.oval(2, 2, 50, 57, _dark(c, 0.82))
    pen.oval(3, 2, 46, 54, c)
    pen.oval(10, 9, 20, 25, _light(c, 0.6))


def _kite(pen: Pen, c: Color, rng: np.random.Generator) -> None:
    pen.line([(38, 60), (30, 70), (36, 78), (26, 88)], (240, 240, 236), 1.8)
    for x, y in [(32, 70), (35, 79), (26, 88)]:
        pen.poly([(x - 6, y - 3), (x + 6, y + 3), (x + 6, y - 3), (x - 6, y + 3)], c)
    pen.poly([(36, 2), (69, 27), (38, 62), (3, 27)], c)
    pen.poly([(36, 2), (69, 27), (36.6, 27)], _light(c, 0.34))
    pen.poly([(3, 27), (36.6, 27), (38, 62)], _dark(c, 0.8))
    pen.line([(36, 3), (38, 61)], (250, 246, 236), 1.7)
    pen.line([(4, 27), (68, 27)], (250, 246, 236), 1.7)


def _flower(pen: Pen, c: Color, rng: np.random.Generator) -> None:
    stem = (52, 128, 52)
    pen.line([(25, 30), (26, 50), (24, 72)], stem, 3.4)
    pen.poly([(25, 64), (36, 48), (46, 46), (42, 58)], stem)
    pen.poly([(25, 68), (14, 54), (4, 53), (9, 64)], _dark(stem, 0.84))
    turn = rng.uniform(0, 1)
    for tone, size in [(_dark(c, 0.84), 8.6), (c, 7.6)]:
        for i in range(7):
            angle = (i + turn) * 2 * math.pi / 7
            pen.dot(25 + 15 * math.cos(angle), 25 + 15 * math.sin(angle), size, tone)
    pen.dot(25, 25, 8.4, (250, 200, 40) if c != PALETTE["yellow"] else (124, 76, 36))
    pen.dot(24, 24, 5, (255, 222, 100) if c != PALETTE["yellow"] else (150, 96, 50))


PAINTERS = {
    "house": _house, "tree": _tree, "car": _car, "bus": _bus, "boat": _boat, "umbrella": _umbrella,
    "bench": _bench, "dog": _dog, "cat": _cat, "sheep": _sheep, "girl": _girl, "boy": _boy,
    "bird": _bird, "flying": _flying, "ball": _ball, "balloon": _balloon, "kite": _kite, "flower": _flower,
}  # fmt: skip

# How the light of each sky falls on objects and on the ground (factors of red, green and blue).
OBJECT_LIGHT = {
    "sunny": (1.0, 1.0, 1.0), "cloudy": (0.95, 0.95, 0.96), "rainy": (0.9, 0.91, 0.93),
    "night": (0.85, 0.86, 0.95), "sunset": (1.0, 0.94, 0.9), "snowing": (0.97, 0.97, 0.99),
}  # fmt: skip
GROUND_LIGHT = {
    "sunny": (1.0, 1.0, 1.0), "cloudy": (0.88, 0.89, 0.9), "rainy": (0.72, 0.75, 0.8),
    "night": (0.4, 0.46, 0.66), "sunset": (0.96, 0.76, 0.7), "snowing": (0.93, 0.94, 0.97),
}  # fmt: skip


def _tile(pose: str, color: str, px: float, flip: bool, sky: str, rng: np.random.Generator) -> Image.Image:
    """One object on a transparent tile whose longer side is `px` pixels."""
    extent = EXTENT[pose]
    scale = px / max(extent)
    pen = Pen(extent, scale * FINE)
    PAINTERS[pose](pen, PALETTE[color], rng)
    tile = pen.image.transpose(Image.Transpose.FLIP_LEFT_RIGHT) if flip else pen.image
    tile = tile.resize([max(1, round(side * scale)) for side in extent], Image.Resampling.LANCZOS)
    # Light comes from above: a little brighter at the top, darker at the foot.
    pixels = np.asarray(tile, dtype=np.float32).copy()
    fall = np.linspace(1.05, 0.93, tile.height, dtype=np.float32)[:, None, None]
    pixels[..., :3] *= fall * np.array(OBJECT_LIGHT[sky], np.float32)
    return Image.fromarray(pixels.clip(0, 255).round().astype(np.uint8))


# ---------------------------------------------------------------- backgrounds

SKY = {
    "sunny": [(58, 142, 228), (132, 194, 244), (206, 234, 250)],
    "cloudy": [(146, 156, 170), (176, 184, 194), (208, 212, 218)],
    "rainy": [(86, 96, 112), (116, 126, 142), (154, 164, 176)],
    "night": [(12, 16, 46), (28, 36, 82), (62, 74, 128)],
    "sunset": [(84, 66, 140), (226, 112, 104), (255, 204, 124)],
    "snowing": [(160, 172, 192), (190, 200, 214), (222, 228, 236)],
}
HORIZON = {"meadow": 124, "beach": 104, "lake": 106, "street": 150, "snow": 126, "desert": 126}
WATERLINE = {"beach": (138, 146), "lake": (146, 156)}  # where a boat may float
FEET = {"meadow": (184, 204), "beach": (188, 206), "lake": (194, 208), "street": (186, 204),
        "snow": (184, 204), "desert": (184, 204)}  # where an object may stand  # fmt: skip


def _gradient(stops: Sequence[Color], height: int, width: int) -> Image.Image:
    where = np.linspace(0, len(stops) - 1, max(height, 2))
    column = np.stack(
        [np.interp(where, range(len(stops)), channel) for channel in zip(*stops, strict=True)], axis=1
    )
    column = column.round().astype(np.uint8)[:, None, :]
    return Image.fromarray(np.repeat(column, width, axis=1))


def _fill(image: Image.Image, points: Sequence[tuple[float, float]], top: Color, bottom: Color) -> None:
    """Fill a polygon with a vertical gradient."""
    left, upper = (max(0, math.floor(min(values))) for values in zip(*points, strict=True))
    right = min(image.width, math.ceil(max(x for x, _ in points)) + 1)
    lower = min(image.height, math.ceil(max(y for _, y in points)) + 1)
    if right <= left or lower <= upper:
        return
    mask = Image.new("L", (right - left, lower - upper))
    ImageDraw.Draw(mask).polygon([(x - left, y - upper) for x, y in points], fill=255)
    image.paste(_gradient([top, bottom], mask.height, mask.width), (left, upper), mask)


def _glow(image: Image.Image, x: float, y: float, radius: float, color: Color, strength: float) -> None:
    rows, columns = np.mgrid[: image.height, : image.width].astype(np.float32)
    far = (columns - x) ** 2 + (rows - y) ** 2
    mask = 255 * strength * np.exp(-far / (2 * radius**2))
    image.paste(color, (0, 0), Image.fromarray(mask.astype(np.uint8)))


def _clouds(
    image: Image.Image, rng: np.random.Generator, count: int, color: Color, lowest: float, alpha: int
) -> None:
    mask = Image.new("L", image.size)
    draw = ImageDraw.Draw(mask)
    for _ in range(count):
        x, y = rng.uniform(0, image.width), rng.uniform(14, lowest)
        size = rng.uniform(26, 46)
        for step in range(5):
            r = size * rng.uniform(0.3, 0.52) * (1.2 if step in (1, 2, 3) else 0.8)
            cx, cy = x + (step - 2) * size * 0.5, y - (r * 0.25 if step in (1, 2, 3) else 0)
            draw.ellipse([cx - r, cy - r * 0.8, cx + r, cy + r * 0.6], fill=alpha)
    image.paste(color, (0, 0), mask.filter(ImageFilter.GaussianBlur(3)))


def _hills(rng: np.random.Generator, width: int, y: float, height: float) -> list[tuple[float, float]]:
    phase, waves = rng.uniform(0, 2 * math.pi, 2), rng.uniform(0.7, 1.8, 2)
    points = [(0.0, float(SIZE * 2))]
    for x in range(0, width + 9, 8):
        t = x / width * 2 * math.pi
        points.append(
            (
                x,
                y
                - height
                * (
                    0.5
                    + 0.35 * math.sin(waves[0] * t + phase[0])
                    + 0.15 * math.sin(2.3 * waves[1] * t + phase[1])
                ),
            )
        )
    return [*points, (width + 8.0, float(SIZE * 2))]


def _band(width: int, top: float, bottom: float) -> list[tuple[float, float]]:
    return [(0, top), (width, top), (width, bottom), (0, bottom)]


def _background(
    place: str, sky: str, rng: np.random.Generator, avoid: Sequence[Sequence[float]] = ()
) -> Image.Image:
    """An empty scene, drawn twice as large and reduced to SIZE."""
    side = 2 * SIZE
    horizon = 2 * HORIZON[place]
    image = Image.new("RGB", (side, side))
    image.paste(_gradient([*SKY[sky]], horizon + 30, side), (0, 0))

    def lit(color: Color) -> Color:
        return tuple(round(value * factor) for value, factor in zip(color, GROUND_LIGHT[sky], strict=True))

    _paint_sky(image, sky, rng, horizon, avoid)
    PLACE_PAINTERS[place](image, rng, lit, horizon, sky)
    return image.resize((SIZE, SIZE), Image.Resampling.LANCZOS)


def _paint_sky(
    image: Image.Image, sky: str, rng: np.random.Generator, horizon: int, avoid: Sequence[Sequence[float]]
) -> None:
    """Sun, moon, stars and clouds.

    Sun and moon go to the upper corner that the boxes in `avoid` leave freer.
    """
    draw = ImageDraw.Draw(image)
    corner_load = [
        sum(1 for x0, y0, x1, y1 in avoid if y0 < 60 and low < x1 and x0 < high)
        for low, high in [(0, 60), (164, SIZE)]
    ]
    on_left = rng.random() < 0.5 if corner_load[0] == corner_load[1] else corner_load[0] < corner_load[1]
    x, y = 2 * (rng.uniform(24, 44) if on_left else rng.uniform(180, 200)), 2 * rng.uniform(24, 34)
    if sky == "sunny":
        _glow(image, x, y, 44, (255, 250, 214), 0.8)
        draw.ellipse([x - 25, y - 25, x + 25, y + 25], fill=(255, 236, 128))
        _clouds(image, rng, int(rng.integers(2, 4)), (255, 255, 255), horizon * 0.55, 225)
    elif sky == "cloudy":
        _clouds(image, rng, 6, (126, 134, 148), horizon * 0.5, 190)
        _clouds(image, rng, 6, (226, 229, 233), horizon * 0.62, 215)
    elif sky == "rainy":
        _clouds(image, rng, 9, (66, 74, 90), horizon * 0.4, 215)
    elif sky == "snowing":
        _clouds(image, rng, 5, (226, 231, 239), horizon * 0.5, 160)
    elif sky == "sunset":
        y = horizon - 2 * rng.uniform(10, 20)
        _glow(image, x, y, 60, (255, 236, 150), 0.85)
        draw.ellipse([x - 30, y - 30, x + 30, y + 30], fill=(255, 226, 110))
        _clouds(image, rng, 3, (246, 150, 132), horizon * 0.5, 150)
    elif sky == "night":
        for star in rng.uniform(0, 1, (60, 3)):
            r = 0.8 + 1.3 * star[2] ** 2
            cx, cy = star[0] * image.width, star[1] * horizon * 0.95
            draw.ellipse([cx - r, cy - r, cx + r, cy + r], fill=(222, 226, 250))
        _glow(image, x, y, 36, (150, 160, 214), 0.6)
        draw.ellipse([x - 24, y - 24, x + 24, y + 24], fill=(246, 242, 214))
        for dx, dy, r in [(-8, -6, 5), (7, 4, 6), (-4, 11, 3.6), (9, -11, 3)]:
            draw.ellipse([x + dx - r, y + dy - r, x + dx + r, y + dy + r], fill=(222, 217, 188))


def _tufts(
    image: Image.Image, rng: np.random.Generator, top: float, count: int, colors: Sequence[Color], tall: float
) -> None:
    draw = ImageDraw.Draw(image)
    for x, t, pick in rng.uniform(0, 1, (count, 3)):
        y = top + (image.height - top) * t
        x, length = x * image.width, tall * (0.6 + 0.8 * t)
        color = colors[int(pick * len(colors))]
        for lean in (-0.5, 0.0, 0.5):
            draw.line(
                [(x + lean * 4, y), (x + lean * 2.2 * length / 2, y - length * (1 - abs(lean) * 0.4))],
                fill=color,
                width=2,
            )


def _waves(
    image: Image.Image, rng: np.random.Generator, top: float, bottom: float, color: Color, count: int
) -> None:
    draw = ImageDraw.Draw(image)
    for x, t in rng.uniform(0, 1, (count, 2)):
        y = top + 4 + (bottom - top - 8) * t
        half = 6 + 14 * t
        x *= image.width
        draw.arc([x - half, y - 3, x, y + 3], 180, 360, fill=color, width=2)
        draw.arc([x, y - 3, x + half, y + 3], 180, 360, fill=color, width=2)


def _meadow(image: Image.Image, rng: np.random.Generator, lit: Light, horizon: int, sky: str) -> None:
    side = image.width
    _fill(image, _hills(rng, side, horizon + 6, 54), lit((120, 176, 128)), lit((104, 166, 92)))
    _fill(image, _hills(rng, side, horizon + 26, 34), lit((128, 190, 88)), lit((96, 164, 66)))
    _fill(image, _hills(rng, side, horizon + 60, 20), lit((136, 198, 82)), lit((74, 146, 54)))
    _tufts(image, rng, horizon + 70, 110, [lit((92, 160, 60)), lit((70, 138, 50)), lit((156, 208, 96))], 9)
    draw = ImageDraw.Draw(image)
    for x, t, pick in rng.uniform(0, 1, (26, 3)):
        cx, cy, r = x * side, horizon + 76 + (side - horizon - 80) * t, 1.6 + 1.2 * t
        draw.ellipse(
            [cx - r, cy - r, cx + r, cy + r], fill=lit((250, 250, 236) if pick < 0.6 else (250, 226, 120))
        )


def _beach(image: Image.Image, rng: np.random.Generator, lit: Light, horizon: int, sky: str) -> None:
    side = image.width
    shore = 2 * 160
    _fill(image, _band(side, horizon, shore + 24), lit((48, 122, 186)), lit((92, 190, 206)))
    _waves(image, rng, horizon, shore - 6, lit((176, 224, 236)), 46)
    edge = _hills(rng, side, shore + 16, 14)
    _fill(
        image,
        [(x, y - 7 if y < 2 * SIZE else y) for x, y in edge],
        lit((238, 250, 250)),
        lit((238, 250, 250)),
    )
    _fill(image, edge, lit((224, 200, 150)), lit((224, 200, 150)))
    _fill(
        image,
        [(x, y + 10 if y < 2 * SIZE else y) for x, y in edge],
        lit((244, 224, 170)),
        lit((230, 200, 136)),
    )
    draw = ImageDraw.Draw(image)
    for x, t, pick in rng.uniform(0, 1, (70, 3)):
        cx, cy, r = x * side, shore + 34 + (side - shore - 38) * t, 1 + 1.6 * pick
        draw.ellipse([cx - r * 1.5, cy - r, cx + r * 1.5, cy + r], fill=lit((206, 176, 118)))


def _lake(image: Image.Image, rng: np.random.Generator, lit: Light, horizon: int, sky: str) -> None:
    side = image.width
    _fill(image, _hills(rng, side, horizon, 62), lit((128, 158, 156)), lit((110, 146, 128)))
    _fill(image, _hills(rng, side, horizon + 6, 26), lit((86, 138, 84)), lit((74, 126, 72)))
    shore = 2 * 172
    _fill(image, _band(side, horizon + 8, shore + 20), lit((120, 176, 204)), lit((54, 120, 168)))
    _waves(image, rng, horizon + 14, shore - 4, lit((190, 222, 234)), 40)
    edge = _hills(rng, side, shore + 14, 16)
    _fill(
        image, [(x, y - 5 if y < 2 * SIZE else y) for x, y in edge], lit((150, 132, 96)), lit((150, 132, 96))
    )
    _fill(image, edge, lit((122, 184, 78)), lit((74, 144, 54)))
    _tufts(image, rng, shore + 24, 70, [lit((92, 160, 60)), lit((66, 134, 48)), lit((150, 204, 92))], 9)
    draw = ImageDraw.Draw(image)
    reeds = side - 30 if rng.random() < 0.5 else 30
    for dx, tall in rng.uniform(0, 1, (9, 2)):
        x, y = reeds + (dx - 0.5) * 44, shore + 20
        draw.line([(x, y), (x + (dx - 0.5) * 8, y - 24 - 26 * tall)], fill=lit((72, 122, 52)), width=3)


def _street(image: Image.Image, rng: np.random.Generator, lit: Light, horizon: int, sky: str) -> None:
    side = image.width
    draw = ImageDraw.Draw(image)
    x = -rng.uniform(0, 30)
    dim = np.array(SKY[sky][1], np.float32) * 0.42 + np.array(lit((150, 142, 146)), np.float32) * 0.5
    while x < side:
        wide, tall = rng.uniform(44, 82), rng.uniform(70, 150)
        tone = tuple(int(value) for value in (dim * rng.uniform(0.88, 1.06)).clip(0, 255))
        draw.rectangle([x, horizon - tall, x + wide, horizon + 4], fill=tone)
        draw.rectangle([x, horizon - tall, x + wide, horizon - tall + 5], fill=_dark(tone, 0.88))
        for wx in np.arange(x + 8, x + wide - 10, 15):
            for wy in np.arange(horizon - tall + 14, horizon - 14, 19):
                bright = rng.random() < (0.45 if sky in ("night", "sunset", "rainy") else 0.0)
                draw.rectangle(
                    [wx, wy, wx + 7, wy + 10], fill=(236, 206, 120) if bright else _dark(tone, 0.84)
                )
        x += wide + rng.uniform(0, 6)
    _fill(image, _band(side, horizon, horizon + 44), lit((190, 186, 182)), lit((206, 202, 196)))
    for slab in range(0, side + 60, 46):
        draw.line([(slab, horizon), (slab - 24, horizon + 38)], fill=lit((168, 164, 160)), width=2)
    draw.rectangle([0, horizon + 38, side, horizon + 46], fill=lit((146, 144, 144)))
    _fill(image, _band(side, horizon + 46, side), lit((104, 106, 114)), lit((126, 128, 136)))
    start = -rng.uniform(0, 80)
    while start < side:
        draw.polygon(
            [
                (start, horizon + 122),
                (start + 46, horizon + 122),
                (start + 42, horizon + 129),
                (start - 6, horizon + 129),
            ],
            fill=lit((236, 230, 206)),
        )
        start += 86


def _snow(image: Image.Image, rng: np.random.Generator, lit: Light, horizon: int, sky: str) -> None:
    side = image.width
    _fill(image, _hills(rng, side, horizon + 4, 70), lit((206, 218, 234)), lit((226, 234, 244)))
    draw = ImageDraw.Draw(image)
    for x, t in sorted(rng.uniform(0, 1, (9, 2)).tolist(), key=lambda pine: pine[1]):
        cx, foot, tall = x * side, horizon + 6 + 22 * t, 34 + 24 * t
        for step in range(3):
            top, half = foot - tall + step * tall * 0.26, tall * (0.16 + 0.09 * step)
            draw.polygon(
                [(cx, top), (cx - half, top + tall * 0.44), (cx + half, top + tall * 0.44)],
                fill=lit((92, 124, 122)),
            )
            draw.polygon(
                [(cx, top), (cx - half * 0.5, top + tall * 0.2), (cx + half * 0.4, top + tall * 0.16)],
                fill=lit((240, 245, 250)),
            )
    _fill(image, _hills(rng, side, horizon + 34, 26), lit((238, 243, 250)), lit((222, 231, 243)))
    _fill(image, _hills(rng, side, horizon + 80, 22), lit((246, 249, 253)), lit((214, 225, 240)))
    for x, t in rng.uniform(0, 1, (26, 2)):
        cx, cy = x * side, horizon + 84 + (side - horizon - 92) * t
        draw.arc([cx - 16, cy - 4, cx + 16, cy + 5], 190, 350, fill=lit((196, 210, 230)), width=2)


def _desert(image: Image.Image, rng: np.random.Generator, lit: Light, horizon: int, sky: str) -> None:
    side = image.width
    _fill(image, _hills(rng, side, horizon + 2, 50), lit((214, 150, 104)), lit((222, 164, 110)))
    draw = ImageDraw.Draw(image)
    green = lit((84, 132, 84))
    for x in rng.permutation(6)[: int(rng.integers(1, 3))]:
        cx, foot, tall = 36 + 74 * int(x) + rng.uniform(-8, 8), horizon + 14, rng.uniform(38, 54)
        draw.rounded_rectangle([cx - 5, foot - tall, cx + 5, foot], radius=5, fill=green)
        for sign, start in [(-1, 0.45), (1, 0.6)]:
            y = foot - tall * start
            draw.line(
                [(cx, y), (cx + sign * 13, y), (cx + sign * 13, y - 13)], fill=green, width=7, joint="curve"
            )
    _fill(image, _hills(rng, side, horizon + 34, 34), lit((234, 182, 118)), lit((226, 168, 104)))
    _fill(image, _hills(rng, side, horizon + 84, 30), lit((242, 196, 132)), lit((220, 160, 96)))
    for x, t in rng.uniform(0, 1, (24, 2)):
        cx, cy = x * side, horizon + 92 + (side - horizon - 100) * t
        draw.arc([cx - 20, cy - 4, cx + 20, cy + 6], 200, 340, fill=lit((206, 150, 92)), width=2)


PLACE_PAINTERS = {
    "meadow": _meadow,
    "beach": _beach,
    "lake": _lake,
    "street": _street,
    "snow": _snow,
    "desert": _desert,
}


def _weather(image: Image.Image, sky: str, rng: np.random.Generator) -> None:
    """Rain or snow in front of everything."""
    if sky not in ("rainy", "snowing"):
        return
    mask = Image.new("L", (2 * SIZE, 2 * SIZE))
    draw = ImageDraw.Draw(mask)
    if sky == "rainy":
        for x, y, t in rng.uniform(0, 1, (130, 3)):
            x, y, length = x * 2.2 * SIZE, y * 2 * SIZE, 14 + 16 * t
            draw.line([(x, y), (x - length * 0.28, y + length)], fill=110 + int(70 * t), width=2)
    else:
        for x, y, t in rng.uniform(0, 1, (150, 3)):
            r = 1.6 + 2.8 * t**2
            draw.ellipse([x * 2 * SIZE - r, y * 2 * SIZE - r, x * 2 * SIZE + r, y * 2 * SIZE + r], fill=230)
    image.paste(
        (255, 255, 255) if sky == "snowing" else (206, 220, 236),
        (0, 0),
        mask.resize((SIZE, SIZE), Image.Resampling.LANCZOS),
    )


# ---------------------------------------------------------------- pictures


def extent(thing: dict) -> tuple[int, int]:
    """Width and height in pixels of an object's tile."""
    extent = EXTENT[thing["pose"]]
    scale = thing["px"] / max(extent)
    return max(1, round(extent[0] * scale)), max(1, round(extent[1] * scale))


def draw(
    place: str, sky: str, things: Sequence[dict], rng: np.random.Generator
) -> tuple[Image.Image, list[list[int]]]:
    """The picture and each thing's box.

    A thing has kind, pose, color, px (longer side), x (left), foot (bottom), flip and
    ground ("ground", "water" or None); later things are in front of earlier ones.
    """
    tiles = [_tile(thing["pose"], thing["color"], thing["px"], thing["flip"], sky, rng) for thing in things]
    corners = [(thing["x"], thing["foot"] - tile.height) for thing, tile in zip(things, tiles, strict=True)]
    boxes = []
    for (x, y), tile in zip(corners, tiles, strict=True):
        visible = tile.getchannel("A").point(lambda alpha: 255 * (alpha >= 64)).getbbox()
        assert visible, "a tile always shows something"
        x0, y0, x1, y1 = visible
        boxes.append([x + x0, y + y0, x + x1, y + y1])
    image = _background(place, sky, rng, boxes)
    for thing, tile, corner, box in zip(things, tiles, corners, boxes, strict=True):
        if thing["ground"] == "water":  # its reflection, paler with depth
            mirror = tile.transpose(Image.Transpose.FLIP_TOP_BOTTOM).resize(
                (tile.width, max(1, tile.height * 2 // 5))
            )
            fade = _gradient([(90, 90, 90), (0, 0, 0)], mirror.height, mirror.width).getchannel(0)
            image.paste(mirror, (corner[0], box[3] - 2), ImageChops.multiply(mirror.getchannel("A"), fade))
        elif thing["ground"] == "ground":
            wide = box[2] - box[0]
            depth = max(4, round(wide * 0.13))
            shadow = Image.new("L", (wide + 24, 2 * depth + 12))
            ImageDraw.Draw(shadow).ellipse([10, 6, wide + 13, 2 * depth + 5], fill=105)
            shadow = shadow.filter(ImageFilter.GaussianBlur(2.2))
            image.paste((24, 26, 44), (box[0] - 12, box[3] - depth - 7), shadow)
        image.paste(tile, corner, tile)
    _weather(image, sky, rng)
    return image, boxes


# ---------------------------------------------------------------- single things

# The longer side in pixels: of a main group that is small or big, and of the other groups (lowest, highest).
MAIN_PX = {
    "house": (80, 118), "tree": (88, 128), "car": (80, 114), "bus": (88, 126), "boat": (80, 114),
    "umbrella": (82, 118), "bench": (78, 110), "dog": (70, 98), "cat": (68, 94), "sheep": (70, 98),
    "girl": (82, 114), "boy": (82, 114),
}  # fmt: skip
SECOND_PX = {
    "car": (66, 72), "bench": (62, 68), "boat": (60, 66), "dog": (50, 58), "cat": (48, 54),
    "sheep": (52, 58), "girl": (64, 72), "boy": (64, 72), "bird": (42, 48), "ball": (38, 43),
    "balloon": (58, 66), "kite": (56, 64), "flower": (48, 56),
}  # fmt: skip
FLIERS = ("bird", "balloon", "kite")

HOME = {  # where each kind belongs; a kind that is not named belongs everywhere
    "house": ("meadow", "beach", "lake", "street", "snow", "desert"),
    "tree": ("meadow", "lake", "street", "snow"),
    "car": ("meadow", "beach", "street", "snow", "desert"), "bus": ("meadow", "street", "snow", "desert"),
    "boat": ("beach", "lake"), "umbrella": ("meadow", "beach", "lake", "desert"),
    "bench": ("meadow", "beach", "lake", "street", "snow"), "sheep": ("meadow", "lake", "snow"),
    "flower": ("meadow", "lake"),
}  # fmt: skip


def make_thing(kind: str, color: str, px: float, rng: np.random.Generator, flying: bool = False) -> dict:
    """A thing for `draw`, `px` pixels along its longer side, which still has to be put somewhere."""
    ground = "water" if kind == "boat" else None if flying else "ground"
    pose = "flying" if kind == "bird" and flying else kind
    return {
        "kind": kind,
        "pose": pose,
        "color": color,
        "px": round(float(px), 1),
        "flip": bool(rng.random() < 0.5),
        "ground": ground,
        "x": 0,
        "foot": 0,
    }


def draw_single(label: str, rng: np.random.Generator) -> np.ndarray:
    """One drawn object on a random background: uint8 (224, 224, 3), RGB.

    label: one of LABELS; size, position, place and sky come from `rng`, in the ranges of the
    scenes. Raises ValueError for an unknown label.
    """
    return single(label, rng)[0]


def single(label: str, rng: np.random.Generator) -> tuple[np.ndarray, list[int], str, str]:
    """As `draw_single`, with what was drawn: the picture, the object's box, the place and the sky."""
    if label not in LABELS:
        raise ValueError(f"{label!r} is not one of LABELS")
    color, kind = label.split()
    low = (SECOND_PX if kind in SECOND_PX else MAIN_PX)[kind][0]
    high = (MAIN_PX if kind in MAIN_PX else SECOND_PX)[kind][1]
    place = pick(rng, HOME.get(kind, PLACES))
    sky = pick(rng, SKIES[place])
    flies = kind in FLIERS and (kind != "bird" or rng.random() < 0.5)
    thing = make_thing(kind, color, rng.uniform(low, high), rng, flying=flies)
    wide, tall = extent(thing)
    thing["x"] = int(rng.integers(2, SIZE - wide - 1))
    if kind == "boat":
        thing["foot"] = int(rng.integers(*WATERLINE[place])) + 8
    elif flies:
        thing["foot"] = int(rng.integers(tall + 4, 134))
    else:
        thing["foot"] = int(rng.integers(178, 218))
    image, boxes = draw(place, sky, [thing], rng)
    return np.asarray(image), boxes[0], place, sky

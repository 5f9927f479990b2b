"""The drawn scenes: what a caption says is true, what a box marks is there, and no scene comes twice."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

import numpy as np
import pytest

from utils.datasets import drawing, layout, load_dataset, scenes, speakers
from utils.datasets.drawing import LABELS, SIZE, draw, draw_single, extent
from utils.files import UserError
from utils.settings import ROOT, load_settings

NUMBERS = {"a": 1, "an": 1, "two": 2, "three": 3}
# "a red car", "two girls in pink"
NOUN = r"(a|an|two|three) (?:(girl|boy)s? in (\w+)|(\w+) (\w+))"
SENTENCE = re.compile(
    rf"^{NOUN} (?:is|are) (to the left of|to the right of|flying above|in front of|under|on top of) {NOUN} "
    r"(?:on|in|by) the \w+\.$"
)


@pytest.fixture(scope="module")
def composed() -> list[dict]:
    return scenes._compose(0)


def _read(match: re.Match, first: int) -> tuple[int, str, str]:
    """How many, kind and color of the noun whose groups start at `first`."""
    number, child, dress, color, kind = match.groups()[first : first + 5]
    if kind and number in ("two", "three"):
        kind = {"buses": "bus", "benches": "bench", "sheep": "sheep"}.get(kind, kind[:-1])
    kind = child or kind
    return NUMBERS[number], kind, dress or color


def _hull(boxes: list[list[int]]) -> tuple[int, int, int, int]:
    lefts, tops, rights, bottoms = zip(*boxes, strict=True)
    return min(lefts), min(tops), max(rights), max(bottoms)


def _true(relation: str, a: tuple, b: tuple) -> bool:
    across = a[0] < b[2] and b[0] < a[2]
    middle = b[0] <= (a[0] + a[2]) / 2 <= b[2]
    return {
        "to the left of": a[2] <= b[0],
        "to the right of": a[0] >= b[2],
        "flying above": across and a[3] < b[1],
        "in front of": middle and a[3] > b[3] and a[1] > b[1],
        "under": middle and a[1] > b[1] + 0.3 * (b[3] - b[1]) and a[3] >= b[3],
        "on top of": middle and a[1] < b[1] + 3 and b[1] - 3 < a[3] < b[3],
    }[relation]


def test_captions_say_what_is_in_the_picture(composed):
    """The second person's sentences, read back, against the boxes of 60 drawn pictures."""
    for index in range(1000, 1060):
        scene = composed[index]
        _, boxes = draw(scene["place"], scene["sky"], scene["things"], np.random.default_rng(index))
        match = SENTENCE.match(scene["captions"][1].lower())
        assert match, scene["captions"][1]
        hulls = []
        for noun in (_read(match, 0), _read(match, 6)):
            here = [
                box
                for thing, box in zip(scene["things"], boxes, strict=True)
                if (thing["kind"], thing["color"]) == noun[1:]
            ]
            assert len(here) == noun[0], scene["captions"][1]
            hulls.append(_hull(here))
        assert _true(match.group(6), *hulls), (index, scene["captions"][1], hulls)


def test_objects_are_large_inside_and_mostly_visible(composed):
    for index in range(60):
        scene = composed[index]
        _, boxes = draw(scene["place"], scene["sky"], scene["things"], np.random.default_rng(index))
        depths = [(thing["ground"] is None, thing["foot"]) for thing in scene["things"]]
        for n, (x0, y0, x1, y1) in enumerate(boxes):
            assert 0 <= x0 < x1 <= SIZE and 0 <= y0 < y1 <= SIZE
            assert max(x1 - x0, y1 - y0) >= 34
            covered = 0
            for other, thing in zip(boxes, scene["things"], strict=True):
                wide, tall = min(x1, other[2]) - max(x0, other[0]), min(y1, other[3]) - max(y0, other[1])
                in_front = (thing["ground"] is None, thing["foot"]) > depths[n]
                covered += max(0, wide) * max(0, tall) * in_front
            assert covered < 0.5 * (x1 - x0) * (y1 - y0), (index, boxes)


def test_everything_is_whole_and_what_is_named_first_is_plainly_the_largest(composed):
    for scene in composed:
        areas = {}
        for thing in scene["things"]:
            wide, tall = extent(thing)
            assert 0 < thing["x"] < thing["x"] + wide < SIZE
            assert 0 < thing["foot"] - tall < thing["foot"] < SIZE
            areas.setdefault((thing["kind"], thing["color"]), []).append(wide * tall)
        main, second = (max(areas[group["kind"], group["color"]]) for group in scene["groups"][:2])
        assert main > 1.25 * second


def test_a_box_is_tight_around_its_object():
    """In another color, a thing changes the picture within its box, up to the box's edges."""
    ball = {
        "kind": "ball",
        "pose": "ball",
        "px": 60.0,
        "x": 70,
        "foot": 190,
        "flip": False,
        "ground": "ground",
    }
    pictures = []
    for color in ("red", "blue"):
        image, boxes = draw("meadow", "sunny", [ball | {"color": color}], np.random.default_rng(3))
        pictures.append(np.asarray(image, dtype=int))
    rows, columns = np.nonzero(np.abs(pictures[0] - pictures[1]).sum(axis=-1) > 30)
    changed = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
    assert np.abs(np.subtract(changed, boxes[0])).max() <= 2


def test_no_scene_comes_twice_and_no_word_is_new_after_training(composed):
    assert len(composed) == 1200
    assert len({json.dumps([s["place"], s["sky"], s["groups"]], sort_keys=True) for s in composed}) == 1200
    assert [s["split"] for s in composed] == ["train"] * 800 + ["dev"] * 200 + ["test"] * 200
    words = {
        split: {
            word
            for s in composed
            if s["split"] == split
            for caption in s["captions"]
            for word in re.findall(r"\w+", caption.lower())
        }
        for split in scenes.SPLITS
    }
    assert words["dev"] | words["test"] <= words["train"]
    assert 90 <= len(words["train"]) <= 150
    for scene in composed:
        assert len(set(scene["captions"])) == 5
        assert all(6 <= len(caption.split()) <= 18 for caption in scene["captions"])
    used = {f"{group['color']} {group['kind']}" for s in composed for group in s["groups"]}
    assert used == {f"{color} {kind}" for kind, two in layout.SCENE_COLORS.items() for color in two}
    assert used < set(LABELS)


@pytest.mark.slow
def test_another_process_draws_the_same(composed):
    """Other hash order, same scenes and pixels."""
    code = (
        "import hashlib, numpy as np; from utils.datasets import drawing, scenes; s = scenes._compose(0); "
        "h = hashlib.sha256(repr(s).encode()); "
        "[h.update(drawing.draw(x['place'], x['sky'], x['things'], np.random.default_rng(7))[0].tobytes())"
        " for x in s[:8]]; print(h.hexdigest())"
    )
    digests = {
        subprocess.run(
            [sys.executable, "-c", code],
            cwd=ROOT,
            env=os.environ | {"PYTHONHASHSEED": number},
            capture_output=True,
            check=True,
        ).stdout
        for number in ("1", "2")
    }
    assert len(digests) == 1


def test_rendering_leaves_good_pictures_alone_and_repairs_the_rest(tmp_path, monkeypatch):
    monkeypatch.setattr(scenes, "SPLITS", {"train": 4, "dev": 1, "test": 1})
    index, first = tmp_path / "scenes.json", tmp_path / "images" / "000000.png"
    scenes.render_scenes(tmp_path)
    description, pixels, drawn_at = index.read_bytes(), first.read_bytes(), first.stat().st_mtime_ns
    assert len(json.loads(description)["scenes"]) == len(list((tmp_path / "images").iterdir())) == 6
    scenes.render_scenes(tmp_path)
    assert first.stat().st_mtime_ns == drawn_at
    first.unlink()
    index.write_text("{")
    scenes.render_scenes(tmp_path)
    assert (index.read_bytes(), first.read_bytes()) == (description, pixels)
    monkeypatch.setattr(scenes, "_fingerprint", lambda seed: "a later renderer")
    scenes.render_scenes(tmp_path)
    assert json.loads(index.read_text())["fingerprint"] == "a later renderer"


def test_scenes_are_drawn_once_and_read_with_captions_boxes_and_splits(tmp_path, monkeypatch, composed):
    monkeypatch.setattr(scenes, "SPLITS", {"train": 2, "dev": 1, "test": 1})
    environment = {"CAPTION_DATA_DIR": str(tmp_path / "data"), "CAPTION_RUN_DIR": str(tmp_path / "run")}
    dataset = load_dataset(load_settings(environment))
    assert dataset.splits == {
        "train": ("000000.png", "000001.png"),
        "dev": ("000002.png",),
        "test": ("000003.png",),
    }
    assert dataset.path("000001.png") == tmp_path / "data" / "scenes" / "images" / "000001.png"
    assert dataset.captions["000002.png"] == tuple(composed[2]["captions"])
    # Drawn from the back to the front, listed as they were composed.
    for scene, boxes in zip(composed, dataset.boxes.values()):
        things = [(thing["kind"], thing["color"]) for thing in scene["things"]]
        assert [(box["label"], box["color"]) for box in boxes] == things
    # Drawn once, they are read from a folder that can't be written, too.
    (tmp_path / "data" / "scenes").chmod(0o555)
    assert load_dataset(load_settings(environment)).folder == dataset.folder


def test_where_no_process_can_be_started_scenes_are_drawn_all_the_same(tmp_path, monkeypatch):
    def broken(*_, **__):
        raise BrokenProcessPool

    monkeypatch.setattr(scenes, "SPLITS", {"train": 1, "dev": 1, "test": 1})
    monkeypatch.setattr(scenes, "ProcessPoolExecutor", broken)
    scenes.render_scenes(tmp_path)
    assert scenes.is_drawn(tmp_path)


def test_a_script_without_a_main_guard_draws_as_well(tmp_path):
    """Its drawing processes run it once more: they must end, not wait for the one that waits for them."""
    script = tmp_path / "script.py"
    script.write_text(
        f"import sys; sys.path.insert(0, {str(ROOT)!r})\n"
        "from pathlib import Path\nfrom utils.datasets import scenes\n"
        'scenes.SPLITS = {"train": 1, "dev": 1, "test": 1}\n'
        f"scenes.render_scenes(Path({str(tmp_path)!r}))\nprint(scenes.is_drawn(Path({str(tmp_path)!r})))\n"
    )
    result = subprocess.run([sys.executable, script], capture_output=True, text=True, timeout=120)
    assert result.stdout.endswith("True\n"), result.stderr[-1000:]


def test_drawing_processes_load_neither_keras_nor_tensorflow():
    """Each of them would take seconds and hundreds of megabytes more."""
    code = "import sys, utils.datasets.scenes; print({'keras', 'tensorflow'} & sys.modules.keys())"
    assert subprocess.check_output([sys.executable, "-c", code], cwd=ROOT, text=True) == "set()\n"


@pytest.mark.parametrize("module", [drawing, layout, speakers, scenes])
def test_scenes_of_other_code_are_drawn_again(monkeypatch, module):
    before, read = scenes._fingerprint(0), Path.read_bytes
    assert before != scenes._fingerprint(1)
    changed = Path(module.__file__)
    monkeypatch.setattr(Path, "read_bytes", lambda path: read(path) + b"#" * (path == changed))
    assert scenes._fingerprint(0) != before


def test_a_half_drawn_folder_is_not_taken_for_a_whole_one(tmp_path, monkeypatch):
    def stop(*_):
        raise KeyboardInterrupt

    (tmp_path / "scenes.json").write_text('{"fingerprint": "an earlier renderer", "scenes": []}')
    monkeypatch.setattr(scenes, "_render_all", stop)
    with pytest.raises(KeyboardInterrupt):
        scenes.render_scenes(tmp_path)
    assert not (tmp_path / "scenes.json").exists()


def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "scenes").write_text("a file where the folder should be")
    with pytest.raises(UserError, match=r"scenes.*CAPTION_DATA_DIR"):
        scenes.render_scenes(tmp_path / "scenes")


def test_single_objects_cover_every_label_and_repeat():
    for label in LABELS:
        picture = draw_single(label, np.random.default_rng(0))
        assert picture.shape == (224, 224, 3) and picture.dtype == np.uint8
    assert np.array_equal(picture, draw_single(label, np.random.default_rng(0)))
    with pytest.raises(ValueError):
        draw_single("blue dog", np.random.default_rng(0))

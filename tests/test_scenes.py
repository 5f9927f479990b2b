"""The drawn scenes: what a caption says is true, what a box marks is there, and no scene comes twice."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from utils.datasets import drawing, layout, load_dataset, scenes, sketch, speakers, words
from utils.datasets.drawing import LABELS, SIZE, draw, draw_single, extent
from utils.files import UserError
from utils.scores import corpus_bleu
from utils.settings import ROOT, load_settings
from utils.text import tokenize
from utils.truth import judge


@pytest.fixture(scope="module")
def composed() -> list[dict]:
    return scenes._compose(0)


def _hull(boxes: list[list[int]]) -> tuple[int, int, int, int]:
    lefts, tops, rights, bottoms = zip(*boxes, strict=True)
    return min(lefts), min(tops), max(rights), max(bottoms)


def _holds(relation: str, a: tuple, b: tuple) -> bool:
    """Whether the things in box `a` stand so to those in box `b`, as anybody would see it."""
    across = a[0] < b[2] and b[0] < a[2]
    middle = b[0] <= (a[0] + a[2]) / 2 <= b[2]
    return {
        "left of": a[2] <= b[0],
        "right of": a[0] >= b[2],
        "above": across and a[3] < b[1],
        "in front of": middle and a[3] > b[3] and a[1] > b[1],
        "under": middle and a[1] > b[1] + 0.3 * (b[3] - b[1]) and a[3] >= b[3],
        "on": middle and b[1] - 3 < a[3] < b[1] + 0.7 * (b[3] - b[1]),
        "in the sky": a[3] < SIZE / 2,
        "in the foreground": a[3] > 0.9 * SIZE,
    }[relation]


def test_what_the_speakers_are_told_is_in_the_picture(composed):
    """Kind, color, number, box and relation of each group, against the boxes of 80 drawn pictures."""
    for index in [*range(1000, 1060), *range(2500, 2520)]:
        scene = composed[index]
        _, boxes = draw(scene["place"], scene["sky"], scene["things"], np.random.default_rng(index))
        hulls = []
        for group in scene["groups"]:
            pairs = zip(scene["things"], boxes, strict=True)
            label = (group["kind"], group["color"])
            here = [box for thing, box in pairs if (thing["kind"], thing["color"]) == label]
            assert len(here) == group["count"], (index, group)
            hulls.append(_hull(here))
            assert np.abs(np.subtract(hulls[-1], group["box"])).max() <= 8, (index, group, hulls[-1])
        for group, hull in zip(scene["groups"][1:], hulls[1:], strict=True):
            assert _holds(group["relation"], hull, hulls[0]), (index, scene["groups"], hulls)


def test_every_caption_is_wholly_true_and_understood(composed):
    """The speakers against a reader who knows nothing of their grammar: all captions of all splits."""
    for scene in composed:
        for caption in scene["captions"]:
            judged = judge(caption, scene)
            assert judged["wholly_true"], (caption, judged, scene["groups"], scene["place"], scene["sky"])


def test_the_speakers_agree_about_as_much_as_people_do(composed):
    """Each against the other four on the test split, as five people who describe a photograph."""
    test = [[tokenize(caption) for caption in s["captions"]] for s in composed if s["split"] == "test"]
    for i in range(5):
        others = [some[:i] + some[i + 1 :] for some in test]
        assert 0.15 <= corpus_bleu(others, [some[i] for some in test])[3] <= 0.30


def test_words_have_a_long_tail_and_no_sentence_is_a_template(composed):
    captions = [tokenize(caption) for s in composed if s["split"] == "train" for caption in s["captions"]]
    counts = Counter(word for caption in captions for word in caption)
    assert 400 <= len(counts) <= 600
    assert sum(count < 10 for count in counts.values()) >= len(counts) / 3
    names = {
        word
        for bank in (words.NOUNS, words.COLOR_WORDS)
        for text in bank.values()
        for word in text.split("|")
    }
    parts = {part for name in names for part in (*name.split(), *speakers.plural(name).split())} | {
        "two",
        "three",
    }
    skeletons = Counter(tuple(word for word in caption if word not in parts) for caption in captions)
    assert max(skeletons.values()) <= 0.02 * len(captions)


def test_combinations_that_are_held_out_are_novel_and_nowhere_else(composed):
    shown = {"novel": set(), "other": set()}
    for scene in composed:
        found = layout.held_out(scene["groups"])
        assert bool(found) == (scene["split"] == "novel")
        shown["novel"] |= found
        for group in scene["groups"]:  # singly, their parts are known
            shown["other"] |= (
                set() if found else {group["color"], group["kind"], group["count"], group["relation"]}
            )
    assert shown["novel"] == set(layout.HELD_OUT)
    assert {part for combination in layout.HELD_OUT for part in combination} <= shown["other"]


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


def test_no_scene_comes_twice_and_captions_are_five_of_a_readable_length(composed):
    facts = {json.dumps([s["place"], s["sky"], [g | {"box": 0} for g in s["groups"]]]) for s in composed}
    assert len(facts) == len(composed) == 3700
    assert Counter(scene["split"] for scene in composed) == scenes.SPLITS
    for scene in composed:
        assert len(set(scene["captions"])) == 5
        assert all(5 <= len(caption.split()) <= 34 for caption in scene["captions"])
    used = {f"{group['color']} {group['kind']}" for s in composed for group in s["groups"]}
    assert used == set(LABELS)


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
    monkeypatch.setattr(scenes, "SPLITS", {"train": 5, "dev": 1, "test": 1})
    index, first = tmp_path / "scenes.json", tmp_path / "images" / "000000.png"
    scenes.render_scenes(tmp_path)
    description, pixels, drawn_at = index.read_bytes(), first.read_bytes(), first.stat().st_mtime_ns
    assert len(json.loads(description)["scenes"]) == len(list((tmp_path / "images").iterdir())) == 7
    for record, scene in zip(json.loads(description)["scenes"], scenes._compose(0), strict=True):
        named = [(thing["kind"], thing["color"]) for thing in scene["things"]]  # not in the order of drawing
        assert [(thing["label"], thing["color"]) for thing in record["objects"]] == named
    scenes.render_scenes(tmp_path)
    assert first.stat().st_mtime_ns == drawn_at
    first.unlink()
    index.write_text("{")
    scenes.render_scenes(tmp_path)
    assert (index.read_bytes(), first.read_bytes()) == (description, pixels)
    monkeypatch.setattr(scenes, "_fingerprint", lambda *_: "a later renderer")
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


def test_sketched_scenes_are_the_same_scenes(tmp_path, monkeypatch):
    monkeypatch.setattr(scenes, "SPLITS", {"train": 2, "dev": 1, "test": 1})
    data = {"CAPTION_DATA_DIR": str(tmp_path / "data"), "CAPTION_RUN_DIR": str(tmp_path / "run")}
    drawn, sketched = (load_dataset(load_settings(data | {"CAPTION_DATASET": name})) for name in
                       ("scenes", "scenes-sketch"))  # fmt: skip
    assert sketched.name == "scenes-sketch" and sketched.folder != drawn.folder
    assert (sketched.captions, sketched.boxes, sketched.scenes) == (drawn.captions, drawn.boxes, drawn.scenes)
    name = drawn.images[0]
    one, other = (np.asarray(Image.open(dataset.path(name)), int) for dataset in (drawn, sketched))
    assert np.abs(one - other).mean() > 10


@pytest.mark.parametrize("module", [drawing, sketch, layout, words, speakers, scenes])
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

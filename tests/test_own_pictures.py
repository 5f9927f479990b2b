"""The least that README promises: a dozen pictures of one's own, with one caption each, in two languages."""

import csv
import json
import os
import subprocess
import sys

import nbformat
import numpy as np
import pytest
from PIL import Image

from utils.datasets.drawing import draw_single
from utils.settings import ROOT
from utils.text import tokenize

THINGS = {
    "red car": ("A red car is parked on the road.", "一辆红色的汽车停在路上。"),
    "blue car": ("A blue car is parked on the road.", "一辆蓝色的汽车停在路上。"),
    "black cat": ("A black cat sits on the road.", "一只黑色的猫坐在路上。"),
    "brown dog": ("A brown dog sits on the grass.", "一只棕色的狗坐在草地上。"),
    "white dog": ("A white dog sits on the grass.", "一只白色的狗坐在草地上。"),
    "red boat": ("A red boat sails on the lake.", "一艘红色的船在湖上航行。"),
}


def own_folder(folder):
    """Twelve drawn pictures, two of each thing, one described in each language, and their captions.csv."""
    folder.mkdir()
    rng = np.random.default_rng(0)
    with (folder / "captions.csv").open("w", encoding="utf-8", newline="") as stream:
        lines = csv.writer(stream)
        lines.writerow(["image", "caption"])
        for number, (label, captions) in enumerate([*THINGS.items()] * 2):
            name = f"{number:02} \u56fe.png"  # the split depends on the names
            Image.fromarray(draw_single(label, rng)).save(folder / name)
            lines.writerow([name, captions[1 - number // 6]])
    return folder


@pytest.mark.slow
def test_twelve_pictures_with_one_caption_each_go_through_all_notebooks(tmp_path):
    environ = os.environ | {
        "CAPTION_DATASET": str(own_folder(tmp_path / "pictures")),
        "CAPTION_ENCODER": "vgg16-slim",
        "CAPTION_DATA_DIR": str(tmp_path / "data"),
        "CAPTION_RUN_DIR": str(tmp_path / "run"),
    }
    command = [sys.executable, "-m", "utils.notebooks", "run"]
    result = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, encoding="utf-8")
    assert result.returncode == 0, result.stderr[-3000:]
    executed = sorted((tmp_path / "run" / "notebooks").glob("*.ipynb"))
    assert [file.stem[:2] for file in executed] == ["01", "02", "03", "04", "05", "06"]
    for file in executed:
        assert all(cell.execution_count for cell in nbformat.read(file, 4).cells if cell.cell_type == "code")
    said = json.loads((tmp_path / "run" / "captions.json").read_text(encoding="utf-8"))
    scores = json.loads((tmp_path / "run" / "bleu.json").read_text(encoding="utf-8"))
    assert len(said) == scores["images"] == 1 and scores["greedy"].keys() >= {"bleu4", "cider", "rouge"}
    # Words of either language, the Chinese ones learned by character (test_text: written without spaces).
    vocabulary = (tmp_path / "run" / "vocabulary.txt").read_text(encoding="utf-8").split()
    assert {"cat", "road", "\u8f66", "\u8272"} <= set(vocabulary)
    [(name, caption)] = said.items()
    assert name < "06", "the test picture is no longer one with a Chinese caption"
    words = {word for captions in THINGS.values() for word in tokenize(" ".join(captions))}
    assert set(tokenize(caption["greedy"])) <= words

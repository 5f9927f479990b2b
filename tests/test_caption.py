"""`python -m utils.caption` describes any picture with the model that is there, and says what is missing."""

import shutil
from functools import partial

import keras
import numpy as np
import pytest
from PIL import Image

from utils import caption, decoding, encoders
from utils.model import SPECIAL, Captioner
from utils.settings import ROOT


@pytest.fixture
def run_dir(tmp_path, monkeypatch, uncompiled):
    """A run folder with an untrained model for vgg16-slim, and three files to describe."""
    monkeypatch.setenv("CAPTION_RUN_DIR", str(tmp_path / "run"))
    keras.utils.set_random_seed(1)
    captioner = Captioner([*SPECIAL, "a", "red", "car"], positions=49, channels=64, embedding_dim=8, units=12)
    captioner.build()
    captioner.bias.assign([0, 0, 0, -3, 0, 0, 0])  # it does not end before it has begun
    short = partial(decoding.beam_search, max_length=5)  # nor does it go on for thirty
    monkeypatch.setattr(decoding, "beam_search", short)
    (tmp_path / "run").mkdir()
    captioner.save(tmp_path / "run" / "captioner.keras")
    (tmp_path / "run" / "features.json").write_text('{"encoder": "vgg16-slim"}')
    colors = np.random.default_rng(0).integers(0, 255, (40, 60, 4), np.uint8)
    Image.fromarray(colors).save(tmp_path / "clear.png")
    Image.fromarray(colors[..., 0]).save(tmp_path / "grey.jpg")
    (tmp_path / "broken.jpg").write_bytes((tmp_path / "grey.jpg").read_bytes()[:300])
    return tmp_path


def test_every_readable_picture_gets_a_caption_and_its_maps(run_dir, capsys):
    files = [str(run_dir / name) for name in ("clear.png", "broken.jpg", "grey.jpg")]
    assert caption.main([*files, "--attention", str(run_dir / "map.png")]) == 1
    output = capsys.readouterr()
    lines = output.out.splitlines()
    assert [line.split(": ")[0] for line in lines] == [files[0], files[2]]
    captions = [line.split(": ")[1].split() for line in lines]
    assert all(caption and set(caption) <= {"a", "red", "car"} for caption in captions)
    assert "broken.jpg" in output.err and "Traceback" not in output.err
    drawn = sorted(file.name for file in run_dir.glob("map*"))
    assert drawn == ["map-1.png", "map-3.png"], "numbered like the pictures given"
    assert caption.main([files[0], "--attention", str(run_dir / "map.png")]) == 0
    assert Image.open(run_dir / "map.png").size[0] > 300


def test_what_is_missing_is_named(run_dir, capsys, monkeypatch):
    picture = str(run_dir / "clear.png")
    moved = run_dir / "elsewhere" / "model.keras"
    assert caption.main([picture, "--model", str(moved)]) == 1
    assert str(moved) in (said := capsys.readouterr().err) and "make run" in said
    moved.parent.mkdir()
    shutil.copy(run_dir / "run" / "captioner.keras", moved)
    assert caption.main([picture, "--model", str(moved)]) == 0, "CAPTION_ENCODER is vgg16-slim by default"
    (moved.parent / "features.json").write_text('{"encoder": "mobilenet"}')
    random_weights = partial(encoders.load_encoder, weights=None)
    monkeypatch.setattr(encoders, "load_encoder", random_weights)
    capsys.readouterr()
    assert caption.main([picture, "--model", str(moved)]) == 1
    said = capsys.readouterr().err
    assert "49 positions x 64 channels" in said and "mobilenet gives 49 x 768" in said
    assert caption.main([picture, "--attention", str(ROOT / "README.md" / "map.png")]) == 1
    assert "map.png can't be written" in capsys.readouterr().err

"""`python -m utils.caption` describes any picture with the model that is there, and says what is missing."""

import dataclasses
import json
import shutil

import keras
import numpy as np
import pytest
from PIL import Image

from utils import caption, decoding, encoders
from utils.decoders.gru import GRUDecoder
from utils.features import encoder_function
from utils.files import UserError
from utils.settings import ROOT, load_settings
from utils.text import SPECIAL, tokenize


@pytest.fixture
def run_dir(tmp_path, monkeypatch, uncompiled):
    """A run folder with an untrained model for vgg16-slim, and three files to describe."""
    monkeypatch.setenv("CAPTION_RUN_DIR", str(tmp_path / "run"))
    keras.utils.set_random_seed(1)
    identity = encoders.load_encoder("vgg16-slim").identity
    decoder = GRUDecoder([*SPECIAL, "a", "red", "car"], identity, longest=4, embedding_dim=8, units=12)
    decoder.build()
    decoder.score_words.bias.assign([0, 0, 0, -3, 0, 0, 0])  # it does not end before it has begun
    (tmp_path / "run").mkdir()
    decoder.save(tmp_path / "run" / "captioner.keras")
    colors = np.random.default_rng(0).integers(0, 255, (40, 60, 4), np.uint8)
    Image.fromarray(colors).save(tmp_path / "clear.png")
    Image.fromarray(colors[..., 0]).save(tmp_path / "grey.jpg")
    (tmp_path / "broken.jpg").write_bytes((tmp_path / "grey.jpg").read_bytes()[:300])
    return tmp_path


def test_every_readable_picture_gets_a_caption_and_its_maps(run_dir, capsys):
    files = [str(run_dir / name) for name in ("clear.png", "broken.jpg", "grey.jpg")]
    assert caption.main([*files, "--attention", str(run_dir / "map.png")]) == 3
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


def test_the_search_is_five_wide_and_each_map_is_that_of_its_own_word(run_dir, monkeypatch):
    widths, search = [], decoding.beam_search

    def spy(decoder, features, width, *rest):
        widths.append(width)
        return search(decoder, features, width, *rest)

    monkeypatch.setattr(decoding, "beam_search", spy)
    model = run_dir / "run" / "captioner.keras"
    [(_, found)] = caption.caption_pictures(model, load_settings(), [run_dir / "clear.png"])
    picture, (said, sure), maps = found.picture, found.captions[0], found.maps
    assert widths == [5] and len(found.captions) == 5
    decoder, encoder = caption_parts(model)
    features = encoder_function(encoder, 1)(picture[None])[0]
    memory, state = decoder.read(features)
    words, logs = tokenize(said), []
    written = [*words, "<end>"][: decoder.longest + 1]  # this one may come to no end
    for t, before in enumerate(["<start>", *written[:-1]]):
        word = np.array([decoder.vocabulary.index(before)])
        logits, _ = decoder.step(word, state, memory)
        _, _, used, state = decoder.advance(decoder.embedding(word), state, memory)
        after = decoder.vocabulary.index(written[t])
        logs.append(np.log(keras.ops.softmax(logits[0] + decoding.never_written(decoder.vocabulary))[after]))
        if t < len(words):
            np.testing.assert_allclose(maps[t].ravel(), used[0], atol=1e-5)
    assert len(maps) == len(words) > 1
    assert sure == pytest.approx(np.exp(np.mean(logs)), rel=1e-3), "of all that was written"


def caption_parts(model):
    from utils.decoders import load_decoder

    return load_decoder(model), encoders.load_encoder("vgg16-slim")


def test_a_model_from_anywhere_says_which_encoder_it_wants(run_dir, capsys, monkeypatch):
    picture = str(run_dir / "clear.png")
    moved = run_dir / "elsewhere" / "model.keras"
    assert caption.main([picture, "--model", str(moved)]) == 1
    assert str(moved) in (said := capsys.readouterr().err) and "make run" in said
    moved.parent.mkdir()
    shutil.copy(run_dir / "run" / "captioner.keras", moved)
    monkeypatch.setenv("CAPTION_ENCODER", "vgg16")
    assert caption.main([picture, "--model", str(moved)]) == 0, "the encoder stands in the file"

    decoder, slim = caption_parts(moved)
    slim.model.save(run_dir / "My-encoder.keras")
    own = encoders.load_encoder(str(run_dir / "My-encoder.keras"))
    decoder.encoder = own.identity
    decoder.save(moved)
    capsys.readouterr()
    assert caption.main([picture, "--model", str(moved)]) == 1
    said = capsys.readouterr().err
    assert (
        f"encoder My-encoder (weights {own.fingerprint})" in said
        and "set CAPTION_ENCODER to its path" in said
    )
    monkeypatch.setenv("CAPTION_ENCODER", str(run_dir / "My-encoder.keras"))
    assert caption.main([picture, "--model", str(moved)]) == 0

    other = dataclasses.replace(slim, fingerprint="0" * 16)
    monkeypatch.setattr(encoders, "load_encoder", lambda name: other)
    capsys.readouterr()
    assert caption.main([picture, "--model", str(moved)]) == 1
    assert f"has other weights ({'0' * 16})" in capsys.readouterr().err


def test_a_script_gets_one_object_per_picture_and_a_status(run_dir, capsys):
    command = [str(run_dir), "--json", "--alternatives", "2"]
    (run_dir / "deep" / "er").mkdir(parents=True)
    shutil.copy(run_dir / "clear.png", run_dir / "deep" / "er" / "again.png")
    (run_dir / "notes.txt").write_text("no picture")
    assert caption.main(command) == 3
    output = capsys.readouterr()
    rows = {row.pop("picture"): row for row in map(json.loads, output.out.splitlines())}
    inside = ["broken.jpg", "clear.png", "deep/er/again.png", "grey.jpg"]
    assert list(rows) == [str(run_dir / name) for name in inside], "in alphabetical order"
    broken, clear, again, _ = rows.values()
    assert set(broken) == {"error"} and "broken.jpg" in output.err
    assert clear == again and len(clear["alternatives"]) == 2
    found = [clear, *clear["alternatives"]]
    assert len({row["caption"] for row in found}) == 3
    assert all(0 < row["confidence"] < 1 for row in found)

    (run_dir / "broken.jpg").unlink()
    assert caption.main([*command[:1], "--confidence", "--alternatives", "1"]) == 0
    first, other = capsys.readouterr().out.splitlines()[:2]
    assert first == f"{run_dir / 'clear.png'}: {clear['caption']} ({clear['confidence']:.2f})"
    assert other.strip() == f"or {found[1]['caption']} ({found[1]['confidence']:.2f})"


def test_of_a_folder_the_pictures_are_taken_and_nothing_hidden(tmp_path):
    for name in ("b.JPG", "a/c.webp", "d.heic", "clip.mpg", "notes.pdf", ".thumbnails/e.jpg", ".f.jpg"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    assert caption.files_of([tmp_path]) == [tmp_path / name for name in ("a/c.webp", "b.JPG", "d.heic")]


def test_a_picture_is_described_alike_alone_and_among_others(run_dir, capsys):
    """Among twenty, of which the last four fill up a batch."""
    names = [run_dir / f"{number:02}.png" for number in range(20)]
    for number, name in enumerate(names):
        colors = np.random.default_rng(number).integers(0, 255, (40, 60, 3), np.uint8)
        Image.fromarray(colors).save(name)
    assert caption.main([*map(str, names), "--json"]) == 0
    output = capsys.readouterr()
    said = [line for line in output.err.splitlines() if "has no end" not in line]
    assert said == ["16 of 20 pictures", "20 of 20 pictures"]
    sure = [json.loads(line)["confidence"] for line in output.out.splitlines()]
    assert len({*sure}) > 15, "each is of its own picture"
    for number in (0, 15, 16, 19):
        assert caption.main([str(names[number]), "--json"]) == 0
        assert json.loads(capsys.readouterr().out)["confidence"] == pytest.approx(sure[number], abs=2e-4)


def test_what_is_asked_for_wrongly_is_said(run_dir, capsys):
    (run_dir / "empty").mkdir()
    assert caption.main([str(run_dir / "empty")]) == 1
    assert f"{run_dir / 'empty'} holds no picture" in capsys.readouterr().err
    assert caption.main([str(run_dir / "none.jpg")]) == 3
    assert "none.jpg: No such file" in capsys.readouterr().err
    with pytest.raises(SystemExit) as stopped:
        caption.main([str(run_dir / "clear.png"), "--alternatives", "x"])
    assert stopped.value.code == 2 and "whole number" in capsys.readouterr().err


def test_which_model_is_used(run_dir, capsys, monkeypatch):
    """The run of the settings where they name one, else the captioner for photographs."""
    picture, own = str(run_dir / "clear.png"), run_dir / "own.keras"
    shutil.move(run_dir / "run" / "captioner.keras", own)
    assert caption.main([picture]) == 1 and "run/captioner.keras is missing" in capsys.readouterr().err
    monkeypatch.delenv("CAPTION_RUN_DIR")
    monkeypatch.setattr(caption, "PHOTOGRAPHS", run_dir / "none.keras")
    assert caption.main([picture]) == 1
    assert "none.keras is missing. It comes with the project" in capsys.readouterr().err
    monkeypatch.setattr(caption, "PHOTOGRAPHS", own)
    assert caption.main([picture]) == 0
    monkeypatch.setenv("CAPTION_DATASET", str(run_dir))
    assert caption.main([picture]) == 1 and "captioner.keras is missing" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("file", "said"), [("map", "png"), ("map.xyz", "png"), (ROOT / "README.md" / "a.png", "written")]
)
def test_maps_that_can_not_be_drawn_are_named(run_dir, capsys, file, said):
    assert caption.main([str(run_dir / "clear.png"), "--attention", str(run_dir / file)]) == 1
    assert said in capsys.readouterr().err


def test_what_a_download_prints_is_no_caption_and_no_advice_is_of_drawn_scenes(run_dir, capsys, monkeypatch):
    def unreachable(name):
        print("weights.h5 is downloaded once")
        raise UserError("weights.h5 can't be downloaded: put it there.\nWithout it: take the scenes.")

    monkeypatch.setattr(encoders, "load_encoder", unreachable)
    assert caption.main([str(run_dir / "clear.png"), "--json"]) == 1
    output = capsys.readouterr()
    assert output.out == "" and "downloaded once" in output.err
    assert "put it there" in output.err and "Without it" not in output.err

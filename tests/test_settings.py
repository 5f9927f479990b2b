"""Settings: defaults by dataset, folders by what a run is of, and errors that say what to write instead."""

import pytest

from utils.files import UserError
from utils.settings import ROOT, drawn, label, load_settings


def test_defaults_follow_the_dataset():
    scenes, photos = load_settings({}), load_settings({"CAPTION_DATASET": "flickr8k", "CAPTION_EPOCHS": "2"})
    assert (scenes.dataset, scenes.encoder, scenes.decoder) == ("scenes", "vgg16-slim", "gru")
    assert scenes.run_dir == ROOT / "data" / "runs" / "scenes-vgg16-slim-gru"
    assert scenes.features_dir == ROOT / "data" / "features" / "scenes-vgg16-slim"
    assert (photos.encoder, photos.recipe.epochs, photos.recipe.min_count) == ("vgg16", 2, 5)
    assert scenes.standard and not photos.standard


def test_what_is_asked_of_drawn_scenes_is_asked_of_them_whatever_the_dataset(tmp_path, capsys):
    for dataset in ("scenes", "scenes-sketch"):
        settings = load_settings({"CAPTION_DATASET": dataset, "CAPTION_EPOCHS": "2"})
        assert drawn(settings) is settings and not capsys.readouterr().out
    kept = {"CAPTION_DATA_DIR": str(tmp_path), "CAPTION_SEED": "0", "CAPTION_DECODER": "gru"}
    others = {"CAPTION_DATASET": "flickr8k", "CAPTION_ENCODER": "mobilenet", "CAPTION_RUN_DIR": "/run"}
    others |= {"CAPTION_EPOCHS": "2", "CAPTION_LIMIT": "40"}
    assert drawn(load_settings(kept | others)) == load_settings(kept)
    assert "flickr8k" in capsys.readouterr().out


def test_decoders_share_features_and_not_runs():
    one, other = (load_settings({"CAPTION_DECODER": name}) for name in ("gru", " LSTM"))
    assert one.features_dir == other.features_dir and other.decoder == "lstm"
    assert (one.run_dir.name, other.run_dir.name) == ("scenes-vgg16-slim-gru", "scenes-vgg16-slim-lstm")
    assert "decoder     lstm" in str(other) and "run folder  runs/scenes-vgg16-slim-lstm" in str(other)


def test_an_encoder_is_a_name_with_options_or_a_file_from_wherever_it_is_named(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "My Net.keras").touch()
    settings = load_settings({"CAPTION_ENCODER": "My Net.keras"})
    assert settings.encoder == str(tmp_path / "My Net.keras")
    assert settings.run_dir.name == "scenes-My-Net-gru" and settings.features_dir.name == "scenes-My-Net"
    assert "encoder     My-Net" in str(settings)
    assert label("MobileNet:alpha=0.5") == "mobilenet-alpha-0.5" and label("VGG16") == label("vgg16")
    with pytest.raises(UserError, match="CAPTION_ENCODER='no.keras'.*no file .*/no.keras"):
        load_settings({"CAPTION_ENCODER": "no.keras"})


def test_features_go_into_the_run_folder_where_the_data_folder_is_read_only(tmp_path):
    data, run = tmp_path / "data", tmp_path / "run"
    environ = {"CAPTION_DATA_DIR": str(data), "CAPTION_RUN_DIR": str(run)}
    there = data / "features" / "scenes-vgg16-slim"
    data.mkdir()
    assert load_settings(environ).features_dir == there
    data.chmod(0o555)
    assert load_settings(environ).features_dir == run / "features" / "scenes-vgg16-slim"
    data.chmod(0o755)
    there.mkdir(parents=True)
    (there / "features.json").touch()
    there.chmod(0o555)  # made before it became read-only: read where it is
    assert load_settings(environ).features_dir == there
    there.chmod(0o755)


def test_two_folders_of_one_name_share_neither_run_nor_features(tmp_path):
    runs, features = set(), set()
    for place in ("a", "b"):
        (tmp_path / place / "dogs").mkdir(parents=True)
        settings = load_settings({"CAPTION_DATASET": str(tmp_path / place / "dogs")})
        assert settings.encoder == "vgg16" and "own pictures in dogs" in str(settings)
        runs.add(settings.run_dir)
        features.add(settings.features_dir)
    assert len(runs) == len(features) == 2


@pytest.mark.parametrize(
    ("name", "value", "hint"),
    [
        ("CAPTION_DATASET", "flickr", "choose scenes, scenes-sketch, flickr8k, flickr30k, coco, or"),
        ("CAPTION_LIMIT", "9", "whole number, 10 or more"),
        ("CAPTION_SEED", "one", "whole number, 0 or more"),
        ("CAPTION_EPOCHS", "0", "whole number, 1 or more"),
        ("CAPTION_DEVICES", "two", "choose one of one, all"),
    ],
)
def test_a_wrong_value_is_named_with_what_is_possible(name, value, hint):
    with pytest.raises(UserError, match=hint) as error:
        load_settings({name: value})
    assert name in str(error.value) and value in str(error.value)

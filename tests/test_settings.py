"""Settings: defaults by dataset, and errors that say what to write instead."""

import pytest

from utils.settings import ROOT, UserError, load_settings, write_text


def test_defaults_follow_the_dataset():
    scenes, photos = load_settings({}), load_settings({"CAPTION_DATASET": "flickr8k", "CAPTION_EPOCHS": "2"})
    assert (scenes.dataset, scenes.encoder) == ("scenes", "vgg16-slim")
    assert scenes.run_dir == ROOT / "data" / "runs" / "scenes-vgg16-slim"
    assert (photos.encoder, photos.recipe.epochs, photos.recipe.min_count) == ("vgg16", 2, 5)


@pytest.mark.parametrize(
    ("name", "value", "hint"),
    [
        ("CAPTION_DATASET", "coco", "scenes, flickr8k"),
        ("CAPTION_ENCODER", "resnet", "mobilenet"),
        ("CAPTION_SEED", "one", "whole number, 0 or more"),
        ("CAPTION_EPOCHS", "0", "whole number, 1 or more"),
    ],
)
def test_a_wrong_value_is_named_with_what_is_possible(name, value, hint):
    with pytest.raises(UserError, match=hint) as error:
        load_settings({name: value})
    assert name in str(error.value) and value in str(error.value)


def test_a_text_file_is_written_whole_or_not_at_all(tmp_path):
    write_text(tmp_path / "a.txt", "old")
    with pytest.raises(TypeError):
        write_text(tmp_path / "a.txt", 5)
    assert (tmp_path / "a.txt").read_text() == "old"
    with pytest.raises(UserError, match="missing"):
        write_text(tmp_path / "missing" / "a.txt", "new")

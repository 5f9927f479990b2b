"""Settings: defaults by dataset, and errors that say what to write instead."""

import threading

import pytest

from utils.settings import ROOT, UserError, alone_in, load_settings, write_text


def test_defaults_follow_the_dataset():
    scenes, photos = load_settings({}), load_settings({"CAPTION_DATASET": "flickr8k", "CAPTION_EPOCHS": "2"})
    assert (scenes.dataset, scenes.encoder) == ("scenes", "vgg16-slim")
    assert scenes.run_dir == ROOT / "data" / "runs" / "scenes-vgg16-slim"
    assert (photos.encoder, photos.recipe.epochs, photos.recipe.min_count) == ("vgg16", 2, 5)


def test_two_folders_of_one_name_do_not_share_a_run(tmp_path):
    runs = set()
    for place in ("a", "b"):
        (tmp_path / place / "dogs").mkdir(parents=True)
        settings = load_settings({"CAPTION_DATASET": str(tmp_path / place / "dogs")})
        assert settings.encoder == "vgg16" and "own pictures in dogs" in str(settings)
        runs.add(settings.run_dir)
    assert len(runs) == 2


@pytest.mark.parametrize(
    ("name", "value", "hint"),
    [
        ("CAPTION_DATASET", "coco", "choose scenes, flickr8k, or the path of a folder"),
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


def test_jupyter_shows_the_message_without_frames(capsys):
    from IPython.core.interactiveshell import InteractiveShell

    shell = InteractiveShell.instance()
    shell.run_cell("from utils.settings import UserError\nraise UserError('x.zip is damaged')")
    InteractiveShell.clear_instance()
    assert "".join(capsys.readouterr()).strip() == "x.zip is damaged"


def test_programs_take_turns_in_a_folder(tmp_path, capsys):
    order = []

    def second():
        with alone_in(tmp_path / "run"):
            order.append("second")

    other = threading.Thread(target=second)
    with alone_in(tmp_path / "run"):
        other.start()
        other.join(0.2)
        order.append("first")
    other.join(5)
    assert order == ["first", "second"] and "another program is at work in run" in capsys.readouterr().out
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="CAPTION_RUN_DIR"), alone_in(tmp_path / "file" / "run"):
        pass

"""Studies: a stopped one goes on, a table is whole or not there, and a live number is held against it."""

import dataclasses
import importlib
import json
import sys
from types import SimpleNamespace

import pytest

from utils import studies
from utils.decoders.base import Decoder
from utils.files import UserError
from utils.settings import RECIPES, ROOT, load_settings
from utils.studies import __main__ as command

SETTINGS = load_settings({})


@pytest.fixture
def study(tmp_path, monkeypatch):
    """A study of two rows and two seeds; `ran` says which members were run, `fail` is where it stops."""
    definition = SimpleNamespace(SETTINGS={"sizes": (2, 3)}, SLACK={"loss": 0.1}, ran=[], fail="", more={})

    def run(member):
        if member == definition.fail:
            raise KeyboardInterrupt
        definition.ran.append(member)
        return {"loss": float(len(definition.ran)), "said": "a cat", **definition.more}

    names = ["right/1", "right/2", "wrong/1", "wrong/2"]
    definition.members = lambda settings: {name: lambda name=name: run(name) for name in names}
    monkeypatch.setattr(studies, "STUDIES", {"00_test": ("test_only", "scenes", "vgg16-slim")})
    monkeypatch.setitem(sys.modules, "utils.studies.test_only", definition)
    monkeypatch.setattr(studies, "start", lambda: SETTINGS)
    for name in ("FOLDER", "PARTS"):
        monkeypatch.setattr(studies, name, tmp_path / name.lower())
    return definition


def test_a_stopped_study_goes_on_and_stores_what_was_asked_for(study, tmp_path):
    study.fail = "wrong/1"
    assert command.main(["00_test"]) == 130
    with pytest.raises(UserError, match="00_test.json is missing: `make study NAME=00_test`"):
        studies.load_study("00_test")
    study.fail = ""
    assert command.main(["00_test"]) == 0
    assert study.ran == ["right/1", "right/2", "wrong/1", "wrong/2"]
    stored = studies.load_study("00_test")
    assert studies.table(stored)["wrong"]["loss"] == [3.0, 4.0]
    said = [stored[key] for key in ("seeds", "settings", "slack")]
    assert said == [2, {"sizes": [2, 3]}, {"loss": 0.1}]
    assert stored["processor"] and stored["minutes"] >= 0
    assert set(stored["versions"]) == {"tensorflow", "keras"}
    assert not list((tmp_path / "parts").iterdir())
    assert "1.50 (1.00-2.00)" in studies.summarize(stored, {"loss": "dev loss"})


def test_a_member_that_was_trained_before_says_what_that_took(study):
    study.more = {"seconds": 90.0}
    assert command.main(["00_test"]) == 0 and studies.load_study("00_test")["minutes"] == 6


def test_what_was_run_with_other_settings_is_not_gone_on_with(study, capsys):
    study.fail = "right/2"
    assert command.main(["00_test"]) == 130
    study.SETTINGS, study.fail = {"sizes": (4, 5)}, ""
    assert command.main(["00_test"]) == 0
    assert "the study begins again" in capsys.readouterr().out and study.ran.count("right/1") == 2


DAMAGED = ["", "[]", "{}", "\xff", '{"members": {}}', '{"members": []}', '{"members": {"a/1": 3}}']


@pytest.mark.parametrize("text", DAMAGED)
def test_a_damaged_table_is_named(study, text):
    studies.FOLDER.mkdir()
    (studies.FOLDER / "00_test.json").write_text(text, encoding="latin-1")
    with pytest.raises(UserError, match="00_test.json is damaged: `make study NAME=00_test`"):
        studies.load_study("00_test")


def test_other_settings_and_unknown_names_are_refused(study, monkeypatch, capsys):
    epochs = dataclasses.replace(SETTINGS, recipe=dataclasses.replace(SETTINGS.recipe, epochs=1))
    monkeypatch.setattr(studies, "start", lambda: epochs)
    assert command.main(["00_test"]) == 1 and "CAPTION_DATASET=scenes" in capsys.readouterr().err
    assert command.main(["01_none"]) == 1 and "choose one of 00_test" in capsys.readouterr().err
    stored = {"dataset": "scenes", "encoder": "vgg16-slim", "recipe": vars(SETTINGS.recipe)}
    assert studies.covers(stored, SETTINGS) and not studies.covers(stored, epochs)
    assert not studies.covers({**stored, "dataset": "flickr8k"}, SETTINGS)
    assert not studies.covers({**stored, "recipe": vars(epochs.recipe)}, SETTINGS)


def test_a_mean_comes_with_the_lowest_and_the_highest_where_they_differ():
    assert studies.spread([0.3, 0.1]) == "0.200 (0.100-0.300)"
    assert studies.spread([0.1]) == studies.spread([0.1, 0.1]) == "0.100"


def test_within_is_four_deviations_and_the_slack():
    values = [1.0, 2.0, 3.0]  # mean 2, standard deviation 1
    assert studies.within(values, 6.4, 0.5) and studies.within(values, -2.4, 0.5)
    assert not studies.within(values, 6.6, 0.5) and not studies.within(values, -2.6, 0.5)
    assert studies.within([2.0], 2.1, 0.2) and not studies.within([2.0], 2.3, 0.2)


def test_a_difference_is_one_only_where_no_two_seeds_overlap():
    assert studies.compare([3, 4], [1, 2]) == "higher" and studies.compare([1, 2], [3, 4]) == "lower"
    assert studies.compare([1, 3], [2, 4]) == studies.compare([1, 2], [2, 3]) == "no difference shown"


def test_the_stored_tables_are_there_and_made_with_what_the_code_says_today():
    assert {file.stem for file in studies.FOLDER.glob("*.json")} == set(studies.STUDIES)
    for name, (module, dataset, encoder) in studies.STUDIES.items():
        stored = studies.load_study(name)
        definition = importlib.import_module(f"utils.studies.{module}")
        today = {"study": name, "dataset": dataset, "encoder": encoder, "recipe": vars(RECIPES[dataset])}
        today |= {"settings": getattr(definition, "SETTINGS", {}), "slack": definition.SLACK}
        today |= {"decoders": Decoder.version}
        assert json.loads(json.dumps(today)).items() <= stored.items()
        assert stored["processor"] and stored["minutes"] > 0


def test_readme_has_the_figures_of_the_stored_studies():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    for name in studies.STUDIES:
        for line in studies.shown(name).splitlines():
            assert line in readme, name


def test_a_live_member_can_fail():
    """What is run live in notebook 4, the leaky split, reports a score that the right way does not."""
    stored = studies.load_study("04_mistakes")
    leaky, right = (studies.table(stored)[way]["own_bleu4"] for way in ("split by caption", "right"))
    assert studies.compare(leaky, right) == "higher"
    assert not studies.within(leaky, sum(right) / len(right), stored["slack"]["own_bleu4"])


def test_the_command_alone_chooses_what_the_study_wants_and_no_more(monkeypatch):
    wanted = {"CAPTION_DATASET": "flickr8k", "CAPTION_ENCODER": "mobilenet"}
    for given in ({}, {"CAPTION_ENCODER": "/my/own.keras"}):
        monkeypatch.setattr(command.os, "environ", dict(given))
        monkeypatch.setattr(command, "run_study", lambda name: None)
        monkeypatch.setattr(command, "shown", lambda name: "")
        assert command.main(["flickr8k-mobilenet"]) == 0
        assert command.os.environ == wanted | given

"""The study of photographs: all members run on a handful of pictures, and README has its rows."""

import dataclasses

import numpy as np
import pytest

from utils.studies import photographs


@pytest.mark.slow
def test_all_seeds_and_their_ensemble(few_pictures, uncompiled, monkeypatch):
    monkeypatch.setattr(photographs, "SEEDS", (1, 2))
    members = photographs.members(few_pictures)
    assert list(members) == ["attention/1", "attention/2", "together/1"]
    found = {name: run() for name, run in members.items()}
    folders = sorted(path.parent.name for path in few_pictures.run_dir.parent.glob("run*/captioner.keras"))
    assert folders == ["run", "run-seed-2"]
    losses = {found[f"attention/{seed}"]["loss"]["right"] for seed in photographs.SEEDS}
    assert len(losses) == 2, "other seeds are other models"
    first = found["attention/1"]
    assert (
        set(first["dev"]) == {"greedy", "beam 3", "beam 5"}
        and first["dev"]["greedy"] != first["scores"]["greedy"]
    )
    again = photographs.one_run(few_pictures)
    assert again["scores"] == first["scores"] and again["history"] == first["history"]

    [row] = [
        line
        for line in photographs.show({"encoder": "vgg16-slim", "members": found}).splitlines()
        if line.startswith("| `vgg16-slim` | beam 5 |")
    ]
    bleu1 = np.mean([found[f"attention/{seed}"]["scores"]["beam 5"]["bleu1"] for seed in photographs.SEEDS])
    assert row.split(" | ")[2] == f"{bleu1:.3f}"


def test_a_mean_comes_with_the_lowest_and_the_highest():
    scores = dict.fromkeys(photographs.MEASURES, 0.5)
    members = {
        f"attention/{seed}": {
            "scores": {row: scores | {"bleu4": seed / 10, "rouge": seed / 10} for row in photographs.ROWS}
        }
        for seed in photographs.SEEDS
    }
    members["together/1"] = {"scores": {"beam 5": scores}, "models": 3}
    lines = photographs.show({"encoder": "e", "members": members}).splitlines()
    assert "| `e` | beam 5 | 0.500 | 0.500 | 0.500 | 0.200 (0.100-0.300) | 0.500 | 0.200 |" in lines
    assert "| `e` | beam 5, 3 models together | 0.500 | 0.500 | 0.500 | 0.500 | 0.500 | 0.500 |" in lines


def test_a_larger_encoder_has_fewer_seeds(few_pictures):
    seeds = {}
    for encoder in ("mobilenet", "/somewhere/efficientnet-lite2.keras"):
        members = photographs.members(dataclasses.replace(few_pictures, encoder=encoder))
        seeds[encoder] = [name for name in members if name.startswith("attention/")]
    assert list(map(len, seeds.values())) == [3, 2]


def test_the_seed_of_the_settings_keeps_its_folder(few_pictures):
    assert photographs.of_seed(few_pictures, few_pictures.seed) == few_pictures
    other = photographs.of_seed(few_pictures, 5)
    assert other == dataclasses.replace(few_pictures, seed=5, run_dir=other.run_dir)
    assert other.run_dir.parent == few_pictures.run_dir.parent

"""The study of notebook 8: decoders are tuned alike, and what is said of sides is counted."""

import dataclasses
from types import SimpleNamespace

import numpy as np
import pytest

from tests.other_decoders import EVERY
from utils import studies
from utils.datasets import load_dataset
from utils.runs import Diverged
from utils.settings import RECIPES
from utils.studies import curve, decoders, encoders, photo_decoders
from utils.text import tokenize
from utils.training import make_decoder

CAT = {"kind": "cat", "color": "red", "size": None, "count": 1, "relation": None, "box": [0, 50, 40, 90]}
DOG = {**CAT, "kind": "dog", "relation": "right of", "box": [60, 50, 100, 90]}
SCENE = {"groups": [CAT, DOG], "place": "meadow", "sky": "day"}


def test_all_decoders_are_compared_and_are_as_large_as_the_first(few_pictures):
    assert {kind for kind, _ in decoders.ROWS.values()} == set(EVERY.values())
    encoder = {"name": "vgg16-slim", "grid": [7, 7], "channels": 128}
    recipe = dataclasses.replace(few_pictures.recipe, embedding_dim=128)
    sizes = [
        make_decoder(dataclasses.replace(recipe, units=units), ["a"] * 526, encoder, 30, kind).count_params()
        for kind, units in decoders.ROWS.values()
    ]
    assert max(sizes) < 1.1 * sizes[0] and min(sizes) > 0.9 * sizes[0]


@pytest.mark.parametrize("wanted", [0.002, 0.004, 0.032])
def test_rates_are_tried_until_the_best_has_a_worse_one_on_either_side(few_pictures, monkeypatch, wanted):
    tried = []

    def run(settings, world, row, seed, rate, dropout):
        tried.append((row, seed, rate, dropout))
        return None, {"dev_loss": [9.0, abs(np.log2(rate / wanted)) + dropout, 8.0]}

    monkeypatch.setattr(decoders, "run", run)
    found = decoders.tune(few_pictures, (), "Transformer")
    assert {(row, seed) for row, seed, *_ in tried} == {("Transformer", 1)} and len(tried) == len(found)
    usual = few_pictures.recipe.dropout
    at = decoders.RATES.index(wanted)
    around = set(decoders.RATES[max(0, at - 1) : at + 2])
    rates = [rate for *_, rate, dropout in tried if dropout == usual]
    assert around <= set(rates) and len(rates) == len(set(rates))
    assert tried[-1][2:] == (wanted, decoders.MORE_DROPOUT)
    better = min(usual, decoders.MORE_DROPOUT)
    assert decoders.best(found) == (wanted, better)


def test_each_split_is_measured_by_its_own_captions_and_scenes(monkeypatch):
    """Test and novel have other scenes: exchanged, or out of order, they would give other numbers."""
    scenes = {name: {**SCENE, "groups": [{**CAT, "color": name}, DOG]} for name in ("red", "blue", "green")}
    captions = {name: [f"a {name} cat to the left of a dog"] * 2 for name in scenes}
    splits = {"test": ("red", "blue"), "novel": ("green",)}
    dataset = SimpleNamespace(scenes=scenes, captions=captions, splits=splits)
    said = {name: some[0] for name, some in captions.items()} | {"green": "a red cat to the right of a dog"}
    monkeypatch.setattr(decoders, "describe", lambda decoder, cache, names: [said[name] for name in names])
    found = decoders.measure((dataset, SimpleNamespace(readable=lambda names: names)), None)
    assert [found[key] for key in ("bleu4", "wholly_true", "distinct", "sides")] == [1, 1, 2, [2, 2]]
    assert [found["novel"][key] for key in ("wholly_true", "color", "sides")] == [0, 0, [0, 1]]


def test_a_rate_that_comes_to_no_number_is_worse_than_any_other(few_pictures, monkeypatch):
    def run(settings, world, row, seed, rate, dropout):
        if rate > 0.003:
            raise Diverged("no number")
        return None, {"dev_loss": [5.0 - rate]}

    monkeypatch.setattr(decoders, "run", run)
    found = decoders.tune(few_pictures, (), "Transformer")
    usual = few_pictures.recipe.dropout
    assert decoders.best(found)[0] == 0.002 and found[0.004, usual] == decoders.DIVERGED


def test_where_nothing_comes_to_a_number_the_rate_goes_on_downwards():
    tried = decoders.by_doubling(
        lambda rate: 99.0 if rate > 0.001 else rate, (0.001, 0.002, 0.004, 0.008), 0.004
    )
    assert min(tried, key=tried.get) == 0.001


def test_sides_count_where_nothing_is_invented_and_one_is_stated():
    said = {
        "a red cat to the left of a dog": [1, 1],
        "a dog to the left of a cat": [0, 1],
        "a dog to the right of a cat": [1, 1],
        "a bird to the left of a dog": [0, 0],
        "a cat to the left of a dog and a bird": [0, 0],
        "a cat in front of a dog": [0, 0],
        "a dog to the left of a dog": [0, 0],
        "a dog next to a cat": [0, 0],
        "a cat and a dog": [0, 0],
    }
    for caption, counted in said.items():
        assert decoders.sides([caption], [SCENE]) == counted, caption
    assert decoders.sides(list(said), [SCENE] * len(said)) == [2, 3]
    below, twins = {**DOG, "relation": "under"}, {**CAT, "relation": "right of"}
    for second in (below, twins):
        scene = {**SCENE, "groups": [CAT, second]}
        assert decoders.sides([f"a cat to the left of a {second['kind']}"], [scene]) == [0, 0]


def test_a_quarter_of_the_pictures_gets_twice_the_epochs(few_pictures, monkeypatch, tmp_path):
    dataset, called = load_dataset(few_pictures), []
    names = dataset.splits["train"]

    class Cache:
        readable = staticmethod(lambda names: names)

    def run(settings, world, row, seed, rate, dropout, folder):
        called.append((settings.recipe.epochs, world[0].splits["train"], row, seed, rate, dropout, folder))
        decoder = SimpleNamespace(count_params=lambda: 7)
        return decoder, {"dev_loss": [2.0, 1.0, 1.5], "seconds": [1.0, 1.0, 1.0]}

    monkeypatch.setattr(decoders, "run", run)
    monkeypatch.setattr(decoders, "measure", lambda world, decoder: {"splits": world[0].splits})
    tuned = {"GRU/1": {"rate": 0.25, "dropout": 0.5}}
    monkeypatch.setattr(decoders, "load_study", lambda name: {"members": tuned})
    quarter = len(names) // 4
    found = curve.one_size(few_pictures, (dataset, Cache()), "GRU", quarter, 3, tmp_path)
    epochs = round(few_pictures.recipe.epochs * (len(names) / quarter) ** 0.5)
    assert called == [(epochs, names[:quarter], "GRU", 3, 0.25, 0.5, tmp_path / f"{quarter}")]
    assert epochs in (4, 5) and found["loss"] == 1.0
    assert found["splits"] | {"train": names} == dataset.splits  # dev and test stay whole
    assert [found[key] for key in ("epochs", "rate", "dropout", "parameters")] == [3, 0.25, 0.5, 7]


def test_each_encoder_has_features_and_models_of_its_own(few_pictures, monkeypatch):
    dataset, called = load_dataset(few_pictures), []

    def run(settings, world, row, seed, rate, dropout, folder):
        called.append((settings.encoder, world[1].encoder["name"], row, seed, rate, dropout, folder.name))
        return SimpleNamespace(count_params=lambda: 7), {"dev_loss": [2.0, 1.0], "seconds": [1.0, 1.0]}

    monkeypatch.setattr(decoders, "run", run)
    monkeypatch.setattr(decoders, "measure", lambda world, decoder: {"bleu4": world[1].encoder["channels"]})
    tuned = {"GRU/1": {"rate": 0.25, "dropout": 0.5}}
    monkeypatch.setattr(decoders, "load_study", lambda name: {"members": tuned})
    names = ("vgg16-slim", "resnet-slim")
    given = {name: encoders.load_encoder(name, None) for name in names}
    monkeypatch.setattr(encoders, "load_encoder", lambda name: given[name])
    found = [encoders.one_pair(few_pictures, dataset, name, "GRU", 2) for name in names]
    assert [one["bleu4"] for one in found] == [128, 256]
    assert [one["encoder"] for one in found] == [given[name].fingerprint for name in names]
    assert called == [(name, name, "GRU", 2, 0.25, 0.5, name) for name in names]
    encoders.one_pair(few_pictures, dataset, names[0], "GRU, half the rate", 3)
    assert called[-1][2:6] == ("GRU", 3, 0.125, 0.5)
    folders = sorted(path.name for path in few_pictures.features_dir.parent.iterdir())
    assert folders == ["own-resnet-slim", "own-vgg16-slim"]
    monkeypatch.setattr(encoders, "ENCODERS", ("resnet-slim",))
    monkeypatch.setattr(encoders, "ROUNDS", 1)
    pace = encoders.side_by_side(few_pictures, dataset)
    assert min(pace["ms_per_picture"].values()) > 0
    assert pace["weights"] == {name: given[name].model.count_params() for name in names}


def test_the_stored_rows_are_of_the_encoders_in_the_repository():
    seen = {}
    for name, one in studies.load_study("08_encoders")["members"].items():
        seen.setdefault(name.partition(", ")[0], set()).add(one.get("encoder"))
    for name in encoders.ENCODERS:
        assert seen[name] == {encoders.load_encoder(name).fingerprint}


def test_rows_of_encoders_are_shown_with_their_spread():
    one = {"cider": 1, "wholly_true": 0.5, "parameters": 1000}
    some = {f"a+b, GRU, attention/{n}": one | {"bleu4": n, "sides": [n, 4]} for n in (1, 3)}
    lines = encoders.show({"members": some | {"side by side/1": {"weights": {}}}}).splitlines()
    assert lines[2:] == [
        "| `a+b` | GRU, attention | 2.000 (1.000-3.000) | 1.000 | 0.500 | 0.500 (0.250-0.750) | 1,000 |"
    ]


def test_on_photographs_captions_of_a_part_find_rate_and_dropout_and_all_are_trained(
    few_pictures, monkeypatch
):
    """A loss that is lower the higher the rate misleads; a caption is as good as it is long. With a dropout
    of .4 the best rate is .001, with less .0005."""
    dataset, called = load_dataset(few_pictures), []
    whole, cache = dataset.splits["train"], SimpleNamespace(readable=lambda names: names)
    dev = [[tokenize(caption) for caption in dataset.captions[name]] for name in dataset.splits["dev"]]

    def run(settings, world, row, seed, rate, dropout):
        called.append((len(world[0].splits["train"]), seed, rate, dropout))
        if (rate, dropout) == (0.00025, 0.2):
            raise Diverged("no number")
        far = np.log2(rate / (0.001 if dropout == 0.4 else 0.0005)), np.log2(dropout / 0.2)
        good = 9 - abs(far[0]) - 3 * abs(far[1])
        decoder = SimpleNamespace(count_params=lambda: 7, caption="so " * round(good))
        return decoder, {"dev_loss": [9.0, 1 - rate, 8.0], "seconds": [1.0, 2.0]}

    def cider_d(references, captions):
        assert references == dev
        return np.array([len(caption) for caption in captions])

    fakes = {"run": run, "cider_d": cider_d, "PICTURES": 10, "scored": lambda *given: given[-1]}
    fakes["describe"] = lambda decoder, cache, names: [decoder.caption] * len(names)
    for name, fake in fakes.items():
        monkeypatch.setattr(photo_decoders, name, fake)
    found = photo_decoders.one_row(few_pictures, (dataset, cache), "Transformer", 2)
    tried = [(0.002, 0.4), (0.001, 0.4), (0.0005, 0.4), (0.001, 0.2), (0.001, 0.1), (0.0005, 0.2)]
    tried += [(0.00025, 0.2)]
    assert called == [(10, 1, *some) for some in tried] + [(len(whole), 2, 0.0005, 0.2)]
    assert list(found["tried"]) == [f"{rate} {dropout}" for rate, dropout in tried]
    assert [one["cider"] for one in found["tried"].values()] == [5, 6, 5, 8, 5, 9, 0]
    assert found["tried"]["0.001 0.1"] == {"loss": 0.999, "cider": 5, "seconds": 3.0}
    assert found["tried"]["0.00025 0.2"]["loss"] == decoders.DIVERGED
    assert (found["rate"], found["dropout"], found["loss"]) == (0.0005, 0.2, 0.9995)
    assert (found["dev"], found["scores"], found["seconds"]) == ("dev", "test", 3.0)
    again = photo_decoders.one_row(few_pictures, (dataset, cache), "Transformer", 1)
    assert again["seconds"] == 3.0 + 6 * 3.0  # the first seed counts what was tried


def test_decoders_of_photographs_are_as_large_as_that_of_part_one():
    encoder, recipe = {"name": "mobilenet", "grid": [7, 7], "channels": 768}, RECIPES["flickr8k"]
    assert photo_decoders.ROWS[photo_decoders.FIRST] == (EVERY["gru"], recipe.units)
    assert (photo_decoders.RATE, photo_decoders.DROPOUTS[-1]) == (recipe.learning_rate, recipe.dropout)
    sizes = [
        make_decoder(dataclasses.replace(recipe, units=units), ["a"] * 2549, encoder, 30, kind).count_params()
        for kind, units in photo_decoders.ROWS.values()
    ]
    assert max(sizes) < 1.02 * sizes[0] and min(sizes) > 0.98 * sizes[0]


def test_a_training_of_photographs_is_of_its_own_recipe_and_folder(few_pictures, monkeypatch):
    dataset, seen = load_dataset(few_pictures), []
    monkeypatch.setattr(photo_decoders, "train", lambda *given: seen.append(given))
    for some in (
        ("Transformer", 2, 0.25, 0.125),
        ("Transformer", 3, 0.25, 0.125),
        ("GRU, mean vector", 3, 0.25, 0.5),
    ):
        photo_decoders.run(few_pictures, (dataset, "cache"), *some)
    recipe = [(own.recipe.units, own.seed, own.recipe.learning_rate, own.recipe.dropout) for own, *_ in seen]
    assert recipe == [(252, 2, 0.25, 0.125), (252, 3, 0.25, 0.125), (560, 3, 0.25, 0.5)]
    assert [kind for *_, kind in seen] == [EVERY["transformer"]] * 2 + [EVERY["mean-vector"]]
    assert len({own.run_dir for own, *_ in seen}) == 3


def test_rates_and_dropout_of_the_later_studies_are_those_that_were_found():
    """Those of each stored row and seed are what the tuning chose, or half of it where the row says so."""
    found = studies.load_study("08_other_decoders")["members"]
    for name in ("08_learning_curve", "08_encoders"):
        for member, one in studies.load_study(name)["members"].items():
            if "rate" in one:
                [row] = [row for row in curve.ROWS if row in member]
                tuned, times = found[f"{row}/1"], 0.5 if encoders.HALF in member else 1
                assert (one["rate"], one["dropout"]) == (times * tuned["rate"], tuned["dropout"]), member


def test_each_stored_row_of_photographs_has_one_rate_and_one_dropout():
    """A study that goes on with another processor could choose another one for the seeds that are left."""
    members = studies.load_study("flickr8k-decoders")["members"]
    chosen = {
        row: {(one["rate"], one["dropout"]) for name, one in members.items() if row in name}
        for row in photo_decoders.ROWS
    }
    assert all(len(some) == 1 for some in chosen.values())


def test_rows_of_photographs_are_held_against_the_first():
    def one(bleu, cider):
        beam = {"bleu4": bleu, "cider": cider}
        return {"scores": {"greedy": {"bleu4": bleu / 2, "cider": 1.0}, "beam 5": beam}}

    members = {"GRU, attention/1": one(0.2, 0.5), "GRU, attention/2": one(0.3, 0.6)}
    members |= {"Transformer/1": one(0.25, 0.4), "Transformer/2": one(0.25, 0.45)}
    first, other = photo_decoders.show({"members": members}).splitlines()[2:]
    greedy, beam = "0.125 (0.100-0.150) | 1.000", "0.250 (0.200-0.300) | 0.550 (0.500-0.600)"
    assert first == f"| GRU, attention | {greedy} | {beam} |  |"
    assert other.endswith("| 0.250 | 0.425 (0.400-0.450) | lower |")


@pytest.mark.slow
def test_all_members_run_and_models_are_kept(few_pictures, tmp_path, monkeypatch, uncompiled):
    dataset = load_dataset(few_pictures)
    splits = {**dataset.splits, "novel": dataset.splits["test"]}
    dataset = dataclasses.replace(dataset, splits=splits, scenes=dict.fromkeys(dataset.images, SCENE))
    monkeypatch.setattr(decoders, "load_dataset", lambda settings: dataset)
    monkeypatch.setattr(decoders, "PARTS", tmp_path)
    monkeypatch.setattr(decoders, "SEEDS", (1, 2))
    monkeypatch.setattr(decoders, "ROUNDS", 1)
    rows = {"GRU": (EVERY["gru"], 8), "vector": (EVERY["show-and-tell"], 8)}
    monkeypatch.setattr(decoders, "ROWS", rows)
    monkeypatch.setattr(decoders, "TOGETHER", tuple(rows))
    monkeypatch.setattr(decoders, "RATES", (0.004,))
    members = decoders.members(few_pictures)
    names = [f"{row}/{seed}" for row in (*rows, "2 together") for seed in (1, 2)]
    assert list(members) == [*names, "side by side/1"]
    found = {name: run() for name, run in members.items()}
    models = {file: file.stat().st_mtime for file in tmp_path.rglob("captioner.keras")}
    assert found["GRU/1"]["tried"].keys() == {f"0.004 {few_pictures.recipe.dropout}", "0.004 0.2"}
    assert found["GRU/1"]["loss"] == min(found["GRU/1"]["tried"].values()) != found["GRU/2"]["loss"]
    assert found["2 together/1"]["parameters"] == sum(found[f"{row}/1"]["parameters"] for row in rows)
    assert set(found["GRU/2"]) >= {"bleu4", "cider", "relation", "wholly_true", "invented", "sides", "novel"}
    found["vector/1"]["sides"], found["vector/2"]["sides"] = [1, 2], [3, 4]
    shown = decoders.show({"members": found}).splitlines()
    [line] = [line for line in shown if line.startswith("| vector |")]
    assert line.endswith(f" | 0.625 (0.500-0.750) | {found['vector/1']['parameters']:,} |")
    costs = found["side by side/1"]
    assert set(costs["step_ms"]) == set(costs["ms_per_caption"]) == set(rows)
    steps = 2 * -(-2 * len(dataset.splits["train"]) // few_pictures.recipe.batch_size)  # of two epochs
    whole = {row: step * steps / 1000 for row, step in costs["step_ms"].items()}
    assert costs["training_seconds"] == pytest.approx(whole, abs=0.06)  # seconds have one digit
    again = decoders.members(few_pictures)["GRU/2"]()
    assert again["bleu4"] == found["GRU/2"]["bleu4"] and again["seconds"] == found["GRU/2"]["seconds"]
    assert models == {file: file.stat().st_mtime for file in tmp_path.rglob("captioner.keras")}

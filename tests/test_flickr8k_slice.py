"""Photographs, captions and ImageNet weights that are real, end to end, on a slice of Flickr8k.

Runs where they are at hand (a folder `shared` beside the checkout, or CAPTION_TEST_SHARED), else is skipped.
"""

import os
import re
import shutil
import zipfile
from dataclasses import replace
from pathlib import Path

import matplotlib.cbook
import numpy as np
import pytest

from utils.caption import PHOTOGRAPHS, caption_pictures
from utils.captioner import PERSONS, persons_named
from utils.datasets import load_dataset
from utils.decoders import load_decoder
from utils.decoding import describe
from utils.encoders import load_classifier, load_encoder, preprocessing
from utils.features import extract_features
from utils.pictures import read_picture
from utils.runs import train
from utils.scores import corpus_bleu
from utils.settings import ROOT, load_settings
from utils.studies.photographs import score_all
from utils.text import tokenize

SHARED = Path(os.environ.get("CAPTION_TEST_SHARED", ROOT.parent / "shared"))
SIZES = {"train": 300, "dev": 40, "test": 40}

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not (SHARED / "flickr8k" / "Flickr8k_text.zip").exists()
        or not (SHARED / "keras" / "models").exists(),
        reason=f"no Flickr8k zips and MobileNet weights in {SHARED}",
    ),
]


@pytest.fixture
def settings(tmp_path, monkeypatch):
    """Settings for a folder that holds the two zips, cut down to a few hundred photographs."""
    shutil.copytree(SHARED / "keras", tmp_path / "keras", copy_function=shutil.copyfile)
    os.chmod(tmp_path / "keras", 0o755)
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    data = tmp_path / "data"
    data.mkdir()
    photos = set()
    with (
        zipfile.ZipFile(SHARED / "flickr8k" / "Flickr8k_text.zip") as whole,
        zipfile.ZipFile(data / "Flickr8k_text.zip", "w") as cut,
    ):
        for member in whole.namelist():
            text = whole.read(member).decode()
            for split, size in SIZES.items():
                if f"{split}Images" in member:
                    names = text.split()[:size]
                    photos.update(names)
                    text = "\n".join(names)
            cut.writestr(member, text)
    with (
        zipfile.ZipFile(SHARED / "flickr8k" / "Flickr8k_Dataset.zip") as whole,
        zipfile.ZipFile(data / "Flickr8k_Dataset.zip", "w") as cut,
    ):
        for member in whole.namelist():
            if Path(member).name in photos:
                cut.writestr(member, whole.read(member))
    settings = load_settings(
        {
            "CAPTION_DATASET": "flickr8k",
            "CAPTION_ENCODER": "mobilenet",
            "CAPTION_DATA_DIR": str(data),
            "CAPTION_RUN_DIR": str(tmp_path / "run"),
            "CAPTION_EPOCHS": "1",
        }
    )
    # Small batches: one epoch of so few photographs has to have steps enough to learn something.
    return replace(settings, recipe=replace(settings.recipe, batch_size=8, learning_rate=2e-3))


def test_a_slice_of_flickr8k_from_zip_to_bleu(settings):
    dataset = load_dataset(settings)
    assert {split: len(names) for split, names in dataset.splits.items()} == SIZES
    cache = extract_features(dataset, load_encoder("mobilenet"), settings.features_dir)
    assert cache.array.shape == (380, 49, 768) and not cache.broken
    assert np.abs(cache.array).max(axis=(1, 2)).min() > 0

    decoder, history = train(settings, dataset, cache)
    assert history["dev_loss"][0] < np.log(len(decoder.vocabulary)) - 1

    names = dataset.splits["test"]
    captions = describe(decoder, cache, names, beam_width=3)
    references = [[tokenize(caption) for caption in dataset.captions[name]] for name in names]
    scores = corpus_bleu(references, [tokenize(caption) for caption in captions])
    assert all(captions) and 0.1 < scores[0] <= 1, captions[:3]


def test_the_captioner_for_photographs_is_as_good_as_its_card_says(settings, tmp_path):
    """On all photographs of the test split, from the file that comes with the project."""
    data = tmp_path / "whole"
    data.mkdir()
    for name in ("Flickr8k_text.zip", "Flickr8k_Dataset.zip"):
        os.symlink(SHARED / "flickr8k" / name, data / name)
    whole = load_dataset(replace(settings, data_dir=data))
    names, decoder = whole.splits["test"], load_decoder(PHOTOGRAPHS)
    part = replace(whole, splits={"test": names})
    cache = extract_features(part, load_encoder("mobilenet"), tmp_path / "features")
    said = [tokenize(caption) for caption in describe(decoder, cache, names, 5)]
    references = [[tokenize(caption) for caption in whole.captions[name]] for name in names]
    card = PHOTOGRAPHS.with_suffix(".md").read_text(encoding="utf-8")
    row = [float(cell) for cell in re.search(r"\| beam 5 \| (.*) \|", card)[1].split(" | ")]
    found = score_all(references, said)
    # Another processor rounds the features otherwise, and a few captions change.
    assert list(found.values()) == pytest.approx(row, abs=0.01)
    persons = persons_named(references, said)
    assert persons["there"] >= 0.9 and persons["not_there"] <= 0.3


def test_a_person_in_a_photograph_from_elsewhere(settings):
    photo = Path(matplotlib.cbook.get_sample_data("grace_hopper.jpg", asfileobj=False))
    [(_, described)] = caption_pictures(PHOTOGRAPHS, settings, [photo])
    assert not PERSONS.isdisjoint(tokenize(described.captions[0][0])), described.captions


def test_mobilenet_recognises_a_photograph(settings):
    model, classes = load_classifier("mobilenet")
    photo = read_picture(Path(matplotlib.cbook.get_sample_data("grace_hopper.jpg", asfileobj=False)), 224)
    probabilities = model.predict(preprocessing("mobilenet")(photo[None]), verbose=0)[0]
    assert "military uniform" in [classes[i] for i in np.argsort(probabilities)[-5:]]

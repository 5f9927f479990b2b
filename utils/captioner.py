"""The captioner for photographs: `make captioner` trains, measures and stores it.

It is the run of `CAPTION_DATASET=flickr8k CAPTION_ENCODER=mobilenet`, its weights in half precision, with a
card that says what it is and how good. None of the photographs is in it, nor of their captions.
"""

from __future__ import annotations

import io
import sys
import zipfile
from collections.abc import Sequence
from pathlib import Path

import h5py
import numpy as np

from utils.caption import BEAM_WIDTH, PHOTOGRAPHS
from utils.datasets import load_dataset
from utils.decoders import load_decoder
from utils.decoding import describe
from utils.encoders import load_encoder
from utils.features import extract_features
from utils.files import UserError, exit_status, replacing, write_text
from utils.runs import train
from utils.session import start
from utils.settings import Settings, label
from utils.studies.photographs import persons_named, score_all
from utils.text import tokenize

WEIGHTS = "model.weights.h5"


def halve(source: Path, target: Path) -> None:
    """Write the Keras file `source` to `target` with its weights as float16: half of the size. Keras loads
    them into float32 again. Raises UserError that names a weight too large for float16."""
    halved = io.BytesIO()
    with zipfile.ZipFile(source) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    with h5py.File(io.BytesIO(files[WEIGHTS])) as whole, h5py.File(halved, "w") as half:

        def copy(name: str, item: h5py.Group | h5py.Dataset) -> None:
            if isinstance(item, h5py.Dataset):
                numbers = item[()].astype(np.float16)
                if not np.isfinite(numbers).all():
                    raise UserError(f"{source}: the numbers in {name} are too large for float16.")
                half.create_dataset(name, data=numbers)
                half[name].attrs.update(item.attrs)
            else:
                half.require_group(name).attrs.update(item.attrs)

        half.attrs.update(whole.attrs)
        whole.visititems(copy)
    files[WEIGHTS] = halved.getvalue()
    with replacing(target) as part, zipfile.ZipFile(part, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)


def make(settings: Settings, target: Path = PHOTOGRAPHS) -> None:
    """Train the run of the settings, or take it as it is; store its model and card. Raises UserError."""
    usual = settings.dataset == "flickr8k" and label(settings.encoder) == "mobilenet" and settings.seed == 1
    if not (usual and settings.standard):
        raise UserError(
            "The captioner for photographs is the whole run of CAPTION_DATASET=flickr8k "
            "CAPTION_ENCODER=mobilenet with the default settings: set these."
        )
    dataset = load_dataset(settings)
    cache = extract_features(dataset, load_encoder(settings.encoder), settings.features_dir)
    train(settings, dataset, cache)
    halve(settings.run_dir / "captioner.keras", target)
    decoder = load_decoder(target)  # what is measured is the file
    names = cache.readable(dataset.splits["test"])
    references = [[tokenize(caption) for caption in dataset.captions[name]] for name in names]
    rows, persons = {}, {}
    for method, width in (("greedy", 1), (f"beam {BEAM_WIDTH}", BEAM_WIDTH)):
        said = [tokenize(caption) for caption in describe(decoder, cache, names, width)]
        rows[method], persons = score_all(references, said), persons_named(references, said)
    words = len(decoder.vocabulary) - 4
    sizes = f"{words:,} words, {decoder.count_params() / 1e6:.1f} million numbers, "
    sizes += f"{target.stat().st_size / 1e6:.1f} MB"
    write_text(
        target.with_suffix(".md"), card(sizes, len(dataset.splits["train"]), len(names), rows, persons)
    )
    print(f"{target} and its card are written")


def card(sizes: str, train_count: int, test_count: int, rows: dict, persons: dict) -> str:
    """The card of the captioner, in Markdown, with its measured figures."""
    table = [
        "| captions | BLEU-1 | BLEU-2 | BLEU-3 | BLEU-4 | CIDEr-D | ROUGE-L |",
        "|---|---|---|---|---|---|---|",
    ]
    table += [
        f"| {name} | {' | '.join(f'{value:.3f}' for value in row.values())} |" for name, row in rows.items()
    ]
    scores = "\n".join(table)
    return f"""# The captioner for photographs

`captioner-photographs.keras` is the GRU decoder with attention of notebook 3, for features of `mobilenet`
(MobileNet with an alpha of 0.75 and ImageNet weights, which Keras downloads: 8 MB). {sizes}
(weights in float16, without the encoder). It is made by
`CAPTION_DATASET=flickr8k CAPTION_ENCODER=mobilenet make captioner`, with seed 1 and the default recipe.

## Data, licence and terms

It was trained on the captions of {train_count:,} photographs of Flickr8k (M. Hodosh, P. Young and J.
Hockenmaier, "Framing image description as a ranking task", 2013), five for each, written by paid workers.
The photographs belong to those who took them and are under Flickr's terms of use; the collection was
given out for research and teaching that earn no money. So use this file for research and teaching, not to
make money. It holds neither photographs nor captions of the collection. As far as the project has rights
in the weights, they are under Apache-2.0, as its code.

## How good it is

On the {test_count:,} photographs of the test split, which neither training nor a choice of settings saw, with
all five references:

{scores}

By beam search, a word for a person is in {persons["there"]:.0%} of the captions of photographs for which at
least four of five references have one ({persons["there_count"]} photographs), and in
{persons["not_there"]:.0%} where none has ({persons["not_there_count"]}).

## What it is bad at

- It knows people and dogs outdoors, as Flickr8k does. Food, furniture, maps, screens, drawings, documents and
  close-ups are described as people and dogs all the same.
- It always says something, and sounds as sure when it is wrong. `--confidence` tells a little; nothing here
  says when to trust it.
- It counts badly, mixes up colors and sides, and guesses: what people do, whether a child is a boy or a girl,
  whose dog it is. What it says about people repeats the habits of those who wrote the captions. Never use it
  to judge a person.
"""


def main(arguments: Sequence[str]) -> int:
    if arguments:
        print("python -m utils.captioner takes no arguments", file=sys.stderr)
        return 2
    return exit_status(lambda: make(start()))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

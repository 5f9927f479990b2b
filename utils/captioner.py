"""The captioner for photographs: `make captioner` trains, measures and stores it.

It is the run of `CAPTION_DATASET=flickr8k CAPTION_ENCODER=mobilenet`, its weights in half precision, with a
card that says what it is and how good. None of the photographs is in it, nor of their captions.
"""

from __future__ import annotations

import io
import shutil
import sys
import tempfile
import zipfile
from collections.abc import Sequence
from pathlib import Path

import h5py
import numpy as np
from matplotlib.cbook import get_sample_data

from utils.caption import BEAM_WIDTH, PHOTOGRAPHS, caption_pictures
from utils.datasets import load_dataset
from utils.decoders import load_decoder
from utils.decoding import describe
from utils.encoders import load_encoder
from utils.features import extract_features
from utils.files import UserError, exit_status, replacing, write_text
from utils.runs import train
from utils.session import start
from utils.settings import Settings, label
from utils.studies.photographs import score_all
from utils.text import SPECIAL, tokenize

WEIGHTS = "model.weights.h5"
SAMPLES = {
    "a portrait of a woman in uniform": "grace_hopper.jpg",
    "a logo, letters on white": "logo2.png",
    "a wrapped present": "Minduka_Present_Blue_Pack.png",
}
PERSONS = frozenset(
    """
    person persons people someone somebody human humans individual individuals man men woman women male
    males female females boy boys girl girls child children kid kids baby babies infant infants toddler
    toddlers teenager teenagers teen teens adult adults lady ladies gentleman gentlemen guy guys friend
    friends family families mother mothers father fathers mom moms dad dads parent parents son sons
    daughter daughters brother brothers sister sisters grandfather grandmother husband wife bride groom
    groomsmen bridesmaids crowd crowds audience team teams onlooker onlookers spectator spectators
    pedestrian pedestrians passenger passengers student students worker workers soldier soldiers officer
    officers police policeman policemen fireman firemen firefighter firefighters owner owners trainer
    trainers instructor coach driver drivers vendor waiter waitress cook chef artist artists
    photographer photographers cameraman performer performers singer singers musician musicians drummer
    guitarist dancer dancers clown clowns cowboy cowboys cowgirl sailor fisherman fishermen cheerleader
    cheerleaders player players teammate teammates opponent referee umpire pitcher catcher batter
    batsman baseman goalie footballer footballers quarterback athlete athletes gymnast wrestler
    wrestlers fencer fencers rider riders biker bikers bicyclist bicyclists bicycler cyclist cyclists
    motorcyclist motorcyclists racer racers skier skiers skiiers snowboarder snowboarders skateboarder
    skateboarders skater skaters rollerblader surfer surfers windsurfer wakeboarder waterskier kayaker
    kayakers rower rowers swimmer swimmers diver divers jumper climber climbers hiker hikers backpacker
    camper campers runner runners jogger joggers
    """.split()
)
"""Words for persons in the captions of Flickr8k; `couple` and `group` are not: there are couples of dogs."""


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
    with tempfile.TemporaryDirectory() as folder:  # what is measured is the file
        half = Path(folder) / target.name
        halve(settings.run_dir / "captioner.keras", half)
        decoder, size = load_decoder(half), half.stat().st_size
        names = cache.readable(dataset.splits["test"])
        references = [[tokenize(caption) for caption in dataset.captions[name]] for name in names]
        rows, persons = {}, {}
        for method, width in (("greedy", 1), (f"beam {BEAM_WIDTH}", BEAM_WIDTH)):
            said = [tokenize(caption) for caption in describe(decoder, cache, names, width)]
            rows[method], persons = score_all(references, said), persons_named(references, said)
        elsewhere = _describe_samples(half, settings)
        with replacing(target) as part:
            shutil.copyfile(half, part)
    words, numbers = len(decoder.vocabulary) - len(SPECIAL), decoder.count_params() / 1e6
    sizes = f"{words:,} words, {numbers:.1f} million numbers, {size / 1e6:.1f} MB"
    text = card(sizes, len(dataset.splits["train"]), len(names), rows, persons, elsewhere)
    write_text(target.with_suffix(".md"), text)
    print(f"{target} and its card are written")


def _describe_samples(model: Path, settings: Settings) -> dict[str, tuple[str, float]]:
    """Captions and confidences for pictures of other kinds, which come with Matplotlib."""
    files = [Path(get_sample_data(name, asfileobj=False)) for name in SAMPLES.values()]
    found = caption_pictures(model, settings, files)
    return {
        kind: described.captions[0]
        for kind, (_, described) in zip(SAMPLES, found, strict=True)
        if not isinstance(described, str)
    }


def persons_named(references: list, hypotheses: list) -> dict[str, float]:
    """How many captions have a word for a person: a share of those where at least four of five
    references have one (`there`), and of those where none has (`not_there`), with the number of photographs
    of each kind."""
    with_one = np.array([np.mean([_has_person(words) for words in some]) for some in references])
    named = np.array([_has_person(words) for words in hypotheses])
    kinds = {"there": with_one >= 0.8, "not_there": with_one == 0}
    shares = {name: float(named[kind].mean()) if kind.any() else 0.0 for name, kind in kinds.items()}
    return shares | {f"{name}_count": int(kind.sum()) for name, kind in kinds.items()}


def _has_person(words: Sequence[str]) -> bool:
    return not PERSONS.isdisjoint(words)


def card(sizes: str, train_count: int, test_count: int, rows: dict, persons: dict, elsewhere: dict) -> str:
    """The card of the captioner, in Markdown, with its measured figures."""
    table = [
        "| captions | BLEU-1 | BLEU-2 | BLEU-3 | BLEU-4 | CIDEr-D | ROUGE-L |",
        "|---|---|---|---|---|---|---|",
    ]
    table += [
        f"| {name} | {' | '.join(f'{value:.3f}' for value in row.values())} |" for name, row in rows.items()
    ]
    scores = "\n".join(table)
    tried = "\n".join(
        f'  - {kind}: "{caption}", {confidence:.2f}' for kind, (caption, confidence) in elsewhere.items()
    )
    return f"""# The captioner for photographs

`captioner-photographs.keras` is the GRU decoder with attention of notebook 3, for features of `mobilenet`
(MobileNet with an alpha of 0.75 and ImageNet weights, which Keras downloads: 8 MB). {sizes}
(weights in float16, without the encoder). It is made by
`make captioner`, with seed 1 and the default recipe.

## Data, licence and terms

It was trained on the captions of {train_count:,} photographs of Flickr8k (M. Hodosh, P. Young and J.
Hockenmaier, "Framing image description as a ranking task", 2013), five for each, written by paid workers.
The photographs belong to those who took them and are under Flickr's terms of use; the collection was
given out for research and teaching that earn no money. So use this file for research and teaching, not to
make money. It holds neither photographs nor captions of the collection. The project itself adds no condition
to those of Apache-2.0, the licence of its code.

## How good it is

On the {test_count:,} photographs of the test split, which neither training nor a choice of settings saw, with
all five references. ("Photographs" in the README says which these are where they are not the 1,000 official
ones, and has other seeds beside.)
The caption command searches with beam 5.

{scores}

By beam search, a word for a person is in {persons["there"]:.0%} of the captions of photographs for which at
least four of five references have one ({persons["there_count"]} photographs), and in
{persons["not_there"]:.0%} where none has ({persons["not_there_count"]}).

## What it is bad at

- It knows people and dogs outdoors, as Flickr8k does, and may say them of anything else. Pictures that come
  with Matplotlib, each with its caption and its confidence:
{tried}
- It always says something. How far `--confidence` tells right from wrong was not measured on photographs.
- Not measured, and to be expected: it counts badly, mixes up colors and sides, and guesses what people do,
  whether a child is a boy or a girl, whose dog it is. What it says about people repeats the habits of those
  who wrote the captions. Never use it to judge a person.
"""


def main(arguments: Sequence[str]) -> int:
    if arguments:
        print("python -m utils.captioner takes no arguments", file=sys.stderr)
        return 2
    return exit_status(lambda: make(start()))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

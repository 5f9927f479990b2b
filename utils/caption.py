"""Captions for picture files and folders: `python -m utils.caption photo.jpg [more.jpg folder ...]`.

Exit status: 0 when every picture has its caption, 3 when some of them can't be read, 1 when there can't be
any (the model or the encoder is missing, say), 2 for wrong arguments, 130 when it was interrupted.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from utils.files import UserError, replacing
from utils.session import start
from utils.settings import ROOT, Settings, chosen, label

if TYPE_CHECKING:
    from utils.decoders.base import Decoder
    from utils.encoders import Encoder

PHOTOGRAPHS = ROOT / "data" / "captioner-photographs.keras"
"""The captioner that comes with the project; its card lies beside it."""

BATCH = 16  # pictures that are described together
BEAM_WIDTH = 5


@dataclass(frozen=True)
class Described:
    """What was found out about a picture.

    picture     as the network saw it: uint8 (size, size, 3)
    captions    the best first, each with its confidence: the geometric mean of the probabilities of its
                words and its end
    maps        float32 (words, rows, cols) of the first caption, each summing to 1; None for a decoder
                without attention
    """

    picture: np.ndarray
    captions: list[tuple[str, float]]
    maps: np.ndarray | None


def encoder_of(decoder: Decoder, model: Path, settings: Settings) -> Encoder:
    """The encoder that the decoder was trained with, which stands in its file.

    One that is a file itself is found by `CAPTION_ENCODER`. Raises UserError that says which encoder the
    model wants when it can't be had, or has other weights.
    """
    from utils.encoders import load_encoder
    from utils.imagenet import WITHOUT

    wanted = decoder.encoder
    mine, named = label(settings.encoder).lower(), label(wanted["name"]).lower()
    name = settings.encoder if mine == named else wanted["name"]
    try:
        with contextlib.redirect_stdout(sys.stderr):  # the progress of a download is no caption
            encoder = load_encoder(name)
    except UserError as error:
        reason = str(error).partition(WITHOUT)[0].rstrip()  # the drawn scenes are no help with a photograph
        raise UserError(
            f"{model} was trained with the encoder {wanted['name']} (weights {wanted.get('weights')}). If "
            f"that is a .keras file, set CAPTION_ENCODER to its path.\n{reason}"
        ) from None
    if encoder.identity != wanted:
        raise UserError(
            f"{model} was trained with the encoder {wanted['name']} (weights {wanted.get('weights')}), and "
            f"{name} here has other weights ({encoder.fingerprint}) or another size: set CAPTION_ENCODER to "
            "the file that it was trained with."
        )
    return encoder


def caption_pictures(
    model: Path, settings: Settings, pictures: Sequence[Path], beam_width: int = BEAM_WIDTH
) -> Iterator[tuple[Path, Described | str]]:
    """For each picture in turn its path, and what was found out, or why it can't be read.

    pictures    files of any kind that notebook 2 accepts
    beam_width  of the beam search, which finds as many captions

    Raises UserError when the model is missing, damaged, or wants another encoder.
    """
    from utils.decoders import load_decoder  # these load TensorFlow, which `start` has kept quiet by now
    from utils.decoding import attention_maps, beam_search
    from utils.features import encoder_function
    from utils.pictures import read_ahead
    from utils.text import END, decode, tokenize

    if not model.exists():
        how = "`make run` trains one of the settings' dataset"
        if model == PHOTOGRAPHS:
            how = "It comes with the project (git checkout -- data/captioner-photographs.keras)"
        raise UserError(
            f"There is no trained model yet: {model} is missing. {how}. --model FILE picks another."
        )
    decoder = load_decoder(model)
    encoder = encoder_of(decoder, model, settings)
    batch = min(BATCH, len(pictures))
    see, end = encoder_function(encoder, batch), decoder.vocabulary.index(END)
    for begin, (seen, reasons) in enumerate(read_ahead(pictures, encoder.input_size, batch)):
        features = see(seen)[0]
        tokens, scores = beam_search(decoder, features, beam_width)
        maps = attention_maps(decoder, features, tokens[:, 0])
        lengths = np.count_nonzero(tokens, axis=2)
        confidences = np.exp(scores / lengths)
        for i, path in enumerate(pictures[begin * batch : (begin + 1) * batch]):
            if reasons[i]:
                yield path, reasons[i]
                continue
            if end not in tokens[i, 0].numpy():
                said = f"its caption has no end, and is cut after {tokens.shape[2]} words"
                print(f"{_printable(path)}: {said}", file=sys.stderr)
            captions = [decode(row, decoder.vocabulary) for row in tokens[i].numpy()]
            drawn = None
            if maps is not None:
                drawn = maps[i, : len(tokenize(captions[0]))].numpy().reshape(-1, *encoder.grid)
            yield path, Described(seen[i], list(zip(captions, map(float, confidences[i]))), drawn)


def files_of(paths: Sequence[Path]) -> list[Path]:
    """The picture files: a path as it is, a folder as all that it holds, at any depth, in alphabetical order.

    Raises UserError that names a folder in which there is none.
    """
    from utils.pictures import picture_suffixes

    suffixes, files = picture_suffixes(), []
    for path in paths:
        if not path.is_dir():
            files.append(path)
            continue
        inside = sorted(file for file in path.rglob("*") if file.suffix.lower() in suffixes)
        hidden = [any(part.startswith(".") for part in file.relative_to(path).parts) for file in inside]
        inside = [file for file, not_shown in zip(inside, hidden) if file.is_file() and not not_shown]
        if not inside:
            raise UserError(f"{_printable(path)} holds no picture.")
        files += inside
    return files


def attention_files(target: Path, pictures: Sequence[Path]) -> list[Path]:
    """Where each picture's maps go: `target` itself, or `target-1`, `target-2` ... for several pictures."""
    if len(pictures) == 1:
        return [target]
    return [target.with_stem(f"{target.stem}-{number}") for number in range(1, len(pictures) + 1)]


def _draw(file: Path, described: Described) -> None:
    import matplotlib

    matplotlib.use("Agg")  # a file is wanted, not a window
    from utils import plots
    from utils.text import tokenize

    if described.maps is None:
        raise UserError(f"{file} can't be drawn: the decoder has no attention.")
    known = sorted(plots.plt.gcf().canvas.get_supported_filetypes())
    if file.suffix[1:].lower() not in known:
        raise UserError(f"{file} can't be drawn: end its name with one of {', '.join(known)}.")
    figure = plots.show_attention(described.picture, described.maps, tokenize(described.captions[0][0]))
    try:
        with replacing(file) as part:
            figure.savefig(part)
    finally:
        plots.plt.close("all")


def _printable(path: Path) -> str:
    # A file name may hold bytes that are no character.
    return os.fsencode(path).decode("utf-8", "replace")


def _lines(path: Path, result: Described | str, options: argparse.Namespace) -> str:
    """What is printed about a picture: text for people, or one object of JSON."""
    if options.json:
        said: dict = {"picture": _printable(path)}
        if isinstance(result, str):
            return json.dumps(said | {"error": result}, ensure_ascii=False)
        found = [{"caption": text, "confidence": round(sure, 4)} for text, sure in result.captions]
        more = {"alternatives": found[1 : options.alternatives + 1]} if options.alternatives else {}
        return json.dumps(said | found[0] | more, ensure_ascii=False)
    assert isinstance(result, Described)
    rows = [f"{text} ({sure:.2f})" if options.confidence else text for text, sure in result.captions]
    return "\n    or ".join([f"{_printable(path)}: {rows[0]}", *rows[1 : options.alternatives + 1]])


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m utils.caption", description="Describe pictures.")

    def alternatives(text: str) -> int:
        if not text.isdecimal() or int(text) > 100:
            raise argparse.ArgumentTypeError("give a whole number from 0 to 100")
        return int(text)

    add = parser.add_argument
    add("pictures", nargs="+", type=Path, metavar="picture", help="a picture file, or a folder of them")
    which = "default: the run of CAPTION_DATASET if that is set, else the captioner for photographs"
    add("--model", type=Path, metavar="FILE", help=which)
    add("--attention", type=Path, metavar="map.png", help="draw where the model looked")
    add("--alternatives", type=alternatives, default=0, metavar="N", help="print the N next best captions")
    add("--confidence", action="store_true", help="print how probable the words of each caption are")
    add("--json", action="store_true", help="print one object of JSON per picture and line")
    return parser.parse_args(arguments)


def main(arguments: Sequence[str]) -> int:
    options = _options(arguments)
    unread = False
    try:
        settings = start()
        model = options.model or (settings.run_dir / "captioner.keras" if chosen() else PHOTOGRAPHS)
        pictures = files_of(options.pictures)
        targets = attention_files(options.attention or Path("map.png"), pictures)
        width = max(BEAM_WIDTH, options.alternatives + 1)
        described = caption_pictures(model, settings, pictures, width)
        counting = len(pictures) > BATCH and not sys.stdout.isatty()  # else the captions show how far it is
        for number, (target, (path, result)) in enumerate(zip(targets, described, strict=True), 1):
            if isinstance(result, str):
                print(f"{_printable(path)}: {result}", file=sys.stderr)
                unread = True
            if options.json or not isinstance(result, str):
                print(_lines(path, result, options), flush=True)
            if options.attention and not isinstance(result, str):
                _draw(target, result)
            if counting and (number % BATCH == 0 or number == len(pictures)):
                print(f"{number:,} of {len(pictures):,} pictures", file=sys.stderr)
    except UserError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # whoever read the captions has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    return 3 if unread else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

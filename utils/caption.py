"""Captions for picture files: `python -m utils.caption picture.jpg [more.jpg ...]`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from utils.files import UserError, replacing
from utils.session import start
from utils.settings import Settings, label

if TYPE_CHECKING:
    from utils.decoders.base import Decoder
    from utils.encoders import Encoder


def encoder_of(decoder: Decoder, model: Path, settings: Settings) -> Encoder:
    """The encoder that the decoder was trained with, which stands in its file.

    One that is a file itself is found by `CAPTION_ENCODER`. Raises UserError that says which encoder the
    model wants when it can't be had, or has other weights.
    """
    from utils.encoders import load_encoder

    wanted = decoder.encoder
    mine, named = label(settings.encoder).lower(), label(wanted["name"]).lower()
    name = settings.encoder if mine == named else wanted["name"]
    try:
        encoder = load_encoder(name)
    except UserError as error:
        raise UserError(
            f"{model} was trained with the encoder {wanted['name']} (weights {wanted.get('weights')}). If "
            f"that is a .keras file, set CAPTION_ENCODER to its path.\n{error}"
        ) from None
    if encoder.identity != wanted:
        raise UserError(
            f"{model} was trained with the encoder {wanted['name']} (weights {wanted.get('weights')}), and "
            f"{name} here has other weights ({encoder.fingerprint}) or another size: set CAPTION_ENCODER to "
            "the file that it was trained with."
        )
    return encoder


def caption_pictures(
    model: Path, settings: Settings, pictures: list[Path], beam_width: int = 5
) -> Iterator[tuple[Path, str | tuple[np.ndarray, str, np.ndarray | None]]]:
    """For each picture in turn its path, and either the reason why it can't be read or (picture as the
    network saw it, caption, maps).

    pictures    files of any kind that notebook 2 accepts
    beam_width  of the beam search

    Pictures are uint8 (size, size, 3), maps float32 (words, rows, cols), each summing to 1, or None for a
    decoder without attention. Raises UserError when the model is missing, damaged, or wants another encoder.
    """
    from utils.decoders import load_decoder  # these load TensorFlow, which `start` has kept quiet by now
    from utils.decoding import attention_maps, beam_search
    from utils.features import encoder_function
    from utils.pictures import read_picture
    from utils.text import END, decode, tokenize

    if not model.exists():
        raise UserError(
            f"There is no trained model yet: {model} is missing. `make run` trains one on the drawn scenes "
            "in a few minutes; for photographs see README.md. --model FILE picks another file."
        )
    decoder = load_decoder(model)
    encoder = encoder_of(decoder, model, settings)
    see = encoder_function(encoder, 1)
    for path in pictures:
        try:
            picture = read_picture(path, encoder.input_size)
        except Exception as error:  # decoders raise anything at all on a broken file
            yield path, getattr(error, "strerror", None) or str(error) or "not a picture that can be read"
            continue
        features = see(picture[None])[0]
        tokens = beam_search(decoder, features, beam_width)[0][:, 0]
        if decoder.vocabulary.index(END) not in tokens[0].numpy():
            said = f"its caption has no end, and is cut after {tokens.shape[1]} words"
            print(f"{path}: {said}", file=sys.stderr)
        caption = decode(tokens[0].numpy(), decoder.vocabulary)
        maps = attention_maps(decoder, features, tokens)
        if maps is not None:
            maps = maps[0, : len(tokenize(caption))].numpy().reshape(-1, *encoder.grid)
        yield path, (picture, caption, maps)


def attention_files(target: Path, pictures: list[Path]) -> list[Path]:
    """Where each picture's maps go: `target` itself, or `target-1`, `target-2` ... for several pictures."""
    if len(pictures) == 1:
        return [target]
    return [target.with_stem(f"{target.stem}-{number}") for number in range(1, len(pictures) + 1)]


def _draw(file: Path, picture: np.ndarray, caption: str, maps: np.ndarray | None) -> None:
    import matplotlib

    matplotlib.use("Agg")  # a file is wanted, not a window
    from utils import plots
    from utils.text import tokenize

    if maps is None:
        raise UserError("This decoder has no attention: there are no maps to draw.")
    known = sorted(plots.plt.gcf().canvas.get_supported_filetypes())
    if file.suffix[1:].lower() not in known:
        raise UserError(f"{file} can't be drawn: end its name with one of {', '.join(known)}.")
    figure = plots.show_attention(picture, maps, tokenize(caption))
    try:
        with replacing(file) as part:
            figure.savefig(part)
    finally:
        plots.plt.close("all")


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m utils.caption", description="Describe pictures.")
    parser.add_argument("pictures", nargs="+", type=Path, metavar="picture")
    draw, which = "draw where the model looked", "default: the run folder's captioner.keras"
    parser.add_argument("--attention", type=Path, metavar="map.png", help=draw)
    parser.add_argument("--model", type=Path, metavar="FILE", help=which)
    options = parser.parse_args(arguments)
    try:
        settings = start()
        model = options.model or settings.run_dir / "captioner.keras"
        described = caption_pictures(model, settings, options.pictures)
        failed = False
        targets = attention_files(options.attention or Path("map.png"), options.pictures)
        for target, (path, result) in zip(targets, described, strict=True):
            if isinstance(result, str):
                print(f"{path}: {result}", file=sys.stderr)
                failed = True
                continue
            print(f"{path}: {result[1]}", flush=True)
            if options.attention:
                _draw(target, *result)
    except UserError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return int(failed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

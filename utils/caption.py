"""Captions for picture files: `python -m utils.caption picture.jpg [more.jpg ...]`."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from utils.files import UserError
from utils.session import start
from utils.settings import Settings


def encoder_name(model: Path, settings: Settings) -> str:
    """The encoder whose features the model was trained on: it stands in the manifest beside the model.

    A model that was moved away from its run folder is taken to fit `CAPTION_ENCODER`.
    """
    try:
        return json.loads((model.parent / "features.json").read_text(encoding="utf-8"))["encoder"]
    except (OSError, ValueError, KeyError, TypeError):
        return settings.encoder


def caption_pictures(
    model: Path, encoder: str, pictures: list[Path], beam_width: int = 5
) -> Iterator[tuple[Path, str | tuple[np.ndarray, str, np.ndarray]]]:
    """For each picture in turn its path, and either the reason why it can't be read or (picture as the
    network saw it, caption, maps).

    pictures    files of any kind that notebook 2 accepts
    beam_width  of the beam search

    Pictures are uint8 (size, size, 3), maps float32 (words, rows, cols), each summing to 1.
    Raises UserError when the model is missing, damaged, or made for another encoder.
    """
    from utils.decoding import beam_search  # these load TensorFlow, which `start` has kept quiet by now
    from utils.encoders import load_encoder
    from utils.features import encoder_function, read_picture
    from utils.model import decode
    from utils.training import load_captioner

    if not model.exists():
        raise UserError(
            f"There is no trained model yet: {model} is missing. `make run` trains one on the drawn scenes "
            "in a few minutes; for photographs see README.md. --model FILE picks another file."
        )
    captioner = load_captioner(model)
    network = load_encoder(encoder)
    wanted = captioner.positions, captioner.channels
    given = network.grid[0] * network.grid[1], network.channels
    if wanted != given:
        raise UserError(
            f"{model} was trained on features of {wanted[0]} positions x {wanted[1]} channels, and {encoder} "
            f"gives {given[0]} x {given[1]}: set CAPTION_ENCODER to the encoder that it was trained with."
        )
    see = encoder_function(network, 1)
    for path in pictures:
        try:
            picture = read_picture(path)
        except Exception as error:  # decoders raise anything at all on a broken file
            yield path, getattr(error, "strerror", None) or "not a picture that can be read"
            continue
        tokens, _, maps = beam_search(captioner, see(picture[None])[0], beam_width)
        caption = decode(tokens[0, 0].numpy(), captioner.vocabulary)
        maps = maps[0, 0, : len(caption.split())].numpy().reshape(-1, *network.grid)
        yield path, (picture, caption, maps)


def attention_files(target: Path, pictures: list[Path]) -> list[Path]:
    """Where each picture's maps go: `target` itself, or `target-1`, `target-2` ... for several pictures."""
    if len(pictures) == 1:
        return [target]
    return [target.with_stem(f"{target.stem}-{number}") for number in range(1, len(pictures) + 1)]


def _draw(file: Path, picture: np.ndarray, caption: str, maps: np.ndarray) -> None:
    import matplotlib

    matplotlib.use("Agg")  # a file is wanted, not a window
    from utils import plots

    part = file.with_stem(file.stem + ".part")
    figure = plots.show_attention(picture, maps, caption.split())
    try:
        figure.savefig(part)
        part.replace(file)
    except ValueError as error:  # Matplotlib's word for a suffix that it does not know
        raise UserError(f"{file} can't be drawn: {error}") from None
    except OSError as error:
        raise UserError(f"{file} can't be written: {error.strerror or error}.") from None
    finally:
        plots.plt.close(figure)


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
        described = caption_pictures(model, encoder_name(model, settings), options.pictures)
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

"""Decoders: models that write captions from features, all with the contract of `base.Decoder`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from utils import modelfile
from utils.decoders.base import Decoder
from utils.decoders.gru import GRUDecoder
from utils.decoders.lstm import LSTMDecoder
from utils.files import UserError
from utils.text import SPECIAL

DECODERS: dict[str, type[Decoder]] = {"gru": GRUDecoder, "lstm": LSTMDecoder}
"""The decoders that `CAPTION_DECODER` may name. `utils.runs.train` takes the class of any other."""


def decoder_named(name: str) -> type[Decoder]:
    """The class that `CAPTION_DECODER` names. Raises UserError that says which there are."""
    if name not in DECODERS:
        raise UserError(
            f"CAPTION_DECODER={name!r}: choose one of {', '.join(DECODERS)} (notebook 8 trains others)."
        )
    return DECODERS[name]


def load_decoder(file: Path, kind: type[Decoder] | None = None) -> Decoder:
    """A saved decoder, made from the numbers and words in its file; nothing that the file names is run.

    kind  its class, where that is none of `DECODERS`

    Raises UserError that names the file if it is missing, damaged, or holds something else.
    """
    if not file.exists():
        raise UserError(f"{file} is missing: run notebook 4, which trains it.")
    kinds: Mapping[str, type[Decoder]] = {
        each.__name__: each for each in [*DECODERS.values(), kind or Decoder]
    }
    saved = modelfile.read_config(file)
    found = str(saved.get("class_name"))
    if found not in kinds or found == "Decoder":
        raise UserError(f"{file} holds a {found}, not a captioner: name another file, or train again.")
    try:
        config = _checked(dict(saved["config"]))
        decoder = kinds[found](**config)
        decoder.build()
    except Exception as error:  # Keras raises many kinds for sizes that are none
        raise UserError(f"{file} can't be loaded ({error}): name another file, or train again.") from None
    modelfile.load_weights(decoder, file)
    return decoder


def _checked(config: dict) -> dict:
    """The config of a decoder, if it holds nothing but what a decoder's says. Raises ValueError."""
    words, encoder = config["vocabulary"], config["encoder"]
    if tuple(words[:4]) != SPECIAL:
        raise ValueError("its vocabulary does not begin with the special tokens")
    if not all(isinstance(word, str) and word.isprintable() for word in words):
        raise ValueError("its vocabulary holds something else than words")
    if not (isinstance(encoder["name"], str) and 0 < config["longest"] <= 1000):
        raise ValueError("it does not say its encoder, or how long a caption may be")
    sizes = {key: value for key, value in config.items() if key not in ("vocabulary", "encoder")}
    if any(isinstance(value, (dict, list)) for value in sizes.values()):
        raise ValueError("its sizes are no numbers")
    return config

"""The study behind the clinic of notebook 7: healthy and sick captioners, and what each check finds.

The lines between healthy and sick are drawn on the first seed of the GRU; the other seeds, and the two other
decoders, are there to try them.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from utils import checks, clinic
from utils.datasets import load_dataset
from utils.decoders.base import Decoder
from utils.decoders.gru import GRUDecoder
from utils.decoders.lstm import LSTMDecoder
from utils.decoders.transformer import TransformerDecoder
from utils.encoders import load_encoder
from utils.features import extract_features
from utils.settings import Settings

GROUPS: dict[str, tuple[type[Decoder], float, tuple[int, ...]]] = {
    "GRU": (GRUDecoder, 1e-2, (1, 2, 3)),
    "LSTM": (LSTMDecoder, 1e-2, (1,)),
    "Transformer": (TransformerDecoder, 3e-3, (1,)),
}
"""The decoders, the learning rate that is healthy for each, and the seeds."""
SETTINGS: dict[str, Any] = {"groups": {name: (rate, seeds) for name, (_, rate, seeds) in GROUPS.items()}}
SETTINGS |= {"pictures": clinic.PICTURES, "dev_pictures": clinic.DEV_PICTURES, "epochs": clinic.EPOCHS}
SETTINGS |= {"batch": clinic.BATCH, "sick": list(clinic.SICK), "checks": list(checks.CHECKS)}
SLACK = {"gain of the picture": 0.1, "different captions": 0.15}


def members(settings: Settings) -> dict[str, Callable[[], dict]]:
    """Each patient of each group with each seed."""
    dataset, encoder = load_dataset(settings), load_encoder(settings.encoder)
    cache = extract_features(dataset, encoder, settings.features_dir)
    ward = clinic.open_ward(dataset, cache, encoder)
    return {
        f"{group}, {sickness}/{seed}": partial(one_patient, ward, sickness, group, seed)
        for group, (_, _, seeds) in GROUPS.items()
        for seed in seeds
        for sickness in clinic.SICK
    }


def one_patient(ward: clinic.Ward, sickness: str, group: str, seed: int) -> dict[str, float]:
    """What every check finds."""
    kind, rate, _ = GROUPS[group]
    found = checks.examine(clinic.admit(ward, sickness, kind, seed, rate))
    return {check: round(number, 5) for check, number in found.items()}

"""The study behind every "on photographs ...": Flickr8k, one encoder, the decoder of Part I, several seeds.

Captions, scores and attention as text and numbers; none of the photographs is kept. Takes the run of
`CAPTION_DATASET=flickr8k CAPTION_ENCODER=...`, and trains it where there is none; those of the other seeds
lie beside it. All models writing together are its last row.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import tensorflow as tf

from utils.datasets import CaptionDataset, load_dataset
from utils.decoders.base import Decoder
from utils.decoders.ensemble import Ensemble
from utils.decoding import attention_maps, describe, greedy_search
from utils.encoders import Encoder, load_encoder
from utils.features import FeatureCache, extract_features
from utils.runs import train
from utils.scores import bleu4, bleu_counts, cider_d, corpus_bleu, resample, rouge_l
from utils.settings import Settings, label
from utils.studies import spread
from utils.text import decode, tokenize
from utils.training import caption_table, make_loss_step, mean_loss

MEASURES = ("bleu1", "bleu2", "bleu3", "bleu4", "cider", "rouge")
SEEDS = (1, 2, 3)
FEWER = {"efficientnet-lite2": 2}  # seeds: its 1,280 channels take longer
ROWS = ("greedy", "beam 3", "beam 5", "nearest picture", "blank picture", "one person, others as references",
        "greedy, the same references")  # fmt: skip
SHOWN, COMMON = 12, 40  # captions of test photographs, and words, that the table holds
SLACK: dict[str, float] = {}  # no member of it is run live


def members(settings: Settings) -> dict[str, Callable[[], dict]]:
    """One run for each seed, with attention, and their ensemble; `settings` say which encoder, and where its
    files are."""
    runs = {f"attention/{seed}": partial(one_run, of_seed(settings, seed)) for seed in seeds_of(settings)}
    return runs | {"together/1": partial(together, settings)}


def seeds_of(settings: Settings) -> tuple[int, ...]:
    """The seeds with which the decoder is trained for the encoder of these settings."""
    return SEEDS[: FEWER.get(label(settings.encoder))]


def of_seed(settings: Settings, seed: int) -> Settings:
    """The run of another seed, in a folder of its own: all are needed at once."""
    if seed == settings.seed:
        return settings
    return replace(
        settings, seed=seed, run_dir=settings.run_dir.with_name(f"{settings.run_dir.name}-seed-{seed}")
    )


def one_run(settings: Settings) -> dict[str, Any]:
    """What notebooks 4, 5 and 6 find out about a run on photographs."""
    dataset, encoder, cache = _world(settings)
    decoder, history = train(settings, dataset, cache)
    started = time.monotonic()
    names, references = of_split(dataset, cache, "test")
    captions = _describe(decoder, cache, names)
    said = {method: [tokenize(caption) for caption in some] for method, some in captions.items()}
    shown = {
        name: {"greedy": captions["greedy"][i], "beam": captions["beam 5"][i]}
        for i, name in enumerate(names[:SHOWN])
    }
    looks = _looks(cache, decoder, names)
    return {
        "splits": {split: len(cache.readable(some)) for split, some in dataset.splits.items()},
        "vocabulary": _words(dataset, decoder),
        "history": history,
        "loss": _losses(dataset, cache, decoder),
        "dev": scored(dataset, cache, decoder, "dev"),
        "scores": _score_rows(dataset, encoder, cache, decoder, references, said),
        "gain": {method: _gain(references, said["greedy"], said[method]) for method in ("beam 3", "beam 5")},
        "captions": shown,
        **looks,
        "seconds": round(sum(history["seconds"]) + time.monotonic() - started, 1),
    }


def together(settings: Settings) -> dict[str, Any]:
    """The models of all seeds as an ensemble: its scores."""
    dataset, _, cache = _world(settings)
    decoders = [train(of_seed(settings, seed), dataset, cache)[0] for seed in seeds_of(settings)]
    started, ensemble = time.monotonic(), Ensemble(decoders)
    return {
        "dev": scored(dataset, cache, ensemble, "dev"),
        "scores": scored(dataset, cache, ensemble, "test"),
        "models": len(decoders),
        "seconds": round(time.monotonic() - started, 1),
    }


def show(study: Mapping) -> str:
    """The scores on test as README prints them: the means over the seeds, and in brackets the lowest and the
    highest BLEU-4 and CIDEr-D."""
    members = study["members"]
    runs = [run["scores"] for name, run in members.items() if name.startswith("attention/")]
    rows = {row: [run[row] for run in runs] for row in ROWS}
    ensemble = members["together/1"]
    for row, scores in ensemble["scores"].items():
        rows[f"{row}, {ensemble['models']} models together"] = [scores]
    lines = [
        "| encoder | captions | BLEU-1 | BLEU-2 | BLEU-3 | BLEU-4 | CIDEr-D | ROUGE-L |",
        "|" + "---|" * 8,
    ]
    for row, some in rows.items():
        numbers = {key: [scores[key] for scores in some] for key in MEASURES}
        cells = [
            spread(each) if key in ("bleu4", "cider") else f"{np.mean(each):.3f}"
            for key, each in numbers.items()
        ]
        lines.append(f"| `{study['encoder']}` | {row} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _world(settings: Settings) -> tuple[CaptionDataset, Encoder, FeatureCache]:
    dataset, encoder = load_dataset(settings), load_encoder(settings.encoder)
    return dataset, encoder, extract_features(dataset, encoder, settings.features_dir)


def of_split(dataset: CaptionDataset, cache: FeatureCache, split: str) -> tuple[Sequence[str], list]:
    """The pictures of a split that could be read, and their references."""
    names = cache.readable(dataset.splits[split])
    return names, [[tokenize(caption) for caption in dataset.captions[name]] for name in names]


def _describe(decoder: Decoder, cache: FeatureCache, names: Sequence[str]) -> dict[str, list[str]]:
    """Captions by greedy search and by beams of 3 and 5."""
    greedy = {"greedy": describe(decoder, cache, names)}
    return greedy | {f"beam {width}": describe(decoder, cache, names, width) for width in (3, 5)}


def scored(dataset: CaptionDataset, cache: FeatureCache, decoder: Decoder, split: str) -> dict[str, dict]:
    """The scores of each search; choices are made by those on dev."""
    names, references = of_split(dataset, cache, split)
    captions = _describe(decoder, cache, names)
    return {
        method: score_all(references, [tokenize(caption) for caption in some])
        for method, some in captions.items()
    }


def _words(dataset: CaptionDataset, decoder: Decoder) -> dict[str, Any]:
    """Words of the training captions, and what share of them is not in the vocabulary."""
    some = (caption for name in dataset.splits["train"] for caption in dataset.captions[name])
    counts, known = Counter(word for caption in some for word in tokenize(caption)), set(decoder.vocabulary)
    unknown = sum(count for word, count in counts.items() if word not in known)
    rare = sum(count < 10 for count in counts.values())
    return {"words": len(counts), "tokens": len(known), "used": counts.total(),
            "unknown": unknown / counts.total(), "rare": rare / len(counts)}  # fmt: skip


def _losses(dataset: CaptionDataset, cache: FeatureCache, decoder: Decoder) -> dict[str, float]:
    """On dev, with the right picture for each caption and with another one."""
    rows, tokens = caption_table(dataset, cache, decoder.vocabulary, "dev", decoder.longest)
    step = make_loss_step(decoder)
    pairs = {"right": rows, "wrong": np.roll(rows, len(rows) // 2)}
    return {name: mean_loss(step, cache.array, some, tokens) for name, some in pairs.items()}


def score_all(references: list, hypotheses: list) -> dict[str, float]:
    """BLEU-1 to BLEU-4, CIDEr-D and ROUGE-L, by the names of MEASURES."""
    each = cider_d(references, hypotheses).mean(), rouge_l(references, hypotheses).mean()
    return dict(zip(MEASURES, map(float, [*corpus_bleu(references, hypotheses), *each])))


def _score_rows(
    dataset: CaptionDataset,
    encoder: Encoder,
    cache: FeatureCache,
    decoder: Decoder,
    references: list,
    said: dict[str, list],
) -> dict[str, dict[str, float]]:
    """The rows of notebook 6: baselines, the model, a person against the four others."""
    gray = np.full((1, encoder.input_size, encoder.input_size, 3), 128, np.float32)
    blank = np.float16(encoder(gray)).reshape(1, -1, encoder.channels)
    guess = tokenize(decode(greedy_search(decoder, blank)[0].numpy(), decoder.vocabulary))
    means = np.array(cache.array.mean(axis=1, dtype=np.float32))
    means -= means.mean(axis=0)
    means /= np.maximum(np.linalg.norm(means, axis=1, keepdims=True), 1e-9)
    train_names = cache.readable(dataset.splits["train"])
    test = means[cache.rows(cache.readable(dataset.splits["test"]))]
    nearest = (test @ means[cache.rows(train_names)].T).argmax(axis=1)
    copied = [tokenize(dataset.captions[train_names[i]][0]) for i in nearest]
    rows = {"blank picture": score_all(references, [guess] * len(references))}
    rows["nearest picture"] = score_all(references, copied)
    rows |= {method: score_all(references, hypotheses) for method, hypotheses in said.items()}
    count = min(map(len, references))
    others = [[some[:i] + some[i + 1 :] for some in references] for i in range(count)]
    persons = [score_all(others[i], [some[i] for some in references]) for i in range(count)]
    model = [score_all(others[i], said["greedy"]) for i in range(count)]
    another, same = "one person, others as references", "greedy, the same references"
    for row, scores in ((another, persons), (same, model)):
        rows[row] = {key: float(np.mean([score[key] for score in scores])) for key in MEASURES}
    return rows


def _gain(references: list, greedy: list, other: list) -> list[float]:
    """The middle 95 % of the gain in BLEU-4 over a thousand draws of test pictures (paired bootstrap)."""
    drawn = resample(len(references))
    both = ([bleu_counts(*pair) for pair in zip(said, references)] for said in (greedy, other))
    before, after = (bleu4(drawn @ np.array(counts)) for counts in both)
    return [float(bound) for bound in np.percentile(after - before, (2.5, 97.5))]


def _looks(cache: FeatureCache, decoder: Decoder, names: Sequence[str]) -> dict[str, Any]:
    """How wide the maps of the commonest written words are, in nats, and how far the gate is open."""
    entropies: dict[str, list[float]] = {}
    gates: dict[str, list[float]] = {}
    end = decoder.vocabulary.index("<end>")
    for begin in range(0, len(names), 100):
        features = cache.array[cache.rows(names[begin : begin + 100])]
        tokens = greedy_search(decoder, features)
        maps = np.array(attention_maps(decoder, features, tokens))
        widths = -np.sum(maps * np.log(np.maximum(maps, 1e-9)), axis=-1)
        memory, state = decoder.read(features)
        word = tf.fill(tokens.shape[:1], decoder.vocabulary.index("<start>"))
        for t in range(tokens.shape[1]):
            gate = decoder.gate(state[0]).numpy()[:, 0]
            *_, state = decoder.advance(decoder.embedding(word), state, memory)
            word = tokens[:, t]
            for i, token in enumerate(word.numpy()):
                if token > end:
                    name = decoder.vocabulary[token]
                    entropies.setdefault(name, []).append(float(widths[i, t]))
                    gates.setdefault(name, []).append(float(gate[i]))
    common = sorted(entropies, key=lambda name: -len(entropies[name]))[:COMMON]
    every = [number for some in entropies.values() for number in some]
    by_word = {name: [float(np.mean(entropies[name])), len(entropies[name])] for name in common}
    return {
        "entropy": {"even": float(np.log(maps.shape[-1])), "mean": float(np.mean(every)), "by_word": by_word},
        "gate": {name: float(np.mean(gates[name])) for name in common},
    }

"""Several trained decoders that write one caption together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import tensorflow as tf

from utils.decoders.base import Decoder


class Ensemble(Decoder):
    """Decoders of one vocabulary and one encoder as one: the next word's probability is the mean of theirs.

    For searches only: each of them was trained alone, and is saved in a file of its own.
    """

    def __init__(self, decoders: Sequence[Decoder], **kwargs: Any) -> None:
        first = decoders[0]
        if any((d.vocabulary, d.encoder) != (first.vocabulary, first.encoder) for d in decoders):
            raise ValueError("decoders of one vocabulary and one encoder can write together, others can't")
        super().__init__(first.vocabulary, first.encoder, min(d.longest for d in decoders), **kwargs)
        self.decoders = list(decoders)

    def read(self, features: tf.Tensor, training: bool = False) -> tuple[list, list]:
        memories, states = zip(*(decoder.read(features, training) for decoder in self.decoders))
        return list(memories), list(states)

    def step(self, tokens: tf.Tensor, state: list, memory: list) -> tuple[tf.Tensor, list]:
        each = [d.step(tokens, s, m) for d, s, m in zip(self.decoders, state, memory, strict=True)]
        return mean_logits([logits for logits, _ in each]), [state for _, state in each]

    def call(self, inputs: tuple[tf.Tensor, tf.Tensor], training: bool = False) -> tf.Tensor:
        return mean_logits([decoder(inputs, training=training) for decoder in self.decoders])

    def attention(self, features: tf.Tensor, tokens: tf.Tensor) -> tf.Tensor | None:
        maps = [decoder.attention(features, tokens) for decoder in self.decoders]
        return None if any(each is None for each in maps) else tf.reduce_mean(maps, axis=0)


def mean_logits(logits: Sequence[tf.Tensor]) -> tf.Tensor:
    """Logits (..., words) whose softmax is the mean of those of `logits`, each (..., words)."""
    return tf.reduce_logsumexp([tf.nn.log_softmax(each) for each in logits], axis=0)

"""The contract between decoders on one side, training and decoding on the other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import keras
import tensorflow as tf


class Decoder(keras.Model):
    """What training and decoding know of a model that writes captions.

    vocabulary  the tokens, in the order of their numbers
    encoder     identity of the encoder whose features it reads (`utils.encoders.Encoder.identity`); what is
                needed of it is `grid`, rows and columns of the feature map, and `channels`
    longest     words of the longest caption that it learns from: no search goes on beyond it

    The three stand in the saved file. A subclass writes `read`, `step` and `call`, and `attention` where it
    has any; its constructor takes these three, then `embedding_dim`, `units` and `dropout` by
    name, which its `get_config` gives back, as anything else that it takes. A state keeps its shape from
    step to step. Sublayers take `dtype=self.dtype_policy`, so that a file trained in mixed precision is
    loaded in it; they are attributes or in flat lists: Keras 3.8 does not save those in nested ones.
    """

    version = 3
    """To be raised when weights are grouped or begin otherwise: a run of before is another one then."""

    def __init__(
        self, vocabulary: Sequence[str], encoder: Mapping[str, Any], longest: int, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.vocabulary = list(vocabulary)
        self.encoder = dict(encoder)
        self.longest = int(longest)
        rows, cols = encoder["grid"]
        self.positions, self.channels = int(rows) * int(cols), int(encoder["channels"])

    def build(self, input_shape: Any = None) -> None:
        """Make all weights, by running the model once on a picture of zeros and one word; called without an
        argument, since the sizes are known."""
        features = tf.zeros((1, self.positions, self.channels), tf.float16)
        self.call((features, tf.zeros((1, 1), tf.int32)))

    @property
    def reads(self) -> tf.TensorSpec:
        """What `read` takes in training, as `utils.training.load_batch` gives it."""
        return tf.TensorSpec((None, self.positions, self.channels), tf.float16)

    def read(self, features: tf.Tensor, training: bool = False) -> tuple[Any, Any]:
        """Once per picture: features (B, L, C) -> memory, which stays as it is, and the first state. Both are
        any nest of tensors with the batch first."""
        raise NotImplementedError

    def step(self, tokens: tf.Tensor, state: Any, memory: Any) -> tuple[tf.Tensor, Any]:
        """Once per word, without dropout: the last words int (B,), state and memory -> logits float32
        (B, words) of the next words, and the next state."""
        raise NotImplementedError

    def call(self, inputs: tuple[tf.Tensor, tf.Tensor], training: bool = False) -> tf.Tensor:
        """Teacher forcing: (features (B, L, C), tokens int (B, T)) -> logits float32 (B, T, words); row t is
        about the word that follows tokens[:, t]."""
        raise NotImplementedError

    def attention(self, features: tf.Tensor, tokens: tf.Tensor) -> tf.Tensor | None:
        """The weights (B, T, L) that each position had for each next word, under teacher forcing; None where
        there is no attention."""
        return None

    def get_config(self) -> dict[str, Any]:
        # Not Keras's own keys, which another version of it may not know.
        said = {"name": self.name, "dtype": self.dtype_policy.name, "longest": self.longest}
        encoder = {**self.encoder, "grid": list(self.encoder["grid"])}
        return {**said, "vocabulary": list(self.vocabulary), "encoder": encoder}

"""The decoders of the project, and one made otherwise: training and decoding know the contract only."""

import keras
import numpy as np
import tensorflow as tf

from utils.decoders.base import Decoder
from utils.decoders.gru import GRUDecoder
from utils.decoders.lstm import LSTMDecoder, MeanVector
from utils.decoders.transformer import TransformerDecoder
from utils.decoders.vector import Bidirectional, LongVector, ShowAndTell

EVERY = {
    "gru": GRUDecoder,
    "lstm": LSTMDecoder,
    "transformer": TransformerDecoder,
    "mean-vector": MeanVector,
    "show-and-tell": ShowAndTell,
    "long-vector": LongVector,
    "bidirectional": Bidirectional,
}
"""All decoders of the project but the ensemble."""


class Counting(Decoder):
    """No attention, no recurrent cell; its state is a nest: how often each word was written, and when."""

    def __init__(self, vocabulary, encoder, longest, embedding_dim=8, units=8, dropout=0.0, **kwargs):
        super().__init__(vocabulary, encoder, longest, **kwargs)
        self.look = keras.layers.Dense(len(self.vocabulary), name="look")
        self.link = keras.layers.Dense(len(self.vocabulary), name="link")
        self.drop = keras.layers.Dropout(dropout)

    def read(self, features, training=False):
        seen = self.look(self.drop(tf.reduce_mean(tf.cast(features, tf.float32), axis=1), training=training))
        state = {"counts": tf.zeros_like(seen), "time": {"step": tf.zeros_like(seen[:, :1])}}
        return {"seen": seen}, state

    def step(self, tokens, state, memory):
        counts = 0.5 * state["counts"] + tf.one_hot(tokens, len(self.vocabulary))
        time = state["time"]["step"] + 1
        logits = memory["seen"] + self.link(tf.concat([counts, tf.sin(time)], axis=1))
        return logits, {"counts": counts, "time": {"step": time}}

    def call(self, inputs, training=False):
        features, tokens = inputs
        memory, _ = self.read(features, training)
        words = tf.one_hot(tokens, len(self.vocabulary))
        time = tf.cumsum(tf.ones_like(words[:, :, :1]), axis=1)
        ago = time - tf.transpose(time, (0, 2, 1))
        counts = tf.where(ago >= 0, 0.5**ago, 0) @ words
        return memory["seen"][:, None] + self.link(tf.concat([counts, tf.sin(time)], axis=2))


ENCODER = {"name": "small", "weights": "0", "input_size": 32, "grid": [3, 3], "channels": 5}


def opinionated(kind, vocabulary, seed, longest=7, scale=1.6):
    """Untrained, but with logits far enough apart to have opinions; captions of many lengths."""
    keras.utils.set_random_seed(seed)
    decoder = kind(vocabulary, ENCODER, longest, embedding_dim=8, units=12)
    decoder.build()
    if kind is not Counting:
        decoder.embedding.set_weights([scale * decoder.embedding.get_weights()[0]])
    else:
        decoder.link.set_weights([2 * weight for weight in decoder.link.get_weights()])
    return decoder


def features(count, seed=0):
    return np.random.default_rng(seed).normal(size=(count, 9, 5)).astype(np.float16)

"""The mistakes of notebook 4 are the ones that they are called."""

import numpy as np
import tensorflow as tf

from utils.mistakes import learners, loss_with_padding
from utils.training import masked_loss


def test_a_split_by_picture_keeps_pictures_apart_and_one_by_caption_does_not():
    rows = np.repeat(np.arange(50), 5)
    for by_caption in (False, True):
        learn = learners(rows, by_caption, np.random.default_rng(0))
        assert np.sum(learn) == 200
        assert bool(set(rows[learn]) & set(rows[~learn])) == by_caption


def test_padding_that_is_counted_hides_a_bad_loss():
    target = tf.constant([[1, 2, 0, 0]])
    logits = tf.one_hot([[2, 1, 0, 0]], 3, on_value=9.0)  # wrong words, sure of the padding
    assert abs(loss_with_padding(target, logits) - masked_loss(target, logits) / 2) < 0.01

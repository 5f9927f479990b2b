"""Is a test red when the code is broken? `make mutants` plants one bug after another and says which test sees it.

Each bug is a change of text in a copy of the project: (what it is, file, text, changed text, tests to run).
`python -m tests.mutants decoding bleu` plants only those of these files of `utils`.
It ends with an error when a bug is seen by no test, or when its text is no longer to be found.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

MUTANTS = [
    # ---- the decoder
    ("softmax over the wrong axis", "model", "softmax(self.score(hidden)[:, :, 0], axis=1)",
     "softmax(self.score(hidden)[:, :, 0], axis=0)", "model"),
    ("keys and values swapped", "model", "return (values, self.attention.project(values)), state",
     "return (self.attention.project(values), self.attention.project(values)), state", "model"),
    ("no nonlinearity in the score", "model", "hidden = keras.ops.tanh(keys + self",
     "hidden = (keys + self", "model"),
    ("state not carried", "model", "self.step(by_time[t], state, picture)",
     "self.step(by_time[t], tf.zeros_like(state), picture)", "model"),
    ("first state from zeros", "model", "state = self.first_state(keras.ops.mean(values, axis=1))",
     "state = 0 * self.first_state(keras.ops.mean(values, axis=1))", "model"),
    ("gate left out", "model", "context = self.gate(state) * context", "pass", "model"),
    ("dropout on in decoding", "model", "context: tf.Tensor, training: bool = False\n    ) -> tf.Tensor:",
     "context: tf.Tensor, training: bool = True\n    ) -> tf.Tensor:", "model"),
    ("no dropout of the output", "model", "hidden = self.dropout(keras.ops.tanh(hidden), training=training)",
     "hidden = keras.ops.tanh(hidden)", "model"),
    ("dropout per position", "model", "keras.layers.SpatialDropout1D(dropout / 2)", "keras.layers.Dropout(dropout / 2)", "model"),
    ("output words not shared with the input", "model", "words = keras.ops.transpose(self.embedding.embeddings)",
     "words = keras.ops.transpose(tf.stop_gradient(self.embedding.embeddings[::-1]))", "model"),
    ("words after <end> are decoded", "model", "if word == END:\n            break",
     "if word == END:\n            continue", "model"),
    ("capitals are other words", "model", "caption.lower())", "caption)", "model"),
    ("rare words kept", "model", "if count >= min_count", "if count", "model"),
    ("<end> left in the caption", "model", "if word == END:\n            break\n        if word not in (START, PAD):",
     "if word not in (START, PAD):", "model"),
    ("dropout's share not saved", "model", '"units": self.units, "dropout": self.rate', '"units": self.units', "model"),
    # ---- training
    ("no dropout in training", "training", "captioner((features, tokens[:, :-1]), training=True)\n            loss",
     "captioner((features, tokens[:, :-1]), training=False)\n            loss", "training"),
    ("loss over padding", "training", "mask = tf.cast(target != 0, losses.dtype)",
     "mask = tf.ones_like(losses)", "training"),
    ("mask inverted", "training", "mask = tf.cast(target != 0", "mask = tf.cast(target == 0", "training"),
    ("short captions weigh more", "training", "smoothing=recipe.label_smoothing, count=words)",
     "smoothing=recipe.label_smoothing)", "training"),
    ("label smoothing the wrong way round", "training", "(1 - smoothing) * losses + smoothing * even",
     "smoothing * losses + (1 - smoothing) * even", "training"),
    ("teacher forcing shifted by one", "training", "captioner((features, tokens[:, :-1]), training=True)\n            loss",
     "captioner((features, tokens[:, 1:]), training=True)\n            loss", "training"),
    ("step traced for every length", "training", "@tf.function(input_signature=signature(captioner))\n    def train_step",
     "@tf.function\n    def train_step", "training"),
    ("last, smaller batch dropped", "training", "for start in range(0, len(pool), batch_size)]",
     "for start in range(0, len(pool) - batch_size + 1, batch_size)]", "training"),
    ("same order in every epoch", "training", "default_rng((settings.seed, epoch))",
     "default_rng((settings.seed, 0))", "training"),
    ("seed ignored", "training", "keras.utils.set_random_seed(settings.seed)",
     "keras.utils.set_random_seed(int(time.time_ns() % 2**31))", "training"),
    ("dropout's state not restored", "training", "layer.seed_generator.state.assign((settings.seed + (number << 30), epoch << 20))",
     "pass", "training"),
    ("last model kept in place of the best", "training", 'if history["dev_loss"][-1] == min(history["dev_loss"]):',
     "if True:", "training"),
    ("average of the weights goes on", "training", "captioner.set_weights(last_weights)", "pass", "training"),
    ("another recipe goes unnoticed", "training", "all(kept.get(name) == value for name, value in run.items())",
     'kept.get("seed") == run["seed"]', "training"),
    # ---- decoding
    ("<unk> may be written", "decoding", "if word in (PAD, START, UNKNOWN)", "if word in (PAD, START)", "decoding"),
    ("finished captions go on", "decoding", "word = tf.where(done, pad, tf.argmax(",
     "word = tf.where(done & False, pad, tf.argmax(", "decoding"),
    ("parent of a beam wrong", "decoding", "parent, word = best // len(vocabulary)",
     "parent, word = best % beam_width", "decoding"),
    ("states stay behind", "decoding", "tf.gather(state, parent, batch_dims=1)", "tf.identity(state)", "decoding"),
    ("maps stay behind", "decoding", "maps = tf.gather(tf.concat([maps, weights], axis=2), parent, batch_dims=1)",
     "maps = tf.concat([maps, weights], axis=2)", "decoding"),
    ("length penalty inverted", "decoding", "scores / length**length_penalty",
     "scores * length**length_penalty", "decoding"),
    ("<end> not counted in the length", "decoding", "tf.math.count_nonzero(tokens, axis=2)",
     "tf.math.count_nonzero(tokens > end, axis=2)", "decoding"),
    ("greedy beginning dropped", "decoding", "tf.math.top_k(totals + first, beam_width)",
     "tf.math.top_k(totals, beam_width)", "decoding"),
    ("last batch not cut", "decoding", "for row in tokens.numpy()[: len(part)]]",
     "for row in tokens.numpy()]", "decoding"),
    ("greedy search draws by chance", "decoding", "tf.argmax(logits, axis=1, output_type=tf.int32))",
     "tf.random.categorical(logits, 1, dtype=tf.int32)[:, 0])", "decoding"),
    # ---- BLEU
    ("mean over sentences", "bleu", "math.log(matched / total) if matched else -math.inf",
     "math.log(sum(matches(*pair, n)[0] / max(1, matches(*pair, n)[1]) for pair in pairs) / len(pairs) or 1e-300)",
     "bleu"),
    ("brevity penalty missing", "bleu", "scores.append(penalty * ", "scores.append(1.0 * ", "bleu"),
    ("clipping missing", "bleu", "sum((counts & limits).values())",
     "sum(count for gram, count in counts.items() if gram in limits)", "bleu"),
    ("first reference only", "bleu", "for reference in references:\n        limits", "for reference in references[:1]:\n        limits",
     "bleu"),
    ("longer of two equally close references", "bleu", "(abs(len(reference) - len(hypothesis)), len(reference))",
     "(abs(len(reference) - len(hypothesis)), -len(reference))", "bleu"),
    ("weights of 0.3", "bleu", "math.exp(log_precisions / n)", "math.exp(log_precisions * 0.3)", "bleu"),
    # ---- pictures, features, cache
    ("preprocessing forgotten", "features", "model(encoder.preprocess(pictures), training=False)",
     "model(tf.cast(pictures, tf.float32), training=False)", "features"),
    ("preprocessing applied twice", "features", "model(encoder.preprocess(pictures), training=False)",
     "model(encoder.preprocess(encoder.preprocess(pictures)), training=False)", "features"),
    ("RGB not turned into BGR", "encoders", "vgg16.preprocess_input(keras.ops.convert_to_tensor(pictures,",
     "vgg16.preprocess_input(keras.ops.convert_to_tensor(pictures[..., ::-1],", "encoders"),
    ("cache rows permuted", "features", "for row, name in enumerate(self.names)",
     "for row, name in enumerate(reversed(self.names))", "features"),
    ("float16 overflow", "features", "not size <= np.finfo(np.float16).max", "not size <= np.inf", "features"),
    ("cache in float32", "features", "return tf.cast(result, tf.float16), tf", "return result, tf", "features"),
    ("another encoder's cache used", "features", "        if manifest.get(key) == value:\n",
     '        if key in ("encoder", "weights") or manifest.get(key) == value:\n', "features"),
    ("photographs lie on their side", "features", "ImageOps.exif_transpose(picture, in_place=True)", "pass", "features"),
    ("rows called done before they are on disk", "features", "        stream.flush()\n        os.fsync(stream.fileno())\n        if written",
     "        if written", "features"),
    ("split leaked", "datasets", "if len(set(everything)) < len(everything):", "if False:", "datasets"),
    ("own pictures in two splits", "datasets", '"train": tuple(names[2 * tenth :])', '"train": tuple(names[tenth:])',
     "datasets"),
    ("zip leads out of its folder", "datasets", 'if inside.is_absolute() or ".." in inside.parts:', "if False:", "datasets"),
    ("attention map transposed", "plots", "    rows, cols = weights.shape\n", "    weights = weights.T\n    rows, cols = weights.shape\n",
     "plots"),
    ("attention map of 7 x 7 resized to 8 x 8", "plots", "    rows, cols = weights.shape\n",
     "    weights = np.resize(weights, (8, 8))\n    rows, cols = weights.shape\n", "plots"),
    ("a changed cache goes unnoticed", "features", 'manifest.get("digest") != _digest(file, manifest)', "False", "features"),
    ("another run's model is used", "training", "if captioner.vocabulary != vocabulary or features != cache.array.shape[1:]:",
     "if False:", "training"),
    ("two programs in one folder at once", "settings", "fcntl.LOCK_EX | fcntl.LOCK_NB", "fcntl.LOCK_SH | fcntl.LOCK_NB", "settings"),
    ("a file is written in place", "settings", 'part = file.with_name(f"{file.name}.{os.getpid()}.part")', "part = file", "settings"),
]  # fmt: skip


def first_red(folder: Path, tests: str) -> str | None:
    """The first test that fails in the copy; None when all pass."""
    files = [f"tests/test_{name}.py" for name in tests.split()]
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", *files]
    output = subprocess.run(command, cwd=folder, capture_output=True, text=True).stdout
    if found := re.search(r"^(?:FAILED|ERROR) (\S+)", output, re.M):
        return found[1].removeprefix("tests/")
    return None if " passed" in output else "(pytest stopped)"


def main() -> int:
    planted = survivors = 0
    with tempfile.TemporaryDirectory() as scratch:
        copy = Path(scratch) / "project"
        shutil.copytree(ROOT, copy, ignore=shutil.ignore_patterns(".git", ".venv*", "runs", "scenes", "flickr8k", "__pycache__"))
        for number, (what, module, text, changed, tests) in enumerate(MUTANTS, 1):
            if sys.argv[1:] and module not in sys.argv[1:]:
                continue
            file = copy / "utils" / f"{module}.py"
            original = file.read_text(encoding="utf-8")
            if original.count(text) < 1:
                seen = "NO LONGER APPLIES"
            else:
                file.write_text(original.replace(text, changed), encoding="utf-8")
                seen = first_red(copy, tests) or "NOT SEEN"
                file.write_text(original, encoding="utf-8")
            planted += 1
            survivors += seen.isupper()
            print(f"{number:3} of {len(MUTANTS)}  {what:<42} {seen}", flush=True)
    print(f"{planted - survivors} of {planted} seen")
    return int(survivors > 0)


if __name__ == "__main__":
    sys.exit(main())

"""Is a test red when the code is broken? `make mutants` plants one bug after another and says which test sees it.

Each bug is a change of text in a copy of the project: (what it is, file of `utils`, text, changed text, names
of the tests to run). `python -m tests.tools.mutants decoding decoders/gru` plants only those of these files.
It ends with an error when a bug is seen by no test; before the first, when tests are red without any bug, or
with the list of those whose text or tests are no longer to be found.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

MUTANTS = [
    # ---- the decoder
    ("softmax over the wrong axis", "decoders/gru", "softmax(self.score(hidden)[:, :, 0], axis=1)",
     "softmax(self.score(hidden)[:, :, 0], axis=0)", "decoders"),
    ("keys and values swapped", "decoders/gru", "return (values, self.attention.project(values)), state",
     "return (self.attention.project(values), self.attention.project(values)), state", "decoders"),
    ("no nonlinearity in the score", "decoders/gru", "hidden = keras.ops.tanh(keys + self",
     "hidden = (keys + self", "decoders"),
    ("state not carried", "decoders/gru", "self.step(by_time[t], state, picture)",
     "self.step(by_time[t], tf.zeros_like(state), picture)", "decoders"),
    ("first state from zeros", "decoders/gru", "state = self.first_state(keras.ops.mean(values, axis=1))",
     "state = 0 * self.first_state(keras.ops.mean(values, axis=1))", "decoders"),
    ("gate left out", "decoders/gru", "context = self.gate(state) * context", "pass", "decoders"),
    ("dropout on in decoding", "decoders/gru", "context: tf.Tensor, training: bool = False\n    ) -> tf.Tensor:",
     "context: tf.Tensor, training: bool = True\n    ) -> tf.Tensor:", "decoders"),
    ("no dropout of the output", "decoders/gru", "hidden = self.dropout(keras.ops.tanh(hidden), training=training)",
     "hidden = keras.ops.tanh(hidden)", "decoders"),
    ("dropout per position", "decoders/gru", "keras.layers.SpatialDropout1D(dropout / 2)", "keras.layers.Dropout(dropout / 2)", "decoders"),
    ("output words not shared with the input", "decoders/gru", "words = keras.ops.transpose(self.embedding.embeddings)",
     "words = keras.ops.transpose(tf.stop_gradient(self.embedding.embeddings[::-1]))", "decoders"),
    ("words after <end> are decoded", "text", "if word == END:\n            break",
     "if word == END:\n            continue", "text"),
    ("capitals are other words", "text", "caption.lower())", "caption)", "text"),
    ("rare words kept", "text", "if count >= min_count", "if count", "text"),
    ("<end> left in the caption", "text", "if word == END:\n            break\n        if word not in (START, PAD):",
     "if word not in (START, PAD):", "text"),
    ("dropout's share not saved", "decoders/gru", '"units": self.units, "dropout": self.rate', '"units": self.units', "decoders"),
    # ---- training
    ("no dropout in training", "training", "decoder((features, tokens[:, :-1]), training=True)\n            loss",
     "decoder((features, tokens[:, :-1]), training=False)\n            loss", "training"),
    ("loss over padding", "training", "mask = tf.cast(target != 0, losses.dtype)",
     "mask = tf.ones_like(losses)", "training"),
    ("mask inverted", "training", "mask = tf.cast(target != 0", "mask = tf.cast(target == 0", "training"),
    ("short captions weigh more", "training", "smoothing=recipe.label_smoothing, count=words)",
     "smoothing=recipe.label_smoothing)", "training"),
    ("label smoothing the wrong way round", "training", "(1 - smoothing) * losses + smoothing * even",
     "smoothing * losses + (1 - smoothing) * even", "training"),
    ("teacher forcing shifted by one", "training", "decoder((features, tokens[:, :-1]), training=True)\n            loss",
     "decoder((features, tokens[:, 1:]), training=True)\n            loss", "training"),
    ("step traced for every length", "training", "@tf.function(input_signature=signature(decoder))\n    def train_step",
     "@tf.function\n    def train_step", "training"),
    ("last, smaller batch dropped", "training", "for start in range(0, len(pool), batch_size)]",
     "for start in range(0, len(pool) - batch_size + 1, batch_size)]", "training"),
    ("same order in every epoch", "runs", "default_rng((settings.seed, epoch))",
     "default_rng((settings.seed, 0))", "runs"),
    ("seed ignored", "runs", "keras.utils.set_random_seed(settings.seed)",
     "keras.utils.set_random_seed(int(time.time_ns() % 2**31))", "runs"),
    ("dropout's state not restored", "training", "layer.seed_generator.state.assign((settings.seed + (number << 30), epoch << 20))",
     "pass", "training"),
    ("last model kept in place of the best", "runs", 'if history["dev_loss"][-1] == min(history["dev_loss"]):',
     "if True:", "runs"),
    ("average of the weights goes on", "runs", "decoder.set_weights(last_weights)", "pass", "runs"),
    ("another recipe goes unnoticed", "runfolder", "all(kept.get(name) == value for name, value in run.items())",
     'kept.get("seed") == run["seed"]', "runs"),
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
    ("mean over sentences", "scores", "math.log(matched / total) if matched else -math.inf",
     "math.log(sum(matches(*pair, n)[0] / max(1, matches(*pair, n)[1]) for pair in pairs) / len(pairs) or 1e-300)",
     "scores"),
    ("brevity penalty missing", "scores", "scores.append(penalty * ", "scores.append(1.0 * ", "scores"),
    ("clipping missing", "scores", "sum((counts & limits).values())",
     "sum(count for gram, count in counts.items() if gram in limits)", "scores"),
    ("first reference only", "scores", "for reference in references:\n        limits", "for reference in references[:1]:\n        limits",
     "scores"),
    ("longer of two equally close references", "scores", "(abs(len(reference) - len(hypothesis)), len(reference))",
     "(abs(len(reference) - len(hypothesis)), -len(reference))", "scores"),
    ("weights of 0.3", "scores", "math.exp(log_precisions / n)", "math.exp(log_precisions * 0.3)", "scores"),
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
    ("another encoder's cache used", "featurefile", "        if manifest.get(key) == value:\n",
     '        if key in ("encoder", "weights") or manifest.get(key) == value:\n', "features"),
    ("photographs lie on their side", "pictures", "ImageOps.exif_transpose(picture, in_place=True)", "pass", "pictures"),
    ("rows called done before they are on disk", "features", "        stream.flush()\n        os.fsync(stream.fileno())\n        if written",
     "        if written", "features"),
    ("split leaked", "datasets/flickr", "if len(set(everything)) < len(everything):", "if False:", "datasets"),
    ("own pictures in two splits", "datasets/own", '"train": tuple(names[2 * tenth :])', '"train": tuple(names[tenth:])',
     "datasets"),
    ("zip leads out of its folder", "datasets", 'if inside.is_absolute() or ".." in inside.parts:', "if False:", "datasets"),
    ("attention map transposed", "plots", "    rows, cols = weights.shape\n", "    weights = weights.T\n    rows, cols = weights.shape\n",
     "plots"),
    ("attention map of 7 x 7 resized to 8 x 8", "plots", "    rows, cols = weights.shape\n",
     "    weights = np.resize(weights, (8, 8))\n    rows, cols = weights.shape\n", "plots"),
    ("a changed cache goes unnoticed", "featurefile", 'manifest.get("digest") != _digest(file, manifest)', "False", "features"),
    ("another run's model is used", "training", "if captioner.vocabulary != vocabulary or features != cache.array.shape[1:]:",
     "if False:", "training"),
    # ---- files, settings, session
    ("two programs in one folder at once", "files", "fcntl.LOCK_EX | fcntl.LOCK_NB", "fcntl.LOCK_SH | fcntl.LOCK_NB", "files"),
    ("decoders share a run folder", "settings", 'f"{name}-{decoder}"', 'f"{name}-gru"', "settings"),
    ("a relative encoder is looked for in notebooks/", "settings", "str(Path(encoder).expanduser().absolute())", "encoder", "settings"),
    ("an encoder's name is no folder's name", "settings", 're.sub(r"[^\\w.-]+", "-", stem)', "stem", "settings"),
    ("folders of one name are one dataset", "settings", "-{hashlib.sha256(str(folder).encode()).hexdigest()[:6]}", "", "settings"),
    ("features only below a writable data folder", "settings",
     'features_dir = writable_folder(features_dir, run_dir / "features")', "pass", "settings"),
    ("finished features are made again elsewhere", "settings", 'if not (features_dir / "features.json").exists():',
     "if True:", "settings"),
    ("the reader's backend is used", "session", 'os.environ["KERAS_BACKEND"] = "tensorflow"',
     'os.environ.setdefault("KERAS_BACKEND", "tensorflow")', "session"),
    ("another backend goes unnoticed", "session", '(backend := loaded.backend.backend()) != "tensorflow"',
     '(backend := loaded.backend.backend()) == "torch"', "session"),
    ("one notebook takes all of a GPU's memory", "session", '("TF_FORCE_GPU_ALLOW_GROWTH", "true")',
     '("TF_FORCE_GPU_ALLOW_GROWTH", "false")', "session"),
    ("a character that can't be printed is the end", "session", 'stream.reconfigure(encoding="utf-8", errors="replace")',
     "pass", "session"),
    ("TensorFlow's notes are shown", "session", "os.dup2(notes.fileno(), 2)", "pass", "session"),
    ("all devices are one", "session", 'elif devices == "all":', "elif False:", "session"),
    ("workers train alone", "session", "if workers > 1:", "if False:", "session"),
    ("a second start joins the workers again", "session", "if _strategy is None:  #", "if True:  #", "session"),
    ("operations before the strategy", "session", "        _choose_strategy(settings.devices)\n        tf.constant(0)",
     "        tf.constant(0)\n        _choose_strategy(settings.devices)", "session"),
    ("every worker is chief", "session", "return _place()[0] == 0", "return True", "session"),
    ("worker 0 is chief beside a chief", "session", 'for job in ("chief", "worker")', 'for job in ("worker", "chief")', "session"),
    ("Colab is given Jupyter", "session", "if name and name[0] in IMPORTED:", "if name:", "session"),
    # ---- notebooks, layout
    ("notebooks from 10 on are not found", "notebooks", '"[0-9][0-9]_*.ipynb"', '"0*.ipynb"', "notebooks"),
    ("make run runs Part II as well", "notebooks", "int(file.name[:2]) <= last", "True", "notebooks"),
    ("kernels keep the shell's settings", "notebooks", "client.execute(env=environment)", "client.execute()", "notebooks"),
    ("kernels train another decoder", "notebooks", '        "DECODER": settings.decoder,\n', "", "notebooks"),
    ("CIDEr-D is not shown", "notebooks", ', "cider": "CIDEr-D"', "", "notebooks"),
    ("a failed notebook is not kept", "notebooks", "write_text(folder / file.name, nbformat",
     "failure or write_text(folder / file.name, nbformat", "notebooks"),
    ("an import against the stream", "files", "import contextlib\n", "import contextlib\n\nimport utils.plots\n", "layout"),
]  # fmt: skip


def source(folder: Path, module: str) -> Path:
    return folder / "utils" / f"{module}.py"


def stale(what: str, module: str, text: str, changed: str, tests: str) -> str | None:
    """What has gone since this bug was written down; None when nothing has."""
    if not source(ROOT, module).exists():
        return f"utils/{module}.py"
    if text not in source(ROOT, module).read_text(encoding="utf-8"):
        return f"utils/{module}.py: {text!r}"
    gone = [name for name in tests.split() if not (ROOT / "tests" / f"test_{name}.py").exists()]
    return f"tests/test_{gone[0]}.py" if gone else None


def first_red(folder: Path, tests: str) -> str | None:
    """The first test that fails in the copy; None when all pass."""
    files = [f"tests/test_{name}.py" for name in tests.split()]
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", *files]
    output = subprocess.run(command, cwd=folder, capture_output=True, text=True).stdout
    if found := re.search(r"^(?:FAILED|ERROR) (\S+)", output, re.M):
        return found[1].removeprefix("tests/")
    return None if " passed" in output else "(pytest stopped)"


def main(modules: list[str]) -> int:
    mutants = [mutant for mutant in MUTANTS if not modules or mutant[1] in modules]
    if gone := [f"{mutant[0]:<46} {what}" for mutant in mutants if (what := stale(*mutant))]:
        print(f"{len(gone)} of {len(mutants)} no longer apply:", *gone, sep="\n")
        return 1
    seen_by = {}
    with tempfile.TemporaryDirectory() as scratch:
        copy = Path(scratch) / "project"
        left_out = (".git", ".venv*", "runs", "scenes", "features", "flickr8k", "__pycache__")
        shutil.copytree(ROOT, copy, ignore=shutil.ignore_patterns(*left_out))
        for tests in dict.fromkeys(mutant[-1] for mutant in mutants):
            if red := first_red(copy, tests):
                print(f"red without any bug: {red}")
                return 1
        for number, (what, module, text, changed, tests) in enumerate(mutants, 1):
            file = source(copy, module)
            original = file.read_text(encoding="utf-8")
            file.write_text(original.replace(text, changed), encoding="utf-8")
            seen_by[what] = first_red(copy, tests)
            file.write_text(original, encoding="utf-8")
            print(f"{number:3} of {len(mutants)}  {what:<46} {seen_by[what] or 'NOT SEEN'}", flush=True)
    print(f"{sum(map(bool, seen_by.values()))} of {len(mutants)} seen")
    return int(not all(seen_by.values()))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""Is a test red when the code is broken? `make mutants` plants one bug after another and says which test sees it.

Each bug is a change of text in a copy of the project: (what it is, file of `utils`, text, changed text, names
of the tests to run). `python -m tests.tools.mutants decoding decoders/gru` plants only those of these files.
It ends with an error when a bug is seen by no test; before the first, when tests are red without any bug, or
with the list of those whose text or tests are no longer to be found.
"""

from __future__ import annotations

import queue
import re
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
AT_ONCE = 2  # bugs, each in a copy of its own

MUTANTS = [
    # ---- words
    ("words after <end> are decoded", "text", "if word == END:\n            break",
     "if word == END:\n            continue", "text"),
    ("capitals are other words", "text", "caption.lower())", "caption)", "text"),
    ("rare words kept", "text", "if count >= min_count", "if count", "text"),
    ("<end> left in the caption", "text", "if word == END:\n            break\n        if word not in (START, PAD):",
     "if word not in (START, PAD):", "text"),
    ("accents are cut off", "characters", 'if category == "M" or character', 'if character', "text"),
    ("two ways to write an accent", "characters", 'unicodedata.normalize("NFC", text)', "text", "text"),
    ("a Chinese caption is one word", "characters", 'return "c" if NO_SPACES.match(character) else "w"', 'return "w"', "text"),
    ("Chinese is written with spaces", "characters", 'return "" if together else " "',
     'return " " if before else ""', "text"),
    ("the typographic apostrophe cuts", "characters", '.replace("\\u2019", "\'")', "", "text"),
    ("long captions are not cut", "text", "tokenize(caption)[:longest]", "tokenize(caption)", "text"),
    ("a vocabulary of nothing goes unnoticed", "vocabulary", "if size < 5 or share > 0.5:", "if False:", "text"),
    # ---- decoders
    ("softmax over the wrong axis", "decoders/gru", "softmax(self.score(hidden)[:, :, 0], axis=1)",
     "softmax(self.score(hidden)[:, :, 0], axis=0)", "decoders"),
    ("keys and values swapped", "decoders/gru", "return (values, self.attend.project(values)), [state]",
     "return (self.attend.project(values), self.attend.project(values)), [state]", "decoders"),
    ("no nonlinearity in the score", "decoders/gru", "hidden = keras.ops.tanh(keys + self",
     "hidden = (keys + self", "decoders"),
    ("state not carried", "decoders/gru", "self.advance(by_time[t], state, memory)",
     "self.advance(by_time[t], [tf.zeros_like(state[0])], memory)", "decoders"),
    ("first state from zeros", "decoders/gru", "return values, self.first_state(self.summarize(values))",
     "return values, 0 * self.first_state(self.summarize(values))", "decoders"),
    ("first state from the maximum", "decoders/gru", "return keras.ops.mean(values, axis=1)", "return keras.ops.max(values, axis=1)",
     "decoders"),
    ("features not normalised", "decoders/gru", "self.dropout(self.normalize(features)",
     "self.dropout(features", "decoders"),
    ("left is like right", "decoders/gru", "size, embeddings_initializer=start,", "size,", "decoders"),
    ("word vectors begin short", "decoders/gru", "stddev=embedding_dim**-0.5", "stddev=0.03", "decoders"),
    ("rows and columns exchanged", "decoders/gru", "y, x = np.divmod(np.arange(rows * cols), cols)", "x, y = np.divmod(np.arange(rows * cols), cols)", "decoders"),
    ("gate left out", "decoders/gru", "context = self.gate(state[0]) * context", "pass", "decoders"),
    ("dropout on in decoding", "decoders/gru", "return self.score_words(word, output, context), state",
     "return self.score_words(word, output, context, training=True), state", "decoders"),
    ("no dropout of the output", "decoders/gru", "self.dropout(keras.ops.tanh(hidden + word), training=training)",
     "keras.ops.tanh(hidden + word)", "decoders"),
    ("dropout per position", "decoders/gru", "keras.layers.SpatialDropout1D(dropout", "keras.layers.Dropout(dropout", "decoders"),
    ("output words not shared with the input", "decoders/gru", "keras.ops.transpose(self.embedding.embeddings)",
     "keras.ops.transpose(self.embedding.embeddings[::-1])", "decoders"),
    ("dropout's share not saved", "decoders/gru", '"units": self.units, "dropout": self.rate', '"units": self.units', "decoders"),
    ("a layer ignores the precision", "decoders/gru", "keras.layers.GRUCell(units, dtype=dtype)",
     "keras.layers.GRUCell(units)", "decoders"),
    ("precision does not survive a save", "decoders/base", '"dtype": self.dtype_policy.name', '"dtype": "float32"', "decoders"),
    ("the longest caption is not saved", "decoders/base", '"longest": self.longest}', '"longest": 30}', "decoders"),
    ("any model is a captioner", "decoders/__init__", 'if found not in kinds or found == "Decoder":', 'if found == "Decoder":', "decoders"),
    ("any words are a vocabulary", "decoders/__init__", 'if tuple(words[:4]) != SPECIAL:', "if False:", "decoders"),
    ("the words to come are seen", "decoders/transformer", "places[None] <= places[:, None]", "places[None] >= 0 * places[:, None]", "all_decoders"),
    ("a word does not see itself", "decoders/transformer", "(places <= time[:, None])", "(places < time[:, None])", "all_decoders"),
    ("keys of before are lost", "decoders/transformer", "tf.where(now, new, old)", "tf.where(now, new, 0 * old)", "all_decoders"),
    ("all words stand at the first place", "decoders/transformer", "self.place(time)[:, None]", "self.place(0 * time)[:, None]", "all_decoders"),
    ("scores as large as the heads are wide", "decoders/multihead", " * queries.shape[3] ** -0.5", "", "all_decoders"),
    ("the mask is not read", "decoders/multihead", "if mask is not None:", "if False:", "all_decoders"),
    ("heads and places exchanged", "decoders/multihead", "(-1, tf.shape(x)[1], self.heads, x.shape[2] // self.heads)",
     "(-1, tf.shape(x)[1], x.shape[2] // self.heads, self.heads)", "all_decoders"),
    ("the long vector is a mean", "decoders/vector", "reader_kind = LongVectorReader", "pass", "all_decoders"),
    ("the sweep is a mean", "decoders/vector", "reader_kind = SweepReader", "pass", "all_decoders"),
    ("show and tell is not told", "decoders/vector", "outputs = self.lstm(words, initial_state=state)", "outputs = self.lstm(words)", "all_decoders"),
    ("the LSTM's second tensor is lost", "decoders/lstm", "return memory, [first, first]", "return memory, [first, 0 * first]", "all_decoders"),
    ("the mean vector attends", "decoders/lstm", "self.attend = EvenAttention(dtype=self.dtype_policy)", "pass", "all_decoders"),
    # ---- training
    ("no dropout in training", "training", "decoder((features, tokens[:, :-1]), training=True)\n            loss",
     "decoder((features, tokens[:, :-1]), training=False)\n            loss", "training"),
    ("loss over padding", "training", "mask = tf.cast(target != 0, losses.dtype)",
     "mask = tf.ones_like(losses)", "training"),
    ("mask inverted", "training", "mask = tf.cast(target != 0", "mask = tf.cast(target == 0", "training"),
    ("label smoothing the wrong way round", "training", "(1 - smoothing) * losses + smoothing * even",
     "smoothing * losses + (1 - smoothing) * even", "training"),
    ("teacher forcing shifted by one", "training", "decoder((features, tokens[:, :-1]), training=True)\n            loss",
     "decoder((features, tokens[:, 1:]), training=True)\n            loss", "training"),
    ("step traced for every length", "training", "@tf.function(input_signature=signature(decoder))\n    def train_step",
     "@tf.function\n    def train_step", "training"),
    ("no clipping", "training", "gradients, _ = tf.clip_by_global_norm(gradients, LONGEST_GRADIENT)\n        optimizer", "optimizer",
     "training"),
    ("each device clips for itself", "training", "gradients, _ = tf.clip_by_global_norm(gradients, LONGEST_GRADIENT)\n        # Keras",
     "gradients = [tf.clip_by_norm(g, LONGEST_GRADIENT) for g in gradients]\n        # Keras", "training"),
    ("rate decays within one epoch", "training", "recipe.epochs * steps_per_epoch - warmup", "steps_per_epoch - warmup", "training"),
    ("dev loss measured with dropout", "training", "masked_loss(tokens[:, 1:], decoder((features, tokens[:, :-1]))) * words",
     "masked_loss(tokens[:, 1:], decoder((features, tokens[:, :-1]), training=True)) * words", "training"),
    ("last, smaller batch dropped", "training", "range(size, len(order), size))",
     "range(size, len(order), size))[: max(1, len(order) // size)]", "training"),
    ("a batch of nothing", "training", " if len(part)]", "]", "training"),
    ("captions are cut without a word", "training", "if cut := sum(len(tokenize(caption)) > longest for caption in captions):",
     "if cut := 0:", "training"),
    # ---- runs
    ("short captions weigh more", "runs", "partial(masked_loss, smoothing=smoothing, count=count), None",
     "partial(masked_loss, smoothing=smoothing), None", "runs"),
    ("the curve of train has another loss", "runs", "        measure = partial(masked_loss, count=count)", "        pass", "runs"),
    ("same order in every epoch", "runs", "default_rng((settings.seed, epoch))",
     "default_rng((settings.seed, 0))", "runs"),
    ("seed ignored", "runs", "keras.utils.set_random_seed(settings.seed)",
     "keras.utils.set_random_seed(int(time.time_ns() % 2**31))", "runs"),
    ("seed not set at the start", "runs", "    keras.utils.set_random_seed(settings.seed)\n", "", "runs"),
    ("dropout's state not restored", "runs", "layer.seed_generator.state.assign((seed + (number << 30), epoch << 20))",
     "pass", "runs"),
    ("last model kept in place of the best", "runs", 'if history["dev_loss"][-1] == min(history["dev_loss"]):',
     "if True:", "runs"),
    ("average of the weights goes on", "runs", "decoder.set_weights(last_weights)", "pass", "runs"),
    ("training goes on without its optimizer", "runs", 'modelfile.load_weights(decoder, run_dir / "training.keras")',
     'decoder.set_weights(load_decoder(run_dir / "training.keras", kind).get_weights())', "runs"),
    ("every decoder is saved as a GRU", "runs", "best = type(decoder).from_config", "from utils.decoders.gru import GRUDecoder\n"
     "        best = GRUDecoder.from_config", "runs"),
    ("a loss that is no number goes on", "runs", "if not np.isfinite(numbers[:2]).all():", "if False:", "runs"),
    ("a model copied here from elsewhere is used", "runs", "if decoder.vocabulary != vocabulary or decoder.encoder != cache.encoder:",
     "if False:", "runs"),
    ("another decoder's model is loaded", "runs", 'run = {"decoder": f"{kind.__name__} {kind.version}", ', "run = {", "runs"),
    ("another recipe goes unnoticed", "runfolder", "all(kept.get(name) == value for name, value in run.items())",
     'kept.get("seed") == run["seed"]', "runs"),
    ("a trained model is deleted", "runfolder", "            os.replace(run_dir / file, part / file)\n    os.replace(part, target)",
     "            (run_dir / file).unlink()\n    os.replace(part, target)", "runs"),
    ("fewer epochs go on", "runfolder", 'kept["epochs"] < wanted["epochs"]', 'kept["epochs"] != wanted["epochs"]', "runs"),
    ("more epochs cost the shorter run", "runfolder", "_put_aside(run_dir, _digest(kept), copy=True)", "pass", "runs"),
    ("fewer epochs cost the longer run", "runfolder", 'if not known and other == ["recipe"]', 'if other == ["recipe"]', "runs"),
    ("a stopped run is in the way of a finished one", "runfolder", "            (run_dir / file).unlink()\n        os", "            pass\n        os", "runs"),
    ("changed captions go unnoticed", "runs", ', "captions": _digest(rows, tokens, *dev)}', "}", "runs"),
    ("a run that goes on forgets its best", "runfolder", "else RUN_FILES[:3]", "else RUN_FILES[:2]", "runs"),
    ("the new vocabulary beside the old model", "runfolder", 'write_text(place / "vocabulary.txt"', 'str(place / "vocabulary.txt"', "runs"),
    ("a stray file stops all runs", "runfolder", "if any(part.iterdir()):", "if False:", "runs"),
    ("a run does not come back", "runfolder", 'known = (earlier / "training.json").exists()', "known = False", "runs"),
    ("a killed move is forgotten", "runfolder", "        _finish_moves(run_dir)\n        kept", "        kept", "runs"),
    ("a model without its state is overwritten", "runfolder", 'if place := _put_aside(run_dir, "unnamed"):', "if place := None:", "runs"),
    ("one place for two runs", "runfolder", "target = _free(run_dir / \"before\" / name)", "target = run_dir / \"before\" / name", "runs"),
    # ---- decoding
    ("<unk> may be written", "decoding", "if word in (PAD, START, UNKNOWN)", "if word in (PAD, START)", "decoding"),
    ("finished captions go on", "decoding", "word = tf.where(done, pad, choose(", "word = tf.where(done & False, pad, choose(", "decoding"),
    ("parent of a beam wrong", "decoding", "best // words, best % words", "best % beam_width, best % words", "decoding"),
    ("states stay behind", "decoding", "state = follow(state, parents)", "pass", "decoding"),
    ("one tensor of the state stays behind", "decoding", "state = follow(state, parents)",
     "state = tf.nest.pack_sequence_as(state, [follow(tf.nest.flatten(state)[0], parents), *tf.nest.flatten(state)[1:]])", "decoding"),
    ("all pictures go on with the first one's states", "decoding", "rows = parents + beam_width * tf.range(batch)[:, None]", "rows = parents", "decoding"),
    ("maps one word late", "decoding", "tf.cast(tokens[:, :-1], tf.int32)], axis=1)", "tf.cast(tokens[:, 1:], tf.int32)], axis=1)", "decoding"),
    ("length penalty inverted", "decoding", "scores / length**length_penalty",
     "scores * length**length_penalty", "decoding"),
    ("<end> not counted in the length", "decoding", "tf.math.count_nonzero(tokens, axis=2)",
     "tf.math.count_nonzero(tokens > 3, axis=2)", "decoding"),
    ("greedy beginning dropped", "decoding", "tf.math.top_k(totals + greedy, beam_width)",
     "tf.math.top_k(totals, beam_width)", "decoding"),
    ("last batch not cut", "decoding", "tokens = tokens.numpy()[: len(part)]", "tokens = tokens.numpy()", "decoding"),
    ("greedy search draws by chance", "decoding", "return tf.argmax(logits, axis=1, output_type=tf.int32)",
     "return tf.random.categorical(logits, 1, dtype=tf.int32)[:, 0]", "decoding"),
    ("temperature the wrong way round", "decoding", "logits / temperature", "logits * temperature", "decoding"),
    ("every word drawn with one seed for all", "decoding", "tf.stack([seed, t])", "tf.stack([0, t])", "decoding"),
    ("captions are cut without notice", "decoding", "    if endless:\n", "    if False:\n", "decoding"),
    ("the search goes beyond what was learned", "decoding", "else tf.minimum(limit, max_length)", "else max_length", "decoding"),
    ("the search ends when it likes", "decoding", "limit = decoder.longest + 1\n", "limit = 30\n", "decoding"),
    # ---- the caption command
    ("captions by greedy search", "caption", "BEAM_WIDTH = 5", "BEAM_WIDTH = 1", "caption"),
    ("a map for another word", "caption", "maps[i, : len(tokenize(captions[0]))]", "maps[i, 1 : 1 + len(tokenize(captions[0]))]", "caption"),
    ("any weights of the encoder will do", "caption", "if encoder.identity != wanted:", "if False:", "caption"),
    ("the settings' encoder in place of the model's", "caption", "name = settings.encoder if mine == named", "name = settings.encoder if True",
     "caption"),
    # ---- figures
    ("missing characters go unsaid", "fonts", "if lacking and not _said:", "if False:", "plots"),
    ("two dollars are a formula", "plots", "fontsize=10, parse_math=False", "fontsize=10", "plots"),
    # ---- scores
    ("mean over sentences", "scores", "math.log(matched / total) if matched else -math.inf",
     "math.log(sum(matches(*pair, n)[0] / max(1, matches(*pair, n)[1]) for pair in pairs) / len(pairs) or 1e-300)",
     "scores"),
    ("brevity penalty missing", "scores", "scores.append(penalty * ", "scores.append(1.0 * ", "scores"),
    ("clipping missing", "scores", "sum((counts & limits).values())",
     "sum(count for gram, count in counts.items() if gram in limits)", "scores"),
    ("first reference only", "scores", "for reference in references:\n        limits", "for reference in references[:1]:\n        limits",
     "scores"),
    ("longer of two equally close references", "scores", "(abs(length - len(hypothesis)), length)",
     "(abs(length - len(hypothesis)), -length)", "scores"),
    ("weights of 0.3", "scores", "math.exp(log_precisions / n)", "math.exp(log_precisions * 0.3)", "scores"),
    ("CIDEr-D without clipping", "scores", "min(number, reference[gram]) * reference[gram]", "number * reference[gram]", "scores"),
    ("CIDEr-D without Gaussian", "scores", "alike * math.exp(-((len(words) - len(one)) ** 2) / (2 * 6**2))", "alike", "scores"),
    ("CIDEr-D with a sigma of 5", "scores", "(2 * 6**2)", "(2 * 5**2)", "scores"),
    ("document frequencies count captions", "scores", "for gram in {gram for words in some for n in range(5) for gram in ngrams(words, n)}",
     "for words in some for n in range(5) for gram in ngrams(words, n)", "scores"),
    ("unknown n-grams weigh nothing", "scores", "largest - math.log(max(1, frequencies.get(gram, 0)))",
     "largest - math.log(frequencies.get(gram, frequencies[()]))", "scores"),
    ("CIDEr-D not divided by the references", "scores", "10 * score / len(some)", "10 * score", "scores"),
    ("given frequencies ignored", "scores", "if frequencies is None:\n        frequencies = document_frequencies(references)",
     "frequencies = document_frequencies(references)", "scores"),
    ("ROUGE-L of one reference", "scores", "recall = max(count / max(1, len(one)) for count, one in zip(shared, some))",
     "recall = max(shared) / max(1, len(some[shared.index(max(shared))]))", "scores"),
    ("ROUGE-L with beta on the wrong side", "scores", "recall + beta**2 * precision", "beta**2 * recall + precision", "scores"),
    ("no gaps in the common subsequence", "scores", "max(before[j + 1], longest[j])", "0", "scores"),
    ("bootstrap without brevity penalty", "scores", "return penalty * precisions.prod", "return precisions.prod", "scores"),
    ("a gain where the interval touches zero", "scores", "if low > 0 else", "if low >= 0 else", "scores"),
    # ---- pictures, features, cache
    ("preprocessing forgotten", "features", "model(encoder.preprocess(pictures), training=False)",
     "model(tf.cast(pictures, tf.float32), training=False)", "features"),
    ("preprocessing applied twice", "features", "model(encoder.preprocess(pictures), training=False)",
     "model(encoder.preprocess(encoder.preprocess(pictures)), training=False)", "features"),
    ("layers that run code are built", "modelfile", "return None if any(base.__name__ in _REFUSED for base in found.__mro__) else found",
     "return found", "modelfile"),
    ("only the outermost layer is looked at", "modelfile",
     "config = _checked(_without_unknown(config, _keys(found), layer, file), layer, file)",
     "config = _without_unknown(config, _keys(found), layer, file)", "modelfile"),
    ("what a newer Keras says is dropped", "modelfile", "if key not in keys and value is not None", 'if key == "" and value is not None',
     "modelfile"),
    ("unknown keys reach Keras", "modelfile", "return {key: value for key, value in config.items() if key in keys}", "return config",
     "modelfile"),
    ("weights may link to other files", "modelfile", "_refuse_links(opened, set())", "pass", "modelfile"),
    ("weights may lie in another file", "modelfile", "if item.external or item.is_virtual:", "if item.is_virtual:", "modelfile"),
    ("an optimizer that is not there starts anew", "modelfile", '("variable loading for optimizer", "nested container")',
     '("nested container",)', "modelfile"),
    ("one size for all networks", "imagenet", '"InceptionV3": 299', '"InceptionV3": 224', "encoders"),
    ("class names shifted by one", "imagenet", "decode(falling, top=1000)[0]]", "np.roll(decode(falling, top=1000)[0], 1, axis=0)]",
     "encoders"),
    ("another network's class names stay", "imagenet", 'decode.__globals__["CLASS_INDEX"] = None', "pass", "encoders"),
    ("mobilenet at full width", "imagenet", '_USUAL = {"mobilenet": {"alpha": 0.75}}', "_USUAL = {}", "encoders"),
    ("options that are settled may be given", "imagenet", " - _SETTLED)", ")", "encoders"),
    ("identity by names of weights", "encoders", "{position} {tuple", "{weight.path} {tuple", "encoders"),
    ("preprocessing changes the caller's picture", "encoders", "return lambda pictures: own(_as_it_is(pictures))", "return own",
     "encoders"),
    ("a file's preprocessing is no part of its identity", "encoders", "weights_fingerprint(model, description)", "weights_fingerprint(model)",
     "encoders"),
    ("a full disk is called damage", "modelfile", 'if getattr(error, "errno", None) == errno.ENOSPC:', "if False:", "modelfile"),
    ("any file is an encoder", "encoders", "ins[0][1] != ins[0][2] or ins[0][3] != 3", "False", "encoders"),
    ("every network prepared like VGG16", "encoders", "preprocess, name = preprocessing(name), imagenet",
     'preprocess, name = preprocessing("vgg16"), imagenet', "encoders"),
    ("cache rows permuted", "features", "for row, name in enumerate(self.names)",
     "for row, name in enumerate(reversed(self.names))", "features"),
    ("float16 overflow", "features", "~(largest <= _LARGEST)", "~(largest <= np.inf)", "features"),
    ("cache in float32", "features", "return tf.cast(result, tf.float16), tf", "return result, tf", "features"),
    ("another encoder's cache used", "featurefile", "        if manifest.get(key) == value:\n",
     '        if key in ("encoder", "weights") or manifest.get(key) == value:\n', "features"),
    ("photographs lie on their side", "pictures", "ImageOps.exif_transpose(picture, in_place=True)", "pass", "pictures"),
    ("rows called done before they are on disk", "featurefile", "        self._stream.flush()\n        os.fsync(self._stream.fileno())\n", "",
     "features"),
    ("an empty dataset is complete", "features", "    if not dataset.images:", "    if False:", "features"),
    ("a feature too large ends the run", "features", 'in dict.fromkeys((compute, "float32")):', "in (compute,):", "features"),
    ("the number format is forgotten", "features", 'wanted | {"compute": manifest["compute"]}', "wanted", "features"),
    ("features that are no numbers pass", "features", "readable & ~(largest <= _LARGEST)", "readable & (largest > _LARGEST)", "features"),
    ("float16 on every GPU", "features", ">= (8, 0) else", ">= (99, 0) else", "features"),
    ("one timing decides", "features", "float(np.median(seconds))", "seconds[-1]", "features"),
    ("broken pictures keep numbers", "features", "return np.where(readable[:, None, None], features, np.float16(0))", "return features",
     "features"),
    ("another grid's cache used", "featurefile", "            if manifest.get(key) == value:",
     '            if key in ("grid", "input_size") or manifest.get(key) == value:', "features"),
    ("Ctrl-C loses what is done", "featurefile", "self._thread.submit(self._save_whole).result()", "None", "features"),
    ("rows are written after a failure", "featurefile", "        if not self._whole:  #", "        if False:  #", "features"),
    ("a kill before the rename costs all", "featurefile", "if is_complete(manifest) and self.part.exists():", "if False:", "features"),
    ("any kind of file is opened", "pictures", "Image.open(path, formats=FORMATS)", "Image.open(path)", "pictures"),
    ("a damaged EXIF block breaks a picture", "pictures", "        with contextlib.suppress(Exception):\n            ImageOps",
     "        if True:\n            ImageOps", "pictures"),
    ("pictures of 12 bits are dark", "pictures", "(2**8 - 1, 2**12 - 1, 2**16 - 1)", "(2**16 - 1,)", "pictures"),
    ("pictures of 32 bits wrap", "pictures", "if largest <= white), largest)", "if largest <= white), 2**16 - 1)", "pictures"),
    ("a sandbox that refuses priorities is the end", "pictures", "with contextlib.suppress(OSError):  # a", "if True:  # a", "pictures"),
    ("the cores of the host are taken", "pictures", 'if hasattr(os, "sched_getaffinity") else', "if False else", "pictures"),
    ("HEIC is known by its first bytes only", "pictures", ' or path.suffix.lower() in (".heic", ".heif")', "", "pictures"),
    ("a script hears nothing of broken files", "caption", "return 3 if unread else 0", "return 0", "caption"),
    ("a download prints among the captions", "caption", "contextlib.redirect_stdout(sys.stderr)", "contextlib.nullcontext()", "caption"),
    ("a study must be told its dataset", "studies/__main__", "os.environ.setdefault(variable, value)", "pass", "studies"),
    ("confidence falls with length", "caption", "np.exp(scores / lengths)", "np.exp(scores)", "caption"),
    ("the second batch is the first", "caption", "pictures[begin * batch : (begin + 1) * batch]", "pictures[:batch]", "caption"),
    ("the settings' run is passed over", "caption", "if chosen() else PHOTOGRAPHS", "if False else PHOTOGRAPHS", "caption"),
    ("alternatives are the caption again", "caption", "rows[1 : options.alternatives + 1]])", "rows[: options.alternatives]])", "caption"),
    ("logits are averaged, not probabilities", "decoders/ensemble", "tf.reduce_logsumexp([tf.nn.log_softmax(each) for each in logits], axis=0)",
     "tf.reduce_mean(logits, axis=0)", "decoding"),
    ("the first decoder writes alone", "decoders/ensemble", "return mean_logits([logits for logits, _ in each])", "return (each[0][0])", "decoding"),
    ("values as wide as the features", "decoders/gru", "min(channels, WIDEST)", "channels", "choices"),
    ("the Transformer shows its first block", "decoders/transformer", "for block, seen in zip(self.blocks, memory):\n            x, weights = block(",
     "for block, seen in zip(self.blocks, memory):\n            x, weights = self.blocks[0](", "all_decoders"),
    ("any units for any heads", "decoders/transformer", "if units % heads:", "if False:", "all_decoders"),
    ("Show and Tell's second tensor is zero", "decoders/vector", "return (), [first, first]", "return (), [first, 0 * first]", "all_decoders"),
    ("wide values are narrow", "studies/changes", "            setattr(self.reader, name, layer)", "            pass", "choices"),
    ("a part is taken for the whole", "datasets/photos", "path is None and _unpacked(folder, wanted)", "path is None and folder.exists()", "flickr"),
    ("two folders in two places", "datasets/flickr", "if folder.parent != target:", "if False:", "flickr"),
    ("another seed's captioner", "captioner", " and settings.seed == 1", "", "captioner"),
    ("films are pictures", "pictures", "if name in FORMATS", "if True", "caption"),
    ("words are hidden in use, too", "studies/changes", "training=training) > 0", "training=True) > 0", "choices"),
    ("special words are hidden", "studies/changes", "kept | (tokens < len(SPECIAL))", "kept", "choices"),
    ("no weight decay", "studies/changes", "optimizer.weight_decay = DECAY", "pass", "choices"),
    ("one layer is taken for two", "studies/changes", "len(pooled) == 1", "pooled", "choices"),
    ("notebooks run on all of the pictures", "notebooks", '"LIMIT": settings.limit or "",', "", "notebooks"),
    ("weights are stored whole", "captioner", "item[()].astype(np.float16)", "item[()]", "captioner"),
    ("infinite weights are stored", "captioner", "if not np.isfinite(numbers).all():", "if False:", "captioner"),
    ("any run makes the captioner", "captioner", "if not (usual and settings.standard):", "if not usual:", "captioner"),
    ("one reference with a person is enough", "captioner", "with_one >= 0.8", "with_one > 0", "captioner"),
    ("an epoch's CIDEr-D stands there twice after a stop", "studies/choices", "[*kept, _scores(", "[*(_read_list(file) if file.exists() else []), _scores(", "choices"),
    ("a row's mean is its first seed's", "studies/__init__", 'f"{np.mean(numbers):.3f}"', 'f"{numbers[0]:.3f}"', "studies"),
    ("README has the first seed for the mean", "studies/photographs", 'else f"{np.mean(each):.3f}"', 'else f"{each[0]:.3f}"',
     "photographs"),
    ("the runs of all seeds in one folder", "studies/photographs", 'settings.run_dir.with_name(f"{settings.run_dir.name}-seed-{seed}")',
     "settings.run_dir", "photographs"),
    ("dev is scored on test", "studies/photographs", '"dev": _scored(dataset, cache, decoder, "dev")', '"dev": _scored(dataset, cache, decoder, "test")',
     "photographs"),
    ("a command that failed says all is well", "files", "        return 1\n    except KeyboardInterrupt", "        return 0\n    except KeyboardInterrupt", "studies"),
    ("a stopped command says all is well", "files", "        return 130", "        return 0", "studies"),
    ("a study's minutes are those of its last go", "studies/__init__", '{"seconds": round(time.monotonic() - started, 1), **measures}',
     '{**measures, "seconds": round(time.monotonic() - started, 1)}', "studies"),
    ("split leaked", "datasets/flickr", "if name in seen:", "if False:", "datasets"),
    ("restval is no training photograph", "datasets/flickr", '"restval": "train"', '"restval": "test"', "flickr"),
    ("all is unpacked for a part", "datasets/flickr", "wanted = set(everything) if settings.limit else",
     "wanted = set(listed.captions) if settings.limit else", "flickr"),
    ("a list leads out of the folder", "datasets/flickr", '{"..", ""} & {*photo.split("/")}', "False", "flickr"),
    ("a larger part is another one", "datasets/__init__", "sha256(name.encode())", 'sha256(f"{limit}{name}".encode())', "flickr"),
    ("a part of the first split only", "datasets/__init__", "round(limit * len(names) / total)", "limit", "flickr"),
    ("unpacking begins again", "datasets/photos", "if not known and not _holds(part, source, ()):", "if not known:", "flickr"),
    ("photographs of another zip file are kept", "datasets/photos", "return _read_note(folder)[0] == source and ", "return ", "datasets"),
    ("a larger part unpacks nothing more", "datasets/photos", "{*wanted} <= {*parts}", "True", "flickr"),
    ("own pictures in two splits", "datasets/own", '"train": tuple(names[2 * tenth :])', '"train": tuple(names[tenth:])', "datasets"),
    ("accents of a Mac are other letters", "datasets/own", 'return unicodedata.normalize("NFC", name)', "return name", "datasets"),
    ("the split depends on the disk", "datasets/own", "hashlib.sha256(_composed(name).encode())", "hashlib.sha256(name.encode())", "datasets"),
    ("left and right exchanged", "datasets/layout", 'right = other.group["relation"] == "right of"',
     'right = other.group["relation"] == "left of"', "scenes"),
    ("in front is behind", "datasets/layout", "else foot + rng.uniform(18, 26)", "else foot - rng.uniform(18, 26)", "scenes"),
    ("the second thing is as large", "datasets/layout", "if a[0] * a[1] < 1.35 * b[0] * b[1]:", "if False:", "scenes"),
    ("things hang over the edge", "datasets/layout", "if x0 < 1 or y0 < 2 or x1 > SIZE - 1 or y1 > SIZE - 2:", "if False:", "scenes"),
    ("old scenes after a change of the drawing", "datasets/scenes",
     '("drawing.py", "sketch.py", "layout.py", "words.py", "speakers.py", "scenes.py")', '("scenes.py",)', "scenes"),
    ("held-out combinations in train", "datasets/scenes", "if wanted in shown if novel else not shown:", "if True:", "scenes"),
    ("a speaker sees what is not there", "datasets/speakers", "return self.say(words.TO_MAIN[relation], turn=self.number)",
     'return self.say(words.TO_MAIN["on"], turn=self.number)', "scenes"),
    ("its left is its right", "datasets/words", 'WITH = {  # ... with a second group: `it` and `its` are the main one\n    "left of": "to its left|',
     'WITH = {  # ... with a second group: `it` and `its` are the main one\n    "left of": "to its right|', "scenes"),
    ("every speaker has the same favourites", "datasets/speakers", "options = options[turn : turn + 1] + options[:turn] + options[turn + 1 :]",
     "pass", "scenes"),
    ("words without a tail", "datasets/speakers", "COMMON, SELDOM, TAIL = 0.76, 0.38, 0.13", "COMMON, SELDOM, TAIL = 0.76, 0.38, 0.95", "scenes"),
    ("the sketch is the drawing", "datasets/scenes", "        image = sketch(image, np.random.default_rng([seed, index, 2]))",
     "        pass", "scenes sketch"),
    ("the encoder is shown what is held out", "datasets/scattered", "if again or (color, kind) in HELD_OUT or any(kinds in pairs for kinds in _APART):",
     "if again:", "pretrain"),
    ("a row that is cut short shows what is held out", "datasets/scattered", "row[:1] if (len(row), kind) in HELD_OUT else row", "row", "pretrain"),
    ("like things add up to what is held out", "datasets/scattered", "if again or (color", "if (color", "pretrain"),
    ("mirrored pictures keep their left neighbours", "pretrain", "np.concatenate([right, left, target", "np.concatenate([left, right, target", "pretrain"),
    ("reach to the wrong side", "pretrain", "return target[..., [0, 1, 3, 2]]", "return target", "pretrain"),
    # ---- truth
    ("novel is reported as test", "notebooks", '(", novel", truth["novel"])', '(", novel", truth)', "notebooks"),
    ("any kind will do", "truth", 'g["kind"] in it.kinds', "True", "truth"),
    ("a wrong color is right", "truth", '("color", "size") if', '("size",) if', "truth"),
    ("sides are not looked at", "truth", "return way == second if a else {way, second} == {*sides}", "return True", "truth"),
    ("left is taken for right", "truth", 'right <= left_too if way == "left of" else left >= right_too',
     'left >= right_too if way == "left of" else right <= left_too', "truth"),
    ("the first group that fits decides", "truth", "max(tries, key=lambda way: (way[0], sum(right for _, right in way[1])))",
     "next(iter(tries))", "truth"),
    ("unknown words are no matter", "truth", "and not reading.unknown and all", "and all", "truth"),
    ("a cat is a dog that has been named", "truth", "thing.kinds == kinds and start", "start", "truth"),
    ("a caption of nothing is wholly true", "truth", "true = found and NOTHING", "true = NOTHING", "truth"),
    ("the weather is not looked at", "truth", 'return facts + [("weather", bool(names & setting)) for names in reading.skies]',
     "return facts", "truth"),
    ("butterflies are manners", "truth", '(?<!f)ly$', "ly$", "truth"),
    ("`her` is nobody", "truth", 'elif text == "her":', "elif False:", "scenes"),
    ("plurals are one thing", "lexicon", '(with_s(text), "+several")', '(with_s(text), "+1")', "truth"),
    ("boxes in the order of drawing", "datasets/scenes", "for i, box in sorted(zip(things, boxes, strict=True))",
     "for i, box in zip(things, boxes, strict=True)", "scenes"),
    ("drawing processes load Keras", "datasets/scenes", "import numpy as np\n", "import keras\nimport numpy as np\n", "scenes"),
    ("a script without a guard waits for itself", "datasets/scenes", 'if getattr(current_process(), "_inheriting", False):', "if False:",
     "scenes"),
    ("attention map transposed", "plots", "    rows, cols = weights.shape\n", "    weights = weights.T\n    rows, cols = weights.shape\n",
     "plots"),
    ("attention map of 7 x 7 resized to 8 x 8", "plots", "    rows, cols = weights.shape\n",
     "    weights = np.resize(weights, (8, 8))\n    rows, cols = weights.shape\n", "plots"),
    ("a changed cache goes unnoticed", "featurefile", 'manifest.get("digest") != _digest(file, manifest)', "False", "features"),
    # ---- files, settings, session
    ("two programs in one folder at once", "files", "fcntl.LOCK_EX | fcntl.LOCK_NB", "fcntl.LOCK_SH | fcntl.LOCK_NB", "files"),
    ("who is alone waits for itself", "files", "first = here not in held", "first = True", "files"),
    ("leaving the inner block gives the folder away", "files", "        if first:\n            held.discard(here)",
     "        held.discard(here)", "files"),
    ("threads do not take turns", "files", "_held = threading.local()", "_held = type('Shared', (), {})()", "files"),
    ("a file is written in place", "files", 'part = file.with_name(f".{file.stem}.{os.getpid()}.part{file.suffix}")', "part = file", "files"),
    ("renamed before it is on the disk", "files", "            os.fsync(stream.fileno())  #", "            pass  #", "files"),
    ("zip leads out of its folder", "files", 'if inside.anchor or ".." in inside.parts:', "if inside.anchor:", "files"),
    ("zip leads to another disk", "files", 'if inside.anchor or ".." in inside.parts:', 'if ".." in inside.parts:', "files"),
    ("one photograph overwrites another", "files", "if inside.name.lower() in names:", "if inside.name in names:", "files"),
    ("a zip member of any size", "files", "if member.file_size > largest:", "if False:", "files"),
    ("zip damage is a raw error", "files", "            except Exception as error:\n                raise _damaged",
     "            except zipfile.BadZipFile as error:\n                raise _damaged", "files"),
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
    ("worker 0 is chief beside a chief", "session", 'for job in ("chief", "worker")', 'for job in ("worker", "chief")', "session"),
    ("Colab is given Jupyter", "session", "if name and name[0] in IMPORTED:", "if name:", "session"),
    ("photographs are asked what is true", "settings", 'if settings.dataset in ("scenes", "scenes-sketch"):', "if True:", "settings"),
    ("confusions are shares of the column", "charts", "counts.sum(axis=1, keepdims=True)", "counts.sum(axis=0, keepdims=True)", "plots"),
    # ---- judging: notebook 7
    ("the state comes back", "clinic", "self.inner.step(tokens, memory[1], memory[0])", "self.inner.step(tokens, state, memory[0])", "clinic"),
    ("words are not alone", "clinic", "tf.reshape(tokens, (-1, 1))", "tf.repeat(tokens, words, axis=0)", "clinic"),
    ("the blind see in a search", "clinic", "return self.inner.read(tf.zeros_like(features), training)", "return self.inner.read(features, training)", "clinic"),
    ("the blind see in training", "clinic", "self.inner((tf.zeros_like(features), tokens)", "self.inner((features, tokens)", "clinic"),
    ("no noise in a search", "clinic", "self.inner.read(features, training=True)", "self.inner.read(features, training)", "clinic"),
    ("the gain has the wrong sign", "checks", "caption_loss(patient, others) - caption_loss(patient, patient.features)", "caption_loss(patient, patient.features) - caption_loss(patient, others)", "clinic"),
    ("another caption's picture is its own", "checks", "len(patient.features) // 2", "0", "clinic"),
    ("features may be too large", "checks", "abs(np.log(stds[0] / stds[1]))", "max(0, -np.log(stds[0] / stds[1]))", "clinic"),
    ("memory of the last word", "checks", "changed[:, 2] = np.roll(changed[:, 2], 1)", "changed[:, 3] = np.roll(changed[:, 3], 1)", "clinic"),
    ("padding is not added", "checks", "[(0, 0), (0, 5)]", "[(0, 0), (0, 0)]", "clinic"),
    ("no number is lower than guessing", "checks", "return loss if loss < guessing else guessing", "return min(guessing, loss)", "clinic"),
    ("what ends is endless", "checks", "float(1 - np.any", "float(np.any", "clinic"),
    ("a line at the mean", "checks", "np.sqrt(max(healthy, least) * max(sick, least))", "(healthy + sick) / 2", "clinic"),
    ("no number does not ring", "checks", "not (numbers[name] > lines[name] if high else numbers[name] < lines[name])", "(numbers[name] <= lines[name] if high else numbers[name] >= lines[name])", "clinic"),
    ("lines are drawn at the wrong patient", "checks", 'limit(examined["healthy"][name], examined[check.finds][name])', 'limit(examined["healthy"][name], examined["healthy"][name])', "clinic"),
    ("seeds are thrown together", "checks", 'f"{kind}, seed {seed}"', 'f"{kind}, seed 1"', "clinic"),
    ("checks in the wrong row", "charts", "Rectangle((x - 0.5, y - 0.5), 1, 1, facecolor=face", "Rectangle((x - 0.5, x - 0.5), 1, 1, facecolor=face", "plots"),
    # ---- the decoders of notebook 8 on one table
    ("the first edge is the best rate", "studies/decoders", "RATES[max(0, at - 1) : at + 2]", "RATES[max(0, at - 1) : at + 1]", "decoder_study"),
    ("more dropout is not tried", "studies/decoders", "    attempt(best(tried)[0], MORE_DROPOUT)", "    pass", "decoder_study"),
    ("tuned on every seed", "studies/decoders", "run(settings, world, row, SEEDS[0], rate, dropout)\n        tried", "run(settings, world, row, SEEDS[1], rate, dropout)\n        tried", "decoder_study"),
    ("the highest loss is the best", "studies/decoders", "return min(tried, key", "return max(tried, key", "decoder_study"),
    ("sides of what is invented count", "studies/decoders", 'not found["invented"] + found["left_out"]', 'not found["left_out"]', "decoder_study"),
    ("a dog beside itself counts", "studies/decoders", 'not found["invented"] + found["left_out"]', 'not found["invented"]', "decoder_study"),
    ("any relation is a side", "studies/decoders", ' and said[0] in SIDES', "", "decoder_study"),
    ("beside is a side", "studies/decoders", "len(said) == 1 and said[0]", "said and said[0]", "decoder_study"),
    ("sides of what stands above", "studies/decoders", ' and scene["groups"][1]["relation"] in SIDES', "", "decoder_study"),
    ("twins have sides", "studies/decoders", "len(kinds) == len(scene", "len(scene", "decoder_study"),
    ("a larger decoder is compared", "studies/decoders", "(ShowAndTell, 284)", "(ShowAndTell, 384)", "decoder_study"),
    ("few pictures, as few epochs", "studies/curve", "(len(names) / pictures) ** 0.5", "1", "decoder_study"),
    ("all pictures, always", "studies/curve", '"train": names[:pictures]', '"train": names', "decoder_study"),
    ("a mask the wrong way", "schemes", "facecolor\": BLUE if may", "facecolor\": BLUE if not may", "plots"),
    ("facts that do not stay count", "judging", "np.minimum.accumulate(some[::-1])[::-1]", "np.array(some)", "judging"),
    ("what is invented is not wrong", "judging", 'one["invented"]] for', "0] for", "judging"),
    ("a lie may be true", "judging", 'not found["wholly_true"] and not', "not", "judging"),
    ("turned round is another fact", "judging", 'way.startswith("~") != flip', "False", "judging"),
    ("behind is in front", "judging", 'way.startswith("~") != flip', "flip", "judging"),
    ("what is left open is a claim", "judging", "found.pop() if len(found) == 1 else None", "found.pop()", "judging"),
    ("another cat is forgotten", "judging", "= sum(counts)", "= counts[-1]", "judging"),
    ("a thing relates to itself", "judging", " - {kinds[i]}", "", "judging"),
    ("who does not name a thing says nothing of it", "judging", ' or key[0] == "thing"', "", "judging"),
    ("ties count whole", "judging", "+ 0.5 *", "+ 1.0 *", "judging"),
    ("single words are smoothed", "judging", "[1, 2, 3, 5, 6, 7]", "[0, 1, 2, 3, 4, 5, 6, 7]", "judging"),
    # ---- notebooks, layout
    ("notebooks from 10 on are not found", "notebooks", '"[0-9][0-9]_*.ipynb"', '"0*.ipynb"', "notebooks"),
    ("the course ends with Part I", "notebooks", "partial(_run, None)", "partial(_run, LAST_OF_PART_ONE)", "notebooks"),
    ("make run runs Part II as well", "notebooks", "int(file.name[:2]) <= last", "True", "notebooks"),
    ("kernels keep the shell's settings", "notebooks", "client.execute(env=environment)", "client.execute()", "notebooks"),
    ("kernels train another decoder", "notebooks", '        "DECODER": settings.decoder,\n', "", "notebooks"),
    ("Colab's cell stands there twice", "notebooks", ' if cell.id != "in-colab"', "", "notebooks"),
    ("Colab's cell fetches the project anywhere", "notebooks", 'if "google.colab" in sys.modules and', "if", "notebooks"),
    ("a figure is shown twice", "plots", "    plt.close(figure)  # or it", "    pass  # or it", "plots"),
    ("a figure has no text", "plots", ", alt=alt))", "))", "plots"),
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


def try_out(tests: str, copies: queue.SimpleQueue[Path], *bug: str) -> str | None:
    """The first test that fails in one of the copies, with the bug (module, text, changed text) if there is
    one; None when all pass."""
    copy = copies.get()
    try:
        if not bug:
            return first_red(copy, tests)
        module, text, changed = bug
        file = source(copy, module)
        original = file.read_text(encoding="utf-8")
        file.write_text(original.replace(text, changed), encoding="utf-8")
        red = first_red(copy, tests)
        file.write_text(original, encoding="utf-8")
        return red
    finally:
        copies.put(copy)


def main(modules: list[str]) -> int:
    mutants = [mutant for mutant in MUTANTS if not modules or mutant[1] in modules]
    if gone := [f"{mutant[0]:<46} {what}" for mutant in mutants if (what := stale(*mutant))]:
        print(f"{len(gone)} of {len(mutants)} no longer apply:", *gone, sep="\n")
        return 1
    with tempfile.TemporaryDirectory() as scratch, ThreadPoolExecutor(AT_ONCE) as pool:
        copies: queue.SimpleQueue[Path] = queue.SimpleQueue()  # those in which nothing runs
        left_out = (
            ".git",
            ".venv*",
            "runs",
            "scenes",
            "scenes-sketch",
            "features",
            "flickr8k",
            "__pycache__",
        )
        for number in range(AT_ONCE):
            copy = Path(scratch) / str(number) / "project"
            shutil.copytree(ROOT, copy, ignore=shutil.ignore_patterns(*left_out))
            copies.put(copy)
        clean = [(tests, copies) for tests in dict.fromkeys(mutant[-1] for mutant in mutants)]
        if red := [found for found in pool.map(lambda job: try_out(*job), clean) if found]:
            print(f"red without any bug: {red[0]}")
            return 1
        seen = []
        for mutant, found in zip(mutants, pool.map(lambda bug: try_out(bug[-1], copies, *bug[1:4]), mutants)):
            seen.append(found)
            print(f"{len(seen):3} of {len(mutants)}  {mutant[0]:<46} {found or 'NOT SEEN'}", flush=True)
    print(f"{sum(map(bool, seen))} of {len(mutants)} seen")
    return int(not all(seen))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

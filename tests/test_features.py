"""The feature cache: right numbers, one file, and nothing that happens to the machine corrupts it."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
from dataclasses import replace

import keras
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from utils import featurefile, features
from utils.datasets import CaptionDataset
from utils.datasets.drawing import draw_single
from utils.encoders import Encoder, load_encoder, weights_fingerprint
from utils.features import extract_features
from utils.files import UserError
from utils.pictures import read_picture
from utils.settings import ROOT

CHOOSE_FORMAT = features._choose_format
COUNT = 18  # four whole batches of four, and a half


def encoder_of(seed, size=32):
    """A small encoder with random weights: fast, and of no size that the real ones have."""
    keras.utils.set_random_seed(seed)
    inputs = keras.Input((size, size, 3))
    outputs = keras.layers.Conv2D(6, 8, 8, activation="relu", bias_initializer="ones", name="last")(inputs)
    model = keras.Model(inputs, outputs)
    return Encoder(
        name="small",
        model=model,
        preprocess=lambda x: tf.cast(x, "float32") / 64,
        input_size=size,
        grid=(size // 8, size // 8),
        channels=6,
        fingerprint=weights_fingerprint(model),
    )


@pytest.fixture(autouse=True)
def small_batches(monkeypatch):
    monkeypatch.setattr(features, "BATCH", 4)
    monkeypatch.setattr(features, "_choose_format", lambda *args: "float32")  # tested by itself


@pytest.fixture(scope="module")
def encoder():
    return encoder_of(0)


def dataset_in(folder):
    names = tuple(sorted(path.name for path in folder.iterdir()))
    splits = {"train": names[:-2], "dev": names[-2:-1], "test": names[-1:]}
    return CaptionDataset("drawn", folder, {name: ("a picture",) for name in names}, splits)


@pytest.fixture
def dataset(tmp_path):
    folder = tmp_path / "pictures"
    folder.mkdir()
    rng = np.random.default_rng(0)
    for number in range(COUNT):
        blocks = Image.fromarray(rng.integers(0, 255, (4, 4, 3), np.uint8))
        blocks.resize((64, 48), Image.Resampling.NEAREST).save(folder / f"{number:03}.png")
    return dataset_in(folder)


def contents(folder):
    return (folder / "features.npy").read_bytes(), (folder / "features.json").read_bytes()


@pytest.fixture
def encoded(monkeypatch):
    """How many pictures went through the encoder since the test began."""
    seen = []
    function = features.encoder_function

    def counting(*args):
        inner = function(*args)
        return lambda pictures: seen.extend(range(len(pictures))) or inner(pictures)

    monkeypatch.setattr(features, "encoder_function", counting)
    return seen


def test_features_are_the_encoders_in_the_datasets_order(dataset, encoder, tmp_path, capsys):
    cache = extract_features(dataset, encoder, tmp_path / "run")
    assert cache.array.shape == (COUNT, 16, 6) and cache.array.dtype == np.float16
    assert isinstance(cache.array, np.memmap) and not cache.array.flags.writeable
    assert cache.encoder == encoder.identity and cache.grid == (4, 4)
    assert cache.names == dataset.images and cache.broken == {}
    last = dataset.images[-1]
    picture = read_picture(dataset.path(last), 32)
    direct = np.reshape(encoder(picture[None]), (16, 6))
    np.testing.assert_allclose(cache.array[cache.rows([last])[0]], direct, rtol=2e-3, atol=1e-3)
    assert direct.std() > 0
    np.testing.assert_array_equal(cache.rows([dataset.images[5], dataset.images[2]]), [5, 2])
    with pytest.raises(KeyError, match="nobody"):
        cache.rows(["nobody.png"])
    assert f"{COUNT}/{COUNT}" in capsys.readouterr().out, "there is a progress bar"


def test_a_valid_cache_is_read_in_one_line(dataset, encoder, tmp_path, capsys, encoded):
    extract_features(dataset, encoder, tmp_path)
    before = contents(tmp_path)
    assert len(encoded) == 20, "the last batch is filled up: one shape only"
    capsys.readouterr()
    extract_features(dataset, encoder, tmp_path)
    assert len(encoded) == 20 and contents(tmp_path) == before
    assert len(capsys.readouterr().out.splitlines()) == 1


def test_one_trace_serves_all_batches(encoder):
    function = features.encoder_function(encoder, 4)
    for _ in range(3):
        function(tf.zeros((4, 32, 32, 3), tf.uint8))
    assert function.experimental_get_tracing_count() == 1


def changed_picture(dataset, encoder):
    path = dataset.path(dataset.images[7])
    content = bytearray(path.read_bytes())
    stat = path.stat()
    other = dataset.path(dataset.images[8]).read_bytes()
    content[:] = (other + b"\0" * len(content))[: len(content)]
    path.write_bytes(content)
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert path.stat().st_size == stat.st_size
    return dataset, encoder


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (changed_picture, "the pictures have changed"),
        (lambda d, e: (replace(d, splits=d.splits | {"train": d.splits["train"][::-1]}), e), "another order"),
        (lambda d, e: (replace(d, splits=d.splits | {"train": d.splits["train"][1:]}), e), "now 17"),
        (lambda d, e: (d, encoder_of(1)), "its weights is"),
        (lambda d, e: (d, replace(e, name="vgg16")), "its encoder is small, now vgg16"),
        (lambda d, e: (d, replace(e, grid=(2, 8))), "its grid is [4, 4], now [2, 8]"),
        (lambda d, e: (d, encoder_of(0, 64)), "its input size is 32, now 64"),
    ],
)
def test_another_cache_is_named_and_made_again(dataset, encoder, tmp_path, capsys, encoded, change, said):
    extract_features(dataset, encoder, tmp_path)
    del encoded[:]
    capsys.readouterr()
    dataset, encoder = change(dataset, encoder)
    cache = extract_features(dataset, encoder, tmp_path)
    lines = [line for line in capsys.readouterr().out.splitlines() if "made again" in line]
    assert len(lines) == 1 and said in lines[0]
    assert len(encoded) == 20 and cache.names == dataset.images and cache.encoder == encoder.identity


@pytest.mark.parametrize("damage", ["truncated", "one byte", "no manifest", "half a manifest", "no array"])
def test_a_damaged_cache_is_made_again(dataset, encoder, tmp_path, capsys, damage):
    extract_features(dataset, encoder, tmp_path)
    before = contents(tmp_path)
    array, manifest = tmp_path / "features.npy", tmp_path / "features.json"
    if damage == "truncated":
        os.truncate(array, len(before[0]) - 1)
    elif damage == "one byte":
        array.write_bytes(before[0][:-1] + bytes([before[0][-1] ^ 1]))
    elif damage == "no manifest":
        manifest.unlink()
    elif damage == "half a manifest":
        manifest.write_bytes(before[1][: len(before[1]) // 2])
    else:
        array.unlink()
    capsys.readouterr()
    extract_features(dataset, encoder, tmp_path)
    assert "made again" in capsys.readouterr().out and contents(tmp_path) == before


CHILD = """
import sys
from pathlib import Path
from tests import test_features as t
t.featurefile._SECONDS_BETWEEN_SAVES, t.features.BATCH = 0, 4
t.features._choose_format = lambda *args: "float32"
t.extract_features(t.dataset_in(Path(sys.argv[1])), t.encoder_of(0), Path(sys.argv[2]))
"""


KILL = """
import os, signal
from utils.featurefile import FeatureFile
write = FeatureFile.write
def write_then_die(file, manifest):
    write(file, manifest)
    if manifest["done"] >= 8:
        os.kill(os.getpid(), signal.SIGKILL)
FeatureFile.write = write_then_die
"""


@pytest.mark.slow
def test_kill_9_then_the_same_bytes(dataset, encoder, tmp_path, encoded, capsys):
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    extract_features(dataset, encoder, whole)
    del encoded[:]
    command = [sys.executable, "-c", KILL + CHILD, str(dataset.folder), str(killed)]
    child = subprocess.run(command, cwd=ROOT, capture_output=True)
    assert child.returncode == -signal.SIGKILL
    extract_features(dataset, encoder, killed)
    assert contents(killed) == contents(whole)
    assert 0 < len(encoded) <= 20 - 8, "it went on where it stopped"


def test_ctrl_c_loses_nothing_that_was_computed(dataset, encoder, tmp_path, monkeypatch, encoded):
    function = features.encoder_function(encoder, 4)
    calls = []

    def interrupted(pictures):
        calls.append(1)
        if len(calls) == 4:
            raise KeyboardInterrupt
        return function(pictures)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(features, "encoder_function", lambda *args: interrupted)
        extract_features(dataset, encoder, tmp_path / "stopped")
    assert json.loads((tmp_path / "stopped" / "features.json").read_text())["done"] == 12
    del encoded[:]
    extract_features(dataset, encoder, tmp_path / "stopped")
    assert len(encoded) == 8
    extract_features(dataset, encoder, tmp_path / "whole")
    assert contents(tmp_path / "stopped") == contents(tmp_path / "whole")


@pytest.mark.slow
def test_two_programs_take_turns(dataset, encoder, tmp_path, capsys):
    command = [sys.executable, "-c", CHILD, str(dataset.folder), str(tmp_path / "both")]
    children = [subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    said = [child.communicate()[0] for child in children]
    assert [child.returncode for child in children] == [0, 0]
    assert sum("looks at" in text for text in said) == 1, "one does the work, the other reads it"
    extract_features(dataset, encoder, tmp_path / "alone")
    assert contents(tmp_path / "both") == contents(tmp_path / "alone")


class Killed(BaseException):
    """A kill that the test can make at an exact place."""


def test_a_stop_at_any_step_on_disk_ends_with_the_same_bytes(dataset, encoder, tmp_path, monkeypatch):
    monkeypatch.setattr(featurefile, "_SECONDS_BETWEEN_SAVES", 0)
    function = features.encoder_function(encoder, 4)  # traced once for all
    monkeypatch.setattr(features, "encoder_function", lambda *args: function)
    extract_features(dataset, encoder, tmp_path / "whole")
    steps_left = 0

    def counted(step):
        def wrapper(*args, **kwargs):
            nonlocal steps_left
            steps_left -= 1
            if steps_left == 0:
                raise Killed
            return step(*args, **kwargs)

        return wrapper

    monkeypatch.setattr(os, "fsync", counted(os.fsync))
    monkeypatch.setattr(os, "replace", counted(os.replace))
    stops = 0
    while True:
        folder, steps_left = tmp_path / f"stopped{stops}", stops + 1
        try:
            extract_features(dataset, encoder, folder)
            break
        except Killed:
            stops += 1
        extract_features(dataset, encoder, folder)
        assert contents(folder) == contents(tmp_path / "whole")
    assert stops > 12


def test_a_full_disk_is_said_and_what_is_done_stays(dataset, encoder, tmp_path, monkeypatch, encoded):
    monkeypatch.setattr(featurefile, "_SECONDS_BETWEEN_SAVES", 0)
    fsync, calls = os.fsync, []

    def full(descriptor):
        calls.append(descriptor)
        if len(calls) == 7:
            raise OSError(errno.ENOSPC, "No space left on device")
        fsync(descriptor)

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(UserError, match=r"features\.(npy|json) can't be written: No space left"):
            extract_features(dataset, encoder, tmp_path / "full")
    del encoded[:]
    extract_features(dataset, encoder, tmp_path / "full")
    assert len(encoded) == 12
    extract_features(dataset, encoder, tmp_path / "whole")
    assert contents(tmp_path / "full") == contents(tmp_path / "whole")


FULL = """
import resource, signal
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (2100, resource.RLIM_INFINITY))  # bytes; the whole cache has 3,584
"""


@pytest.mark.slow
def test_a_disk_that_fills_up_in_the_middle_of_a_row_spoils_nothing(dataset, encoder, tmp_path):
    command = [sys.executable, "-c", FULL + CHILD, str(dataset.folder), str(tmp_path / "full")]
    child = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert "UserError" in child.stderr and "features.npy can't be written: File too large" in child.stderr
    assert json.loads((tmp_path / "full" / "features.json").read_text())["done"] in (4, 8)
    extract_features(dataset, encoder, tmp_path / "full")
    extract_features(dataset, encoder, tmp_path / "whole")
    assert contents(tmp_path / "full") == contents(tmp_path / "whole")


@pytest.mark.parametrize(
    ("speedup", "noise", "batches", "chosen"),
    [
        (2, 0.001, 200, "bfloat16"),
        (1.1, 0.001, 200, "float32"),
        (2, 0.1, 200, "float32"),
        (2, float("nan"), 200, "float32"),
        (2, 0.001, 50, "float32"),
    ],
)
def test_a_shorter_format_is_used_if_it_is_faster_and_agrees(monkeypatch, speedup, noise, batches, chosen):
    numbers = np.linspace(0, 9, 24, dtype=np.float32)
    # How long each timed call takes; one of three may be held up by something else.
    calls = iter([1, 1, 90, 90, 1 / speedup, 1 / speedup])
    clock = iter(np.cumsum([step for call in calls for step in (0, call)]))

    def function(encoder, batch, compute):
        return lambda pictures: (tf.constant(numbers * (1 if compute == "float32" else 1 + noise)), None)

    monkeypatch.setattr(features, "encoder_function", function)
    monkeypatch.setattr(features.time, "perf_counter", lambda: next(clock))
    assert CHOOSE_FORMAT(None, None, batches) == chosen


def test_bfloat16_features_agree_with_float32():
    slim = load_encoder("vgg16-slim")
    pictures = np.stack([draw_single(label, np.random.default_rng(0)) for label in ("red car", "blue boat")])
    exact, short = (
        features.encoder_function(slim, 2, compute)(pictures)[0].numpy().astype(np.float32)
        for compute in ("float32", "bfloat16")
    )
    error = np.sqrt(np.mean((short - exact) ** 2) / np.mean(exact**2))
    assert 0 < error < features.TOLERANCE


@pytest.mark.parametrize(
    ("gpus", "details", "chosen"),
    [
        ([], {}, "bfloat16"),
        (["T4"], {"compute_capability": (7, 5)}, "float16"),
        (["A100"], {"compute_capability": (8, 0)}, "bfloat16"),
        (["another maker's"], {}, "float16"),
    ],
)
def test_the_shorter_format_is_one_that_the_processor_has(monkeypatch, gpus, details, chosen):
    monkeypatch.setattr(tf.config, "get_visible_devices", lambda kind: gpus)
    monkeypatch.setattr(tf.config.experimental, "get_device_details", lambda gpu: details)
    assert features._short_format() == chosen


def test_a_batch_that_a_shorter_format_cannot_hold_is_computed_in_float32(
    dataset, encoder, tmp_path, monkeypatch
):
    """So a cache that chose float16 does not end there, on this run and every later one."""
    extract_features(dataset, encoder, tmp_path / "exact")
    function = features.encoder_function

    def short(encoder, batch, compute):
        inner = function(encoder, batch, "float32")

        def overflowing(pictures):
            numbers, largest = inner(pictures)
            overflow = compute == "float16" and pictures[0, 0, 0, 0] == first[0, 0, 0]
            return (numbers * np.float16("nan"), largest * np.nan) if overflow else (numbers, largest)

        return overflowing

    first = read_picture(dataset.path(dataset.images[4]), 32)  # of the second batch
    monkeypatch.setattr(features, "_choose_format", lambda *args: "float16")
    monkeypatch.setattr(features, "encoder_function", short)
    cache = extract_features(dataset, encoder, tmp_path / "short")
    np.testing.assert_array_equal(cache.array, np.load(tmp_path / "exact" / "features.npy"))


def test_the_number_format_is_part_of_the_fingerprint(dataset, encoder, tmp_path, monkeypatch):
    """The numbers are others, so a model trained on the ones is not continued on the others."""
    fingerprint = extract_features(dataset, encoder, tmp_path / "one").fingerprint
    assert extract_features(dataset, encoder, tmp_path / "two").fingerprint == fingerprint
    monkeypatch.setattr(features, "_choose_format", lambda *args: "bfloat16")
    assert extract_features(dataset, encoder, tmp_path / "short").fingerprint != fingerprint


def test_features_too_large_for_float16_are_an_error(dataset, tmp_path):
    encoder = encoder_of(0)
    loud = encoder.model.get_layer("last")
    loud.set_weights([weight * 1e9 for weight in loud.get_weights()])
    with pytest.raises(UserError, match="000.png .*float16"):
        extract_features(dataset, encoder, tmp_path)


def test_broken_pictures_are_listed_and_left_out(dataset, encoder, tmp_path, capsys):
    names = dataset.images
    whole = dataset.path(names[3]).read_bytes()
    dataset.path(names[3]).write_bytes(whole[: len(whole) // 2])
    dataset.path(names[10]).write_bytes(b"")
    dataset.path(names[11]).write_text("not a picture at all")
    dataset.path(names[-1]).unlink()
    cache = extract_features(dataset, encoder, tmp_path)
    bad = {names[3], names[10], names[11], names[-1]}
    assert set(cache.broken) == bad and all(cache.broken.values())
    assert cache.readable(names[:5]) == (*names[:3], names[4])
    assert not cache.array[cache.rows(sorted(bad))].any()
    assert cache.array[cache.rows(cache.readable(names))].any(axis=(1, 2)).all()
    said = capsys.readouterr().out
    assert all(f"  {name}: {why}" in said for name, why in cache.broken.items())
    assert extract_features(dataset, encoder, tmp_path).broken == cache.broken


def test_no_picture_at_all_is_an_error(dataset, encoder, tmp_path):
    with pytest.raises(UserError, match="drawn has no pictures"):
        extract_features(replace(dataset, splits={"train": (), "dev": (), "test": ()}), encoder, tmp_path)


def test_no_readable_picture_is_an_error(dataset, encoder, tmp_path):
    for name in dataset.images:
        dataset.path(name).write_text("no")
    with pytest.raises(UserError, match="000.png: not a picture"):
        extract_features(dataset, encoder, tmp_path)


def test_names_of_any_kind_go_through(encoder, tmp_path):
    folder = tmp_path / "pictures"
    folder.mkdir()
    for name in ("mit Abstand.jpg", "照片.jpg", "naïve.jpg"):
        Image.new("RGB", (80, 60), "red").save(folder / name)
    cache = extract_features(dataset_in(folder), encoder, tmp_path)
    assert cache.broken == {} and "照片.jpg" in cache.names

"""The first line of every notebook: backend, devices, printing, and what Colab is given."""

import ast
import importlib.metadata
import json
import os
import re
import socket
import subprocess
import sys
from types import SimpleNamespace

import nbformat
import pytest

from utils import session
from utils.files import UserError
from utils.settings import ROOT

REPORT = """
import json
from utils.session import start, strategy, workers
settings = start()
import keras, tensorflow as tf
kind = type(strategy()).__name__
assert tf.distribute.get_strategy() is not strategy()
start()  # the same cell once more
print(json.dumps([keras.backend.backend(), kind, strategy().num_replicas_in_sync, workers()]))
replica = lambda: tf.distribute.get_replica_context().all_reduce("sum", tf.constant(2.0))
sums = tf.function(lambda: strategy().run(replica), autograph=False)()
print(float(strategy().experimental_local_results(sums)[0]), settings.seed)
"""


TWO_DEVICES = """
import tensorflow as tf
one, (cpu,) = tf.config.LogicalDeviceConfiguration(), tf.config.list_physical_devices("CPU")
tf.config.set_logical_device_configuration(cpu, [one, one])
"""


def cluster(index, job="worker", **jobs):
    return json.dumps({"cluster": jobs, "task": {"type": job, "index": index}})


def process(code, **environ):
    environ = {key: value for key, value in os.environ.items() if key[:8] != "CAPTION_"} | environ
    pipe = subprocess.PIPE
    return subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, env=environ, stdout=pipe, stderr=pipe)


@pytest.mark.slow
def test_all_devices_are_used_whatever_backend_the_reader_has_set(tmp_path):
    (tmp_path / "keras.json").write_text(json.dumps({"backend": "jax"}))
    environ = {"KERAS_HOME": str(tmp_path), "KERAS_BACKEND": "torch", "CAPTION_DEVICES": "all"}
    out, _ = process(TWO_DEVICES + REPORT, **environ).communicate()
    said, added = out.decode().splitlines()
    assert json.loads(said) == ["tensorflow", "MirroredStrategy", 2, 1] and added == "4.0 1"


@pytest.mark.slow
def test_workers_wait_for_each_other_and_add_up():
    with socket.socket() as one, socket.socket() as two:
        one.bind(("127.0.0.1", 0)), two.bind(("127.0.0.1", 0))
        workers = [f"127.0.0.1:{place.getsockname()[1]}" for place in (one, two)]
    both = [process(REPORT, TF_CONFIG=cluster(n, worker=workers)) for n in (0, 1)]
    for number, (out, err) in enumerate(worker.communicate(timeout=120) for worker in both):
        assert not err, err.decode()
        waits, said, added = out.decode().splitlines()
        assert waits == f"worker {number} of 2 (0 is the first) waits for the others"
        assert json.loads(said) == ["tensorflow", "CollectiveAllReduceStrategy", 2, 2]
        assert added == "4.0 1"


@pytest.mark.slow
def test_start_says_nothing_and_then_any_character_can_be_printed():
    code = "from utils.session import start, strategy; start(); print('照片', chr(0xDC80)); "
    code += "import os, sys; print('照片', file=sys.stderr); print(os.environ['TF_FORCE_GPU_ALLOW_GROWTH'])"
    out, err = process(code, PYTHONIOENCODING="cp1252", PYTHONUTF8="0").communicate()
    assert out.decode().split() == ["照片", "?", "true"] and err.decode().split() == ["照片"]


def test_keras_loaded_with_another_backend_is_an_error_that_says_what_to_do(monkeypatch):
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    monkeypatch.setitem(sys.modules, "keras", SimpleNamespace(backend=SimpleNamespace(backend=lambda: "jax")))
    with pytest.raises(UserError, match="backend jax.*restart the kernel"):
        session.start()


@pytest.mark.parametrize(
    ("config", "place"),
    [
        ("", (0, 1)),
        (cluster(0, worker=["a:1"]), (0, 1)),
        (cluster(1, worker=["a:1", "b:1"]), (1, 2)),
        (cluster(0, chief=["a:1"], worker=["b:1"]), (1, 2)),
        (cluster(0, "chief", chief=["a:1"], worker=["b:1"]), (0, 2)),
    ],
    ids=["none", "alone", "second", "worker beside a chief", "chief"],
)
def test_which_worker_of_how_many_stands_in_tf_config(monkeypatch, config, place):
    monkeypatch.setenv("TF_CONFIG", config)
    assert session._place() == place and session.workers() == place[1]


@pytest.mark.parametrize("config", ["{", "[]", cluster(0, "ps", worker=["a:1"])])
def test_a_cluster_that_is_none_is_an_error_that_shows_one(monkeypatch, config):
    monkeypatch.setenv("TF_CONFIG", config)
    with pytest.raises(UserError, match='TF_CONFIG=.*"index": 0'):
        session.workers()


def test_in_colab_only_what_is_missing_is_installed(monkeypatch):
    commands = []
    monkeypatch.setattr("subprocess.run", lambda command, check: commands.append(command))
    session._install_missing()
    assert not commands

    def version(name):
        if name in ("jupyter", "keras", "latex2mathml", "nbval"):
            raise importlib.metadata.PackageNotFoundError

    monkeypatch.setattr("importlib.metadata.version", version)
    session._install_missing()
    assert [re.match(r"\w+", package)[0] for package in commands[0][5:]] == ["keras"]


def test_notebooks_import_nothing_that_colab_is_not_given():
    modules = [path for path in (ROOT / "utils").rglob("*.py") if path.stem != "notebooks"]
    sources = [path.read_text(encoding="utf-8") for path in modules]
    for file in (ROOT / "notebooks").rglob("[0-9][0-9]_*.ipynb"):
        cells = nbformat.read(file, as_version=4).cells
        sources += [cell.source for cell in cells if cell.cell_type == "code"]
    imported = set()
    for node in (node for source in sources for node in ast.walk(ast.parse(source))):
        if isinstance(node, ast.Import):
            imported |= {name.name.split(".")[0] for name in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            imported.add(node.module.split(".")[0])
    there = {"utils", "h5py", "IPython"}  # h5py comes with Keras, IPython with every notebook
    there |= {"sacrebleu", "pycocoevalcap"}  # notebook 6 goes on without
    others = imported - set(sys.stdlib_module_names) - there
    assert {{"PIL": "pillow"}.get(name, name) for name in others} <= set(session.IMPORTED)

"""How the code is laid out: one direction of imports, small files, lint, and what `make clean` keeps."""

import ast
import re
import shutil
import subprocess
import sys

import pytest

import utils
from utils.settings import ROOT

# As data flows: a module imports only from what stands before it here.
ORDER = """
    files settings session modelfile pictures
    datasets datasets.drawing datasets.sketch datasets.layout datasets.scattered datasets.words
    datasets.speakers datasets.scenes datasets.photos datasets.flickr datasets.own
    imagenet resnet vit encoders featurefile features
    characters text vocabulary decoders decoders.base decoders.gru decoders.lstm
    decoders.vector decoders.multihead decoders.transformer decoders.ensemble
    training runfolder runs decoding scores lexicon truth judging
    mistakes clinic checks studies studies.__main__ studies.mistakes studies.clinic studies.photographs
    studies.changes studies.choices studies.decoders studies.curve studies.encoders studies.photo_decoders
    fonts plots charts annotated diagrams parts schemes caption captioner notebooks pretrain
""".split()
FILES = {
    ".".join(path.relative_to(ROOT / "utils").with_suffix("").parts).removesuffix(".__init__"): path
    for path in (ROOT / "utils").rglob("*.py")
    if path.relative_to(ROOT / "utils").as_posix() not in ("__init__.py", "_modidx.py")
}


def imported(name, path):
    """The modules of `utils` that a module imports anywhere in it, also within functions."""
    package = ["utils", *name.split(".")]
    if path.stem != "__init__":
        package = package[:-1]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        modules = []
        if isinstance(node, ast.Import):
            modules = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            start = package[: len(package) - node.level + 1] if node.level else []
            module = ".".join([*start, *filter(None, [node.module])])
            modules = [module, *(f"{module}.{alias.name}" for alias in node.names)]
        yield from {module.removeprefix("utils.") for module in modules} & FILES.keys()


def test_imports_go_one_way():
    assert sorted(ORDER) == sorted(FILES)
    place = {name: number for number, name in enumerate(ORDER)}
    wrong = []
    for name, path in FILES.items():
        for other in set(imported(name, path)) - {name}:
            inside = path.stem == "__init__" and other.startswith(f"{name}.")  # a package gathers its modules
            if place[other] > place[name] and not inside:
                wrong.append(f"{name} imports {other}")
    assert not wrong


def test_the_package_says_what_its_modules_hold_in_that_order():
    said = re.findall(r"^(\w+)  +\S", utils.__doc__, re.M)
    assert said == list(dict.fromkeys(name.split(".")[0] for name in ORDER))


def test_no_file_is_long_but_the_drawing_and_no_function():
    long = []
    for name, path in FILES.items():
        text = path.read_text(encoding="utf-8")
        if len(text.splitlines()) > 300 and name != "datasets.drawing":
            long.append(f"{name}: {len(text.splitlines())} lines")
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef) and node.end_lineno - node.lineno >= 60:
                long.append(f"{name}.{node.name}: {node.end_lineno - node.lineno + 1} lines")
    assert not long


def test_ruff_finds_nothing():
    command = [sys.executable, "-m", "ruff", "check", "--no-cache", "--output-format=concise", "."]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.skipif(not shutil.which("make"), reason="there is no make here")
def test_make_clean_keeps_what_was_trained_and_clean_all_says_what_it_removes(tmp_path):
    shutil.copy(ROOT / "Makefile", tmp_path)
    kept = ["data/runs/a/captioner.keras", "data/runs/a/before/1f/captioner.keras", "data/README.md"]
    kept += ["data/features/a/features.npy", "data/scenes/images/1.png", "data/flickr8k/photos.zip"]
    for name in [*kept, ".venv/installed", ".venvs/3.10/installed", "utils/__pycache__/files.pyc"]:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("x")

    def make(target):
        result = subprocess.run(["make", target], cwd=tmp_path, capture_output=True, text=True, check=True)
        files = [path for path in tmp_path.rglob("*") if path.is_file() and path.name != "Makefile"]
        return result.stdout, {path.relative_to(tmp_path).as_posix() for path in files}

    assert make("clean")[1] == set(kept)
    said, left = make("clean-all")
    assert left == {"data/flickr8k/photos.zip", "data/README.md"}
    before, after = said.split("rm -rf data")
    assert "2 trained models" in before and "data/features" in before and "data/runs" in before

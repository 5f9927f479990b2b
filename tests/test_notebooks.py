"""The notebooks as they are stored: executed, clean, in step with `utils`, and really compared."""

import importlib.metadata
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbval.plugin import get_sanitize_patterns

from utils.notebooks import clean_outputs, main, to_html, write_badges
from utils.settings import ROOT, _install_missing

FILES = sorted((ROOT / "notebooks").glob("0*.ipynb"))
SOLUTIONS = sorted((ROOT / "notebooks" / "solutions").glob("0*.ipynb"))


def code_cells(file):
    return [cell for cell in nbformat.read(file, as_version=4).cells if cell.cell_type == "code"]


@pytest.mark.parametrize("file", FILES + SOLUTIONS, ids=lambda file: file.stem)
def test_stored_executed_and_clean(file):
    cells = code_cells(file)
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    for output in (output for cell in cells for output in cell.outputs):
        assert output.output_type != "error" and output.get("name") != "stderr"
    text = json.dumps([cell.outputs for cell in cells]) + "".join(cell.source for cell in cells)
    assert not re.search(rf"{re.escape(str(ROOT.parent))}/|/home/|/tmp/|Warning|WARNING|object at 0x", text)
    assert file.stat().st_size < 2_000_000


def test_nine_of_ten_outputs_are_compared():
    """Ignored cells count as not compared, and so do those of which `nbval.cfg` leaves nothing."""
    patterns = get_sanitize_patterns((ROOT / "tests" / "nbval.cfg").read_text(encoding="utf-8"))

    def compared(cell):
        text = "".join(output.get("text") or output.data.get("text/plain", "") for output in cell.outputs)
        for pattern, replacement in patterns:
            text = re.sub(pattern, replacement, text)
        return text.strip() and "nbval-ignore-output" not in cell.metadata.get("tags", [])

    cells = [cell for file in FILES + SOLUTIONS for cell in code_cells(file) if cell.outputs]
    assert sum(not compared(cell) for cell in cells) <= len(cells) / 10


@pytest.mark.parametrize("file", FILES[2:], ids=lambda file: file.stem)
def test_exported_cells_are_what_utils_holds(file):
    """In order, and nothing else beside the header that nbdev writes. Mend with `make export`."""
    cells = code_cells(file)
    module = re.search(r"^#\| default_exp (\w+)$", "\n".join(cell.source for cell in cells), re.M)[1]
    sources = [cell.source for cell in cells]
    exported = [source.removeprefix("#| export\n") for source in sources if source.startswith("#| export\n")]
    written = (ROOT / "utils" / f"{module}.py").read_text(encoding="utf-8")
    blocks = re.split(r"^# %% \.\./notebooks/.*\n", written, flags=re.M)[1:]
    plain = [re.sub(r"^from utils\.", "from .", source, flags=re.M).strip() for source in exported]
    assert [block.strip() for block in blocks] == plain


def test_progress_bars_and_stderr_are_cleaned_away():
    text = "one\n\x1b[1m1/2\x1b[0m\r\x1b[1m2/2\x1b[0m\ntwo\n"
    stream = {"output_type": "stream", "name": "stdout", "text": text}
    outputs = [nbformat.from_dict(output) for output in (stream, {**stream, "name": "stderr"})]
    cell = nbformat.v4.new_code_cell("x", outputs=outputs)
    notebook = nbformat.v4.new_notebook(cells=[cell])
    clean_outputs(notebook)
    assert [output.text for output in notebook.cells[0].outputs] == ["one\n2/2\ntwo\n"]


@pytest.mark.slow
def test_changing_one_stored_number_makes_nbval_fail(tmp_path):
    """On a few cells of notebook 6 that need no model: set-up, n-grams, clipping."""
    changes = {"stored": ("", ""), "number": ("2", "3"), "pair": ("(2, 4)", "(2, 5)")}
    exported = [f"#| export\n{start}" for start in ("import math", "def ngrams", "def matches")]
    kept = (*exported, "ngrams(", "hypothesis =", "matches(")
    for name, (old, new) in changes.items():
        notebook = nbformat.read(FILES[5], as_version=4)
        notebook.cells = [cell for cell in notebook.cells if cell.source.startswith(kept)]
        outputs = [output for cell in notebook.cells for output in cell.outputs]
        results = [output.data for output in outputs if "data" in output]
        changed = next(data for data in results if old in data["text/plain"])
        changed["text/plain"] = changed["text/plain"].replace(old, new, 1)
        nbformat.write(notebook, tmp_path / f"{name}.ipynb")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--nbval", "-c"]
    command += [str(ROOT / "pyproject.toml"), "--rootdir", str(ROOT), "-p", "conftest", str(tmp_path)]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert result.returncode == 1, result.stdout
    red = re.findall(r"^FAILED .*?(\w+)\.ipynb", result.stdout, re.M)
    assert sorted(red) == ["number", "pair"], result.stdout


def test_pages_need_no_network():
    page = to_html(nbformat.read(FILES[2], as_version=4))
    assert "<math" in page and not re.search(r'<script[^>]* src="http|\$\\alpha', page)


def address_of(file):
    """What a notebook says about where it comes from."""
    notebook = nbformat.read(file, as_version=4)
    found = re.findall(r'REPOSITORY = "(.*)"', "\n".join(cell.source for cell in notebook.cells))
    assert len(found) == 1
    link = r"colab.research.google.com/github/(.*?)/blob/main/notebooks/(.*?)\)"
    return found[0], re.findall(link, notebook.cells[0].source)


def test_all_notebooks_name_the_same_repository():
    assert len({address_of(file)[0] for file in FILES + SOLUTIONS}) == 1


@pytest.mark.slow
def test_opened_alone_in_colab_a_notebook_fetches_the_project(tmp_path):
    """With a stand-in for `google.colab`, and a repository on this disk in place of the one on GitHub."""
    remote, content = tmp_path / "remote", tmp_path / "content"
    shutil.copytree(ROOT / "utils", remote / "utils", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(ROOT / "notebooks", remote / "notebooks", ignore=shutil.ignore_patterns(".*"))
    shutil.copy(ROOT / "requirements.txt", remote)
    for _ in range(2):  # written twice, the badge stands there once
        write_badges("some-one/captions", remote / "notebooks")
    for file in FILES + SOLUTIONS:
        name = file.relative_to(ROOT / "notebooks").as_posix()
        address = ("https://github.com/some-one/captions", [("some-one/captions", name)])
        assert address_of(remote / "notebooks" / name) == address
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@b.c"]
    for command in (["init", "--quiet"], ["add", "--all"], ["commit", "--quiet", "--message=all"]):
        subprocess.run([*git, *command], cwd=remote, check=True)

    content.mkdir()
    rewrite = {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": f"url.file://{remote}.insteadOf"}
    rewrite["GIT_CONFIG_VALUE_0"] = "https://github.com/some-one/captions"
    for file in (FILES[0], SOLUTIONS[0]):
        name = file.relative_to(ROOT / "notebooks").as_posix()
        setup = next(cell.source for cell in code_cells(remote / "notebooks" / name))
        colab = "import sys; from unittest.mock import MagicMock as Mock\n"
        colab += "sys.modules |= {name: Mock() for name in ('google.colab', 'keras', 'tensorflow')}"
        show = "import utils; print(os.getcwd(), utils.__file__, sep='\\n')"
        command = [sys.executable, "-c", "\n".join([colab, setup, show])]
        run = subprocess.run(command, cwd=content, env=os.environ | rewrite, capture_output=True, text=True)
        assert run.returncode == 0, run.stderr[-1000:]
        *_, folder, package = run.stdout.splitlines()
        assert folder == str((content / "captioning" / "notebooks" / name).parent)
        assert Path(folder, package).resolve() == content / "captioning" / "utils" / "__init__.py"


def test_in_colab_only_what_is_missing_is_installed(monkeypatch):
    commands = []
    monkeypatch.setattr("subprocess.run", lambda command, check: commands.append(command))
    _install_missing()
    assert not commands

    def version(name):
        if name in ("pycocoevalcap", "keras"):
            raise importlib.metadata.PackageNotFoundError

    monkeypatch.setattr("importlib.metadata.version", version)
    _install_missing()
    assert [re.match(r"\w+", package)[0] for package in commands[0][5:]] == ["keras", "pycocoevalcap"]


def test_an_address_that_is_none_is_refused(capsys):
    assert main(["badges", "https://example.org"]) == 1
    assert "owner/name" in capsys.readouterr().err

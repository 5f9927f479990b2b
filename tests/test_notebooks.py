"""The notebooks as they are stored: executed, clean, in step with `utils`, and really compared."""

import json
import re
import subprocess
import sys

import nbformat
import pytest

from utils.notebooks import clean_outputs
from utils.settings import ROOT

FILES = sorted((ROOT / "notebooks").glob("0*.ipynb"))


def code_cells(file):
    return [cell for cell in nbformat.read(file, as_version=4).cells if cell.cell_type == "code"]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_stored_executed_and_clean(file):
    cells = code_cells(file)
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    for output in (output for cell in cells for output in cell.outputs):
        assert output.output_type != "error" and output.get("name") != "stderr"
    text = json.dumps([cell.outputs for cell in cells]) + "".join(cell.source for cell in cells)
    assert not re.search(rf"{re.escape(str(ROOT.parent))}/|/home/|/tmp/|Warning|object at 0x", text)
    ignored = sum("nbval-ignore-output" in cell.metadata.get("tags", []) for cell in cells)
    assert ignored <= len(cells) / 3
    assert file.stat().st_size < 2_000_000


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


def nbval(file):
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--nbval", "-c"]
    command += [str(ROOT / "pyproject.toml"), "--rootdir", str(ROOT), "-p", "conftest", str(file)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True)


@pytest.mark.parametrize("change", [None, ("2", "3"), ("(2, 4)", "(2, 5)")])
def test_changing_one_stored_number_makes_nbval_fail(change, tmp_path):
    """On a few cells of notebook 6 that need no model: set-up, n-grams, clipping."""
    notebook = nbformat.read(FILES[5], as_version=4)
    exported = [f"#| export\n{start}" for start in ("import math", "def ngrams", "def matches")]
    kept = (*exported, "ngrams(", "hypothesis =", "matches(")
    notebook.cells = [cell for cell in notebook.cells if cell.source.startswith(kept)]
    if change:
        outputs = [output for cell in notebook.cells for output in cell.outputs]
        results = [output for output in outputs if "data" in output]
        changed = [output.data for output in results if change[0] in output.data["text/plain"]]
        changed[0]["text/plain"] = changed[0]["text/plain"].replace(*change, 1)
    nbformat.write(notebook, tmp_path / "part.ipynb")
    result = nbval(tmp_path / "part.ipynb")
    assert result.returncode == (1 if change else 0), result.stdout
    assert not change or "1 failed" in result.stdout

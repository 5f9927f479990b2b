"""The notebooks as they are stored: executed, clean, in step with `utils`, and really compared."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import nbformat
import pytest
from nbval.plugin import get_sanitize_patterns

from utils import notebooks
from utils.files import UserError
from utils.notebooks import LAST_OF_PART_ONE, clean_outputs, main, notebook_files, to_html, write_badges
from utils.settings import ROOT, load_settings

FILES = notebook_files()
SOLUTIONS = notebook_files(ROOT / "notebooks" / "solutions")


def test_run_is_part_one_and_course_is_both(monkeypatch):
    ran = []
    monkeypatch.setattr(notebooks, "start", lambda: None)
    monkeypatch.setattr(notebooks, "run_notebooks", lambda settings, files: ran.append(files))
    monkeypatch.setattr(notebooks, "report", lambda settings, folder: "")
    assert main(["run"]) == main(["course"]) == 0 and main(["all"]) == 2
    assert ran == [FILES[:6], FILES] and len(FILES) > 6


def code_cells(file):
    return [cell for cell in nbformat.read(file, as_version=4).cells if cell.cell_type == "code"]


def test_all_notebooks_are_found_by_their_numbers_and_part_one_ends_with_six(tmp_path):
    for name in ("14_d", "06_b", "01_a", "07_c", "7_x", "notes"):
        (tmp_path / f"{name}.ipynb").touch()
    assert [file.stem for file in notebook_files(tmp_path)] == ["01_a", "06_b", "07_c", "14_d"]
    assert [file.stem for file in notebook_files(tmp_path, LAST_OF_PART_ONE)] == ["01_a", "06_b"]
    assert len(FILES) == len(SOLUTIONS) >= 6


@pytest.mark.parametrize("file", FILES + SOLUTIONS, ids=lambda file: file.stem)
def test_stored_executed_and_clean(file):
    cells = code_cells(file)
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    for output in (output for cell in cells for output in cell.outputs):
        assert output.output_type != "error" and output.get("name") != "stderr"
    text = json.dumps([cell.outputs for cell in cells]) + "".join(cell.source for cell in cells)
    assert not re.search(rf"{re.escape(str(ROOT.parent))}/|/home/|/tmp/|Warning|WARNING|object at 0x", text)
    assert file.stat().st_size < 2_000_000


@pytest.mark.parametrize("file", FILES + SOLUTIONS, ids=lambda file: file.stem)
def test_no_sentence_of_a_text_stands_there_twice(file):
    cells = [cell for cell in nbformat.read(file, as_version=4).cells if cell.cell_type == "markdown"]
    found = [one for cell in cells for one in re.split(r"(?<=[.?!:])\s+", cell.source) if len(one) > 40]
    assert [one for one in found if found.count(one) > 1] == []


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


def test_each_rule_for_numbers_that_move_has_some_to_move():
    """A rule that fits no stored output was left behind when a sentence changed."""
    text = "\n".join(
        output.get("text") or output.get("data", {}).get("text/plain", "")
        for file in FILES + SOLUTIONS
        for cell in code_cells(file)
        for output in cell.outputs
    )
    rules = get_sanitize_patterns((ROOT / "tests" / "nbval.cfg").read_text(encoding="utf-8"))
    # Rules that leave nothing are for what a reader's run prints and the stored one may not.
    assert not [pattern for pattern, replacement in rules if replacement and not re.search(pattern, text)]


def exported(file):
    """What a notebook's exported cells say, by the module they go to, with imports as nbdev writes them."""
    sources = [cell.source for cell in code_cells(file)]
    default = re.search(r"^#\| default_exp (\S+)$", "\n".join(sources), re.M)
    modules = {}
    for source in sources:
        if found := re.match(r"#\| export(?: (\S+))?\n", source):
            module = found[1] or default[1]
            folder = ".".join(["utils", *module.split(".")[:-1]])
            code = source[found.end() :]
            for place, dots in ((folder, "."), ("utils", ".." if folder != "utils" else ".")):
                code = re.sub(rf"^from {place}(?:\.(?=\w)|(?= import))", f"from {dots}", code, flags=re.M)
            modules.setdefault(module, []).append(code.strip())
    return modules


EXPORTS = [(file, module) for file in FILES for module in exported(file)]


@pytest.mark.parametrize(("file", "module"), EXPORTS, ids=[module for _, module in EXPORTS])
def test_exported_cells_are_what_utils_holds(file, module):
    """In order, and nothing else beside the header that nbdev writes. Mend with `make export`."""
    written = (ROOT / "utils" / f"{module.replace('.', '/')}.py").read_text(encoding="utf-8")
    head, *blocks = re.split(rf"^# %% [./]+/notebooks/{file.name}.*\n", written, flags=re.M)
    assert [block.strip() for block in blocks] == exported(file)[module]
    assert head.startswith("# AUTOGENERATED! DO NOT EDIT!") and file.name in head


def test_exported_modules_come_from_one_notebook_each():
    modules = [module for _, module in EXPORTS]
    assert len(set(modules)) == len(modules)
    written = {path for path in (ROOT / "utils").rglob("*.py") if "AUTOGENERATED" in path.read_text("utf-8")}
    assert written == {ROOT / "utils" / f"{module.replace('.', '/')}.py" for module in modules}


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
    """On a few cells of notebook 6 that need no model: n-grams and clipping."""
    changes = {"stored": ("", ""), "number": ("2", "3"), "pair": ("(2, 4)", "(2, 5)")}
    exported = [f"#| export\n{start}" for start in ("import math", "def ngrams", "def matches")]
    kept = (*exported, "ngrams(", "hypothesis =", "matches(")
    for name, (old, new) in changes.items():
        notebook = nbformat.read(ROOT / "notebooks" / "06_bleu_evaluation.ipynb", as_version=4)
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
    page = to_html(nbformat.read(ROOT / "notebooks" / "03_attention_decoder.ipynb", as_version=4))
    assert "<math" in page and not re.search(r'<script[^>]* src="http|\$\\alpha', page)


def setup_of(file):
    return next(cell.source for cell in code_cells(file) if cell.id != "in-colab")


def test_the_set_up_cell_is_short_and_the_same_in_all_notebooks():
    sources = {setup_of(file) for file in FILES + SOLUTIONS}
    assert len(sources) == 1 and len(sources.pop().split("\n")) <= 8


@pytest.fixture(scope="module")
def remote(tmp_path_factory):
    """A repository on this disk in place of the one on GitHub, its notebooks with their badges."""
    folder = tmp_path_factory.mktemp("remote")
    shutil.copytree(ROOT / "utils", folder / "utils", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(ROOT / "notebooks", folder / "notebooks", ignore=shutil.ignore_patterns(".*"))
    shutil.copy(ROOT / "requirements.txt", folder)
    for name in ("other/name", "some-one/captions"):  # written twice, badge and cell stand there once
        write_badges(name, folder / "notebooks")
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@b.c"]
    for command in (["init", "--quiet"], ["add", "--all"], ["commit", "--quiet", "--message=all"]):
        subprocess.run([*git, *command], cwd=folder, check=True)
    return folder


def test_badges_name_the_notebook_and_its_repository(remote):
    for file in FILES + SOLUTIONS:
        name = file.relative_to(ROOT / "notebooks").as_posix()
        cells = nbformat.read(remote / "notebooks" / name, as_version=4).cells
        link = r"colab.research.google.com/github/(.*?)/blob/main/notebooks/(.*?)\)"
        assert re.findall(link, cells[0].source) == [("some-one/captions", name)]
        code = [cell for cell in cells if cell.cell_type == "code"]
        assert [cell.id == "in-colab" for cell in code] == [True] + [False] * (len(code) - 1)
        assert "github.com/some-one/captions captioning" in code[0].source
        assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))


def run_cells(cells, folder, colab, **environ):
    """Run cells in a folder as IPython does, with stand-ins for what takes long to import."""
    stand_in = "import sys; from unittest.mock import MagicMock as Mock; keras = Mock()\n"
    stand_in += "keras.backend.backend.return_value = 'tensorflow'\n"
    stand_in += "sys.modules |= {'keras': keras, 'tensorflow': Mock()}\n"
    stand_in += "sys.modules['google.colab'] = Mock()\n" if colab else ""
    show = "import utils; print(Path(utils.__file__).resolve().parent.parent)"
    command = [sys.executable, "-m", "IPython", "--no-banner", "-c", "\n".join([stand_in, *cells, show])]
    return subprocess.run(command, cwd=folder, env=os.environ | environ, capture_output=True, text=True)


@pytest.mark.slow
def test_opened_alone_in_colab_a_notebook_fetches_the_project(tmp_path, remote):
    sources = [cell.source for cell in code_cells(remote / "notebooks" / FILES[0].name)[:2]]
    rewrite = {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": f"url.file://{remote}.insteadOf"}
    rewrite["GIT_CONFIG_VALUE_0"] = "https://github.com/some-one/captions"
    for _ in range(2):  # the second time it is there
        run = run_cells([sources[0], *sources], tmp_path, colab=True, **rewrite)  # nor twice in one session
        assert run.returncode == 0, run.stderr[-1000:]
        assert run.stdout.splitlines()[-1] == str(tmp_path / "captioning")
    again = run_cells(sources, remote / "notebooks", colab=False, **rewrite)  # it could be fetched
    assert again.stdout.splitlines()[-1] == str(remote) and not (remote / "notebooks/captioning").exists()


@pytest.mark.slow
def test_a_notebook_finds_the_project_from_any_folder_in_it():
    for folder in (ROOT, ROOT / "notebooks" / "solutions"):
        assert run_cells([setup_of(FILES[0])], folder, False).stdout.splitlines()[-1] == str(ROOT)


def test_an_address_that_is_none_is_refused(capsys):
    assert main(["badges", "https://example.org"]) == 1
    assert "owner/name" in capsys.readouterr().err


def test_kernels_get_the_settings_of_the_run_and_no_others(tmp_path, monkeypatch):
    monkeypatch.setenv("CAPTION_LATER", "x")
    monkeypatch.chdir(tmp_path)
    tmp_path.joinpath("pictures").mkdir()
    tmp_path.joinpath("net.keras").touch()
    environ = {"DATASET": "pictures", "ENCODER": "net.keras", "DECODER": "lstm", "DATA_DIR": "data"}
    environ |= {"RUN_DIR": "run", "SEED": "0", "EPOCHS": "3", "DEVICES": "all", "LIMIT": "40"}
    settings = load_settings({f"CAPTION_{name}": value for name, value in environ.items()})
    passed = notebooks._environment(settings)
    monkeypatch.chdir("/")  # kernels start elsewhere
    assert load_settings(passed) == settings
    assert {name for name in passed if name[:8] == "CAPTION_"} == {f"CAPTION_{name}" for name in environ}
    assert passed["PATH"] == os.environ["PATH"]


def stored(folder, *sources):
    cells = [nbformat.v4.new_code_cell(source) for source in sources]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), folder / "01_a.ipynb")
    return [folder / "01_a.ipynb"]


@pytest.mark.slow
def test_a_run_leaves_the_executed_notebooks_and_ends_with_the_error_of_a_cell(tmp_path):
    settings = load_settings({"CAPTION_RUN_DIR": str(tmp_path / "run"), "CAPTION_SEED": "5"})
    files = stored(tmp_path, "import os; print(os.environ['CAPTION_SEED'])", "raise ValueError('no luck')")
    with pytest.raises(UserError, match="ValueError: no luck(.|\n)*run/notebooks/01_a.ipynb"):
        notebooks.run_notebooks(settings, files)
    first, second = code_cells(tmp_path / "run" / "notebooks" / "01_a.ipynb")
    assert first.outputs[0].text == "5\n" and second.outputs[0].ename == "ValueError"
    assert "no luck" in (tmp_path / "run" / "notebooks" / "01_a.html").read_text(encoding="utf-8")


def test_the_report_shows_captions_beside_references_and_all_scores(tmp_path, monkeypatch):
    dataset = SimpleNamespace(path=Path, captions={"1.png": ["a dog", "one dog"]})
    monkeypatch.setattr("utils.datasets.load_dataset", lambda settings: dataset)
    (tmp_path / "captions.json").write_text(json.dumps({"1.png": {"greedy": "a cat", "beam": "a cow"}}))
    row = {"bleu1": 0.5, "bleu2": 0.4, "bleu3": 0.3, "bleu4": 0.2, "cider": 1.234, "rouge": 0.6}
    scores = {"split": "test", "images": 1, "references_per_image": 2.0, "greedy": row, "blank": row}
    scores |= {"beam": {"width": 5, **row}, "persons": {**row, "cider": 2.5}}
    (tmp_path / "bleu.json").write_text(json.dumps(scores))
    text = notebooks.report(load_settings({"CAPTION_RUN_DIR": str(tmp_path)}), tmp_path)
    assert "greedy     a cat\n  beam       a cow\n  reference  a dog\n  reference  one dog" in text
    rows = [line.split() for line in text.splitlines() if re.search("BLEU|0.500", line)]
    assert rows[0] == ["1", "test", "pictures", "BLEU-1", "BLEU-2", "BLEU-3", "BLEU-4", "CIDEr-D"]
    assert rows[2] == ["beam", "5", "0.500", "0.400", "0.300", "0.200", "1.234"]
    assert rows[4][-1] == "2.500" and len({len(line) for line in text.splitlines() if "0.500" in line}) == 1
    assert "truth" not in text

    facts = dict.fromkeys(notebooks.TRUTH, 0.25) | {"size": None, "stated": 8.5}
    truth = {row: facts for row in ("greedy", "beam", "speakers")}
    truth["novel"] = {**truth, "beam": {**facts, "color": 0.75}}
    (tmp_path / "truth.json").write_text(json.dumps({"split": "test", "images": 1, **truth}))
    text = notebooks.report(load_settings({"CAPTION_RUN_DIR": str(tmp_path)}), tmp_path)
    lines = [line for line in text.splitlines() if re.search("truth|8.500", line)]
    assert len(lines) == 7 and len({len(line) for line in lines}) == 1
    size, color = (lines[0].index(name) + len(name) for name in ("size", "color"))
    assert lines[1].startswith("greedy ") and lines[1][size - 1] == "-"
    assert lines[1][color - 5 : color] == "0.250"
    assert lines[5].startswith("beam, novel") and lines[5][color - 5 : color] == "0.750"

"""Run the notebooks from the command line: `python -m utils.notebooks run | course | store | badges`.

`run` runs those of Part I, `course` those of both Parts; they leave them executed, as ipynb and HTML, in the
run folder and print what came out. `store` runs all, and the solutions to their exercises, on the drawn
scenes, from nothing, and writes them back to `notebooks/` with clean outputs. `badges owner/name` makes them
open in Colab.
"""

from __future__ import annotations

import copy
import json
import os
import re
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import nbformat
from latex2mathml.converter import convert
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, DeadKernelError
from nbconvert import HTMLExporter
from nbconvert.preprocessors import CoalesceStreamsPreprocessor

from utils.files import UserError, alone_in, exit_status, write_text
from utils.session import start
from utils.settings import ROOT, Settings, load_settings

NOTEBOOKS = ROOT / "notebooks"
LAST_OF_PART_ONE = 6
SCORES = {"bleu1": "BLEU-1", "bleu2": "BLEU-2", "bleu3": "BLEU-3", "bleu4": "BLEU-4", "cider": "CIDEr-D"}
TRUTH = "invented left_out color size count relation place weather wholly_true stated".split()


def notebook_files(folder: Path = NOTEBOOKS, last: int | None = None) -> list[Path]:
    """The notebooks of a folder in order, up to the one with the number `last`."""
    files = sorted(folder.glob("[0-9][0-9]_*.ipynb"))
    return [file for file in files if last is None or int(file.name[:2]) <= last]


def run_notebooks(settings: Settings, files: list[Path]) -> Path:
    """Run these notebooks in order under these settings; returns the folder of the executed ones.

    Raises UserError with the error of the first cell that fails.
    """
    folder = settings.run_dir / "notebooks"
    with alone_in(folder):
        for file in files:
            _run_notebook(file, folder, _environment(settings))
    return folder


def _environment(settings: Settings) -> dict[str, str]:
    # Of the kernels, which start in `notebooks/`: a path relative to here would lead elsewhere there.
    values = {
        "DATASET": settings.folder or settings.dataset,
        "ENCODER": settings.encoder,
        "DECODER": settings.decoder,
        "DATA_DIR": settings.data_dir,
        "RUN_DIR": settings.run_dir,
        "SEED": settings.seed,
        "EPOCHS": settings.recipe.epochs,
        "DEVICES": settings.devices,
        "LIMIT": settings.limit or "",
    }
    others = {name: value for name, value in os.environ.items() if not name.startswith("CAPTION_")}
    return others | {f"CAPTION_{name}": str(value) for name, value in values.items()}


def _run_notebook(file: Path, folder: Path, environment: dict[str, str]) -> None:
    notebook = nbformat.read(file, as_version=4)
    started = time.monotonic()

    client = NotebookClient(
        notebook,
        timeout=None,
        resources={"metadata": {"path": str(file.parent)}},
        on_cell_execute=partial(_show_progress, file.stem, len(notebook.cells), started),
        record_timing=False,
        extra_arguments=["--log-level=ERROR"],
    )
    failure = None
    try:
        client.execute(env=environment)
    except CellExecutionError as error:
        if error.ename == "KeyboardInterrupt":
            raise KeyboardInterrupt from None
        # Colour codes and the frames above a UserError help nobody in a terminal.
        failure = re.sub(r"\x1b\[[0-9;]*m", "", f"{error.ename}: {error.evalue}")
    except DeadKernelError:
        failure = f"The Python process of {file.name} died (no memory left?). Run this again to go on."
    except Exception:
        if client.km is None:  # on Ctrl-C nbclient ends the kernel, then stumbles over its absence
            raise KeyboardInterrupt from None
        raise
    print(f"\r{file.stem:<22} {time.monotonic() - started:5.0f} s" + " " * 20, flush=True)
    clean_outputs(notebook)
    write_text(folder / file.name, nbformat.writes(notebook) + "\n")
    write_text(folder / f"{file.stem}.html", to_html(notebook))
    if failure:
        raise UserError(f"{failure}\nThe notebook up to the cell that failed: {folder / file.name}")


def to_html(notebook: nbformat.NotebookNode) -> str:
    """The notebook as one page that needs no network: formulas as MathML, which browsers draw themselves."""

    def mathml(match: re.Match) -> str:
        block, inline = match.groups()
        return convert(block or inline, display="block" if block else "inline")

    notebook = copy.deepcopy(notebook)
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            parts = re.split(r"(`[^`]*`)", cell.source)  # a dollar in code is a dollar
            formula = r"\$\$(.+?)\$\$|\$([^$\n]+?)\$"
            parts[::2] = [re.sub(formula, mathml, part, flags=re.S) for part in parts[::2]]
            cell.source = "".join(parts)
    return HTMLExporter(mathjax_url="", require_js_url="").from_notebook_node(notebook)[0]


def _show_progress(name: str, count: int, started: float, cell: object, cell_index: int) -> None:
    seconds = time.monotonic() - started
    print(f"\r{name:<22} {seconds:5.0f} s, cell {cell_index + 1} of {count} ", end="", flush=True)


def clean_outputs(notebook: nbformat.NotebookNode) -> None:
    """Leave in the outputs what a reader would see: no stderr, progress bars as they were at the end."""
    notebook.metadata = {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}}
    for cell in notebook.cells:
        if cell.cell_type != "code":
            continue
        cell.outputs = [output for output in cell.outputs if output.get("name") != "stderr"]
        CoalesceStreamsPreprocessor().preprocess_cell(cell, {}, 0)
        for output in cell.outputs:
            if output.output_type == "stream":
                output.text = re.sub(r"\x1b\[[0-9;]*m|[^\n]*\r(?=[^\n])|[\r\b]", "", output.text)
                output.text = output.text.replace(str(Path.home()), "~")


def report(settings: Settings, folder: Path) -> str:
    """What a run made, in words: three captions beside their references, the scores, and where to look."""
    from utils.datasets import load_dataset  # loads TensorFlow, which `start` has kept quiet by now

    dataset = load_dataset(settings)
    captions = json.loads((settings.run_dir / "captions.json").read_text(encoding="utf-8"))
    scores = json.loads((settings.run_dir / "bleu.json").read_text(encoding="utf-8"))
    lines = []
    for name in list(captions)[:: max(1, len(captions) // 3)][:3]:
        lines += ["", str(dataset.path(name)), f"  greedy     {captions[name]['greedy']}"]
        lines += [f"  beam       {captions[name]['beam']}"]
        lines += [f"  reference  {reference}" for reference in dataset.captions[name]]
    head = f"{scores['images']} {scores['split']} pictures"
    lines += ["", f"{head:<19}" + "".join(f"{name:>9}" for name in SCORES.values())]
    labels = {"greedy": "greedy", "beam": f"beam {scores['beam']['width']}", "blank": "blank picture"}
    labels |= {"speakers": "another speaker", "persons": "another person"}
    for method, label in labels.items():
        if method in scores:
            lines.append(f"{label:<19}" + "".join(f"{scores[method][key]:9.3f}" for key in SCORES))
    if (settings.run_dir / "truth.json").exists():
        lines += _report_truth(json.loads((settings.run_dir / "truth.json").read_text(encoding="utf-8")))
    lines += ["", "Executed notebooks, as ipynb and HTML:", f"  {folder}"]
    return "\n".join(lines)


def _report_truth(truth: dict) -> list[str]:
    lines = ["", f"{'truth':<19}" + "".join(f"{name.replace('_', ' '):>12}" for name in TRUTH)]
    for split, rows in (("", truth), (", novel", truth["novel"])):
        for row in ("greedy", "beam", "speakers"):
            numbers = (rows[row][name] for name in TRUTH)
            shown = (f"{'-' if number is None else format(number, '.3f'):>12}" for number in numbers)
            lines.append(f"{row + split:<19}" + "".join(shown))
    return lines


def store() -> None:
    """Run all notebooks and the solutions on the drawn scenes, from nothing; write them back."""
    with tempfile.TemporaryDirectory() as folder:
        places = {"DATA_DIR": Path(folder), "RUN_DIR": Path(folder) / "runs" / "scenes-vgg16-slim-gru"}
        settings = load_settings({f"CAPTION_{name}": str(path) for name, path in places.items()})
        for files in (notebook_files(), notebook_files(NOTEBOOKS / "solutions")):
            executed = run_notebooks(settings, files)
            for file in files:
                write_text(file, (executed / file.name).read_text(encoding="utf-8"))


IN_COLAB = """\
# Colab opens a notebook without its project: this cell fetches it. Anywhere else it does nothing.
import sys
from pathlib import Path

if "google.colab" in sys.modules and not Path("utils").exists():
    !test -d captioning || git clone --quiet --depth=1 https://github.com/{} captioning
    %cd -q captioning"""


def write_badges(repository: str, notebooks: Path = NOTEBOOKS) -> None:
    """Write the address of the repository (`owner/name` on GitHub) into all notebooks: a badge below the
    title that opens the notebook in Colab, and a first cell that fetches the project there.

    Raises UserError when `repository` is not of that form.
    """
    if not re.fullmatch(r"[\w.-]+/[\w.-]+", repository):
        raise UserError(f"REPO={repository!r}: give owner/name, as in the repository's address on GitHub.")
    colab = f"https://colab.research.google.com/github/{repository}/blob/main/notebooks"
    for file in [*notebook_files(notebooks), *notebook_files(notebooks / "solutions")]:
        link = f"{colab}/{file.relative_to(notebooks).as_posix()}"
        badge = f"[![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)]({link})"
        notebook = nbformat.read(file, as_version=4)
        title, *rest = re.sub(r"\n\[!\[Open in Colab\].*\n?", "", notebook.cells[0].source).split("\n", 1)
        notebook.cells[0].source = "\n".join([title, "", badge, *rest])
        cells = [cell for cell in notebook.cells if cell.id != "in-colab"]
        first = next(number for number, cell in enumerate(cells) if cell.cell_type == "code")
        fetch = nbformat.v4.new_code_cell(IN_COLAB.format(repository), id="in-colab")
        notebook.cells = [*cells[:first], fetch, *cells[first:]]
        for number, cell in enumerate((cell for cell in notebook.cells if cell.cell_type == "code"), 1):
            cell.execution_count = number  # as a reader's Run All would count, and nbval compares no other
            for output in cell.outputs:
                if output.output_type == "execute_result":
                    output.execution_count = number
        write_text(file, nbformat.writes(notebook) + "\n")


def main(arguments: list[str]) -> int:
    commands: dict[str, Callable[[], None]] = {"store": store, "run": partial(_run, LAST_OF_PART_ONE)}
    commands["course"] = partial(_run, None)
    if len(arguments) == 1 and arguments[0] in commands:
        return exit_status(commands[arguments[0]])
    if len(arguments) == 2 and arguments[0] == "badges":
        return exit_status(lambda: write_badges(arguments[1]))
    print("Usage: python -m utils.notebooks run | course | store | badges owner/name", file=sys.stderr)
    return 2


def _run(last: int | None) -> None:
    settings = start()
    print(settings, flush=True)
    print(report(settings, run_notebooks(settings, notebook_files(last=last))))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

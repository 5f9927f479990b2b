"""Run a study from the command line: `python -m utils.studies 04_mistakes`."""

from __future__ import annotations

import os
import sys

from utils.files import exit_status
from utils.studies import FOLDER, STUDIES, run_study, shown


def main(arguments: list[str]) -> int:
    """Run the study named; returns the exit status."""
    if len(arguments) != 1:
        print(f"say which study: python -m utils.studies {'|'.join(STUDIES)}", file=sys.stderr)
        return 2
    return exit_status(lambda: _run(arguments[0]))


def _run(name: str) -> None:
    # So that the command alone does; where other settings are made, it says which ones the study wants.
    for variable, value in zip(("CAPTION_DATASET", "CAPTION_ENCODER"), STUDIES.get(name, ("", "", ""))[1:]):
        os.environ.setdefault(variable, value)
    run_study(name)
    print(shown(name))
    print(f"stored in {FOLDER / name}.json")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

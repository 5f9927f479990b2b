"""Run a study from the command line: `python -m utils.studies 04_mistakes`."""

from __future__ import annotations

import sys

from utils.files import UserError
from utils.studies import FOLDER, STUDIES, run_study


def main(arguments: list[str]) -> int:
    """Run the study named; returns the exit status."""
    if len(arguments) != 1:
        print(f"say which study: python -m utils.studies {'|'.join(STUDIES)}", file=sys.stderr)
        return 2
    try:
        run_study(arguments[0])
    except UserError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nstopped; the same command goes on from here", file=sys.stderr)
        return 130
    print(f"stored in {FOLDER / arguments[0]}.json")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

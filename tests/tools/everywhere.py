"""The same answer everywhere? `make everywhere` runs all notebooks in many settings and prints a table.

Python 3.10 with the lowest versions that requirements.txt admits, 3.11 to 3.13 with the highest; one thread
and two; oneDNN on and off; backwards; without a network; with a read-only data folder; under a path with
spaces; each notebook alone from an empty run folder. Takes an hour on two cores. Ends with 1 when one is not
green. `python -m tests.tools.everywhere 3.12 alone` runs only the settings with one of these words in their
names.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
VENVS = ROOT / ".venvs"
SETTINGS = [
    "3.10, lowest versions, oneDNN 0, 1 thread, backwards",
    "3.11, highest versions, oneDNN 1, 2 threads, path with spaces",
    "3.12, highest versions, oneDNN 0, 2 threads, no network, read-only data",
    "3.13, highest versions, oneDNN 1, 1 thread",
]

LOOPBACK = """
import fcntl, os, socket, struct, sys
up = struct.pack("16sh14x", b"lo", 1)  # Jupyter talks to its kernels through 127.0.0.1: only that is left
fcntl.ioctl(socket.socket(), 0x8914, up)  # SIOCSIFFLAGS
os.execv(sys.argv[1], sys.argv[1:])
"""


def python(version: str) -> str | None:
    """An interpreter of this version, if there is one."""
    places = [shutil.which(f"python{version}"), *Path.home().glob(f".pyenv/versions/{version}.*/bin/python3")]
    for place in filter(None, places):
        said = subprocess.run([place, "--version"], capture_output=True, text=True)
        if said.returncode == 0 and said.stdout.startswith(f"Python {version}."):
            return str(place)
    return None


def environment(version: str, ends: str) -> Path | None:
    """The interpreter of a virtual environment with the lowest or highest versions, made if there is none."""
    folder = VENVS / f"{version}-{ends}"
    requirements = [ROOT / "requirements.txt", ROOT / "tests" / "requirements.txt"]
    newest, installed = max(file.stat().st_mtime for file in requirements), folder / "installed"
    if not installed.exists() or installed.stat().st_mtime < newest:
        interpreter = python(version)
        if not interpreter:
            return None
        lines = [line for file in requirements for line in file.read_text(encoding="utf-8").splitlines()]
        packages = [line for line in lines if line and line[0] not in "#-"]
        if ends == "lowest":
            packages = [line.split(",")[0].replace(">=", "==") for line in packages]
        subprocess.run([interpreter, "-m", "venv", "--clear", str(folder)], check=True)
        subprocess.run([folder / "bin" / "python", "-m", "pip", "install", "--quiet", *packages], check=True)
        installed.touch()
    return folder / "bin" / "python"


def compare(interpreter: Path, files: list[str], options: str, scratch: Path) -> str:
    """pytest's last line on these notebooks, in a fresh clone."""
    clone = scratch / ("a path with spaces" if "spaces" in options else "clone")
    shutil.rmtree(clone, ignore_errors=True)
    subprocess.run(["git", "clone", "--quiet", str(ROOT), str(clone)], check=True)
    data = clone / "data"
    before = sorted(data.rglob("*"))
    if "read-only" in options:
        for path in [*before, data]:
            path.chmod(path.stat().st_mode & ~0o222)
    environ = os.environ | {"TF_ENABLE_ONEDNN_OPTS": "0" if "oneDNN 0" in options else "1"}
    threads = re.search(r"(\d) thread", options)
    for name in ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS", "OMP_NUM_THREADS") if threads else ():
        environ[name] = threads[1]
    cut_off = ["unshare", "--map-root-user", "--net", sys.executable, "-c", LOOPBACK]
    start = cut_off if "no network" in options else []
    command = [*start, str(interpreter), "-m", "pytest", "--nbval", "-q", "-p", "no:cacheprovider", *files]
    result = subprocess.run(command, cwd=clone, env=environ, capture_output=True, text=True)
    red = re.findall(r"^(?:FAILED|ERROR) .*", result.stdout, re.M)
    if "read-only" in options and sorted(data.rglob("*")) != before:
        red.append("FAILED: the data folder has changed")
    last = result.stdout.strip().splitlines()[-1] if result.stdout.strip() else result.stderr[-300:]
    return "\n".join(["BAD " + last, *red]) if red or result.returncode else "ok  " + last


def main(words: list[str]) -> int:
    notebooks = (ROOT / "notebooks").rglob("[0-9][0-9]_*.ipynb")
    files = sorted(path.relative_to(ROOT).as_posix() for path in notebooks)
    wanted = [(setting, files[::-1] if "backwards" in setting else files) for setting in SETTINGS]
    wanted += [(f"3.11, highest versions, alone: {Path(file).stem}", [file]) for file in files]
    bad = 0
    with tempfile.TemporaryDirectory(prefix="everywhere-") as scratch:
        for setting, chosen in wanted:
            if words and not any(word in setting for word in words):
                continue
            version, ends, *_ = re.split(r",? ", setting)
            interpreter, started = environment(version, ends), time.monotonic()
            if not interpreter:
                print(f"---  {setting}: there is no Python {version} here", flush=True)
                continue
            said = compare(interpreter, chosen, setting, Path(scratch))
            bad += said.startswith("BAD")
            print(f"{said[:4]} {setting}: {said[4:]} ({time.monotonic() - started:.0f} s)", flush=True)
    return int(bad > 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

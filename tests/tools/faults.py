"""What does a reader see when something goes wrong? `make faults` makes it go wrong, and prints a table.

Real processes, killed at random moments; real full disks, where one may be mounted; real damaged files. Of
every fault: the program ends with a clear message and an exit code, never with a stack trace; and where there
is work to go on with, the next run ends with the same bytes as one that nothing happened to. Ends with 1 when
one does not. `python -m tests.tools.faults zips clock` does only these; their names stand in `main`.
"""

from __future__ import annotations

import contextlib
import hashlib
import http.server
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
KILLS = 5  # of each program, before it may finish
EPOCHS = {"CAPTION_EPOCHS": "2"}
ZIPS = "Flickr8k_Dataset.zip", "Flickr8k_text.zip"


real_time = time.time


# ---- the programs that things happen to: what the notebooks call, in processes of their own
def child(stage: str, *options: str) -> None:
    from utils.files import UserError
    from utils.session import start

    if "clock backwards" in options:
        now = time.time()
        time.time = lambda: 2 * now - real_time()
    try:
        settings = start()
        from utils.datasets import flickr, load_dataset
        from utils.encoders import load_encoder
        from utils.features import extract_features
        from utils.runs import train

        flickr.RELEASE = os.environ.get("FAULTS_RELEASE", "http://127.0.0.1:1/")
        if stage in ("drawing", "download"):
            print("BEGIN", flush=True)
        dataset = load_dataset(settings)
        if stage == "features":
            print("BEGIN", flush=True)
        if stage in ("features", "training"):
            cache = extract_features(dataset, load_encoder(settings.encoder), settings.features_dir)
        if stage == "training":
            print("BEGIN", flush=True)
            train(settings, dataset, cache)
        print("END", flush=True)
    except UserError as error:
        sys.exit(str(error))


class Program:
    """One of the programs above, or the notebooks, in folders of its own."""

    def __init__(self, stage: str, scratch: Path, options: tuple[str, ...] = (), **environ: str) -> None:
        self.stage, self.options = stage, options
        self.data, self.run_dir = scratch / "data", scratch / "run"
        self.environ = {name: value for name, value in os.environ.items() if name[:8] != "CAPTION_"}
        self.environ |= {"CAPTION_DATA_DIR": str(self.data), "CAPTION_RUN_DIR": str(self.run_dir)}
        self.environ |= {"CAPTION_DATASET": "flickr8k" if stage == "download" else "scenes"}
        self.environ |= EPOCHS | environ
        self.data.mkdir(parents=True, exist_ok=True)

    def start(self) -> subprocess.Popen:
        module = ["utils.notebooks", "run"]
        if self.stage != "notebooks":
            module = ["tests.tools.faults", "child", self.stage, *self.options]
        command = [sys.executable, "-m", *module]
        pipe = subprocess.PIPE
        return subprocess.Popen(
            command, cwd=ROOT, env=self.environ, stdout=pipe, stderr=pipe, text=True, start_new_session=True
        )

    def run(self) -> tuple[int, str, str]:
        process = self.start()
        out, err = process.communicate()
        return process.returncode, out, err

    def seconds(self) -> float:
        """Run it; how long the stage itself took."""
        process, started = self.start(), time.monotonic()
        for line in process.stdout:
            if line == "BEGIN\n":
                started = time.monotonic()
        assert process.wait() == 0, process.stderr.read()
        return time.monotonic() - started

    def kill(self, after: float, how: int = signal.SIGKILL) -> tuple[int, str]:
        """Run it and kill it, all its processes, this many seconds into the stage."""
        process = self.start()
        if self.stage != "notebooks":
            for line in process.stdout:
                if line == "BEGIN\n":
                    break
        threading.Thread(target=process.stdout.read, daemon=True).start()  # a full pipe would hold it up
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(after)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, how)
        return process.wait(), process.stderr.read()

    def made(self) -> dict[str, str]:
        """What there is afterwards: a digest of every file whose bytes should be the same each time."""
        digests = {}
        for file in sorted([*self.data.rglob("*"), *self.run_dir.rglob("*")]):
            content = file.read_bytes() if file.is_file() else b""
            if file.is_dir() or ".part" in file.suffixes:  # a kill may leave one, which nobody reads
                continue
            if "before" in file.relative_to(self.data.parent).parts:  # a run that was put aside
                continue
            # Files that hold times, or the order of a zip's members.
            if file.suffix in (".keras", ".html", ".ipynb") or file.name == "source.json":
                continue
            if file.name == "history.csv":
                content = b"\n".join(line.rpartition(b",")[0] for line in content.splitlines())
            digests[file.name] = hashlib.sha256(content).hexdigest()
        if (self.run_dir / "captioner.keras").exists():
            digests["captioner.keras"] = weights_digest(self.run_dir / "captioner.keras")
        return digests


def weights_digest(file: Path) -> str:
    """Of the numbers in a saved model; the file around them holds the time of day."""
    code = "import pathlib, sys, utils.decoders as d, utils.encoders as e; "
    code += "print(e.weights_fingerprint(d.load_decoder(pathlib.Path(sys.argv[1]))))"
    command = [sys.executable, "-c", code, str(file)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()


# ---- the table
FAILED: list[str] = []


def row(fault: str, right: bool, seen: str) -> None:
    if not right:
        FAILED.append(fault)
    print(f"{'ok ' if right else 'BAD'}  {fault:<46} {seen}", flush=True)


def message(code: int, err: str, *names: str) -> bool:
    """Whether this is how a program should end that can't go on."""
    return code != 0 and "Traceback" not in err and all(name in err for name in names)


def short(err: str) -> str:
    """The last message, on one line, without the scratch folder."""
    text = " ".join(err.strip().splitlines()[-3:])
    return (text[:150] + "...") if len(text) > 150 else text


# ---- the faults
def kills(stage: str, scratch: Path, chance: random.Random, prepare=lambda folder: None, **environ) -> None:
    prepare(scratch / "whole")
    prepare(scratch / "killed")
    whole = Program(stage, scratch / "whole", **environ)
    killed = Program(stage, scratch / "killed", **environ)
    length = whole.seconds()
    moments = sorted(chance.uniform(0, length) for _ in range(KILLS))
    codes = [killed.kill(moment)[0] for moment in moments]
    code, out, err = killed.run()
    same = killed.made() == whole.made()
    at = ", ".join(f"{moment:.1f}" for moment in moments)
    dead = sum(code == -signal.SIGKILL for code in codes)
    seen = f"after {at} s of {length:.1f}; {dead} died; then exit {code}, {'same' if same else 'OTHER'} bytes"
    row(f"kill -9 in {stage}", code == 0 and same and dead > 0, seen)


def interrupted(scratch: Path) -> None:
    program = Program("notebooks", scratch)
    code, err = program.kill(12, signal.SIGINT)
    row("Ctrl-C in make run", code == 130 and message(code, err), f"exit {code}: {short(err)}")
    process, kernel = program.start(), ""
    while not kernel:
        time.sleep(0.5)
        find = ["pgrep", "-P", str(process.pid), "-f", "ipykernel"]
        kernel = subprocess.run(find, capture_output=True, text=True).stdout
    time.sleep(5)
    os.kill(int(kernel.split()[0]), signal.SIGKILL)
    err = process.communicate()[1]
    code = process.returncode
    row("kill -9 of a notebook's Python", message(code, err, "01_vgg16"), f"exit {code}: {short(err)}")


def copy_data(finished: Path, target: Path, *but: str) -> None:
    """The data folder of a finished run, without what is named."""
    there = shutil.ignore_patterns(*but)
    shutil.copytree(finished / "data", target / "data", ignore=there, dirs_exist_ok=True)


def full_disks(scratch: Path, finished: Path) -> None:
    """A disk of a few megabytes under what is being made; then it grows, and the program goes on."""
    wanted = Program("training", finished).made()
    disks = {"drawing": (3, "data"), "features": (4, "data/features"), "training": (6, "run")}
    for stage, (megabytes, place) in disks.items():
        disk = scratch / stage / place
        disk.mkdir(parents=True)
        if subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "none", str(disk)]).returncode:
            print(f"---  full disk in {stage:<31} not done: no right to mount a small one here", flush=True)
            continue
        try:
            if stage != "drawing":
                copy_data(finished, scratch / stage, *(["features"] if stage == "features" else []))
            program = Program(stage, scratch / stage)
            code, _, err = program.run()
            subprocess.run(["mount", "-o", "remount,size=200m", str(disk)], check=True)
            again, out, _ = program.run()
            went_on = {"features": "are done", "training": "read from features.npy"}.get(stage, "")
            same = program.made().items() <= wanted.items()  # of what this stage makes
            seen = f"exit {code}: {short(err)}; with room, exit {again}, {'same' if same else 'OTHER'} bytes"
            right = message(code, err, "written") and not again and same and went_on in out
            row(f"full disk in {stage}", right, seen)
        finally:
            subprocess.run(["umount", str(disk)], check=True)


def small_zips(folder: Path, pictures: Path) -> None:
    """Zips like Flickr8k's, with a few hundred of the drawn scenes as photographs."""
    from PIL import Image

    folder.mkdir(parents=True)
    splits = {"train": range(240), "dev": range(240, 270), "test": range(270, 300)}
    with zipfile.ZipFile(folder / ZIPS[0], "w") as photos:
        for number in range(300):
            with photos.open(f"Flicker8k_Dataset/{number}.jpg", "w") as stream:
                Image.open(pictures / f"{number:06d}.png").save(stream, "JPEG")
    with zipfile.ZipFile(folder / ZIPS[1], "w") as texts:
        lines = [f"{number}.jpg#{i}\ta caption" for number in range(300) for i in range(5)]
        texts.writestr("Flickr8k.token.txt", "\n".join(lines))
        for split, numbers in splits.items():
            listed = "\n".join(f"{number}.jpg" for number in numbers)
            texts.writestr(f"Flickr_8k.{split}Images.txt", listed)


@contextlib.contextmanager
def slow_server(folder: Path):
    """An address that hands out the files of a folder at about 2 MB a second."""

    class Handler(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *args) -> None:
            super().__init__(*args, directory=str(folder))

        def copyfile(self, source, target) -> None:
            with contextlib.suppress(ConnectionError):
                while some := source.read(1 << 16):
                    target.write(some)
                    time.sleep(0.03)

        def log_message(self, *args) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


def zips(scratch: Path, good: Path) -> None:
    damages = ("cut off", "one byte changed", "a member ../../x", "not there, no network")
    for name in ZIPS:
        for number, damage in enumerate(damages):
            folder = scratch / f"{name}-{number}" / "data"
            shutil.copytree(good, folder)
            file, content = folder / name, (good / name).read_bytes()
            if damage == "cut off":
                file.write_bytes(content[: len(content) // 2])
            elif damage == "one byte changed":
                file.write_bytes(content[:200] + bytes([content[200] ^ 1]) + content[201:])
            elif damage == "a member ../../x":
                with zipfile.ZipFile(file, "a") as archive:
                    archive.writestr("../../x.jpg", "x")
            else:
                file.unlink()
            code, _, err = Program("download", folder.parent).run()
            outside = [path for path in scratch.rglob("x.jpg")]
            # Of the texts only the four that are wanted are read, by name, and nothing is unpacked.
            refused = message(code, err, name) or (code == 0 and name == ZIPS[1] and "member" in damage)
            row(f"{name}: {damage}", refused and not outside, f"exit {code}: {short(err)}")


def flip(file: Path, place: float) -> None:
    content = bytearray(file.read_bytes())
    content[int(len(content) * place)] ^= 4
    file.write_bytes(bytes(content))


def cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])


# The features of the slim VGG16 in form.
ENCODER = {"name": "vgg16-slim", "weights": "", "input_size": 224, "grid": [7, 7], "channels": 64}


def foreign(kind: str, file: Path) -> None:
    """A file that Keras can load, or could if it ran the code in it, and that is not this run's model."""
    code = {
        "lambda": "k.Sequential([k.Input((1,)), k.layers.Lambda(lambda x: print('code ran') or x)])",
        "other model": "k.Sequential([k.Input((1,)), k.layers.Dense(1)])",
        "other vocabulary": "c(['<pad>', '<unk>', '<start>', '<end>', 'a'], e, 9, 8, 8)",
    }[kind]
    code = f"import sys, keras as k; from utils.decoders import GRUDecoder as c; e = {ENCODER}; m = {code}; "
    code += "m.build() if isinstance(m, c) else None; m.save(sys.argv[1])"
    subprocess.run([sys.executable, "-c", code, str(file)], cwd=ROOT, capture_output=True, check=True)


def tampered(scratch: Path, finished: Path) -> None:
    """A finished run in which one file is not what it was: mended, or named."""
    wanted = Program("training", finished).made()
    keras_file = "captioner.keras"
    damages = [
        ("features.npy", "one byte changed", lambda file: flip(file, 0.7)),
        ("features.npy", "cut off", cut),
        ("features.json", "cut off", cut),
        ("features.json", "another picture broken", lambda file: edit(file, broken={"000000.png": "no"})),
        ("features.json", "another order", lambda file: edit(file, images=edit(file)["images"][::-1])),
        (keras_file, "cut off", cut),
        (keras_file, "one byte changed", lambda file: flip(file, 0.5)),
        (keras_file, "a Lambda in it", lambda file: foreign("lambda", file)),
        (keras_file, "another kind of model", lambda file: foreign("other model", file)),
        (keras_file, "another vocabulary", lambda file: foreign("other vocabulary", file)),
        ("training.json", "not JSON", lambda file: file.write_text("[1")),
        ("training.json", "JSON of another kind", lambda file: file.write_text("[1]")),
        ("history.csv", "words for numbers", lambda file: file.write_text("epoch,train_loss\n1,low\n")),
        ("vocabulary.txt", "words changed", lambda file: file.write_text("no\nvocabulary\n")),
        ("scenes.json", "cut off", cut),
    ]
    for number, (name, damage, harm) in enumerate(damages):
        folder = scratch / f"tampered{number}"
        shutil.copytree(finished, folder)
        harm(next(folder.rglob(name)))
        program = Program("training", folder)
        code, out, err = program.run()
        if code:
            right, seen = message(code, err, name), f"exit {code}: {short(err)}"
            for file in ("history.csv", "training.json") if name == "history.csv" else (name,):
                next(folder.rglob(file)).unlink()  # what the message says
            code, out, _ = program.run()
            seen += "; deleted: "
        else:
            right, seen = True, ""
        same = program.made() == wanted
        seen += f"exit {code}, {'same' if same else 'OTHER'} bytes"
        row(f"{name}: {damage}", right and code == 0 and same and "code ran" not in out, seen)
        shutil.rmtree(folder)


def edit(file: Path, **changes) -> dict:
    content = json.loads(file.read_text()) | changes
    file.write_text(json.dumps(content))
    return content


def two_at_once(scratch: Path, finished: Path) -> None:
    programs = [Program("training", scratch / "two").start() for _ in range(2)]
    outs = [process.communicate()[0] for process in programs]
    codes = [process.returncode for process in programs]
    same = Program("training", scratch / "two").made() == Program("training", finished).made()
    trained = sum("epoch  2 of 2" in out for out in outs)
    seen = f"exit {codes[0]} and {codes[1]}, trained by {trained}, {'same' if same else 'OTHER'} bytes"
    row("two programs in one folder", codes == [0, 0] and trained == 1 and same, seen)


def clock_backwards(scratch: Path, finished: Path) -> None:
    program = Program("training", scratch / "clock", ("clock backwards",))
    code, _, err = program.run()
    same = program.made() == Program("training", finished).made()
    row("clock going backwards", code == 0 and same, f"exit {code}, {'same' if same else 'OTHER'} bytes")


def no_right_to_write(scratch: Path) -> None:
    """Where a file stands in the place of the folder: as good as no right to write, also for root."""
    program = Program("training", scratch / "file")
    program.run_dir.write_text("a file\n")
    code, _, err = program.run()
    row("run folder can't be made", message(code, err, str(program.run_dir)), f"exit {code}: {short(err)}")


def main(wanted: list[str]) -> int:
    chance = random.Random(int(os.environ.get("FAULTS_SEED", "1")))
    with tempfile.TemporaryDirectory(prefix="faults-") as folder:
        scratch = Path(folder)
        finished = scratch / "finished"
        Program("training", finished).seconds()
        small_zips(scratch / "zips", finished / "data" / "scenes" / "images")

        def drawn(target: Path) -> None:
            copy_data(finished, target, "features")

        def extracted(target: Path) -> None:
            copy_data(finished, target)

        def download() -> None:
            with slow_server(scratch / "zips") as address:
                kills("download", scratch / "download", chance, FAULTS_RELEASE=address)

        faults = {
            "download": download,
            "drawing": lambda: kills("drawing", scratch / "drawing", chance),
            "features": lambda: kills("features", scratch / "features", chance, drawn),
            "training": lambda: kills("training", scratch / "training", chance, extracted),
            "notebooks": lambda: kills("notebooks", scratch / "notebooks", chance, drawn),
            "interrupted": lambda: interrupted(scratch / "interrupted"),
            "full_disks": lambda: full_disks(scratch / "full", finished),
            "zips": lambda: zips(scratch / "damaged", scratch / "zips"),
            "tampered": lambda: tampered(scratch, finished),
            "two": lambda: two_at_once(scratch, finished),
            "clock": lambda: clock_backwards(scratch, finished),
            "no_right": lambda: no_right_to_write(scratch),
        }
        for name in wanted or faults:
            faults[name]()
    print(f"{len(FAILED)} bad" + "".join(f"\n  {fault}" for fault in FAILED))
    return int(bool(FAILED))


if __name__ == "__main__":
    if sys.argv[1:2] == ["child"]:
        child(*sys.argv[2:])
    else:
        sys.exit(main(sys.argv[1:]))

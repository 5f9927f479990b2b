"""Files: whole or not at all, one at a time, and nothing from a zip file that does not belong there."""

from __future__ import annotations

import errno
import hashlib
import os
import threading
import zipfile

import pytest

from utils import files
from utils.files import UserError, alone_in, download, replacing, unzipping, writable_folder, write_text


def test_a_text_file_is_written_whole_or_not_at_all(tmp_path):
    write_text(tmp_path / "a.txt", "old\nand 照片\n")
    with pytest.raises(TypeError):
        write_text(tmp_path / "a.txt", 5)
    assert (tmp_path / "a.txt").read_bytes() == "old\nand 照片\n".encode()
    with pytest.raises(UserError, match="missing.*a.txt can't be written"):
        write_text(tmp_path / "missing" / "a.txt", "new")


def full_disk(*_):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.mark.parametrize("when", ["while it is written", "when it goes to the disk", "stopped"])
def test_a_file_that_cannot_be_replaced_is_what_it_was(tmp_path, monkeypatch, when):
    file = tmp_path / "model.keras"
    file.write_text("old")
    if when == "when it goes to the disk":
        monkeypatch.setattr(os, "fsync", full_disk)
    with pytest.raises((UserError, KeyboardInterrupt)) as error, replacing(file) as part:
        assert part.suffix == ".keras" and part.parent == tmp_path and str(os.getpid()) in part.name
        part.write_text("new")
        if when == "stopped":
            raise KeyboardInterrupt
        if when == "while it is written":
            full_disk()
    assert file.read_text() == "old" and os.listdir(tmp_path) == ["model.keras"]
    assert when == "stopped" or str(error.value) == f"{file} can't be written: No space left on device."


def test_jupyter_shows_the_message_without_frames(capsys):
    from IPython.core.interactiveshell import InteractiveShell

    shell = InteractiveShell.instance()
    shell.run_cell("from utils.files import UserError\nraise UserError('x.zip is damaged')")
    InteractiveShell.clear_instance()
    assert "".join(capsys.readouterr()).strip() == "x.zip is damaged"


def test_programs_take_turns_in_a_folder(tmp_path, capsys):
    order = []

    def second():
        with alone_in(tmp_path / "run"):
            order.append("second")

    other = threading.Thread(target=second)
    with alone_in(tmp_path / "run"):
        other.start()
        other.join(0.2)
        order.append("first")
    other.join(5)
    assert order == ["first", "second"] and "another program is at work in run" in capsys.readouterr().out
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="CAPTION_RUN_DIR"), alone_in(tmp_path / "file" / "run"):
        pass


def test_who_is_alone_in_a_folder_does_not_wait_for_himself_and_stays_alone(tmp_path):
    order = []

    def first():
        with alone_in(tmp_path / "run"):
            for _ in range(2):
                with alone_in(tmp_path / "run" / ".." / "run"):
                    order.append("again")
            other.start()
            other.join(0.2)
            order.append("first")

    def second():
        with alone_in(tmp_path / "run"):
            order.append("second")

    # In a thread: one that waits for itself would hold the tests up for ever.
    one, other = (threading.Thread(target=target, daemon=True) for target in (first, second))
    one.start()
    one.join(5)
    assert order[:3] == ["again", "again", "first"]
    other.join(5)
    assert order[3:] == ["second"]


def test_a_folder_that_cannot_be_written_is_replaced_by_the_other(tmp_path):
    data, run = tmp_path / "data", tmp_path / "run"
    data.mkdir()
    assert writable_folder(data / "below" / "scenes", run) == data / "below" / "scenes"
    data.chmod(0o555)
    assert writable_folder(data / "below" / "scenes", run) == run / "scenes"


@pytest.mark.parametrize("algorithm", ["md5", "sha256"])
def test_a_download_is_held_against_its_digest(tmp_path, monkeypatch, algorithm):
    def retrieve(url, path, hook):
        with open(path, "wb") as file:
            file.write(b"weights" if url.endswith("right") else b"<html>rate limited</html>")

    monkeypatch.setattr("keras.src.utils.file_utils.urlretrieve", retrieve)
    digest = hashlib.new(algorithm, b"weights").hexdigest()
    with pytest.raises(OSError):
        download("https://example.org/wrong", tmp_path / "w.h5", digest)
    assert os.listdir(tmp_path) == []
    download("https://example.org/right", tmp_path / "w.h5", digest)
    assert os.listdir(tmp_path) == ["w.h5"] and (tmp_path / "w.h5").read_bytes() == b"weights"


def zipped(path, *members):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return path


def read_all(path):
    with unzipping(path, lambda name: name.endswith(".jpg")) as files:
        return {name: read() for name, read in files.items()}


def test_a_zip_file_gives_the_wanted_files_without_its_folders(tmp_path):
    path = zipped(
        tmp_path / "a.zip",
        ("photos/a.jpg", b"a"),
        ("photos\\b.jpg", b""),
        ("c.txt", b"c"),
        ("photos/._a.jpg", b"fork"),
        ("__MACOSX/d.jpg", b"d"),
        ("folder.jpg/", b""),
    )
    assert read_all(path) == {"a.jpg": b"a", "b.jpg": b""}


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (["../a.jpg"], "leads out"),
        (["..\\a.jpg"], "leads out"),
        (["/a.jpg"], "leads out"),
        (["D:a.jpg"], "leads out"),
        (["1/a.jpg", "2/A.jpg"], "two files of one name, A?a?.jpg"),
        (["large.jpg"], "large.jpg of over"),
    ],
)
def test_a_zip_file_that_would_write_elsewhere_twice_or_too_much_is_refused(
    tmp_path, monkeypatch, names, said
):
    monkeypatch.setattr(files, "LARGEST", 100)
    path = zipped(tmp_path / "a.zip", *((name, "x" * (101 if "large" in name else 1)) for name in names))
    with pytest.raises(UserError, match=said) as error:
        read_all(path)
    assert str(path) in str(error.value)


def test_a_damaged_zip_file_is_named_wherever_the_damage_is(tmp_path):
    """Some bytes after the other are overwritten; what is read is right or is not read."""
    whole = zipped(tmp_path / "a.zip", ("a.jpg", bytes(range(40)))).read_bytes()
    path = tmp_path / "damaged.zip"
    named = 0
    for place in range(0, len(whole), 2):
        path.write_bytes(whole[:place] + b"\xff\x0c" + whole[place + 2 :])
        try:
            read = read_all(path)
        except UserError as error:
            assert str(path) in str(error) and "etch it again" in str(error)
            named += 1
        else:
            assert read in ({"a.jpg": bytes(range(40))}, {})
    assert named > len(whole) / 4

"""Datasets: the official split, one clear error for each thing that can be wrong, nothing half done."""

from __future__ import annotations

import os
import stat
import unicodedata
import urllib.error
import zipfile

import pytest
from PIL import Image

from utils.datasets import flickr, left_out, load_dataset
from utils.files import UserError
from utils.settings import load_settings

PHOTOS = [f"{number}_photo.jpg" for number in range(6)]
SPLITS = {"train": [4, 0, 2, 1], "dev": [5], "test": [3]}


def write_photos(path, names=PHOTOS, extra=()):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in names:
            archive.writestr(f"Flicker8k_Dataset/{name}", f"pixels of {name} " * 50)
        for name in extra:
            archive.writestr(name, "not wanted")


def texts(without_captions=(), lists=SPLITS):
    captions = "".join(
        f"{name}#{i}\tCaption {i} of {name} .\n"
        for name in [*PHOTOS, "never_taken.jpg.1"]
        for i in range(5)
        if name not in without_captions
    )
    return {"Flickr8k.token.txt": captions} | {
        f"Flickr_8k.{split}Images.txt": "".join(f"{PHOTOS[n]}\n" for n in numbers)
        for split, numbers in lists.items()
    }


def write_texts(path, files):
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
            archive.writestr(f"__MACOSX/._{name}", "resource fork")


@pytest.fixture(autouse=True)
def no_network(monkeypatch):
    def unreachable(*args, **kwargs):
        raise urllib.error.URLError("Name or service not known")

    monkeypatch.setattr("keras.src.utils.file_utils.urlretrieve", unreachable)


@pytest.fixture
def settings(tmp_path):
    """Flickr8k's two zips in the data folder."""
    data = tmp_path / "data"
    data.mkdir()
    write_photos(
        data / "Flickr8k_Dataset.zip", extra=["__MACOSX/._0_photo.jpg", "Flicker8k_Dataset/notes.txt"]
    )
    write_texts(data / "Flickr8k_text.zip", texts())
    return load_settings(
        {
            "CAPTION_DATASET": "flickr8k",
            "CAPTION_DATA_DIR": str(data),
            "CAPTION_RUN_DIR": str(tmp_path / "run"),
        }
    )


def test_flickr8k_has_the_official_split_and_all_captions(settings, capsys):
    dataset = load_dataset(settings)
    assert dataset.name == "flickr8k" and dataset.boxes is None
    assert dataset.splits == {split: tuple(PHOTOS[n] for n in ns) for split, ns in SPLITS.items()}
    assert dataset.images == tuple(PHOTOS[n] for n in [4, 0, 2, 1, 5, 3])
    assert set(dataset.captions) == set(PHOTOS)
    assert dataset.captions[PHOTOS[3]] == tuple(f"Caption {i} of 3_photo.jpg ." for i in range(5))
    assert dataset.path(PHOTOS[2]).read_text().startswith("pixels of 2_photo.jpg")
    # The entry without a photo: skipped, and said by name, once.
    assert capsys.readouterr().out.count("never_taken.jpg.1") == 1


def test_only_photos_are_unpacked_and_only_once(settings):
    folder = load_dataset(settings).folder
    assert folder == settings.data_dir / "flickr8k" / "Flicker8k_Dataset"
    assert sorted(path.name for path in folder.glob("*") if path.suffix != ".json") == PHOTOS
    (folder / PHOTOS[0]).write_text("mark")
    assert load_dataset(settings).path(PHOTOS[0]).read_text() == "mark"
    write_photos(settings.data_dir / "Flickr8k_Dataset.zip", extra=["other.txt"])
    assert load_dataset(settings).path(PHOTOS[0]).read_text() != "mark", "another zip is unpacked again"
    assert [path.name for path in folder.parent.iterdir()] == [folder.name]


def test_read_only_data_folder_is_left_alone(settings):
    os.chmod(settings.data_dir, stat.S_IRUSR | stat.S_IXUSR)
    try:
        dataset = load_dataset(settings)
        assert dataset.folder == settings.run_dir / "flickr8k" / "Flicker8k_Dataset"
        assert len(list(settings.data_dir.iterdir())) == 2
    finally:
        os.chmod(settings.data_dir, stat.S_IRWXU)


@pytest.mark.parametrize("inside", ["", "flickr8k"])
def test_folders_unpacked_by_hand_are_used_as_they_are(settings, inside):
    data, place = settings.data_dir, settings.data_dir / inside
    place.mkdir(exist_ok=True)
    for zipped in ("Flickr8k_Dataset.zip", "Flickr8k_text.zip"):
        with zipfile.ZipFile(data / zipped) as archive:
            archive.extractall(place)
        (data / zipped).unlink()
    dataset = load_dataset(settings)
    assert dataset.folder == place / "Flicker8k_Dataset" and len(dataset.images) == 6


def test_a_stop_while_unpacking_leaves_no_half_filled_folder(settings, monkeypatch):
    class Killed(BaseException):
        pass

    opened = zipfile.ZipFile.open

    def stopping(archive, member, *args, **options):
        if PHOTOS[3] in str(member):
            raise Killed
        return opened(archive, member, *args, **options)

    with monkeypatch.context() as patch:
        patch.setattr(zipfile.ZipFile, "open", stopping)
        with pytest.raises(Killed):
            load_dataset(settings)
    assert not (settings.data_dir / "flickr8k" / "Flicker8k_Dataset").exists()
    assert len(load_dataset(settings).images) == 6


def one_error(settings, *parts):
    with pytest.raises(UserError) as caught:
        load_dataset(settings)
    error = caught.value
    assert error.__context__ is None or error.__suppress_context__, "one error, not a chain of them"
    for part in parts:
        assert str(part) in str(error)


@pytest.mark.parametrize("zipped", ["Flickr8k_Dataset.zip", "Flickr8k_text.zip"])
@pytest.mark.parametrize("damage", ["truncated", "not a zip", "flipped"])
def test_a_damaged_zip_is_named(settings, zipped, damage):
    path = settings.data_dir / zipped
    content = bytearray(path.read_bytes())
    if damage == "truncated":
        content = content[: len(content) // 2]
    elif damage == "not a zip":
        content = b"<html>rate limited</html>"
    else:
        content[60:70] = bytes(10)
    path.write_bytes(content)
    one_error(settings, path, "fetch it again")
    assert not (settings.data_dir / "flickr8k" / "Flicker8k_Dataset").exists()


def test_a_zip_that_leads_out_of_itself_is_refused(settings, tmp_path):
    write_photos(settings.data_dir / "Flickr8k_Dataset.zip", extra=["../../escaped.jpg"])
    one_error(settings, "../../escaped.jpg")
    assert not list(tmp_path.rglob("escaped.jpg"))


def test_a_list_that_is_not_in_utf_8_is_named(settings):
    files = texts() | {"Flickr_8k.devImages.txt": "é.jpg".encode("latin-1")}
    write_texts(settings.data_dir / "Flickr8k_text.zip", files)
    one_error(settings, "Flickr_8k.devImages.txt in", "Flickr8k_text.zip is not in UTF-8")


@pytest.mark.parametrize("missing", ["Flickr8k_Dataset.zip", "Flickr8k_text.zip"])
def test_no_file_and_no_network_is_one_clear_error(settings, missing):
    (settings.data_dir / missing).unlink()
    one_error(
        settings,
        missing,
        "Name or service not known",
        flickr.RELEASE,
        settings.data_dir,
        "CAPTION_DATASET=scenes",
    )
    assert not list(settings.data_dir.rglob("*.part"))


def test_downloads_come_from_the_release_and_arrive_whole(settings, monkeypatch):
    contents, asked = {}, []
    for name in ("Flickr8k_Dataset.zip", "Flickr8k_text.zip"):
        path = settings.data_dir / name
        contents[flickr.RELEASE + name] = path.read_bytes()
        path.unlink()

    def retrieve(url, path, hook):
        asked.append(url)
        with open(path, "wb") as file:
            file.write(contents[url])

    monkeypatch.setattr("keras.src.utils.file_utils.urlretrieve", retrieve)
    for _ in range(2):
        assert len(load_dataset(settings).images) == 6
    assert sorted(asked) == sorted(contents)
    assert (settings.data_dir / "flickr8k" / "Flickr8k_text.zip").is_file()


def test_a_listed_photo_without_captions_is_an_error(settings):
    write_texts(settings.data_dir / "Flickr8k_text.zip", texts(without_captions=[PHOTOS[5]]))
    one_error(settings, PHOTOS[5], "Flickr_8k.devImages.txt", "Flickr8k.token.txt")


def test_a_photo_in_two_splits_is_an_error(settings):
    write_texts(settings.data_dir / "Flickr8k_text.zip", texts(lists=SPLITS | {"test": [3, 0]}))
    one_error(settings, PHOTOS[0])


def test_a_listed_photo_that_is_missing_is_left_out_with_a_notice(settings, capsys):
    write_photos(settings.data_dir / "Flickr8k_Dataset.zip", names=PHOTOS[1:])
    dataset = load_dataset(settings)
    assert PHOTOS[0] not in dataset.images and PHOTOS[0] not in dataset.captions
    assert len(dataset.images) == 5
    assert f"1, left out ({PHOTOS[0]})" in capsys.readouterr().out


def test_a_split_without_any_photo_is_an_error(settings):
    write_photos(settings.data_dir / "Flickr8k_Dataset.zip", names=PHOTOS[:5])
    one_error(settings, "Flickr_8k.devImages.txt", "Flickr8k_Dataset.zip")


def own_pictures(folder, captions, header="image,caption\n", encoding="utf-8"):
    """A folder of your own: twelve tiny pictures, one of them in a folder below."""
    (folder / "sea").mkdir(parents=True)
    for name in OWN:
        Image.new("RGB", (8, 8)).save(folder / name)
    (folder / "captions.csv").write_text(header + captions, encoding=encoding)
    return load_settings({"CAPTION_DATASET": str(folder)})


OWN = [f"{number}.png" for number in range(10)] + ["sea/a boat.jpg", "照片.jpg"]
LINES = "".join(f'{name},a picture\n{name},"one, two"\n' for name in OWN)


def test_a_folder_of_your_own_is_split_by_picture(tmp_path, capsys):
    settings = own_pictures(tmp_path / "holiday", LINES + "gone.jpg,away\n", encoding="utf-8-sig")
    Image.new("RGB", (8, 8)).save(tmp_path / "holiday" / "spare.jpg")
    dataset = load_dataset(settings)
    assert sorted(dataset.images) == sorted(OWN) and len(set(dataset.images)) == 12
    assert [len(dataset.splits[split]) for split in ("train", "dev", "test")] == [10, 1, 1]
    assert dataset.captions["sea/a boat.jpg"] == ("a picture", "one, two")
    said = capsys.readouterr().out
    assert "not in holiday: 1, left out (gone.jpg)" in said and "caption: 1, left out (spare.jpg)" in said
    # The order of the lines changes nothing, and another seed has no part in it.
    shuffled = "".join(sorted(LINES.splitlines(keepends=True), reverse=True))
    (tmp_path / "holiday" / "captions.csv").write_text("Image,Caption\n" + shuffled, encoding="utf-8")
    assert load_dataset(settings).splits == dataset.splits


@pytest.mark.parametrize("forms", [("NFD", "NFC"), ("NFC", "NFD"), ("NFD", "NFD")])
def test_an_accent_is_the_same_however_the_disk_and_captions_csv_write_it(tmp_path, capsys, forms):
    """macOS writes é into file names as two characters, spreadsheets as one."""
    on_disk, listed = ([unicodedata.normalize(form, f"été {n}.png") for n in range(12)] for form in forms)
    splits = []
    for folder, there in ((tmp_path / "mac", on_disk), (tmp_path / "plain", listed)):
        folder.mkdir()
        for name in there:
            Image.new("RGB", (8, 8)).save(folder / name)
        lines = "".join(f"{name},a picture\n" for name in listed)
        (folder / "captions.csv").write_text("image,caption\n" + lines, encoding="utf-8")
        dataset = load_dataset(load_settings({"CAPTION_DATASET": str(folder)}))
        assert sorted(dataset.captions) == sorted(there), "the name is the one on the disk"
        splits.append([unicodedata.normalize("NFC", name) for name in dataset.images])
    assert splits[0] == splits[1] and "left out" not in capsys.readouterr().out


def test_names_that_cannot_be_printed_are_left_out_like_others(capsys):
    left_out("pictures without a caption", [os.fsdecode(b"caf\xe9.jpg"), "b.jpg"])
    assert capsys.readouterr().out == "pictures without a caption: 2, left out (caf?.jpg, b.jpg)\n"


@pytest.mark.parametrize(
    ("captions", "header", "encoding", "said"),
    [
        (LINES, "image;caption\n", "utf-8", "first line has to be image,caption and is 'image;caption'"),
        (LINES, "", "utf-8", "first line has to be image,caption"),
        (LINES + "0.png,red, and blue\n", None, "utf-8", "line 26: .*double quotes"),
        (LINES + "../0.png,up\n", None, "utf-8", r"line 26: \.\./0.png leads out"),
        (LINES + "0.png,café\n", None, "utf-16", "not in UTF-8"),
        ("0.png,one\n1.png,\n", None, "utf-8", "captions for 1 pictures"),
    ],
)
def test_what_is_wrong_with_captions_csv_is_said_with_its_line(tmp_path, captions, header, encoding, said):
    settings = own_pictures(
        tmp_path / "holiday", captions, "image,caption\n" if header is None else header, encoding
    )
    with pytest.raises(UserError, match=said) as error:
        load_dataset(settings)
    assert str(tmp_path / "holiday" / "captions.csv") in str(error.value)


def test_without_captions_csv_its_form_is_said(tmp_path):
    settings = load_settings({"CAPTION_DATASET": str(tmp_path)})
    with pytest.raises(UserError, match="captions.csv is missing. Write one line per caption, image,caption"):
        load_dataset(settings)

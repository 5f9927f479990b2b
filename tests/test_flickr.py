"""Flickr8k, Flickr30k and COCO from the lists that the field uses, and parts of them."""

from __future__ import annotations

import io
import json
import zipfile
from collections import Counter

import pytest
import tensorflow as tf
from PIL import Image

from utils.datasets import flickr, limit_splits, load_dataset
from utils.encoders import Encoder
from utils.features import extract_features
from utils.files import UserError
from utils.settings import load_settings

KARPATHY = ("train", "restval", "val", "test")  # the words of his lists


def jpeg(number):
    file = io.BytesIO()
    Image.new("RGB", (12, 8), (number * 6, 40, 200)).save(file, "JPEG")
    return file.getvalue()


def entry(name, split, folder=None):
    """One photograph as it stands in Karpathy's file, with what else stands there."""
    raw = [f" Caption {i} of {name}.\n" for i in range(5)]
    sentences = [{"tokens": text.split(), "raw": text, "imgid": 7, "sentid": i} for i, text in enumerate(raw)]
    said = {"imgid": 7, "sentids": list(range(5)), "sentences": sentences}
    said |= {"split": split, "filename": name}
    return said | ({"filepath": folder, "cocoid": 9} if folder else {})


def coco_name(number):
    """Every second photograph is of the folder val2014, as most of restval, val and test are."""
    folder = ("train2014", "val2014")[number % 2]
    return folder, f"COCO_{folder}_{number:012}.jpg"


@pytest.fixture
def data(tmp_path):
    """Forty photographs of COCO in its two zip files, beside the zip file of all lists."""
    folder = tmp_path / "data" / "coco"
    folder.mkdir(parents=True)
    images = []
    for number in range(40):
        place, name = coco_name(number)
        images.append(entry(name, KARPATHY[number // 10], place))
        with zipfile.ZipFile(folder / f"{place}.zip", "a") as archive:
            archive.writestr(f"{place}/{name}", jpeg(number))
    with zipfile.ZipFile(folder / flickr.LISTS_ZIP, "w") as archive:
        archive.writestr("dataset_coco.json", json.dumps({"images": images, "dataset": "coco"}))
    return tmp_path / "data"


def settings_of(data, dataset="coco", **more):
    environ = {"CAPTION_DATASET": dataset, "CAPTION_DATA_DIR": str(data), "CAPTION_ENCODER": "mobilenet"}
    return load_settings(environ | {"CAPTION_RUN_DIR": str(data.parent / "run")} | more)


def test_coco_from_its_zips_and_the_zip_of_the_lists(data):
    dataset = load_dataset(settings_of(data))
    assert {split: len(names) for split, names in dataset.splits.items()} == {
        "train": 20,  # ten of them are called restval
        "dev": 10,
        "test": 10,
    }
    last = "/".join(coco_name(39))
    assert dataset.splits["test"][-1] == last and dataset.path(last).read_bytes() == jpeg(39)
    assert dataset.captions[last] == tuple(f"Caption {i} of {coco_name(39)[1]}." for i in range(5))
    assert len({dataset.path(name).read_bytes() for name in dataset.images}) == 40


def test_the_splits_are_as_large_as_those_of_the_published_lists(tmp_path):
    sizes = {"coco": (82_783, 30_504, 5_000, 5_000), "flickr30k": (29_000, 0, 1_014, 1_000)}
    for dataset, counts in sizes.items():
        words = [word for word, count in zip(KARPATHY, counts) for _ in range(count)]
        said = [{"raw": "A cat."}]
        images = [{"filename": f"{n}.jpg", "split": word, "sentences": said} for n, word in enumerate(words)]
        file = tmp_path / f"dataset_{dataset}.json"
        file.write_text(json.dumps({"images": images}))
        listed = flickr._lists(dataset, [tmp_path, tmp_path], tmp_path)
        train, restval, dev, test = counts
        assert [len(listed.splits[split]) for split in ("train", "dev", "test")] == [
            train + restval,
            dev,
            test,
        ]


def test_flickr30k_from_a_folder_with_a_missing_and_a_corrupt_picture(tmp_path, capsys):
    data = tmp_path / "data"
    folder = data / "flickr30k-images"
    folder.mkdir(parents=True)
    names = [f"{number}.jpg" for number in range(9)]
    for number, name in enumerate(names):
        (folder / name).write_bytes(jpeg(number))
    (folder / names[0]).unlink()
    (folder / names[1]).write_bytes(jpeg(1)[:200])
    images = [entry(name, KARPATHY[(0, 2, 3)[number // 3]]) for number, name in enumerate(names)]
    (data / "dataset_flickr30k.json").write_text(json.dumps({"images": images}))
    dataset = load_dataset(settings_of(data, "flickr30k"))
    assert dataset.folder == folder and dataset.images == tuple(names[1:])
    assert "1, left out (0.jpg)" in capsys.readouterr().out
    cut, cast = lambda x, training: x[:, :1, :1, :2], lambda x: tf.cast(x, tf.float32)  # noqa: E731
    corner = Encoder("corner", cut, cast, input_size=8, grid=(1, 1), channels=2, fingerprint="0" * 16)
    cache = extract_features(dataset, corner, tmp_path / "features")
    assert set(cache.broken) == {"1.jpg"} and cache.readable(dataset.splits["train"]) == ("2.jpg",)


def test_flickr8k_is_read_from_karpathys_list_where_its_own_is_not_there(tmp_path):
    data = tmp_path / "data"
    (data / "Flicker8k_Dataset").mkdir(parents=True)
    names = [f"{number}.jpg" for number in range(3)]
    for number, name in enumerate(names):
        (data / "Flicker8k_Dataset" / name).write_bytes(jpeg(number))
    images = [entry(name, split) for name, split in zip(names, ("train", "val", "test"))]
    (data / "dataset_flickr8k.json").write_text(json.dumps({"images": images}))
    assert load_dataset(settings_of(data, "flickr8k")).splits == {
        "train": ("0.jpg",),
        "dev": ("1.jpg",),
        "test": ("2.jpg",),
    }


def test_of_a_part_no_more_is_unpacked_and_a_larger_one_holds_it(data, capsys):
    part = load_dataset(settings_of(data, CAPTION_LIMIT="12"))
    assert [len(part.splits[split]) for split in ("train", "dev", "test")] == [6, 3, 3]
    there = {file.relative_to(part.folder).as_posix() for file in part.folder.rglob("*.jpg")}
    assert there == set(part.images) == set(part.captions)
    first = part.path(part.images[0])
    first.write_bytes(b"mark")
    more = load_dataset(settings_of(data, CAPTION_LIMIT="24"))
    assert set(part.images) < set(more.images) and first.read_bytes() == b"mark"
    capsys.readouterr()
    assert load_dataset(settings_of(data, CAPTION_LIMIT="12")).images == part.images
    assert "unpacking" not in capsys.readouterr().out
    assert len(load_dataset(settings_of(data)).images) == 40 and first.read_bytes() == b"mark"


def test_a_part_is_not_taken_for_the_whole_when_the_zip_files_are_gone(data):
    part = load_dataset(settings_of(data, CAPTION_LIMIT="12"))
    for archive in ("train2014.zip", "val2014.zip"):
        (data / "coco" / archive).unlink()
    assert load_dataset(settings_of(data, CAPTION_LIMIT="12")) == part
    with pytest.raises(UserError, match="2014.zip is missing"):
        load_dataset(settings_of(data))


def test_two_folders_in_two_places_are_named(data):
    (data / "train2014").mkdir()
    with pytest.raises(UserError, match="train2014 and val2014 have to lie in one folder: .*data/train2014"):
        load_dataset(settings_of(data))


def test_a_part_has_a_folder_of_its_own(data):
    whole, part = settings_of(data), settings_of(data, CAPTION_LIMIT="12")
    assert part.features_dir.name == "coco-12-mobilenet" != whole.features_dir.name
    splits = {"train": [str(n) for n in range(95)], "novel": ["x"], "test": ["y", "z"]}
    kept = limit_splits(splits, 20)
    assert {split: len(names) for split, names in kept.items()} == {"train": 19, "novel": 1, "test": 1}
    assert list(kept["train"]) == sorted(kept["train"], key=int)
    assert limit_splits(splits, 1000) == {split: tuple(names) for split, names in splits.items()}


def test_a_stop_while_unpacking_costs_nothing_that_was_unpacked(data, monkeypatch):
    class Killed(BaseException):
        pass

    opened, read = zipfile.ZipFile.open, Counter()

    def counting(archive, member, *args, **options):
        name = getattr(member, "filename", member)
        read[name] += 1
        if stop and name.endswith(coco_name(20)[1]):
            raise Killed
        return opened(archive, member, *args, **options)

    monkeypatch.setattr(zipfile.ZipFile, "open", counting)
    stop = True
    with pytest.raises(Killed):
        load_dataset(settings_of(data))
    assert not (data / "coco" / "train2014").exists(), "a folder is there when all is in it"
    (data / "coco" / "train2014.part" / f".{coco_name(20)[1]}.part").write_bytes(b"half")  # of a kill -9
    stop = False
    dataset = load_dataset(settings_of(data))
    again = {name for name, count in read.items() if count > 1 and name.endswith(".jpg")}
    assert again == {"/".join(coco_name(20))}
    assert dataset.path("/".join(coco_name(20))).read_bytes() == jpeg(20)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda images: images[3].pop("sentences"), "damaged or of another form .*sentences"),
        (lambda images: images[3].update(split="dev"), "damaged or of another form .*dev"),
        (lambda images: images[3].update(sentences=[]), "has no caption in dataset_coco.json"),
        (lambda images: images[3].update(filename="../x.jpg"), "leads out of the folder"),
        (lambda images: images.append(dict(images[3], split="test")), "stands twice in dataset_coco.json"),
        (lambda images: images.clear(), "dataset_coco.json lists no photograph for train"),
    ],
)
def test_what_is_wrong_with_a_list_is_said_with_its_name(data, change, said):
    with zipfile.ZipFile(data / "coco" / flickr.LISTS_ZIP) as archive:
        images = json.loads(archive.read("dataset_coco.json"))["images"]
    change(images)
    (data / "dataset_coco.json").write_text(json.dumps({"images": images}))
    with pytest.raises(UserError, match=said):
        load_dataset(settings_of(data))


@pytest.mark.parametrize("text", ["", "{", "[]", '{"images": 3}', '{"images": [3]}', '{"images": [{}]}'])
def test_a_damaged_list_is_named(data, text):
    (data / "dataset_coco.json").write_text(text)
    with pytest.raises(UserError, match=f"dataset_coco.json.*fetch it again from {flickr.LISTS_FROM}"):
        load_dataset(settings_of(data))


def test_what_is_missing_is_said_with_where_it_comes_from(data):
    with pytest.raises(UserError, match=f"dataset_flickr30k.json is missing.*{flickr.LISTS_FROM}"):
        load_dataset(settings_of(data, "flickr30k"))
    (data / "coco" / "val2014.zip").unlink()
    with pytest.raises(UserError, match="val2014.zip is missing.*images.cocodataset.org.*/coco"):
        load_dataset(settings_of(data))

"""Picture files of any kind: read as one sees them, or a reason that says what to do."""

from __future__ import annotations

import os
import struct
import sys

import numpy as np
import pytest
from PIL import Image, UnidentifiedImageError

from utils import pictures
from utils.pictures import INPUT_SIZE, read_ahead, read_picture


def half_red_half_blue(width=80, height=60):
    picture = Image.new("RGB", (width, height), "red")
    picture.paste("blue", (width // 2, 0, width, height))
    return picture


def saved(path, how):
    picture = half_red_half_blue()
    if how == "cmyk.jpg":
        picture.convert("CMYK").save(path, quality=95)
    elif how == "palette.png":
        picture.convert("P", palette=Image.Palette.ADAPTIVE).save(path)
    elif how == "animated.gif":
        picture.save(path, save_all=True, append_images=[Image.new("RGB", (80, 60), "green")])
    elif how == "turned.jpg":
        exif = Image.Exif()
        exif[0x0112] = 6  # "turn by 90 degrees to the right to see me upright"
        picture.transpose(Image.Transpose.ROTATE_90).save(path, exif=exif, quality=95)
    elif how == "huge.jpg":
        half_red_half_blue(4000, 3000).save(path)
    elif how == "see-through.png":
        picture.putalpha(255)
        picture.paste((0, 0, 0, 0), (0, 0, 80, 10))
        picture.save(path)
    elif how == "two-views.jpg":  # as stereo cameras and some phones write it
        picture.save(path, "MPO", save_all=True, append_images=[Image.new("RGB", (80, 60), "green")])
    else:
        picture.save(path)


@pytest.mark.parametrize(
    "how",
    [
        "cmyk.jpg",
        "palette.png",
        "animated.gif",
        "turned.jpg",
        "huge.jpg",
        "see-through.png",
        "two-views.jpg",
        "flat.tiff",
        "flat.webp",
        "flat.ppm",
    ],
)
def test_odd_pictures_are_read_as_one_sees_them(tmp_path, how):
    saved(tmp_path / how, how)
    picture = read_picture(tmp_path / how)
    assert picture.shape == (INPUT_SIZE, INPUT_SIZE, 3) and picture.dtype == np.uint8
    assert np.abs(picture[60:200, 20:90].mean(axis=(0, 1)) - [255, 0, 0]).max() < 12
    assert np.abs(picture[60:200, 130:200].mean(axis=(0, 1)) - [0, 0, 255]).max() < 12
    if how == "see-through.png":
        assert (picture[5] == 255).all()


@pytest.mark.parametrize(
    ("name", "white", "kind"),
    [
        ("16.png", 65535, np.uint16),
        ("12.png", 4095, np.uint16),
        ("12.tiff", 4095, np.int32),
        ("16.tiff", 65535, np.int32),
        ("32.tiff", 2**31 - 1, np.int32),
        ("8.tiff", 255, np.int32),
    ],
)
def test_gray_of_more_than_8_bits_keeps_its_brightness(tmp_path, name, white, kind):
    ramp = np.tile(np.linspace(0, 1, 64), (64, 1))
    Image.fromarray((ramp * 255).round().astype(np.uint8)).save(tmp_path / "plain.png")
    Image.fromarray((ramp * white).astype(kind)).save(tmp_path / name)
    plain, deep = (read_picture(tmp_path / file).astype(int) for file in ("plain.png", name))
    assert np.abs(plain - deep).max() <= 1 and plain.max() > 250


def with_exif(jpeg, block):
    block = b"Exif\0\0" + block
    return jpeg[:2] + b"\xff\xe1" + (len(block) + 2).to_bytes(2, "big") + block + jpeg[2:]


def directory(*entries):
    """EXIF data of these entries: tag, type, number of values, value."""
    packed = b"".join(struct.pack("<HHII", *entry) for entry in entries)
    return b"II*\0\x08\0\0\0" + struct.pack("<H", len(entries)) + packed + bytes(12)


TURN = (0x112, 3, 1, 6)  # "turn by 90 degrees to the right to see me upright"


@pytest.mark.parametrize(
    ("damaged", "sound"),
    [
        (b"nonsense", directory()),
        # A resolution that is no number: Pillow turns the picture and stumbles afterwards.
        (directory(TURN, (0x11A, 7, 1, 38)), directory(TURN)),
    ],
    ids=["no directory", "resolution"],
)
def test_a_damaged_exif_block_does_not_make_a_sound_picture_broken(tmp_path, damaged, sound):
    half_red_half_blue().save(tmp_path / "plain.jpg", quality=95)
    jpeg = (tmp_path / "plain.jpg").read_bytes()
    (tmp_path / "damaged.jpg").write_bytes(with_exif(jpeg, damaged))
    (tmp_path / "sound.jpg").write_bytes(with_exif(jpeg, sound))
    np.testing.assert_array_equal(
        read_picture(tmp_path / "damaged.jpg"), read_picture(tmp_path / "sound.jpg")
    )
    (tmp_path / "damaged.jpg").write_bytes(with_exif(jpeg, damaged)[:-100])
    with pytest.raises(OSError, match="truncated"):
        read_picture(tmp_path / "damaged.jpg")


def test_shrinking_does_not_alias(tmp_path):
    stripes = np.zeros((448 * 2, 448 * 2, 3), np.uint8)
    stripes[:, ::2] = 255
    Image.fromarray(stripes).save(tmp_path / "stripes.png")
    inside = read_picture(tmp_path / "stripes.png", 224)[:, 1:-1].astype(int)
    assert np.abs(inside - 128).max() <= 3


def test_other_formats_are_not_even_tried(tmp_path):
    """Pillow would start Ghostscript for this one, whatever the name says."""
    half_red_half_blue().save(tmp_path / "picture.jpg", "EPS")
    with pytest.raises(UnidentifiedImageError, match="^not a picture$"):
        read_picture(tmp_path / "picture.jpg")


@pytest.mark.parametrize("name", ["phone.heic", "renamed.jpg"])
def test_heic_is_named_and_the_way_out_too(tmp_path, name):
    file = tmp_path / name
    file.write_bytes(b"damaged" if name == "phone.heic" else b"\0\0\0\x18ftypheic" + bytes(100))
    with pytest.raises(UnidentifiedImageError, match="HEIC.*export it as JPEG"):
        read_picture(file)
    [(_, reasons)] = read_ahead([file], 32, 2)
    assert "export it as JPEG" in reasons[0] and reasons[1] == ""


@pytest.mark.skipif(sys.platform != "linux", reason="only there a thread has a priority of its own")
def test_pictures_are_read_where_priorities_may_not_be_set(tmp_path, monkeypatch):
    def forbidden(*args):
        raise PermissionError("not in this sandbox")

    monkeypatch.setattr(os, "setpriority", forbidden)
    half_red_half_blue().save(tmp_path / "one.png")
    [(batch, reasons)] = read_ahead([tmp_path / "one.png"], 32, 1)
    assert reasons == [""] and batch.shape == (1, 32, 32, 3) and batch.any()


def test_as_many_threads_as_this_process_may_use_cores(monkeypatch):
    monkeypatch.setattr(os, "cpu_count", lambda: 64)
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: {3, 5, 6}, raising=False)
    assert pictures._cores() == 3
    monkeypatch.delattr(os, "sched_getaffinity")
    assert pictures._cores() == 64

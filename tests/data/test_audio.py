"""Sounds in folders: rate, length, channels, and what is no sound."""

from __future__ import annotations

import sys
import wave

import numpy as np
import pytest

from engine.compiler.data import load_node, types_of
from engine.errors import DataError
from engine.graph.document import Node

RATE = 8000


def tone(frequency: float, seconds: float = 0.5, rate: int = RATE) -> np.ndarray:
    return 0.5 * np.sin(2 * np.pi * frequency * np.arange(round(seconds * rate)) / rate)


def write(path, channels: list[np.ndarray], rate: int = RATE, width: int = 2) -> None:
    values = np.stack(channels, 1)
    if width == 1:
        data = (values * 127 + 128).round().astype(np.uint8).tobytes()
    elif width == 3:
        whole = (values * (2**23 - 1)).round().astype("<i4")
        data = whole.reshape(-1, 1).view(np.uint8).reshape(-1, 4)[:, :3].tobytes()
    else:
        data = (values * (2 ** (8 * width - 1) - 1)).round().astype(f"<i{width}").tobytes()
    with wave.open(str(path), "wb") as out:
        out.setnchannels(len(channels))
        out.setsampwidth(width)
        out.setframerate(rate)
        out.writeframes(data)


@pytest.fixture
def tones(tmp_path):
    """Low and high tones, and two files that are no sound."""
    for name, frequency in (("high", 800), ("low", 200)):
        (tmp_path / name).mkdir()
        write(tmp_path / name / "a.wav", [tone(frequency)])
        write(tmp_path / name / "b.wav", [tone(frequency), 0 * tone(frequency)], width=3)
    (tmp_path / "low" / "torn.wav").write_bytes(b"RIFF but nothing more")
    (tmp_path / "low" / "notes.txt").write_text("no sound")
    return tmp_path


def load(folder, **params):
    values = {"folder": str(folder), "rate": RATE, "seconds": 0.5, "validation": 0, **params}
    node = Node("data", "AudioFolder", params=values)
    data = load_node(node)
    for field, promised in zip(data.fields.values(), types_of(node), strict=True):
        assert field.values.shape[1:] == promised.shape[1:]
        assert len(field.classes) == promised.classes
    return data


@pytest.fixture(params=["soundfile", "wave"])
def reader(request, monkeypatch):
    """Both ways of reading, the one with the library and the one without it."""
    if request.param == "wave":
        monkeypatch.setitem(sys.modules, "soundfile", None)
        from engine.compiler import data

        monkeypatch.setattr(data, "_cache", type(data._cache)())
    return request.param


def test_each_folder_is_a_class_of_sounds(tones, reader):
    data = load(tones)
    sound, label = data.fields["waveform"].values, data.fields["label"]
    assert sound.shape == (4, 1, 4000)
    assert sound.dtype == np.float32
    assert label.classes == ("high", "low")
    assert label.values.tolist() == [0, 0, 1, 1]
    assert np.abs(sound[0, 0] - tone(800)).max() < 1e-3
    assert np.abs(sound[1, 0] - tone(800) / 2).max() < 1e-3  # the mean with a silent channel
    assert [each.partition(":")[0] for each in data.skipped] == ["low/torn.wav"]


def test_two_channels(tones, reader):
    sound = load(tones, channels="stereo").fields["waveform"].values
    assert sound.shape == (4, 2, 4000)
    assert np.array_equal(sound[0, 0], sound[0, 1])
    assert np.abs(sound[1, 1]).max() < 1e-3


def test_every_sound_has_one_length(tones, reader):
    longer = load(tones, seconds=0.75).fields["waveform"].values
    assert longer.shape[2] == 6000
    assert np.abs(longer[:, :, 4000:]).max() == 0
    assert load(tones, seconds=0.1).fields["waveform"].values.shape[2] == 800


def test_another_rate_keeps_the_tone(tones, reader):
    for rate in (4000, 16000):
        sound = load(tones, rate=rate).fields["waveform"].values[:, 0]
        assert sound.shape[1] == rate // 2
        loudest = np.abs(np.fft.rfft(sound)).argmax(1) * 2  # of half a second
        assert loudest.tolist() == [800, 800, 200, 200]


@pytest.mark.parametrize("width", [1, 2, 3, 4])
def test_every_width_of_numbers(tmp_path, reader, width):
    (tmp_path / "a").mkdir()
    for name in ("x.wav", "y.wav"):
        write(tmp_path / "a" / name, [tone(440)], width=width)
    sound = load(tmp_path).fields["waveform"].values[0, 0]
    assert np.abs(sound - tone(440)).max() < (0.01 if width == 1 else 1e-3)


def test_compressed_sound(tmp_path):
    import soundfile

    (tmp_path / "a").mkdir()
    for name in ("x.flac", "y.ogg"):
        soundfile.write(str(tmp_path / "a" / name), tone(440), RATE)
    sound = load(tmp_path).fields["waveform"].values[:, 0]
    assert np.abs(sound[0] - tone(440)).max() < 1e-3
    assert np.abs(sound[1] - tone(440)).max() < 0.1


def test_without_the_library_other_files_say_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "soundfile", None)
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "x.flac").write_bytes(b"fLaC" + bytes(100))
    with pytest.raises(DataError, match=r"none of 1 sounds can be read; .*pip install 'netwright\[audio\]'"):
        load(tmp_path)


def test_what_is_no_folder_of_sounds_is_told(tmp_path, monkeypatch):
    with pytest.raises(
        DataError, match="should hold one folder of sounds for each class, such as yes and no"
    ):
        load(tmp_path)
    (tmp_path / "a").mkdir()
    write(tmp_path / "a" / "silent.wav", [np.zeros(0)])
    with pytest.raises(DataError, match="it holds no sound"):
        load(tmp_path)
    monkeypatch.setattr("engine.data.audio.LARGEST", 1000)
    with pytest.raises(DataError, match="choose a lower rate or fewer seconds"):
        load(tmp_path)

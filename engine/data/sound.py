"""Sound from files: waveforms of one rate and one length."""

from __future__ import annotations

import wave
from collections.abc import Mapping
from math import gcd
from pathlib import Path
from typing import BinaryIO

import numpy as np

from engine.errors import DataError
from engine.layers.params import Choice, Float, Int, Value

SOUND: tuple = (
    Int(
        name="rate",
        default=16000,
        min=100,
        max=192_000,
        label="Sample rate",
        doc="Numbers for a second of sound; what has another rate is resampled.",
    ),
    Float(
        name="seconds",
        default=1.0,
        min=0.001,
        max=3600,
        doc="Length of every sound: longer ones are cut off, shorter ones end in silence.",
    ),
    Choice(
        name="channels",
        default="mono",
        choices=("mono", "stereo"),
        doc="Mono: the mean of all channels; stereo: the first two, or one of them twice.",
    ),
)
"""Parameters of every source that reads sound."""

WITHOUT_LIBRARY = (".wav", ".wave")
"""Files that are read without the library soundfile."""


def sound_shape(p: Mapping[str, Value]) -> tuple[int, int]:
    """Return channels and numbers of one sound."""
    return (1 if p["channels"] == "mono" else 2), max(1, round(p["rate"] * p["seconds"]))


def read_sound(file: Path | BinaryIO, p: Mapping[str, Value]) -> np.ndarray:
    """Return a sound (C, T) from -1 to 1, as the parameters say.

    Raises DataError, OSError or ValueError where it is none.
    """
    channels, length = sound_shape(p)
    values, rate = _decoded(file, p["seconds"])
    values = values.mean(0, keepdims=True) if channels == 1 else values[:2]
    if rate != p["rate"]:
        from scipy.signal import resample_poly

        common = gcd(rate, p["rate"])
        values = resample_poly(values, p["rate"] // common, rate // common, axis=1)
    sound = np.zeros((channels, length), np.float32)
    taken = min(values.shape[1], length)
    sound[:, :taken] = values[:, :taken]
    return sound


def _decoded(file: Path | BinaryIO, seconds: float) -> tuple[np.ndarray, int]:
    """The beginning of a sound (C, T), a little more than is needed, and its rate."""
    try:
        import soundfile
    except (ImportError, OSError):  # OSError: the library that it wraps is not there
        return _wave(file, seconds)
    try:
        with soundfile.SoundFile(str(file) if isinstance(file, Path) else file) as sound:
            frames = min(sound.frames, int((seconds + 1) * sound.samplerate))
            values = sound.read(frames, dtype="float32", always_2d=True)
            return _some(values.T), sound.samplerate
    except soundfile.SoundFileError as error:
        raise DataError(f"it is no sound that can be read ({error})") from None


def _wave(file: Path | BinaryIO, seconds: float) -> tuple[np.ndarray, int]:
    """The same with the standard library, which reads uncompressed WAV files."""
    try:
        with wave.open(str(file) if isinstance(file, Path) else file, "rb") as sound:
            rate, width, channels = sound.getframerate(), sound.getsampwidth(), sound.getnchannels()
            data = sound.readframes(min(sound.getnframes(), int((seconds + 1) * rate)))
    except (wave.Error, EOFError) as error:
        raise DataError(
            f"it is no WAV file of whole numbers ({error or 'it ends early'});"
            " for other kinds: pip install 'netwright[audio]'"
        ) from None
    data = data[: len(data) // (width * channels) * width * channels]
    if width == 1:
        values = (np.frombuffer(data, np.uint8).astype(np.float32) - 128) / 128
    elif width == 3:
        raw = np.frombuffer(data, np.uint8).reshape(-1, 3).astype(np.int32)
        values = ((raw[:, 0] << 8 | raw[:, 1] << 16 | raw[:, 2] << 24) / 2**31).astype(np.float32)
    else:
        values = np.frombuffer(data, f"<i{width}").astype(np.float32) / 2 ** (8 * width - 1)
    return _some(values.reshape(-1, channels).T), rate


def _some(values: np.ndarray) -> np.ndarray:
    if not values.size:
        raise DataError("it holds no sound")
    return values

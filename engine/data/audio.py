"""Sound in folders, one folder for each class."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from engine.data.arrays import LARGEST
from engine.data.folders import class_files, folder_name, read_classes
from engine.data.sound import SOUND, read_sound, sound_shape
from engine.data.source import SPLIT, Dataset, Field, Source, dataset
from engine.errors import DataError
from engine.layers.declaration import BATCH, Port, TensorType
from engine.layers.params import Folder, Value

ENDINGS = (".wav", ".wave", ".flac", ".ogg", ".oga", ".mp3", ".aif", ".aiff", ".au")
"""Of the files that are read; all others in a folder are passed over."""


def _files(folder: str) -> dict[str, list[Path]]:
    return class_files(folder, ENDINGS, "sounds", "yes and no")


def _load(p: Mapping[str, Value]) -> Dataset:
    files = _files(p["folder"])
    shape, count = sound_shape(p), sum(map(len, files.values()))
    if count * shape[0] * shape[1] * 4 > LARGEST:
        raise DataError(
            f"{folder_name(p['folder'])}: {count:,} sounds of {shape[1]:,} numbers take more than"
            f" {LARGEST // 10**9} GB; choose a lower rate or fewer seconds."
        )
    values = np.empty((count, *shape), np.float32)
    values, labels, skipped = read_classes(files, values, lambda path: read_sound(path, p), "sounds")
    return dataset(p, {"waveform": Field(values), "label": Field(labels, tuple(files))}, skipped)


def _types(p: Mapping[str, Value]) -> tuple[TensorType, ...]:
    return TensorType((BATCH, *sound_shape(p))), TensorType((BATCH,), "int", len(_files(p["folder"])))


audio_folder = Source(
    "AudioFolder",
    doc="Your own sounds: a folder that holds one folder of sound files for each class.",
    inputs=(),
    outputs=(Port("waveform", "N C L"), Port("label", "N", dtype="int")),
    params=(
        Folder(
            name="folder",
            default="",
            patterns=tuple(f"*{ending}" for ending in ENDINGS),
            doc="It holds one folder for each class, such as yes and no.",
        ),
        *SOUND,
        *SPLIT,
    ),
    types=_types,
    load=_load,
    summary=lambda p: folder_name(p["folder"]),
    title="Sound folder",
    prefix="sounds",
    synonyms=("audio", "sound", "speech", "music", "waveform", "wav", "folder", "classes", "own data"),
)

"""Sets for the stand-in of the hub, in the layout that real ones have there."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image

README = """---
license: cc0-1.0
configs:
- config_name: default
  data_files:
  - split: train
    path: data/train-*
  - split: test
    path: data/test-*
---
# Set
"""

BYTES = pa.struct([("bytes", pa.binary()), ("path", pa.string())])


def png(color: tuple[int, int, int], size: tuple[int, int] = (20, 10)) -> dict[str, Any]:
    """Return a picture as a cell of a set."""
    out = io.BytesIO()
    Image.new("RGB", size, color).save(out, "png")
    return {"bytes": out.getvalue(), "path": "picture.png"}


def write_set(
    folder: Path, name: str, features: dict, parts: dict[str, pa.Table], group: int = 1 << 20, **about: Any
) -> None:
    """Write a set of Parquet files with its README, in row groups of so many rows, as on the hub."""
    top = folder / name
    (top / "data").mkdir(parents=True)
    (top / "README.md").write_text(README)
    (top / "about.json").write_text(json.dumps(about))
    meta = {"huggingface": json.dumps({"info": {"features": features}})}
    for part, table in parts.items():
        path = top / "data" / f"{part}-00000-of-00001.parquet"
        pq.write_table(table.replace_schema_metadata(meta), path, row_group_size=group)


def write_pets(folder: Path, name: str = "tester/pets", rows: int = 20) -> None:
    """Write pictures of red cats and blue dogs; a third picture is none."""
    pictures = [png((255, 0, 0)), png((0, 0, 255))] * (rows // 2)
    train = pa.table(
        {
            "image": pa.array([*pictures, {"bytes": b"torn", "path": "torn.png"}], BYTES),
            "label": [*[0, 1] * (rows // 2), 0],
        }
    )
    features = {
        "image": {"_type": "Image"},
        "label": {"names": ["cat", "dog"], "_type": "ClassLabel"},
    }
    write_set(
        folder,
        name,
        features,
        {"train": train, "test": train.slice(0, 6)},
        description="Pictures of cats and dogs, one color each.",
        tags=["modality:image", "size_categories:n<1K", "license:cc0-1.0"],
    )


def write_reviews(folder: Path, name: str = "tester/reviews") -> None:
    """Write sentences with a mood and numbers of several kinds."""
    count = 60
    sentences = [f"a {'fine' if n % 2 else 'dull'} film number {n}" for n in range(count)]
    table = pa.table(
        {
            "text": sentences,
            "mood": ["good" if n % 2 else "bad" for n in range(count)],
            "stars": [n % 5 + 1 for n in range(count)],
            "length": [float(n) for n in range(count)],
            "seen": [n % 3 == 0 for n in range(count)],
            "place.x": [n * 1000 for n in range(count)],
            "vector": [[float(n), 1.0, 2.0] for n in range(count)],
            "tokens": [list(range(n % 4 + 1)) for n in range(count)],
            "when": pa.array([0] * count, pa.timestamp("s")),
        }
    )
    value = {"_type": "Value"}
    features = {
        "text": value | {"dtype": "string"},
        "mood": value | {"dtype": "string"},
        "stars": value | {"dtype": "int64"},
        "length": value | {"dtype": "float64"},
        "seen": value | {"dtype": "bool"},
        "place.x": value | {"dtype": "int64"},
        "vector": {"_type": "List", "feature": value | {"dtype": "float64"}},
        "tokens": {"_type": "List", "feature": value | {"dtype": "int64"}},
        "when": value | {"dtype": "timestamp[s]"},
    }
    write_set(folder, name, features, {"train": table, "test": table.slice(0, 10)}, description="Films.")


def write_languages(folder: Path, name: str = "tester/languages") -> None:
    """Write a set of two configurations, each of one part that has another name than usual."""
    value = {"_type": "Value", "dtype": "float64"}
    features = {"x": value, "y": value}
    configs = []
    for number, config in enumerate(("de", "fr")):
        top = folder / name / config
        top.mkdir(parents=True)
        table = pa.table({"x": [float(n) for n in range(10)], "y": [float(number)] * 10})
        meta = {"huggingface": json.dumps({"info": {"features": features}})}
        pq.write_table(table.replace_schema_metadata(meta), top / "all.parquet")
        configs.append(
            f"- config_name: {config}\n  data_files:\n  - split: everything\n    path: {config}/*\n"
        )
    (folder / name / "README.md").write_text(f"---\nconfigs:\n{''.join(configs)}---\n# Set\n")


def write_large(folder: Path, name: str = "tester/large") -> None:
    """Write a set of a few megabytes, whose download can be held in its middle."""
    rng = np.random.default_rng(0)
    table = pa.table({"x": rng.normal(size=200_000), "y": rng.integers(0, 3, 200_000)})
    value = {"_type": "Value"}
    features = {"x": value | {"dtype": "float64"}, "y": value | {"dtype": "int64"}}
    write_set(folder, name, features, {"train": table, "test": table.slice(0, 10)})


def write_wide(folder: Path, name: str = "tester/wide") -> None:
    """Write numbers in order in several row groups, beside lists that are much larger."""
    rng, count = np.random.default_rng(0), 4_000
    wide = pa.FixedSizeListArray.from_arrays(pa.array(rng.normal(size=count * 40)), 40)
    table = pa.table({"x": np.arange(count, dtype=np.float64), "wide": wide.cast(pa.list_(pa.float64()))})
    value = {"_type": "Value", "dtype": "float64"}
    features = {"x": value, "wide": {"_type": "List", "feature": value}}
    write_set(folder, name, features, {"train": table, "test": table.slice(0, 10)}, group=500)

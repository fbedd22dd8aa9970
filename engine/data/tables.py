"""Well-known tables that come with scikit-learn."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from engine.data.source import SPLIT, Dataset, Field, Source, dataset, split, standardized
from engine.layers.declaration import BATCH, Port, TensorType
from engine.layers.params import Bool, Choice, Value

_TABLES = {
    "iris": (4, 3, "150 flowers, 4 lengths, 3 species"),
    "wine": (13, 3, "178 wines, 13 measurements, 3 growers"),
    "breast_cancer": (30, 2, "569 tumors, 30 measurements, 2 findings"),
    "diabetes": (10, 0, "442 patients, 10 measurements, progress"),
}
"""How many features and classes each has (0: its target is a number), and what it is."""


def _table(p: Mapping[str, Value]) -> Dataset:
    from sklearn import datasets

    table = getattr(datasets, f"load_{p['table']}")()
    features = table.data.astype(np.float32)
    if p["standardize"]:
        features = standardized(table.data, split(len(features), p["validation"], p["seed"])[0])
    if "target_names" in table:
        target = Field(table.target.astype(np.int64), tuple(str(name) for name in table.target_names))
    else:
        target = Field(table.target.astype(np.float32)[:, None])
    return dataset(p, {"features": Field(features), "target": target})


def _types(p: Mapping[str, Value]) -> tuple[TensorType, ...]:
    features, classes, _ = _TABLES[p["table"]]
    target = TensorType((BATCH,), "int", classes) if classes else TensorType((BATCH, 1))
    return TensorType((BATCH, features)), target


sample_table = Source(
    "SampleTable",
    doc="A small table from the textbooks: measurements, and what they tell.",
    inputs=(),
    outputs=(Port("features", "N D"), Port("target", dtype="any")),
    params=(
        Choice(name="table", default="iris", choices=tuple(_TABLES), doc="Which of them."),
        Bool(
            name="standardize",
            default=True,
            doc="Give each column mean 0 and deviation 1, as the training rows have them.",
        ),
        *SPLIT,
    ),
    types=_types,
    load=_table,
    summary=lambda p: _TABLES[p["table"]][2],
    title="Sample table",
    prefix="table",
    synonyms=("iris", "wine", "breast cancer", "diabetes", "tabular"),
)

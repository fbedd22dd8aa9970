"""Well-known tables that come with scikit-learn."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from engine.data.source import NORMALIZE, SPLIT, Dataset, Field, Source, dataset
from engine.layers.declaration import BATCH, Port, TensorType
from engine.layers.params import Choice, Value

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
    names = tuple(str(name) for name in table.get("target_names", ()))
    features = table.data
    target = table.target.astype(np.int64) if names else table.target[:, None]
    columns = tuple(str(name) for name in table.feature_names)
    target = Field(target if names else target.astype(np.float32), names)
    return dataset(p, {"features": Field(features.astype(np.float32), columns=columns), "target": target})


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
        NORMALIZE,
        *SPLIT,
    ),
    types=_types,
    load=_table,
    summary=lambda p: _TABLES[p["table"]][2],
    title="Sample table",
    prefix="table",
    synonyms=("iris", "wine", "breast cancer", "diabetes", "tabular"),
)

"""Running a function of the document that makes data: only where its text is trusted."""

from __future__ import annotations

import inspect
from collections.abc import Mapping

from engine.compiler.custom import namespace_of, reason_of, running
from engine.data.functions import dataset_of
from engine.data.source import Dataset, Source
from engine.errors import DataError, EngineError
from engine.layers.params import Value

SECONDS = 600.0
"""Of this thread's own time that a function may take to make its data."""


def make_data(source: Source, values: Mapping[str, Value]) -> Dataset:
    """Return the data set that a trusted function makes with its arguments among ``values``.

    Raises EngineError with the line where it is its own fault.
    """
    function = namespace_of(source.source)[source.type]
    names = inspect.signature(function).parameters
    lacking = [name for name in names if values[name] is None and names[name].default is not None]
    if lacking:
        raise DataError(f"{source.type} needs a value for {lacking[0]}.")
    try:
        with running(source.source, SECONDS):
            given = function(**{name: values[name] for name in names})
    except EngineError:
        raise
    except Exception as error:
        raise DataError(f"{source.type} cannot make its data: {reason_of(error)}.") from None
    ports = tuple(port.name for port in source.outputs_of(values))
    return dataset_of(source.type, given, ports, values)

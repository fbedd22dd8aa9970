"""The process that talks to the Hugging Face hub: one request, told line by line as JSON, then it ends.

It is started by ``engine.data.hub_client`` and imports ``datasets``, which no other part does: a second of
loading, progress bars and downloads stay out of the window, and ending the process cancels what it does.
"""

from __future__ import annotations

import base64
import errno
import io
import json
import os
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import quote

from engine.data.hub_cache import Part, Record, RemoteFile, record_path, write_record
from engine.data.hub_client import INDEX

COPY = "refs/convert/parquet"
"""The branch of a set on which the hub puts its copy in Parquet."""

_TWICE = "downloading bytes"
"""The end of what a bar says that counts the bytes of a file beside another one, which counts them too."""

_SCRIPT = "scripts are no longer supported"

ROWS = 8
"""Rows of a preview."""

_SIDE, _LETTERS, _NUMBERS = 96, 400, 8

_READERS = 8
"""Files that are looked at side by side."""

_SAMPLE, _SPREAD = 2_000, 8
"""Rows of a part that are kept to tell classes and words by, and the row groups they come from."""

_LARGE = ("Image", "Audio", "Video", "Pdf")
_HUB = "hf://datasets/"


class Teller:
    """Writes one JSON object a line; what libraries print goes elsewhere."""

    def __init__(self) -> None:
        self._out = os.fdopen(os.dup(1), "w", encoding="utf-8")
        os.dup2(2, 1)
        self._lock = threading.Lock()
        self.total, self._done = 0, 0

    def tell(self, **said: Any) -> None:
        """Write one object."""
        with self._lock:
            self._out.write(json.dumps(said) + "\n")
            self._out.flush()

    def watch_bars(self) -> None:
        """Tell what the progress bars of the libraries would show."""
        from tqdm.std import tqdm

        began, updated = tqdm.__init__, tqdm.update

        def begin(bar: Any, *args: Any, **kwargs: Any) -> None:
            bar.told_unit, bar.told = str(kwargs.get("unit", "it")).strip(), 0
            if str(kwargs.get("desc")).endswith(_TWICE):
                bar.told_unit = ""
            began(bar, *args, **kwargs)

        def update(bar: Any, n: float | None = 1) -> Any:
            bar.told += n or 0
            if bar.told_unit == "B":
                self._done += n or 0
                self.tell(stage="download", done=self._done, total=max(self.total, self._done))
            elif bar.told_unit in ("examples", "tables"):
                self.tell(stage="prepare", done=bar.told, total=bar.total or 0)
            return updated(bar, n)

        tqdm.__init__, tqdm.update = begin, update


def main(arguments: list[str]) -> None:
    """Do one request: a command, and the name, configuration, revision and part that it is about."""
    teller = Teller()
    threading.Thread(target=_end_with_parent, daemon=True).start()
    command, name, config, revision, part = arguments
    try:
        if command != INDEX:  # that counts files, not the bytes of a README
            teller.watch_bars()
        teller.tell(stage="done", **_COMMANDS[command](teller, name, config, revision, part))
    except ImportError as error:
        teller.tell(stage="failed", kind="install", text=str(error))
    except BaseException as error:
        kind, text = _reason(error)
        teller.tell(stage="failed", kind=kind, text=text)
    os._exit(0)  # threads of the libraries may still wait for the network


def _end_with_parent() -> None:
    """End when the other end of the input is closed: nobody waits for this process any more."""
    sys.stdin.buffer.read()
    os._exit(1)


def _builder(name: str, config: str, revision: str, any_config: bool = False) -> Any:
    """The set as the library sees it; never runs Python of the set, which this library no longer can."""
    from datasets import load_dataset_builder

    try:
        return load_dataset_builder(name, config or None, revision=revision or None)
    except ValueError as error:
        names = _named(str(error))
        if any_config and not config and names:
            return load_dataset_builder(name, names[0], revision=revision or None)
        raise


def _named(text: str) -> list[str]:
    """The configurations that an error of the library lists."""
    import ast

    start, end = text.find("["), text.find("]")
    try:
        return [str(each) for each in ast.literal_eval(text[start : end + 1])] if 0 <= start < end else []
    except (ValueError, SyntaxError):
        return []


def _download(
    teller: Teller, name: str, config: str, revision: str, part: str, mode: str = "reuse_dataset_if_exists"
) -> dict[str, Any]:
    from huggingface_hub import HfApi

    HfApi().dataset_info(name, revision=revision or None)  # tells at once what the library tries for long
    builder = _builder(name, config, revision)
    teller.total = sum(_sizes(builder, name).values())
    builder.download_and_prepare(download_mode=mode)
    parts = {}
    for each, info in builder.info.splits.items():
        data = builder.as_dataset(split=each)
        files = tuple(str(file["filename"]) for file in data.cache_files)
        parts[each] = Part(info.num_examples, files)
        features = data.features
    record = Record(name, config, revision, builder.hash or "", features.to_dict(), parts)
    write_record(record)
    return {}


def _sizes(builder: Any, name: str) -> dict[str, int]:
    """The bytes of each file of the set that the builder will read; nothing where the hub does not tell."""
    from huggingface_hub import HfApi

    urls = [str(url) for files in (builder.config.data_files or {}).values() for url in files]
    paths = [url.partition("@")[2].partition("/")[2] for url in urls if url.startswith("hf://")]
    try:
        revision = urls[0].partition("@")[2].partition("/")[0]
        info = HfApi().dataset_info(name, revision=revision, files_metadata=True)
        sizes = {each.rfilename: each.size or 0 for each in info.siblings or ()}
    except Exception:  # a size is a courtesy: the download itself tells what is wrong
        return {}
    return {path: sizes.get(path, 0) for path in paths}


def _describe(teller: Teller, name: str, config: str, revision: str, part: str) -> dict[str, Any]:
    from datasets import Audio, Image
    from huggingface_hub import HfApi

    info = HfApi().dataset_info(name, revision=revision or None)
    try:
        builder = _builder(name, config, revision, any_config=True)
    except RuntimeError as error:
        if revision or _SCRIPT not in str(error):
            raise
        try:  # the hub keeps a copy of many sets that a script makes, which needs none
            builder = _builder(name, config, COPY, any_config=True)
        except Exception:
            raise error from None
        revision = COPY
    splits = {each: None for each in builder.config.data_files or {}}
    splits |= {each: split.num_examples for each, split in (builder.info.splits or {}).items()}
    part = part if part in splits else next(iter(splits), "train")
    stream = builder.as_streaming_dataset(split=part)
    features = stream.features or stream._resolve_features().features
    for column, feature in features.items():
        if isinstance(feature, Image | Audio):
            stream = stream.cast_column(column, type(feature)(decode=False))
    rows = [{column: _shown(row[column]) for column in features} for row in stream.take(ROWS)]
    sizes = _sizes(builder, name)
    return {
        "configs": sorted(map(str, builder.builder_configs)),
        "config": str(builder.config.name),
        "parts": splits,
        "part": part,
        "features": features.to_dict(),
        "rows": rows,
        "size": sum(sizes.values()) or builder.info.download_size,
        "description": (info.description or builder.info.description or "").strip(),
        "revision": revision,
        "license": str((info.card_data or {}).get("license") or ""),
    }


def _shown(value: Any) -> Any:
    """A cell of a preview: a picture as {"image": PNG}, anything else as a short text."""
    if isinstance(value, Mapping) and value.get("bytes"):
        from PIL import Image, UnidentifiedImageError

        try:
            with Image.open(io.BytesIO(value["bytes"])) as image:
                image.thumbnail((_SIDE, _SIDE))
                out = io.BytesIO()
                image.convert("RGBA").save(out, "png")
            return {"image": base64.b64encode(out.getvalue()).decode()}
        except (UnidentifiedImageError, OSError, ValueError, Image.DecompressionBombError):
            return f"{len(value['bytes']):,} bytes"
    if isinstance(value, list | tuple):
        more = ", …" if len(value) > _NUMBERS else ""
        return f"[{', '.join(str(_shown(each)) for each in value[:_NUMBERS])}{more}]"[:_LETTERS]
    return value if isinstance(value, int | float | bool | None) else str(value)[:_LETTERS]


def _reason(error: BaseException) -> tuple[str, str]:
    """What went wrong as a kind and the library's own words; the first kind that fits."""
    from datasets.data_files import EmptyDatasetError
    from datasets.exceptions import DataFilesNotFoundError, DatasetNotFoundError
    from huggingface_hub import errors

    chain: list[BaseException] = []
    each: BaseException | None = error
    while each is not None and each not in chain:
        chain.append(each)
        each = each.__cause__ or each.__context__
    text = next((str(each).strip() for each in chain if str(each).strip()), type(error).__name__)

    def found(*kinds: type[BaseException]) -> bool:
        return any(isinstance(each, kinds) for each in chain)

    # The client for HTTP is another library from one version of the hub's to the next.
    unreached = any(base.__name__ == "TransportError" for each in chain for base in type(each).__mro__)
    rules: tuple[tuple[str, Callable[[], bool]], ...] = (
        ("parquet", lambda: found(NoParquet)),
        ("gated", lambda: "gated dataset" in text or found(errors.GatedRepoError)),
        ("script", lambda: _SCRIPT in text),
        ("config", lambda: bool(_named(text)) and "onfig" in text),
        ("empty", lambda: found(EmptyDatasetError, DataFilesNotFoundError)),
        ("revision", lambda: "Revision '" in text or found(errors.RevisionNotFoundError)),
        ("missing", lambda: found(DatasetNotFoundError, errors.RepositoryNotFoundError)),
        ("network", lambda: found(ConnectionError, errors.OfflineModeIsEnabled) or unreached),
        ("disk", lambda: any(getattr(each, "errno", 0) in (errno.ENOSPC, errno.EDQUOT) for each in chain)),
        ("hub", lambda: found(errors.HfHubHTTPError)),
    )
    kind = next((kind for kind, fits in rules if fits()), "other")
    if kind == "config":
        return kind, ", ".join(_named(text))
    return kind, text.splitlines()[0]


def _again(*request: Any) -> dict[str, Any]:
    """Prepare the rows once more from the files that were downloaded: what was prepared is damaged."""
    return _download(*request, mode="reuse_cache_if_exists")


class NoParquet(Exception):
    """Neither the set nor the hub's copy of it is in Parquet."""


def _index(teller: Teller, name: str, config: str, revision: str, part: str) -> dict[str, Any]:
    """Look at the ends of the Parquet files of a set and at some rows, and write what reading it needs."""
    from datasets import Features
    from huggingface_hub import HfApi

    from engine.data.hub_network import footer

    HfApi().dataset_info(name, revision=revision or None)
    origin, paths, features = _parquet(name, config, revision)
    repository, _, commit = origin.partition("@")
    info = HfApi().dataset_info(repository, revision=commit, files_metadata=True)
    sizes = {each.rfilename: each.size or 0 for each in info.siblings or ()}
    every = [path for each in paths.values() for path in each]
    files: dict[str, RemoteFile] = {}
    with ThreadPoolExecutor(_READERS) as threads:
        ends = threads.map(lambda each: footer(origin, each, sizes[each]), every)
        for path, end in zip(every, ends, strict=True):
            groups = tuple(end.row_group(number).num_rows for number in range(end.num_row_groups))
            files[path] = RemoteFile(path, sizes[path], groups)
            teller.tell(stage="look", done=len(files), total=len(every))
        if features is None:
            features = Features.from_arrow_schema(
                footer(origin, every[0], sizes[every[0]]).schema.to_arrow_schema()
            )
        columns = [each for each, feature in features.items() if type(feature).__name__ not in _LARGE]
        parts = {}
        for each, held in paths.items():
            remote = tuple(files[path] for path in held)
            sample = record_path(name, config, revision, network=True).with_suffix(
                f".{quote(each, safe='')}.arrow"
            )
            _write_sample(sample, origin, remote, features, columns, threads)
            parts[each] = Part(sum(sum(file.groups) for file in remote), (str(sample),), remote)
    write_record(Record(name, config, revision, commit, features.to_dict(), parts, origin))
    return {}


def _parquet(name: str, config: str, revision: str) -> tuple[str, dict[str, list[str]], Any]:
    """The set and the commit that hold a set's Parquet files, their paths by part, the columns if known."""
    from huggingface_hub import HfApi, errors

    if revision != COPY:
        try:
            builder = _builder(name, config, revision)
            files = {
                str(each): list(map(str, urls)) for each, urls in (builder.config.data_files or {}).items()
            }
        except RuntimeError as error:
            if _SCRIPT not in str(error):
                raise
            files = {}
        urls = [url for each in files.values() for url in each]
        places = [_place(url) for url in urls]
        origins = {origin for origin, _ in places}
        if len(origins) == 1 and all(path.endswith(".parquet") for _, path in places):
            paths = {each: [_place(url)[1] for url in found] for each, found in files.items()}
            return origins.pop(), paths, builder.info.features
        if revision:
            raise NoParquet(name)
    try:
        info = HfApi().dataset_info(name, revision=COPY)
    except errors.RevisionNotFoundError:
        raise NoParquet(name) from None
    found: dict[str, dict[str, list[str]]] = {}
    for each in sorted(file.rfilename for file in info.siblings or ()):
        words = each.split("/")  # configuration/part/0000.parquet
        if len(words) == 3 and each.endswith(".parquet"):
            found.setdefault(words[0], {}).setdefault(words[1].removeprefix("partial-"), []).append(each)
    if not found:
        raise NoParquet(name)
    chosen = config or (next(iter(found)) if len(found) == 1 else "default")
    if chosen not in found:
        raise ValueError(f"Config name is missing: {list(found)}")
    return f"{name}@{info.sha}", found[chosen], None


def _place(url: str) -> tuple[str, str]:
    """Of hf://datasets/owner/name@commit/path the set with its commit, and the path; else empty texts."""
    if not url.startswith(_HUB):
        return "", ""
    name, _, rest = url.removeprefix(_HUB).partition("@")
    commit, _, path = rest.partition("/")
    return f"{name}@{commit}", path


def _write_sample(
    target: Path,
    origin: str,
    files: Sequence[RemoteFile],
    features: Any,
    columns: list[str],
    threads: Executor,
) -> None:
    """Write rows from row groups that are spread over a part; what is large in them is left out."""
    import pyarrow as pa

    from engine.data.hub_network import read_group

    places = [(file, number) for file in files for number, rows in enumerate(file.groups) if rows]
    step = max(len(places) // _SPREAD, 1)

    def head(place: tuple[RemoteFile, int]) -> Any:
        return next(read_group(origin, *place, columns, _SAMPLE // _SPREAD))

    tables = list(threads.map(head, places[::step][:_SPREAD])) if columns else []
    table = pa.concat_tables(tables) if tables else pa.table({})
    for name in features:
        if name not in table.column_names:
            table = table.append_column(name, pa.nulls(len(table)))
    target.parent.mkdir(parents=True, exist_ok=True)
    with pa.OSFile(str(target), "wb") as out, pa.ipc.new_stream(out, table.schema) as writer:
        writer.write_table(table)


_COMMANDS: dict[str, Callable[..., dict[str, Any]]] = {
    "download": _download,
    "again": _again,
    "describe": _describe,
    INDEX: _index,
}

if __name__ == "__main__":
    main(sys.argv[1:])

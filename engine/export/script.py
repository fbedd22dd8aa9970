"""The run as one file of Python that needs nothing but torch, with its data beside it."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from dataclasses import replace
from math import ceil
from pathlib import Path

import torch

from engine.compiler.source import render, render_metrics
from engine.data.stream import Stream
from engine.errors import TrainingError
from engine.export import Weights
from engine.export.objectives import Written, freezing, write_objectives
from engine.export.wrapping import indented, wrapped
from engine.graph.document import Document
from engine.storage.atomic import replacing, write_text
from engine.training.batches import balanced, order_seed
from engine.training.loop import EVALUATION_ROWS, EVALUATION_STEPS
from engine.training.setup import Setup, prepare
from engine.training.stopping import rising

_CHANNELS_LAST = "memory_format=torch.channels_last"


def write_script(document: Document, path: Path, weights: Weights | None = None) -> str:
    """Write the script, and beside it ``NAME_data.pt`` with the rows that train and those held out.

    Run on the same device it computes what our run computes, number for number: the same seed, order of
    batches, memory format, threads and fused optimizer. What looking at a run draws at random (a noise layer
    that is watched) and changes by hand while it goes on are no part of it.
    """
    training = replace(document.training, compile=False)  # it would be translated to be forgotten
    with torch.random.fork_rng(devices=[]):
        setup = prepare(document.with_(training=training), "cpu", training.weights or None)
    if isinstance(setup.dataset, Stream):
        raise TrainingError(
            "The data is streamed, so it cannot be written beside the script; set its reading to memory.",
            setup.built.data,
        )
    data = path.with_name(f"{path.stem}_data.pt")
    with replacing(data) as temporary:
        begins = {"begin": setup.model.state_dict()} if training.weights else {}
        torch.save({"train": setup.train, "validation": setup.held, **begins}, temporary)
        write_text(path, render_script(setup, data.name, f"{path.stem}_weights.pt"))
    weights = "the weights of the document's file" if training.weights else "fresh weights"
    seed = "" if training.weights else f" from seed {training.seed}"
    return f"its data is {data.name} beside it; it begins with {weights}{seed}"


def render_script(setup: Setup, data: str, learned: str) -> str:
    """Return the text of the script; ``data`` is the file it reads, ``learned`` the one it writes."""
    imports, _, model = render(setup.built.plan).text.partition("\n\n\n")
    objectives = write_objectives(setup, _given(setup), _monitored(setup))
    parts = [
        _head(setup, [imports, *(line for each in objectives for line in each.imports)], data, learned),
        model.rstrip(),
        *([_metrics(setup)] if _has_metrics(setup) else []),
        *([_evaluate(setup)] if _has_metrics(setup) or setup.dataset.held else []),
        *([inspect.getsource(balanced).rstrip()] if setup.training.balance == "sampling" else []),
        *dict.fromkeys(text for each in objectives for text in each.functions),
        _main(setup, objectives, learned),
        'if __name__ == "__main__":\n    main()',
    ]
    return "\n\n\n".join(parts) + "\n"


def _head(setup: Setup, imports: Sequence[str], data: str, learned: str) -> str:
    lines = {line for text in imports for line in text.splitlines()} - {""}
    lines |= {"import argparse", "from pathlib import Path", "import torch"}
    ours = sorted(line for line in lines if "torch" in line)
    others = sorted(lines - set(ours))
    title = setup.built.plan.name
    return "\n".join(
        [
            f'"""Trains {title} as it was drawn: the same first weights, the same batches, the same losses.',
            "",
            f"Reads {_plain(data)} beside this file and writes {_plain(learned)}. Needs torch alone.",
            '"""',
            "",
            *sorted(others, key=lambda line: not line.startswith("import")),
            "",
            *sorted(ours, key=lambda line: not line.startswith("import")),
            "",
            f"DATA = Path(__file__).with_name({_quoted(data)})",
        ]
    )


def _metrics(setup: Setup) -> str:
    """The metrics as a run computes them, with the types that a reader wants to see."""
    text = render_metrics(setup.built.plan).rstrip()
    names = [*setup.built.plan.outputs.values(), *setup.built.plan.fields.values()]
    typed = ", ".join(f"{name}: Tensor" for name in names)
    return text.replace(f"({', '.join(names)}):", f"({typed}) -> dict[str, Tensor]:", 1)


def _evaluate(setup: Setup) -> str:
    rows = setup.rows_at_once(EVALUATION_ROWS)
    first, plan = _quoted(next(iter(setup.train))), setup.built.plan
    values = '{"loss": loss(*given), **metrics(*given)}' if _has_metrics(setup) else '{"loss": loss(*given)}'
    look = [
        f"given = ({_given(setup)}{',' * (not plan.fields)})",
        f"values = {values}",
    ]
    if setup.cast:
        kind = f"torch.device(batch[{first}].device).type"
        look = [f"with torch.autocast({kind}, {setup.cast.args[1]}):", *indented(look)]
    look += [
        "for name, value in values.items():",
        f"    means[name] = means.get(name, 0.0) + value * (len(batch[{first}]) / count)",
    ]
    return "\n".join(
        [
            "@torch.no_grad()",
            "def evaluate(model: nn.Module, rows: dict[str, Tensor]) -> dict[str, float]:",
            f'    """Return the mean loss and metrics of all rows, {rows:,} at a time."""',
            "    model.eval()",
            f"    count = len(rows[{first}])",
            "    means: dict[str, Tensor] = {}",
            f"    for start in range(0, count, {rows}):",
            f"        batch = {{name: value[start : start + {rows}] for name, value in rows.items()}}",
            *indented(indented(look)),
            "    model.train()",
            "    return {name: float(value) for name, value in means.items()}",
        ]
    )


def _main(setup: Setup, objectives: Sequence[Written], learned: str) -> str:
    training = setup.document.training
    device = (
        'torch.accelerator.current_accelerator(check_available=True) or "cpu"'
        if training.device == "auto"
        else _quoted(training.device)
    )
    place = f"options.device, {_CHANNELS_LAST}" if setup.channels_last else "options.device"
    lines = [
        "parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])",
        f'parser.add_argument("--epochs", type=int, default={training.epochs})',
        f'parser.add_argument("--device", default={device})',
        "options = parser.parse_args()",
        "",
        f"torch.set_num_threads({setup.threads})  # another number adds in another order",
        f"torch.manual_seed({training.seed})",
        *(["torch.use_deterministic_algorithms(True)"] if training.deterministic else []),
        *(['torch.set_float32_matmul_precision("high")'] if training.precision == "tf32" else []),
        *_model(setup, place),
        "data = torch.load(DATA, map_location=options.device, weights_only=True)",
        'train, validation = data["train"], data["validation"]',
        *_begun(setup),
        *freezing(setup),
        *(line for each in objectives for line in each.before),
        *_average(setup),
        "generator = torch.Generator()",
        "losses = []",
        *(["step = 0"] if _counts(setup, objectives) else []),
        *(['best, waited, kept = float("inf"), 0, None'] if _watches(setup) else []),
        "for epoch in range(1, options.epochs + 1):",
        *indented(_epoch(setup, objectives)),
        *_concluded(setup),
        f"torch.save(model.state_dict(), DATA.with_name({_quoted(learned)}))",
    ]
    return "\n".join(["def main() -> None:", *wrapped(indented(lines))])


def _model(setup: Setup, place: str) -> list[str]:
    """The lines that make the model; its weights begin on the CPU, so that they are the same everywhere."""
    name = setup.built.plan.name
    if not setup.built.plan.beginnings:
        return [f"model = {name}().to({place})"]
    return [f"model = {name}()", "initialize(model)", f"model = model.to({place})"]


def _begun(setup: Setup) -> list[str]:
    return ['model.load_state_dict(data["begin"])'] if setup.training.weights else []


def _epoch(setup: Setup, objectives: Sequence[Written]) -> list[str]:
    every = ceil(EVALUATION_STEPS / setup.steps_per_epoch)
    used = f"[:{setup.batches.rows}]" if setup.batches.rows < setup.rows else ""
    checked = [line for each in objectives for line in each.checked]
    report = [*_reported(setup), *checked, *_watched(setup), "losses.clear()"]
    seed = order_seed(setup.training.seed, 0)
    if every > 1:
        report = [f"if epoch % {every} == 0 or epoch == options.epochs:", *indented(report)]
    ended = [line for each in objectives for line in each.epoch]
    return [
        f"generator.manual_seed({f'{seed} + ' if seed else ''}epoch)",
        f"order = {_order(setup)}{used}.to(options.device)",
        f"for rows in order.split({setup.batch_size}):",
        *indented([*_batch(setup), *_step(setup, objectives)]),
        *ended,
        *report,
    ]


def _order(setup: Setup) -> str:
    if setup.training.balance != "sampling":
        return f"torch.randperm({setup.rows}, generator=generator)"
    name = next(name for name, value in setup.train.items() if value is setup.batches.labels)
    return f"balanced(train[{_quoted(name)}], generator)"


def _batch(setup: Setup) -> list[str]:
    lines = ["batch = {name: value[rows] for name, value in train.items()}"]
    for name, value in setup.train.items():
        if setup.channels_last and value.dim() == 4:
            key = _field(name)
            lines.append(f"{key} = {key}.contiguous({_CHANNELS_LAST})")
    return lines


def _step(setup: Setup, objectives: Sequence[Written]) -> list[str]:
    follows = bool(setup.built.follow)
    return [
        *(["step += 1"] if _counts(setup, objectives) else []),
        *(line for each in objectives for line in each.step),
        f"losses.append({' + '.join(each.last for each in objectives)})",
        *(["follow(model, step)"] if follows else []),
        *(["average.update_parameters(model)"] if setup.average else []),
    ]


def _counts(setup: Setup, objectives: Sequence[Written]) -> bool:
    """Whether the number of the step is read: copies of layers follow by it, objectives leave steps out."""
    return bool(setup.built.follow) or any(each.counts for each in objectives)


def _average(setup: Setup) -> list[str]:
    if not setup.average:
        return []
    follow = f"get_ema_multi_avg_fn({setup.training.average!r})"
    swa = "torch.optim.swa_utils"
    return [f"average = {swa}.AveragedModel(model, multi_avg_fn={swa}.{follow})"]


def _checked(setup: Setup) -> str:
    """The model that is checked and kept."""
    return "average.module" if setup.average else "model"


def _monitored(setup: Setup) -> str:
    """What tells progress, of a report."""
    return f"report[{_quoted(setup.monitored)}]"


def _watches(setup: Setup) -> bool:
    return bool(setup.training.patience or setup.training.keep_best)


def _watched(setup: Setup) -> list[str]:
    """The lines that keep the best weights, and end the run where there is no progress."""
    if not _watches(setup):
        return []
    training, value = setup.training, _monitored(setup)
    state = f"{_checked(setup)}.state_dict()"
    lines = [
        f"value = {'-' if rising(setup.monitored) else ''}{value}",
        "waited += 1",
        "if value < best:",
        "    best, waited = value, 0",
    ]
    if training.keep_best:
        lines.append(f"    kept = {{name: each.clone() for name, each in {state}.items()}}")
    return [*lines, f"if waited >= {training.patience}:", "    break"] if training.patience else lines


def _concluded(setup: Setup) -> list[str]:
    """The lines that give the model the weights with which a run ends."""
    average = ["model.load_state_dict(average.module.state_dict())"] if setup.average else []
    if not setup.training.keep_best:
        return average
    lines = ["if kept is not None:", "    model.load_state_dict(kept)"]
    return [*lines, "else:", *indented(average)] if average else lines


def _reported(setup: Setup) -> list[str]:
    """The lines that tell what our run tells after an epoch, in the same order."""
    held = setup.dataset.held
    lines = ['report = {"loss": sum(losses) / len(losses)}']
    if _has_metrics(setup):
        rows = held or EVALUATION_ROWS
        lines += [
            f"seen = evaluate({_checked(setup)}, {{name: value[:{rows}] for name, value in train.items()}})",
            'report |= {name: value for name, value in seen.items() if name != "loss"}',
        ]
    if held:
        lines += [
            f"held = evaluate({_checked(setup)}, validation)",
            'report |= {f"val_{name}": value for name, value in held.items()}',
        ]
    lines.append(
        'print(f"epoch {epoch}:", ", ".join(f"{name} {value:.7g}" for name, value in report.items()))'
    )
    return lines


def _given(setup: Setup) -> str:
    """Return what loss and metrics are called with: the model's outputs, then the fields they read."""
    plan = setup.built.plan
    called = f"model({', '.join(_field(name) for name in plan.arguments.values())})"
    outputs = f"*{called}" if len(plan.outputs) > 1 else called
    return ", ".join([outputs, *(_field(name) for name in plan.fields.values())])


def _field(name: str) -> str:
    return f"batch[{_quoted(name)}]"


def _plain(text: str) -> str:
    """A file's name that cannot leave its docstring."""
    return "".join("'" if each in '"\\' else each for each in text if each.isprintable())


def _quoted(text: str) -> str:
    """Return a text as a literal in double quotes, where it can stand so."""
    return f'"{text}"' if repr(text) == f"'{text}'" and '"' not in text else repr(text)


def _has_metrics(setup: Setup) -> bool:
    return any(step.metrics for step in setup.built.plan.loss)

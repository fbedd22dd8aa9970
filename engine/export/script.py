"""The run as one file of Python that needs nothing but torch, with its data beside it."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from math import ceil
from pathlib import Path

import torch

from engine.compiler.source import render, render_metrics
from engine.data.stream import Stream
from engine.errors import TrainingError
from engine.export import Weights
from engine.graph.document import Document
from engine.storage.atomic import replacing, write_text
from engine.training.batches import order_seed
from engine.training.loop import EVALUATION_ROWS, EVALUATION_STEPS
from engine.training.setup import Setup, prepare

_INDENT = "    "
_CHANNELS_LAST = "memory_format=torch.channels_last"


def write_script(document: Document, path: Path, weights: Weights | None = None) -> str:
    """Write the script, and beside it ``NAME_data.pt`` with the rows that train and those held out.

    Run on the same device it computes what our run computes, number for number: the same seed, order of
    batches, memory format, threads and fused optimizer. What looking at a run draws at random (a noise layer
    that is watched) and changes by hand while it goes on are no part of it.
    """
    with torch.random.fork_rng(devices=[]):
        setup = prepare(document, "cpu")
    if isinstance(setup.dataset, Stream):
        raise TrainingError(
            "The data is streamed, so it cannot be written beside the script; set its reading to memory.",
            setup.built.data,
        )
    data = path.with_name(f"{path.stem}_data.pt")
    with replacing(data) as temporary:
        torch.save({"train": setup.train, "validation": setup.held}, temporary)
        write_text(path, render_script(setup, data.name, f"{path.stem}_weights.pt"))
    return (
        f"its data is {data.name} beside it; it begins with fresh weights from seed {document.training.seed}"
    )


def render_script(setup: Setup, data: str, learned: str) -> str:
    """Return the text of the script; ``data`` is the file it reads, ``learned`` the one it writes."""
    imports, _, model = render(setup.built.plan).text.partition("\n\n\n")
    parts = [
        _head(setup, imports, data, learned),
        model.rstrip(),
        *([_metrics(setup)] if _has_metrics(setup) else []),
        *([_evaluate(setup)] if _has_metrics(setup) or setup.dataset.held else []),
        _main(setup, learned),
        'if __name__ == "__main__":\n    main()',
    ]
    return "\n\n\n".join(parts) + "\n"


def _head(setup: Setup, imports: str, data: str, learned: str) -> str:
    lines = set(imports.splitlines()) - {""} | {"import argparse", "from pathlib import Path", "import torch"}
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
    return f'''\
@torch.no_grad()
def evaluate(model: nn.Module, rows: dict[str, Tensor]) -> dict[str, float]:
    """Return the mean loss and metrics of all rows, {rows:,} at a time."""
    model.eval()
    count = len(rows[{first}])
    means: dict[str, Tensor] = {{}}
    for start in range(0, count, {rows}):
        batch = {{name: value[start : start + {rows}] for name, value in rows.items()}}
        given = ({_given(setup)}{"," * (not plan.fields)})
        for name, value in {values}.items():
            means[name] = means.get(name, 0.0) + value * (len(batch[{first}]) / count)
    model.train()
    return {{name: float(value) for name, value in means.items()}}'''


def _main(setup: Setup, learned: str) -> str:
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
        *_model(setup, place),
        "data = torch.load(DATA, map_location=options.device, weights_only=True)",
        'train, validation = data["train"], data["validation"]',
        *_optimizers(setup),
        "generator = torch.Generator()",
        "losses = []",
        *(["step = 0"] if setup.built.follow else []),
        "for epoch in range(1, options.epochs + 1):",
        *_indented(_epoch(setup)),
        f"torch.save(model.state_dict(), DATA.with_name({_quoted(learned)}))",
    ]
    return "\n".join(["def main() -> None:", *_indented(lines)])


def _model(setup: Setup, place: str) -> list[str]:
    """The lines that make the model; its weights begin on the CPU, so that they are the same everywhere."""
    name = setup.built.plan.name
    if not setup.built.plan.beginnings:
        return [f"model = {name}().to({place})"]
    return [f"model = {name}()", "initialize(model)", f"model = model.to({place})"]


def _epoch(setup: Setup) -> list[str]:
    every = ceil(EVALUATION_STEPS / setup.steps_per_epoch)
    used = f"[:{setup.batches.rows}]" if setup.batches.rows < setup.rows else ""
    report = [*_reported(setup), "losses.clear()"]
    seed = order_seed(setup.training.seed, 0)
    return [
        f"generator.manual_seed({f'{seed} + ' if seed else ''}epoch)",
        f"order = torch.randperm({setup.rows}, generator=generator){used}.to(options.device)",
        f"for rows in order.split({setup.batch_size}):",
        *_indented([*_batch(setup), *_step(setup), *_follow(setup)]),
        *(
            report
            if every == 1
            else [f"if epoch % {every} == 0 or epoch == options.epochs:", *_indented(report)]
        ),
    ]


def _batch(setup: Setup) -> list[str]:
    lines = ["batch = {name: value[rows] for name, value in train.items()}"]
    for name, value in setup.train.items():
        if setup.channels_last and value.dim() == 4:
            key = _field(name)
            lines.append(f"{key} = {key}.contiguous({_CHANNELS_LAST})")
    return lines


def _step(setup: Setup) -> list[str]:
    several = len(setup.minimizers) > 1
    step = [
        "optimizer.zero_grad()",
        f"value = loss({_given(setup)})",
        "value.backward()",
        "optimizer.step()",
    ]
    if not several:
        return [*step, "losses.append(value.item())"]
    step.append("total += value.item()")
    return ["total = 0.0", "for optimizer in optimizers:", *_indented(step), "losses.append(total)"]


def _follow(setup: Setup) -> list[str]:
    """Copies of layers follow after a step, whose number is counted."""
    return ["step += 1", "follow(model, step)"] if setup.built.follow else []


def _reported(setup: Setup) -> list[str]:
    """The lines that tell what our run tells after an epoch, in the same order."""
    held = setup.dataset.held
    lines = ['report = {"loss": sum(losses) / len(losses)}']
    if _has_metrics(setup):
        rows = held or EVALUATION_ROWS
        lines += [
            f"seen = evaluate(model, {{name: value[:{rows}] for name, value in train.items()}})",
            'report |= {name: value for name, value in seen.items() if name != "loss"}',
        ]
    if held:
        lines.append(
            'report |= {f"val_{name}": value for name, value in evaluate(model, validation).items()}'
        )
    lines.append(
        'print(f"epoch {epoch}:", ", ".join(f"{name} {value:.7g}" for name, value in report.items()))'
    )
    return lines


def _optimizers(setup: Setup) -> list[str]:
    texts = [
        _optimizer(optimizer, type(optimizer).__name__)
        for minimizer in setup.minimizers
        for optimizer in minimizer.optimizers
    ]
    if len(texts) == 1:
        return [f"optimizer = {texts[0]}"]
    return ["optimizers = [", *_indented([f"{text}," for text in texts]), "]"]


def _optimizer(optimizer: torch.optim.Optimizer, name: str) -> str:
    """Return the call that makes an optimizer: the options that differ from torch's own."""
    usual = inspect.signature(type(optimizer)).parameters
    options = [
        f"{key}={value!r}"
        for key, value in optimizer.defaults.items()
        if key in usual and (key == "lr" or value != usual[key].default)
    ]
    return f"torch.optim.{name}({', '.join(['model.parameters()', *options])})"


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


def _indented(lines: Sequence[str]) -> list[str]:
    return [f"{_INDENT}{line}" if line else "" for line in lines]

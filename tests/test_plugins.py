"""Layers of installed packages, in a process of its own that has them on its path."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from engine import modules
from engine.compiler.analyze import analyze
from engine.errors import EngineError
from engine.graph.blocks import layer_of
from engine.graph.edits import rename
from engine.storage.document_file import load_document, save_document

LAYERS = """\
from engine.layers.declaration import Layer, Port
from engine.layers.params import Float

SQUASH = Layer(
    "Squash",
    category="Activation",
    doc="Keeps the direction of a vector and squashes its length below one.",
    inputs=(Port("x", "N D"),),
    params=(Float(name="scale", default=1.0, min=0.0, doc="Factor of the result."),),
    init="Squash({rest})",
    module="squashing.modules",
    call="{self}({x})",
    synonyms=("capsule",),
)
"""
MODULES = '''\
"""Squashing of vectors."""

import torch
from torch import Tensor, nn


class Squash(nn.Module):
    """Squash the length of vectors; Sabour et al., 2017."""

    def __init__(self, scale: float = 1.0) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.tensor(scale))

    def forward(self, x: Tensor) -> Tensor:
        length = x.norm(dim=1, keepdim=True)
        return self.scale * x * length / (1 + length**2)
'''
OTHERS = {
    "broken": "raise RuntimeError('no such card')\n",
    "empty": "x = 1\n",
    "taken": "from engine.layers.declaration import Layer\nL = Layer('Linear', 'Linear', 'A second one.')\n",
    "category": "from engine.layers.declaration import Layer\nL = Layer('Odd', 'Nowhere', 'Odd.')\n",
    "unread": "from engine.layers.declaration import Layer\n"
    "L = Layer('Gone', 'Linear', 'Gone.', init='Gone()', module='squashing.gone')\n",
}


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Path:
    """A folder as pip leaves it: a package of layers, some broken ones, and their entry points."""
    folder = tmp_path_factory.mktemp("site")
    package = folder / "squashing"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "layers.py").write_text(LAYERS)
    (package / "modules.py").write_text(MODULES)
    for name, text in OTHERS.items():
        (package / f"{name}.py").write_text(text)
    info = folder / "squashing-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: squashing\nVersion: 1.0\n")
    rows = [f"{name} = squashing.{name}" for name in ("layers", *OTHERS, "missing")]
    (info / "entry_points.txt").write_text("[netwright.layers]\n" + "\n".join(rows) + "\n")
    return folder


def run(site: Path, code: str) -> str:
    environment = {**os.environ, "PYTHONPATH": f"{site}{os.pathsep}{Path(__file__).parents[1]}"}
    environment["QT_QPA_PLATFORM"] = "offscreen"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=site, env=environment, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


DRAWN = """
from engine.graph.build import Builder
g = Builder("Net")
data = g.add("Spirals", samples=60, id="data")
x = g.add("Squash", data, id="squash")
g.add("Linear", x, id="fc", out_features=3)
document = g.document()
"""


def test_a_layer_of_a_package_is_found_measured_and_written(site):
    code = (
        "from engine import catalogue\n"
        "import sys; assert 'Squash' in catalogue.layers() and 'torch' not in sys.modules\n"
        "assert catalogue.search('capsule')[0].type == 'Squash'\n"
        "types = list(catalogue.layers()); assert types.index('Squash') < types.index('MSELoss')\n"
        f"{DRAWN}"
        "from engine.compiler.analyze import analyze\n"
        "analysis = analyze(document)\n"
        "print([p.message for p in analysis.errors], analysis.parameters['squash'])\n"
        "print(analysis.source.text)\n"
    )
    told = run(site, code)
    assert told.startswith("[] 1\n")
    assert MODULES.partition("nn\n\n\n")[2] in told
    assert "self.squash = Squash()" in told


def test_its_export_runs_with_torch_alone(site, tmp_path):
    model = tmp_path / "model.py"
    run(
        site,
        f"{DRAWN}\nfrom pathlib import Path\nfrom engine.export import export\n"
        f"export(document, Path({str(model)!r}))",
    )
    code = "import torch, model; print(tuple(model.Net()(torch.ones(5, 2)).shape))"
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True)
    assert done.stdout.strip() == "(5, 3)", done.stderr


def test_what_cannot_be_used_is_told_and_left_out(site):
    told = run(site, "from engine import catalogue\nprint('\\n'.join(catalogue.plugin_problems()))")
    for each in (
        "The plug-in broken could not be loaded: RuntimeError: no such card.",
        "The plug-in missing could not be loaded: ModuleNotFoundError",
        "The plug-in empty names 'squashing.empty', which is no module that declares a Layer.",
        "The plug-in taken: there is a layer Linear already.",
        "The plug-in category: Odd has the category 'Nowhere'",
        "The plug-in unread: squashing.gone could not be read",
    ):
        assert each in told


def test_the_command_line_and_the_window_tell_it_too(site):
    code = "import sys, main; sys.exit(main.main(['check', 'preset:spirals']))"
    assert "warning: document: The plug-in broken could not be loaded" in run(site, code)
    code = (
        "from gui.app import make_window\n"
        "window = make_window()\n"
        "print([row.problem.message for row in window.problems.rows()])\n"
        "palette = window.palette_\n"
        "print([palette.list.item(n).text() for n in range(palette.list.count())])\n"
        "window.close()\n"
    )
    told = run(site, code)
    assert "The plug-in broken could not be loaded" in told
    assert "'Squash'" in told


def test_it_learns(site):
    code = (
        f"{DRAWN}"
        "from engine.graph.edits import add_node, connect\n"
        "from engine.graph.document import Slot\n"
        "document, loss = add_node(document, 'CrossEntropyLoss', id='loss')\n"
        "document = connect(document, Slot('fc', 'y'), Slot('loss', 'logits'))\n"
        "document = connect(document, Slot('data', 'label'), Slot('loss', 'target'))\n"
        "from engine.training.runner import Runner\n"
        "runner = Runner(document, device='cpu'); runner.start(); runner.join(120)\n"
        "print(runner.events.drain()[-1])\n"
    )
    assert "reason='done'" in run(site, code)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("import os\nclass A: ...\n", "line 1: to run in an export"),
        ("from torch import optim\nclass A: ...\n", "line 1: to run in an export"),
        ("class A: ...\nX = 1\n", "line 2: it may define"),
        ("class Maxout: ...\n", "defines Maxout, which another file"),
        ("class (:", "could not be read"),
    ],
)
def test_a_file_that_could_not_stand_in_an_export_is_refused(text, message, tmp_path, monkeypatch):
    (tmp_path / "shelf_a").mkdir()
    (tmp_path / "shelf_a" / "__init__.py").write_text("")
    (tmp_path / "shelf_a" / "file.py").write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "shelf_a", raising=False)
    with pytest.raises(EngineError, match=message):
        modules.bring("shelf_a.file")
    monkeypatch.delitem(sys.modules, "shelf_a", raising=False)


def test_a_file_is_named_with_its_package():
    with pytest.raises(EngineError, match=r"package\.file"):
        modules.bring("maxout")


def test_a_document_goes_through_hands_without_the_package_and_comes_back(site, tmp_path):
    """Drawn where the package is installed, edited where it is not, opened where it is: nothing is lost."""
    path = tmp_path / "net.netwright"
    code = (
        f"{DRAWN}"
        "from engine.graph.edits import set_params\n"
        "from engine.storage.document_file import save_document\n"
        "from pathlib import Path\n"
        f"save_document(set_params(document, 'squash', scale=2.5), Path({str(path)!r}))\n"
    )
    run(site, code)
    document = load_document(path)
    assert layer_of(document, "Squash").role == "missing"
    assert "Squash" in analyze(document).problems_of("squash")[0].message
    save_document(rename(document, "fc", "the last one"), path)
    code = (
        "from engine.compiler.module import compile_document\n"
        "from engine.storage.document_file import load_document\n"
        "from pathlib import Path\n"
        f"document = load_document(Path({str(path)!r}))\n"
        "assert not document.missing, document.missing\n"
        "print(document.nodes['fc'].name, document.nodes['squash'].params['scale'])\n"
        "print(compile_document(document).source.text)\n"
    )
    told = run(site, code)
    assert "the last one 2.5" in told
    assert "Squash(scale=2.5)" in told

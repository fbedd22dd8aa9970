"""What a snapshot changes of a node is repainted alone, and looks as if all of it had been painted."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QImage, QPainter

from engine.training.events import Activation, Snapshot
from gui.bench import Bench
from gui.canvas.node_paint import SHADOW, paint_live, paint_node, strip_box
from gui.canvas.scene import CanvasScene
from gui.store import Store
from gui.theme import DARK
from presets import preset


def snapshot(scene: CanvasScene, seed: int) -> Snapshot:
    rng = np.random.default_rng(seed)
    maps = {id: rng.random((4, 6, 6), np.float32) for id in scene.nodes}
    seen = {id: Activation((4, 6, 6), each, 0.0, 1.0, 0.5, 0.3, 0.1) for id, each in maps.items()}
    return Snapshot(seed, 1, seen, gradients={id: float(rng.random()) for id in scene.nodes}, losses={})


@pytest.fixture
def scene(qtbot):
    store = Store()
    store.open(preset("lenet5").document())
    scene = CanvasScene(Bench(store))
    scene.show_snapshot(snapshot(scene, 1))
    return scene


def sheet(item, scale: float) -> tuple[QImage, QPainter]:
    """An empty picture of a node's size, and a painter that stands at the node's own origin."""
    room = item.boundingRect().size() * scale
    image = QImage(room.toSize(), QImage.Format.Format_ARGB32_Premultiplied)
    image.fill(DARK.color("canvas"))
    painter = QPainter(image)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.scale(scale, scale)
    painter.translate(SHADOW, SHADOW)
    return image, painter


@pytest.mark.parametrize("scale", [1.0, 2.0])
def test_a_strip_painted_alone_looks_as_in_the_whole_node(scene, scale):
    alone = 0
    for item in scene.nodes.values():
        image, painter = sheet(item, scale)
        paint_node(painter, item.face, replace(item.mood), DARK, scale)
        before = image.copy()
        scene.show_snapshot(snapshot(scene, 2))
        part = strip_box(item.face)
        painter.setClipRect(part, Qt.ClipOperation.ReplaceClip)
        painted = paint_live(painter, item.face, item.mood, DARK, part, scale)
        painter.end()
        whole, painter = sheet(item, scale)
        paint_node(painter, item.face, item.mood, DARK, scale)
        painter.end()
        scene.show_snapshot(snapshot(scene, 1))
        if painted:
            alone += 1
            assert image == whole
            assert image != before
    assert alone >= 5


def test_what_is_more_than_a_strip_is_painted_as_a_whole(scene):
    item = next(item for item in scene.nodes.values() if item.face.strip is not None)
    _, painter = sheet(item, 1.0)
    for part, mood, scale in (
        (QRectF(item.face.body), item.mood, 1.0),
        (strip_box(item.face), replace(item.mood, faded=True), 1.0),
        (strip_box(item.face), item.mood, 0.4),
    ):
        assert not paint_live(painter, item.face, mood, DARK, part, scale)
    painter.end()

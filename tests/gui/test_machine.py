"""The editor as a machine: whatever is done, the canvas shows the document and undo leads back."""

from __future__ import annotations

from contextlib import suppress

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from engine.errors import EngineError
from engine.graph import edits, interface
from engine.graph.blocks import free_name, group, layer_of, ungroup
from engine.graph.document import COLORS, Document, Slot
from engine.graph.marks import marks, places
from engine.graph.modes import active, left_out
from engine.storage.document_file import from_json, to_json
from gui.bench import Bench
from gui.canvas.aligning import ALIGNMENTS, Alignment
from gui.canvas.face import input_names, places_of
from gui.canvas.mark import MarkItem
from gui.canvas.node_paint import FAINT
from gui.canvas.view import CanvasView
from gui.canvas.wire_item import WireItem
from gui.store import Store
from tests.gui.canvas_help import lenet

LEFT, NONE = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
BAR = QPointF(40, 12)
"""From a comment's corner to a place by which it can be taken."""
TYPES = ("Conv2d", "Linear", "ReLU", "Add", "Concatenate", "LSTM", "Input", "Output", "Chunk", "BatchNorm2d")


class Editor(RuleBasedStateMachine):
    """Random gestures and edits on one canvas."""

    def __init__(self) -> None:
        super().__init__()
        assert QApplication.instance() is not None
        self.history: list[Document] = []

    @initialize(full=st.booleans())
    def open(self, full: bool) -> None:
        QApplication.clipboard().clear()  # what an earlier run copied would be pasted
        self.store = Store(lenet() if full else Document())
        self.view = CanvasView(Bench(self.store))
        self.view.resize(900, 600)
        self.view.show()
        self.first = self.store.whole

    def teardown(self) -> None:
        if not hasattr(self, "view"):
            return
        stack = self.store.undo_stack
        while stack.canRedo():  # the last steps may have been undone ones
            stack.redo()
        last = self.store.whole
        while stack.canUndo():
            stack.undo()
        assert self.store.whole == self.first
        while stack.canRedo():
            stack.redo()
        assert self.store.whole == last
        self.view.close()
        self.view.deleteLater()

    # -- what is drawn ---------------------------------------------------------------------------------

    @property
    def document(self) -> Document:
        return self.store.document

    def one(self, data: st.DataObject, among: object) -> str:
        return data.draw(st.sampled_from(sorted(among)))

    # -- edits -----------------------------------------------------------------------------------------

    @rule(type_=st.sampled_from(TYPES), x=st.integers(-800, 800), y=st.integers(-500, 500))
    def add(self, type_: str, x: int, y: int) -> None:
        self.view.commands.add(type_, QPointF(x, y))

    @rule(type_=st.sampled_from(TYPES))
    def add_from_a_list(self, type_: str) -> None:
        self.view.add_layer(type_)

    @precondition(lambda self: len(self.document.nodes) > 1)
    @rule(data=st.data())
    def connect(self, data: st.DataObject) -> None:
        """Connect two ports, or be told why not."""
        source = self.document.nodes[self.one(data, self.document.nodes)]
        target = self.document.nodes[self.one(data, self.document.nodes)]
        outputs = [port.name for port in layer_of(self.document, source.type).outputs_of(source.params)]
        inputs = input_names(layer_of(self.document, target.type), target.id, places_of(self.document))
        if outputs and inputs:
            slots = (
                Slot(source.id, data.draw(st.sampled_from(outputs))),
                Slot(target.id, data.draw(st.sampled_from(inputs))),
            )
            self.view.edit("Connect", lambda d: edits.connect(d, *slots))

    @precondition(lambda self: self.document.edges)
    @rule(data=st.data())
    def disconnect(self, data: st.DataObject) -> None:
        self.view.commands.disconnect(Slot(*self.one(data, self.document.edges)))

    @precondition(lambda self: self.document.edges)
    @rule(data=st.data(), type_=st.sampled_from(("ReLU", "Add", "Linear")))
    def insert(self, data: st.DataObject, type_: str) -> None:
        target = Slot(*self.one(data, self.document.edges))
        edge = self.view.graph.wires[target].edge
        self.view.commands.insert(type_, edge, QPointF(100, 100))

    @precondition(lambda self: self.document.nodes)
    @rule(data=st.data(), more=st.booleans())
    def select(self, data: st.DataObject, more: bool) -> None:
        chosen = {self.one(data, self.document.nodes)}
        self.store.select(self.store.selection | chosen if more else chosen)

    @rule(
        key=st.sampled_from(
            [
                (Qt.Key.Key_Delete, NONE),
                (Qt.Key.Key_Left, NONE),
                (Qt.Key.Key_Down, Qt.KeyboardModifier.ShiftModifier),
                (Qt.Key.Key_Right, Qt.KeyboardModifier.AltModifier),
            ]
        )
    )
    def press(self, key: tuple[Qt.Key, Qt.KeyboardModifier]) -> None:
        QTest.keyClick(self.view, *key)

    @rule(
        name=st.sampled_from(
            [
                "cut",
                "copy",
                "paste",
                "duplicate",
                "duplicate_linked",
                "share",
                "unshare",
                "layout",
                "select_all",
            ]
        )
    )
    def command(self, name: str) -> None:
        if len(self.document.nodes) < 40 or name in ("cut", "copy", "layout"):
            getattr(self.view, name)()

    @rule()
    def delete_and_heal(self) -> None:
        self.view.delete_selection(heal=True)

    @precondition(lambda self: self.document.nodes)
    @rule(data=st.data(), name=st.text(max_size=12))
    def rename(self, data: st.DataObject, name: str) -> None:
        self.view.commands.rename(self.one(data, self.document.nodes), name)

    @rule(name=st.sampled_from(["mute", "bypass", "collapse"]))
    def change_the_mode(self, name: str) -> None:
        getattr(self.view.commands, name)()

    @rule(alignment=st.sampled_from(ALIGNMENTS))
    def align(self, alignment: Alignment) -> None:
        self.view.align(alignment)

    @precondition(lambda self: self.document.nodes)
    @rule(data=st.data(), type_=st.sampled_from(TYPES))
    def replace(self, data: st.DataObject, type_: str) -> None:
        self.view.commands.replace([self.one(data, self.document.nodes)], type_)

    @precondition(lambda self: len(self.document.nodes) > 1)
    @rule(data=st.data())
    def take_the_place_of_another(self, data: st.DataObject) -> None:
        """Put one node into another's place, or be told that it has links."""
        one, other = (self.one(data, self.document.nodes) for _ in range(2))
        if one != other:
            self.view.commands.take_place(one, other)

    @precondition(lambda self: any(n.type == "Linear" for n in self.document.nodes.values()))
    @rule(data=st.data(), units=st.integers(-1, 9))
    def set_units(self, data: st.DataObject, units: int) -> None:
        id = self.one(data, [id for id, n in self.document.nodes.items() if n.type == "Linear"])
        self.view.edit("Units", lambda d: edits.set_params(d, id, out_features=units))

    # -- frames, notes, dots ---------------------------------------------------------------------------

    @precondition(lambda self: len(self.document.comments) < 8)
    @rule(
        x=st.integers(-400, 400), y=st.integers(-300, 300), text=st.sampled_from(("", "# A\n- b", "`c` *d*"))
    )
    def add_a_note(self, x: int, y: int, text: str) -> None:
        id = self.view.commands.add_note(QPointF(x, y))
        self.view.write(id)
        self.view.note_field.setPlainText(text)
        self.view.note_field.keep()

    @precondition(lambda self: len(self.document.comments) < 8)
    @rule(title=st.text(max_size=8))
    def add_a_frame(self, title: str) -> None:
        """Put a frame around whatever is selected."""
        self.view.add_frame()
        self.view.title_field.setText(title)
        QTest.keyClick(self.view.title_field, Qt.Key.Key_Return)

    @precondition(lambda self: self.document.edges)
    @rule(data=st.data(), share=st.floats(0.1, 0.9))
    def add_a_dot(self, data: st.DataObject, share: float) -> None:
        wire = self.view.graph.wires[Slot(*self.one(data, self.document.edges))]
        if wire.route is not None:
            self.view.add_dot(wire, QPointF(self.view.to_view(wire.route.path.pointAtPercent(share))))

    @precondition(lambda self: self.view.graph.marks.items)
    @rule(data=st.data(), more=st.booleans(), by=st.tuples(st.integers(-200, 200), st.integers(-150, 150)))
    def drag_a_mark(self, data: st.DataObject, more: bool, by: tuple[int, int]) -> None:
        """Select a frame, a note or a dot, perhaps beside others, and drag it with all that it carries."""
        id = self.one(data, self.view.graph.marks.items)
        self.store.select(self.store.chosen | {id} if more else {id})
        body = self.view.graph.item(id).body()
        start = self.view.to_view(body.center() if id not in self.document.comments else body.topLeft() + BAR)
        self.drag((start.x(), start.y()), (start.x() + by[0], start.y() + by[1]), LEFT, NONE)

    @precondition(lambda self: self.document.comments)
    @rule(data=st.data(), by=st.integers(-300, 300), color=st.sampled_from(COLORS))
    def resize_and_color(self, data: st.DataObject, by: int, color: str) -> None:
        id = self.one(data, self.document.comments)
        self.view.commands.change_comments("Color", [id], color=color)
        body = self.view.graph.item(id).body()
        start = self.view.to_view(QPointF(body.right(), body.center().y()))
        self.drag((start.x(), start.y()), (start.x() + by, start.y()), LEFT, NONE)

    @rule()
    def group(self) -> None:
        self.view.edit("Group", lambda d: group(d, self.store.selection, free_name(d))[0])

    @precondition(lambda self: any(n.type in self.document.blocks for n in self.document.nodes.values()))
    @rule(data=st.data(), unpack=st.booleans())
    def open_or_unpack(self, data: st.DataObject, unpack: bool) -> None:
        ids = [id for id, n in self.document.nodes.items() if n.type in self.document.blocks]
        id = self.one(data, ids)
        if unpack:
            self.view.edit("Unpack", lambda d: ungroup(d, id))
        else:
            self.store.enter(self.document.nodes[id].type)

    @precondition(lambda self: self.store.whole.blocks)
    @rule(data=st.data(), name=st.sampled_from(("x", "alpha", "beta", "input", "class", "output2")))
    def change_an_interface(self, data: st.DataObject, name: str) -> None:
        """Rename, move, add or remove a port of a block, from wherever the canvas is."""
        whole = self.store.whole
        block = self.one(data, whole.blocks)
        ports = list(whole.blocks[block].ports)
        port, place = data.draw(st.sampled_from(ports or [""])), data.draw(st.integers(-1, 3))
        change = data.draw(
            st.sampled_from(
                (
                    lambda d: interface.rename_port(d, block, port, name),
                    lambda d: interface.move_port(d, block, port, place),
                    lambda d: interface.remove_port(d, block, port),
                    lambda d: interface.add_port(d, block, "Input", name)[0],
                    lambda d: interface.add_parameter(d, block, name, place),
                )
            )
        )
        with suppress(EngineError):
            self.store.apply_whole("Interface", change(whole))

    @precondition(lambda self: any(n.type in self.document.blocks for n in self.document.nodes.values()))
    @rule(data=st.data())
    def expand_or_close(self, data: st.DataObject) -> None:
        ids = [id for id, n in self.document.nodes.items() if n.type in self.document.blocks]
        self.store.select({self.one(data, ids)})
        self.view.expand()

    @rule()
    def leave(self) -> None:
        self.store.leave()

    @rule(steps=st.integers(1, 6), back=st.booleans())
    def undo_or_redo(self, steps: int, back: bool) -> None:
        for _ in range(steps):
            self.store.undo_stack.undo() if back else self.store.undo_stack.redo()

    # -- the mouse -------------------------------------------------------------------------------------

    @rule(
        start=st.tuples(st.integers(0, 890), st.integers(0, 590)),
        end=st.tuples(st.integers(0, 890), st.integers(0, 590)),
        button=st.sampled_from((LEFT, Qt.MouseButton.MiddleButton)),
        modifier=st.sampled_from(
            (NONE, Qt.KeyboardModifier.ShiftModifier, Qt.KeyboardModifier.ControlModifier)
        ),
    )
    def drag(self, start: tuple, end: tuple, button: Qt.MouseButton, modifier: Qt.KeyboardModifier) -> None:
        """Press anywhere, move, release: pan, select, move nodes, draw links, whatever lies there."""
        port, a, b = self.view.viewport(), QPoint(*start), QPoint(*end)
        QTest.mousePress(port, button, modifier, a)
        for share in (0.2, 0.6, 1.0):
            QTest.mouseMove(port, a + (b - a) * share)
        QTest.mouseRelease(port, button, modifier, b)
        self.view.quick_add.hide()

    @precondition(lambda self: self.document.nodes)
    @rule(data=st.data(), by=st.tuples(st.integers(-300, 300), st.integers(-200, 200)))
    def drag_a_node(self, data: st.DataObject, by: tuple[int, int]) -> None:
        item = self.view.graph.nodes[self.one(data, self.document.nodes)]
        self.view.show_node(item.face.id)
        start = self.view.to_view(item.pos() + QPointF(60, 12))
        self.drag((start.x(), start.y()), (start.x() + by[0], start.y() + by[1]), LEFT, NONE)

    # -- what always holds -----------------------------------------------------------------------------

    @invariant()
    def the_canvas_shows_the_document(self) -> None:
        if not hasattr(self, "view"):
            return
        scene = self.view.graph
        assert set(scene.nodes) == set(self.document.nodes)
        assert set(scene.wires) == set(self.document.edges)
        for id, node in self.document.nodes.items():
            assert (scene.nodes[id].x(), scene.nodes[id].y()) == node.position
            assert scene.nodes[id].mood.selected == (id in self.store.selection)
        out = left_out(self.document)
        for id, node in self.document.nodes.items():
            face = scene.nodes[id].face
            assert (face.mode, face.collapsed, face.out) == (node.mode, node.collapsed, id in out)
        for target, source in self.document.edges.items():
            assert scene.wires[target].edge == (source, target)
            faint = target.node in out or source.node in out
            assert scene.wires[target].opacity() == (FAINT if faint else 1)
        assert set(scene.marks.items) == marks(self.document)
        for id, place in places(self.document).items():
            assert scene.marks.items[id].pos().toTuple() == place
            assert scene.marks.items[id].selected == (id in self.store.marks)
        for id, comment in self.document.comments.items():
            assert scene.marks.items[id].comment == comment
        shown = [item for item in scene.items() if isinstance(item, MarkItem)]
        assert len(shown) == len(scene.marks.items), "a frame, a note or a dot was left behind"
        wires = [item for item in scene.items() if isinstance(item, WireItem)]
        assert len(wires) == len(self.document.edges), "a wire was left behind"

    @invariant()
    def the_document_can_be_saved(self) -> None:
        if hasattr(self, "view"):
            assert from_json(to_json(self.store.whole)) == self.store.whole

    @invariant()
    def the_model_knows_nothing_of_what_is_left_out(self) -> None:
        if hasattr(self, "view"):
            left = active(self.store.whole)
            assert active(left) == left
            assert not any(node.mode for node in left.nodes.values())
            for target, source in left.edges.items():
                assert target.node in left.nodes
                assert source.node in left.nodes


def test_whatever_is_done_the_canvas_follows_and_undo_leads_back(qtbot, caplog):
    """Thousands of gestures; an exception in an event or in a paint fails here too."""
    Editor.TestCase.settings = settings(
        max_examples=80, stateful_step_count=50, deadline=None, suppress_health_check=list(HealthCheck)
    )
    Editor.TestCase("runTest").runTest()
    assert not caplog.records


def test_an_edit_that_is_refused_changes_nothing(qapp):
    store = Store(lenet())
    before = store.whole
    for refused in (
        lambda d: edits.set_params(d, "conv1", out_channels=-1),
        lambda d: edits.connect(d, Slot("fc1", "y"), Slot("conv1", "x")),
        lambda d: group(d, [], "Nothing"),
    ):
        try:
            store.apply("Refused", refused)
        except EngineError:
            continue
        raise AssertionError("it was not refused")
    assert store.whole is before
    assert not store.undo_stack.canUndo()

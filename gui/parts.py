"""What the window holds: every part is made and placed here. Importing it loads the program."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QSplitter, QStackedWidget, QTabWidget, QVBoxLayout, QWidget

from gui import trusted
from gui.actions import Actions
from gui.analyst import Analyst
from gui.announcer import Announcer
from gui.bench import Bench
from gui.bridge import Bridge
from gui.broken_off import BrokenOff
from gui.canvas.view import CanvasView
from gui.commands.palette import CommandPalette
from gui.commands.tips import KeyTips
from gui.continuing import Continuing
from gui.drop_hint import DropHint
from gui.exports import Exports
from gui.files import Files
from gui.focus import FocusRing
from gui.gallery.gallery import GalleryPanel
from gui.gallery.shelf import entries
from gui.gallery.welcome import WelcomePage
from gui.grouping import Grouping
from gui.imports import Imports
from gui.inspector.inspector import Inspector
from gui.panels.code import CodePanel
from gui.panels.history import HistoryPanel
from gui.panels.outline import OutlinePanel
from gui.panels.palette import PalettePanel
from gui.panels.problems import ProblemsPanel
from gui.panels.status_bar import StatusBar
from gui.panels.top_bar import TopBar
from gui.recovery import Recovery
from gui.run_on import RunOn
from gui.steering import Steering
from gui.tabs import DocumentTabs
from gui.tour.guide import Guide
from gui.trouble import Trouble
from gui.trust import TrustBanner
from gui.views import VIEWS
from gui.widgets.basic import column
from gui.widgets.segmented import SegmentedStack

if TYPE_CHECKING:
    from gui.main_window import MainWindow


def furnish(window: MainWindow, bench: Bench) -> None:
    """Make what the window holds and what works behind it, and set everything in its place."""
    window.bench = bench
    window.analyst = Analyst(bench, window)
    window.bridge = Bridge(bench, window.analyst, window)
    window.run_on = RunOn(bench, window)
    window.bridge.elsewhere = window.run_on.runner
    window.files = Files(bench, window)
    window.broken_off = BrokenOff(window)
    window.recovery = Recovery(bench, window.files, window)
    window.exports = Exports(window)
    window.imports = Imports(window)
    window.grouping = Grouping(bench, window)
    window.steering = Steering(bench, window.bridge, window)
    window.continuing = Continuing(bench, window.bridge, window)
    window.trouble = Trouble(bench, window.continuing, window)
    trusted.load()
    _make_parts(window)
    _lay_out(window)
    window.actions_ = Actions(window)
    window.menu("File").insertMenu(window.actions_["welcome"], window.recent)
    window.commands = CommandPalette(window)
    window.key_tips = KeyTips(window)
    _connect(window)
    window.focus_ring = FocusRing(window)
    window.announcer = Announcer(window.bench, window.canvas)
    window.guide = Guide(window)
    window.drop_hint = DropHint(window)


def _make_parts(window: MainWindow) -> None:
    bench = window.bench
    window.top = TopBar(bench)
    window.status = StatusBar(bench)
    window.tabs = DocumentTabs(bench)
    window.canvas = CanvasView(bench)
    window.palette_ = PalettePanel(bench)
    window.gallery = GalleryPanel(bench)
    window.outline = OutlinePanel(bench)
    window.history = HistoryPanel(bench)
    window.inspector = Inspector(bench)
    window.welcome = WelcomePage(bench)
    window.code = CodePanel(bench)
    window.problems = ProblemsPanel(bench)
    window.gallery.set_entries(entries())
    window.welcome.set_entries(entries())


def _lay_out(window: MainWindow) -> None:
    window.left = SegmentedStack(
        [
            ("layers", "Layers", window.palette_),
            ("gallery", "Gallery", window.gallery),
            ("outline", "Outline", window.outline),
            ("history", "History", window.history),
        ]
    )
    window.bottom = QTabWidget()
    window.bottom.setDocumentMode(True)
    window.bottom.tabBar().setAccessibleName("Live views")
    window.views = {view.name: view.make(window.bench) for view in VIEWS}
    titles = {view.name: view.title for view in VIEWS}
    window.views |= {"problems": window.problems, "code": window.code}
    titles |= {"problems": "Problems", "code": "Code"}
    for name, page in window.views.items():
        window.bottom.addTab(page, titles[name])
    drawing = QWidget()
    over = column(drawing, 0)
    over.addWidget(window.tabs)
    over.addWidget(window.files.safety.banner)
    over.addWidget(TrustBanner(window.bench))
    over.addWidget(window.trouble.banner)
    over.addWidget(window.canvas, 1)
    window.middle = _splitter(Qt.Orientation.Vertical, (drawing, 1), (window.bottom, 0))
    window.across = _splitter(
        Qt.Orientation.Horizontal, (window.left, 0), (window.middle, 1), (window.inspector, 0)
    )
    window.panels = {"left": window.left, "right": window.inspector, "bottom": window.bottom}
    window.workbench = QWidget()
    whole = QVBoxLayout(window.workbench)
    for layout in (whole,):
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
    whole.addWidget(window.top)
    whole.addWidget(window.across, 1)
    whole.addWidget(window.status)
    window.pages = QStackedWidget()
    window.pages.addWidget(window.welcome)
    window.pages.addWidget(window.workbench)
    window.setCentralWidget(window.pages)


def _connect(window: MainWindow) -> None:
    """Let the parts hear of each other."""
    bench, files, bridge = window.bench, window.files, window.bridge
    for signal in (
        window.undo_stack.indexChanged,
        window.undo_stack.cleanChanged,
        bench.store.selection_changed,
        bench.store.marks_changed,
        bench.store.changed,
        bench.store.replaced,
        bench.state_changed,
        bench.heat_changed,
    ):
        signal.connect(window.refresh_actions)
    files.changed.connect(window.show_title)
    files.changed.connect(window.fill_recent)
    files.opened.connect(window.show_workbench)
    files.emptied.connect(window.show_welcome)
    window.tabs.closing.connect(files.close)
    window.tabs.wanted.connect(files.new)
    window.tabs.add_shortcuts(window)
    window.canvas.leads_away = window.tabs.leads_away
    window.tabs.nodes_dropped.connect(window.canvas.take_text)
    files.changed.connect(window.tabs.refresh)
    bench.runs_changed.connect(window.refresh_actions)
    bench.theme_changed.connect(window.draw_cards)
    window.top.run_requested.connect(bridge.run)
    window.run_on.show_in(window.top)
    window.top.pause_requested.connect(bridge.pause)
    window.top.step_requested.connect(bridge.step)
    window.top.stop_requested.connect(bridge.stop)
    window.top.device_chosen.connect(window.choose_device)
    window.top.pace_chosen.connect(bridge.set_pace)
    window.analyst.ready.connect(window.offer_devices)
    window.status.problems_requested.connect(lambda: window.show_page("problems"))
    window.code.export_requested.connect(window.exports.module)
    bench.code_wanted.connect(window.edit_custom)
    window.palette_.chosen.connect(window.canvas.add_layer)
    window.canvas.node_activated.connect(window.activate)
    bench.store.scope_changed.connect(window.refresh_actions)
    window.gallery.chosen.connect(files.open_preset)
    window.gallery.looked_at.connect(window.draw_cards)
    window.welcome.chosen.connect(files.open_preset)
    window.welcome.new_requested.connect(files.new)
    window.welcome.open_requested.connect(files.open)
    window.bench.hub_wanted.connect(lambda node: window.hub.open(node))
    window.welcome.import_requested.connect(window.imports.open)
    window.welcome.tour_requested.connect(window.take_tour)
    window.welcome.recent_chosen.connect(window.open_path)
    bench.failed.connect(window.show_failure)
    bridge.lacking.connect(window.settle_room)
    window.show_title()
    window.fill_recent()


def _splitter(orientation: Qt.Orientation, *parts: tuple[QWidget, int]) -> QSplitter:
    splitter = QSplitter(orientation)
    splitter.setHandleWidth(1)
    splitter.setChildrenCollapsible(False)
    for place, (part, stretch) in enumerate(parts):
        splitter.addWidget(part)
        splitter.setStretchFactor(place, stretch)
    return splitter

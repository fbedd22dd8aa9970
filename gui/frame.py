"""Which part of the window stands where, which are shown, and how that is remembered."""

from __future__ import annotations

from PySide6.QtCore import QSettings, Qt
from PySide6.QtWidgets import QMainWindow, QSplitter, QStackedWidget, QTabWidget, QVBoxLayout, QWidget

from gui.bench import Bench
from gui.canvas.view import CanvasView
from gui.files import Files
from gui.gallery.gallery import GalleryPanel
from gui.gallery.shelf import entries
from gui.gallery.welcome import WelcomePage
from gui.inspector.inspector import Inspector
from gui.panels.code import CodePanel
from gui.panels.history import HistoryPanel
from gui.panels.outline import OutlinePanel
from gui.panels.palette import PalettePanel
from gui.panels.problems import ProblemsPanel
from gui.panels.status_bar import StatusBar
from gui.panels.top_bar import TopBar
from gui.tabs import DocumentTabs
from gui.theme import Theme
from gui.trust import TrustBanner
from gui.views import VIEWS
from gui.widgets.basic import column
from gui.widgets.segmented import SegmentedStack

LEFT, RIGHT, BOTTOM = 232, 296, 310
"""First sizes of the panels in pixels."""


class Frame(QMainWindow):
    """Makes the parts and lays them out around the canvas."""

    bench: Bench
    files: Files

    def toggle(self, name: str) -> None:
        """Show or hide ``left``, ``right`` or ``bottom``."""
        part = self._parts[name]
        part.setVisible(not part.isVisible())

    def shown(self, name: str) -> bool:
        """Return whether a panel is shown."""
        return not self._parts[name].isHidden()

    def _make_parts(self) -> None:
        bench = self.bench
        self.top = TopBar(bench)
        self.status = StatusBar(bench)
        self.tabs = DocumentTabs(bench)
        self.canvas = CanvasView(bench)
        self.palette_ = PalettePanel(bench)
        self.gallery = GalleryPanel(bench)
        self.outline = OutlinePanel(bench)
        self.history = HistoryPanel(bench)
        self.inspector = Inspector(bench)
        self.welcome = WelcomePage(bench)
        self.code = CodePanel(bench)
        self.problems = ProblemsPanel(bench)
        self.gallery.set_entries(entries())
        self.welcome.set_entries(entries())
        self._drawn: Theme | None = None

    def _lay_out(self) -> None:
        self.left = SegmentedStack(
            [
                ("layers", "Layers", self.palette_),
                ("gallery", "Gallery", self.gallery),
                ("outline", "Outline", self.outline),
                ("history", "History", self.history),
            ]
        )
        self.bottom = QTabWidget()
        self.bottom.setDocumentMode(True)
        self.bottom.tabBar().setAccessibleName("Live views")
        self._bottom_pages = {view.name: view.make(self.bench) for view in VIEWS}
        titles = {view.name: view.title for view in VIEWS}
        self._bottom_pages |= {"problems": self.problems, "code": self.code}
        titles |= {"problems": "Problems", "code": "Code"}
        for name, page in self._bottom_pages.items():
            self.bottom.addTab(page, titles[name])
        drawing = QWidget()
        over = column(drawing, 0)
        over.addWidget(self.tabs)
        over.addWidget(self.files.safety.banner)
        over.addWidget(TrustBanner(self.bench))
        over.addWidget(self.canvas, 1)
        self.middle = _splitter(Qt.Orientation.Vertical, (drawing, 1), (self.bottom, 0))
        self.across = _splitter(
            Qt.Orientation.Horizontal, (self.left, 0), (self.middle, 1), (self.inspector, 0)
        )
        self._parts = {"left": self.left, "right": self.inspector, "bottom": self.bottom}
        self._workbench = QWidget()
        whole = QVBoxLayout(self._workbench)
        for layout in (whole,):
            layout.setContentsMargins(0, 0, 0, 0)
            layout.setSpacing(0)
        whole.addWidget(self.top)
        whole.addWidget(self.across, 1)
        whole.addWidget(self.status)
        self._pages = QStackedWidget()
        self._pages.addWidget(self.welcome)
        self._pages.addWidget(self._workbench)
        self.setCentralWidget(self._pages)

    def _remember(self) -> None:
        settings = QSettings()
        settings.setValue("window/geometry", self.saveGeometry())
        settings.setValue("window/across", self.across.saveState())
        settings.setValue("window/middle", self.middle.saveState())
        settings.setValue("canvas/snaps", self.canvas.snaps)
        settings.setValue("canvas/wheel_pans", self.canvas.wheel_pans)
        settings.setValue("window/hidden", [name for name in self._parts if not self.shown(name)])

    def _restore(self) -> None:
        self.across.setSizes([LEFT, 4096, RIGHT])
        self.middle.setSizes([4096, BOTTOM])
        settings = QSettings()
        for name, restore in (
            ("geometry", self.restoreGeometry),
            ("across", self.across.restoreState),
            ("middle", self.middle.restoreState),
        ):
            if (state := settings.value(f"window/{name}")) is not None:
                restore(state)
        self.canvas.snaps = settings.value("canvas/snaps", True, bool)
        self.canvas.wheel_pans = settings.value("canvas/wheel_pans", False, bool)
        for name in settings.value("window/hidden", []) or []:
            if name in self._parts:
                self._parts[name].hide()


def _splitter(orientation: Qt.Orientation, *parts: tuple[QWidget, int]) -> QSplitter:
    splitter = QSplitter(orientation)
    splitter.setHandleWidth(1)
    splitter.setChildrenCollapsible(False)
    for place, (part, stretch) in enumerate(parts):
        splitter.addWidget(part)
        splitter.setStretchFactor(place, stretch)
    return splitter

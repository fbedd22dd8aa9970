"""A page of HTML that needs nothing else: its style, its sections, its tables."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

STYLE = """
:root { --ground: #ffffff; --panel: #f6f7f9; --text: #1b1f27; --muted: #5b6472; --line: #dde1e8;
  --accent: #1d6fe8; --warm: #b45f06; --ok: #1a7f4b; --error: #c62f2f; color-scheme: light dark; }
@media (prefers-color-scheme: dark) { :root { --ground: #16181d; --panel: #1e2127; --text: #e6e9ef;
  --muted: #98a1b0; --line: #323740; --accent: #4c9dff; --warm: #f0a63a; --ok: #46c483; --error: #ff6b6b; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 860px; padding: 40px 24px 64px; background: var(--ground);
  color: var(--text); font: 15px/1.5 Inter, system-ui, sans-serif; font-variant-numeric: tabular-nums; }
h1 { font-size: 26px; line-height: 1.2; margin: 0 0 6px; overflow-wrap: anywhere; }
h2 { font-size: 17px; margin: 40px 0 12px; }
p { margin: 6px 0; }
.muted, th { color: var(--muted); font-weight: 400; }
.state { font-weight: 600; } .done { color: var(--ok); } .failed { color: var(--error); }
.interrupted, .stopped { color: var(--warm); }
.tag { display: inline-block; background: var(--panel); border: 1px solid var(--line); border-radius: 9px;
  padding: 0 8px; margin-right: 6px; font-size: 13px; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(150px, 1fr)); gap: 10px;
  margin: 24px 0; }
.tile { background: var(--panel); border-radius: 10px; padding: 12px 14px; }
.tile b { display: block; font-size: 20px; font-weight: 600; }
.notes { white-space: pre-wrap; background: var(--panel); border-radius: 10px; padding: 12px 14px; }
table { border-collapse: collapse; width: 100%; font-size: 14px; }
th, td { text-align: left; padding: 5px 12px 5px 0; border-bottom: 1px solid var(--line);
  vertical-align: top; overflow-wrap: anywhere; }
td.number, th.number { text-align: right; }
figure { margin: 0 0 18px; } figcaption { color: var(--muted); font-size: 13px; }
.chart { width: 100%; height: auto; background: var(--panel); border-radius: 10px; padding: 8px 6px 4px; }
.chart text { font-size: 12px; fill: var(--muted); } .chart .grid { stroke: var(--line); }
.chart path { fill: none; stroke-width: 2; stroke-linejoin: round; }
.chart .raw { stroke: var(--accent); stroke-width: 1; opacity: .35; }
.chart path.train { stroke: var(--accent); }
.chart path.held { stroke: var(--warm); stroke-dasharray: 7 4; }
.chart circle.train, .chart tspan.train { fill: var(--accent); }
.chart circle.held, .chart tspan.held { fill: var(--warm); }
.chart line.mark { stroke: var(--warm); stroke-dasharray: 3 3; } .chart text.mark { fill: var(--warm); }
.network { background: #ffffff; border: 1px solid var(--line); border-radius: 10px; padding: 8px;
  overflow: auto; }
.network svg, .network img { max-width: 100%; height: auto; display: block; margin: auto; }
.samples { display: flex; flex-wrap: wrap; gap: 12px; }
.samples div { text-align: center; font-size: 13px; } .samples .wrong { color: var(--error); }
.samples img { display: block; width: 64px; height: 64px; image-rendering: pixelated; border-radius: 6px; }
details { margin-top: 8px; } summary { cursor: pointer; color: var(--muted); }
code { font: 13px/1.5 "JetBrains Mono", ui-monospace, monospace; }
@media print { body { max-width: none; } details { display: none; } }
"""


def page(title: str, parts: Iterable[str]) -> str:
    """Return a whole page; its parts are HTML, its title is text."""
    body = "\n".join(part for part in parts if part)
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)} – Netwright</title>\n<style>{STYLE}</style>\n</head>\n<body>\n{body}\n"
        "</body>\n</html>\n"
    )


def section(title: str, inner: str) -> str:
    """Return a part of a page under its heading; nothing where nothing is in it."""
    return f"<h2>{escape(title)}</h2>\n{inner}" if inner else ""


def table(head: Sequence[str], rows: Iterable[Sequence[object]], numbers: bool = False) -> str:
    """Return a table; without a head the first of every row is its name. ``numbers`` stand at the right."""
    kind = ' class="number"' if numbers else ""
    lines = [f"<tr>{''.join(f'<th{kind}>{escape(str(each))}</th>' for each in head)}</tr>"] if head else []
    for first, *rest in rows:
        opening = f"<td{kind}>{escape(str(first))}</td>" if head else f"<th>{escape(str(first))}</th>"
        lines.append(f"<tr>{opening}{''.join(f'<td{kind}>{escape(str(each))}</td>' for each in rest)}</tr>")
    return f"<table>{''.join(lines)}</table>" if lines else ""

"""What nodes take along as text: the blocks that they are of; and how they are found among other words."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Any

from engine.errors import EditError
from engine.graph.document import Document, Node
from engine.graph.library import block_document, merge_block
from engine.storage.document_file import from_json, to_json

BLOCKS = "blocks"
_BEGIN = re.compile(r'\{\s*["“”]netwright-nodes["“”]')
_MOST = 200


def text_in(text: str) -> str:
    """Return the part of a text that is nodes, as a chat quotes it; the text itself where there is none."""
    began = _BEGIN.search(text)
    if began is None:
        return text
    found = text[began.start() :].replace("\u00a0", " ")
    if '"' not in began.group():  # a chat has made the quotes typographic
        found = re.sub("[“”]", '"', found)
    try:
        _, end = json.JSONDecoder().raw_decode(found)
    except (ValueError, RecursionError):
        return text
    return found[:end]


def blocks_of(document: Document, types: Collection[str]) -> dict[str, Any]:
    """Return the entry for the blocks among some types, each with all that it contains; none for none."""
    used = [json.loads(to_json(block_document(document, name))) for name in document.blocks if name in types]
    return {BLOCKS: used} if used else {}


def with_blocks(document: Document, text: str, nodes: Sequence[Node]) -> tuple[Document, list[Node]]:
    """Return the document with the blocks of a text, and its nodes with what these are called here.

    Raises EngineError for blocks that cannot be read or cannot be here.
    """
    blocks = json.loads(text).get(BLOCKS, [])
    if not isinstance(blocks, list) or len(blocks) > _MOST:
        raise EditError("The blocks among these nodes cannot be read.")
    names: dict[str, str] = {}
    for each in blocks:
        library = from_json(json.dumps(each))
        document, names[library.name] = merge_block(document, library, library.name)
    return document, [replace(node, type=names.get(node.type, node.type)) for node in nodes]

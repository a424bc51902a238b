"""The help pages' pictures: `python scripts/help_pictures.py [NODE…]` draws `web/docs/pictures/<node>.jpg`.

Each shows the node as it is when fresh and, where that can be made in a moment, what it does to a clip.
"""

from __future__ import annotations

import sys
from pathlib import Path

from attention_examples import ATTENTION_EXAMPLES
from help_examples import EXAMPLES, Row
from inbetween_examples import INBETWEEN_EXAMPLES
from node_card import EDGE, QUIET, font, node_card
from node_texts import kinograph_nodes
from PIL import Image, ImageDraw

PICTURES = Path(__file__).resolve().parents[1] / "web" / "docs" / "pictures"
MARGIN, GAP, LABEL = 12, 4, 16
QUALITY = 82


def picture(card: Image.Image, rows: list[Row]) -> Image.Image:
    """A node's card with rows of pictures to its right."""
    blocks = [_row_picture(row) for row in rows]
    wide = max((block.width for block in blocks), default=-MARGIN)
    high = sum(block.height + GAP for block in blocks)
    size = (card.width + wide + 3 * MARGIN, max(card.height, high) + 2 * MARGIN)
    page = Image.new("RGB", size, EDGE)
    page.paste(card, (MARGIN, MARGIN))
    top = MARGIN
    for block in blocks:
        page.paste(block, (card.width + 2 * MARGIN, top))
        top += block.height + GAP
    return page


def _row_picture(row: Row) -> Image.Image:
    label = LABEL if row.title else 0
    width = sum(one.width + GAP for one in row.pictures) - GAP
    drawn = Image.new(
        "RGB", (max(width, 8 * len(row.title)), max(one.height for one in row.pictures) + label), EDGE
    )
    ImageDraw.Draw(drawn).text((0, LABEL // 2), row.title, QUIET, font(11), anchor="lm")
    left = 0
    for one in row.pictures:
        drawn.paste(one, (left, label))
        left += one.width + GAP
    return drawn


def main(wanted: list[str]) -> int:
    PICTURES.mkdir(exist_ok=True)
    examples = EXAMPLES | ATTENTION_EXAMPLES | INBETWEEN_EXAMPLES
    for node in kinograph_nodes():
        if wanted and node.id not in wanted:
            continue
        rows = list(examples[node.id]()) if node.id in examples else []
        path = PICTURES / f"{node.id}.jpg"
        picture(node_card(node), rows).save(path, quality=QUALITY, optimize=True)
        print(f"{path.name}: {path.stat().st_size / 1000:.0f} kB")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

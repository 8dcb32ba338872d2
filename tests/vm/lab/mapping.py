"""How fbemu reaches the memory of the card: what FBEMU_MAPPING asks for, and what that has to come to."""

import os

from .options import Options

# What fbemud's --mapping is given; without it the option is left out.
CHOICE = os.environ.get("FBEMU_MAPPING", "")
# These do not export their buffers, or do not let them be mapped.
_NO_DMA_BUF = {("6.1", "bochs"), ("6.1", "qxl")}


def arguments(choice: str = CHOICE) -> list[str]:
    return ["--mapping", choice] if choice else []


def expected(options: Options, choice: str = CHOICE) -> str:
    """What fbemuctl status has to say on this guest."""
    if choice == "shadow":
        return "shadow"
    # vmwgfx learns what was written from mappings of its own node only.
    if choice == "dmabuf" and options.gpu != "vmwgfx" and (options.kernel, options.gpu) not in _NO_DMA_BUF:
        return "dma-buf"
    return "MAP_DUMB"

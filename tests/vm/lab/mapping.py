"""How fbemu reaches the memory of the card: the ways that its tests try, and what each has to come to."""

import os

from .options import Options

# The way that fbemud takes without the option --mapping.
DEFAULT = "default"
ALL = (DEFAULT, "dmabuf", "shadow")
# These do not export their buffers, or do not let them be mapped.
_NO_DMA_BUF = {("6.1", "bochs"), ("6.1", "qxl")}


def chosen(choices: tuple[str, ...] = ALL) -> list[str]:
    """Returns those of the ways that are to be tested: all of them, or the one that FBEMU_MAPPING names."""
    only = os.environ.get("FBEMU_MAPPING")
    return [choice for choice in choices if not only or choice == only]


def arguments(choice: str) -> list[str]:
    return [] if choice == DEFAULT else ["--mapping", choice]


def expected(options: Options, choice: str) -> str:
    """What fbemuctl status has to say on this guest."""
    if choice == "shadow":
        return "shadow"
    # vmwgfx learns what was written from mappings of its own node only.
    if choice == "dmabuf" and options.gpu != "vmwgfx" and (options.kernel, options.gpu) not in _NO_DMA_BUF:
        return "dma-buf"
    return "MAP_DUMB"

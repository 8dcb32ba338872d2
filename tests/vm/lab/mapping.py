"""The mappings of the card's memory that the tests request, and the expected results."""

import os

from .options import Options

# fbemud without the option --mapping.
DEFAULT = "default"
ALL = (DEFAULT, "dmabuf", "shadow")
# These do not export their buffers, or refuse to map them.
_NO_DMA_BUF = {("6.1", "bochs"), ("6.1", "qxl")}


def chosen(choices: tuple[str, ...] = ALL) -> list[str]:
    """Returns the mappings to test: all of `choices`, or the one that FBEMU_MAPPING names."""
    only = os.environ.get("FBEMU_MAPPING")
    return [choice for choice in choices if not only or choice == only]


def arguments(choice: str) -> list[str]:
    return [] if choice == DEFAULT else ["--mapping", choice]


def expected(options: Options, choice: str) -> str:
    """Returns the mapping that `fbemuctl status` has to report in this guest."""
    if choice == "shadow":
        return "shadow"
    # vmwgfx detects writes only through mappings of its own node.
    if choice == "dmabuf" and options.gpu != "vmwgfx" and (options.kernel, options.gpu) not in _NO_DMA_BUF:
        return "dma-buf"
    return "MAP_DUMB"

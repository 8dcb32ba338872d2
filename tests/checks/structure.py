#!/usr/bin/env python3
"""Checks the includes between files and folders, and draws them.

  structure.py SOURCE-FOLDER           fails if a rule below is broken, or if docs/architecture.md has another picture
  structure.py SOURCE-FOLDER --draw    prints the picture: folders and the includes between them, as Mermaid

The rules:
  * The layers are base, drmclient, fbemu and cuse. A layer includes itself and those before it.
  * No two files include each other, directly or through others. A header and its source file count as one.
  * The same holds for folders.
  * Other layers and the examples include only drmclient's public headers: those right in drmclient/ and in drmclient/system/.
    A public header includes no private one.
  * A layer includes the headers of other libraries only as FOREIGN says.
"""

import re
import sys
from pathlib import Path

LAYERS = ("base", "drmclient", "fbemu", "cuse")
PUBLIC = ("drmclient", "drmclient/system")
EXAMPLES = "drmclient/examples/"
DRM = r"libdrm/|xf86drm|drm/|drm\.h|drm_"
# Headers of other libraries that a layer must not know, as a regular expression on the name between < and >.
FOREIGN = {
    "base": rf"linux/fb\.h|fuse|cuse|pixman|libudev|{DRM}",
    "drmclient": r"linux/fb\.h|fuse|cuse",
    "fbemu": rf"fuse|cuse|libudev|{DRM}",
    "cuse": rf"pixman|libudev|{DRM}",
    EXAMPLES: rf"libudev|{DRM}",
}
INCLUDE = re.compile(r'^\s*#\s*include\s*(?:"([^"]+)"|<([^>]+)>)', re.M)
DOCUMENT = "docs/architecture.md"


def folder_of(unit):
    return unit.rsplit("/", 1)[0]


def layer_of(unit):
    return unit.split("/", 1)[0]


def is_public(unit):
    return folder_of(unit) in PUBLIC


class Sources:
    """Includes of the product's files, by file and by unit (a header with its source file)."""

    def __init__(self, root):
        self.errors = []
        self.includes = []  # (file, its unit, included unit)
        self.foreign = []  # (file, name)
        for layer in LAYERS:
            files = sorted(f for f in (root / layer).rglob("*") if f.suffix in (".h", ".cc"))
            if not files:
                self.errors.append(f"there is no source file in {layer}/")
            for path in files:
                self.read(path, str(path.relative_to(root)))

    def read(self, path, name):
        unit = name.rsplit(".", 1)[0]
        for own, foreign in INCLUDE.findall(path.read_text()):
            if own and not own.rsplit(".", 1)[0] == unit:
                self.includes.append((name, unit, own.rsplit(".", 1)[0]))
            elif foreign:
                self.foreign.append((name, foreign))

    def graph(self, key):
        edges = {}
        for _, unit, included in self.includes:
            a, b = key(unit), key(included)
            edges.setdefault(a, set())
            edges.setdefault(b, set())
            if a != b:
                edges[a].add(b)
        return edges


def find_cycle(edges):
    """Returns the nodes of a cycle in their order, or None."""
    done, path = set(), []

    def visit(node):
        if node in path:
            return path[path.index(node):]
        if node in done:
            return None
        path.append(node)
        for follower in sorted(edges.get(node, ())):
            if cycle := visit(follower):
                return cycle
        path.pop()
        done.add(node)
        return None

    for node in sorted(edges):
        if cycle := visit(node):
            return cycle
    return None


def check_layers(sources):
    for name, unit, included in sources.includes:
        layer, other = layer_of(unit), layer_of(included)
        if other not in LAYERS or LAYERS.index(other) > LAYERS.index(layer):
            yield f"{name} must not include {included}.h: {other} is not below {layer}"


def check_public(sources):
    for name, unit, included in sources.includes:
        if layer_of(included) != "drmclient" or is_public(included):
            continue
        if name.startswith(EXAMPLES) and included.startswith(EXAMPLES):
            continue
        if layer_of(unit) != "drmclient" or name.startswith(EXAMPLES):
            yield f"{name} must not include {included}.h, which is private to drmclient"
        elif is_public(unit) and name.endswith(".h"):
            yield f"{name} is public and must not include {included}.h, which is private"


def check_foreign(sources):
    for name, foreign in sources.foreign:
        rules = [FOREIGN[layer_of(name)]]
        if name.startswith(EXAMPLES):
            rules.append(FOREIGN[EXAMPLES])
        if any(re.match(rule, foreign) for rule in rules):
            yield f"{name} must not include <{foreign}>"


def check_cycles(sources):
    for what, key in (("files", lambda unit: unit), ("folders", folder_of)):
        if cycle := find_cycle(sources.graph(key)):
            yield f"these {what} include each other: {' -> '.join([*cycle, cycle[0]])}"


def draw(sources):
    """Returns the folders as Mermaid. An arrow that follows from others is left out."""
    edges = sources.graph(folder_of)
    reach = {}

    def reachable(node):
        if node not in reach:
            reach[node] = set().union(*({n} | reachable(n) for n in edges[node])) if edges[node] else set()
        return reach[node]

    lines = ["flowchart TD"]
    for layer in reversed(LAYERS):
        lines.append(f"  subgraph {layer}_layer [{layer}/]")
        lines += [f'    {node.replace("/", "_")}["{node}"]' for node in sorted(edges) if layer_of(node + "/") == layer]
        lines.append("  end")
    for node in sorted(edges, key=lambda n: (-LAYERS.index(layer_of(n + "/")), n)):
        for follower in sorted(edges[node]):
            if not any(follower in reachable(between) for between in edges[node] if between != follower):
                lines.append(f'  {node.replace("/", "_")} --> {follower.replace("/", "_")}')
    return "\n".join(lines)


def check_picture(root, sources):
    if f"```mermaid\n{draw(sources)}\n```" not in (root / DOCUMENT).read_text():
        yield f"{DOCUMENT} has another picture of the folders; put in what structure.py . --draw prints"


def main():
    root = Path(sys.argv[1])
    sources = Sources(root)
    errors = list(sources.errors)
    for check in (check_layers, check_public, check_foreign, check_cycles):
        errors += check(sources)
    if sys.argv[2:] == ["--draw"]:
        print(draw(sources))
    elif not errors:
        errors += check_picture(root, sources)
    for error in errors:
        print(f"error: {error}", file=sys.stderr)
    sys.exit(1 if errors else 0)


if __name__ == "__main__":
    main()

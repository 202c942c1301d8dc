#!/usr/bin/env python3
"""Does each layer include only what table.py lets it?"""

from pathlib import Path

import table
import tree


def problems(root):
    for path in tree.sources(root, below=("common", "edge", "relay")):
        name = table.layer_of(path)
        if not name:
            yield f"{path}: in no layer of tests/arch/table.py"
            continue
        body = tree.text(root, path)
        for line, system, what in tree.includes(body):
            wrong = refuse_system(path, name, what) if system else \
                refuse_own(root, name, what)
            if wrong:
                yield f"{path}:{line}: {wrong}"
        yield from own_header_first(root, path, body)


def refuse_own(root, name, what):
    other = table.layer_of(what)
    if not other:
        return f'"{what}" is not of the form "layer/name.h"'
    if other not in table.reachable(name):
        return f"{name} does not stand on {other}"
    if not Path(root, what).exists():
        return f"there is no {what}"
    return None


def refuse_system(path, name, what):
    layer = table.LAYERS[name]
    library = table.LIBRARY_HEADERS.get(what)
    if library:
        if library not in layer.libraries:
            return f"{name} does not use the library {library}"
        if path not in table.LIBRARY_USERS.get(library, (path,)):
            return f"the library {library} is for others"
    elif layer.pure and what not in table.PURE_HEADERS:
        return f"{name} is pure, and <{what}> is of the world"
    return None


def own_header_first(root, path, body):
    """Its own header, or the private one that begins with it."""
    own = path[:-2] + ".h"
    if path.endswith(".c") and Path(root, own).exists():
        line, _, what = next(tree.includes(body), (1, False, None))
        if what not in (own, path[:-2] + "_private.h"):
            yield f'{path}:{line}: its own header "{own}" comes first'


if __name__ == "__main__":
    tree.main(problems)

"""Unimportable: what a ``_target_`` names and Python cannot import."""

from __future__ import annotations

import re

LOADING = re.compile(r"Error loading '([^']+)'")
"""how Hydra's own ImportError begins"""


def unimportable(error: BaseException) -> str | None:
    """What to tell of a name in a config that cannot be imported; None for any other error.

    Covers ``_target_`` and ``hydra.utils.get_method``, and a module that is there but fails to
    import another one.
    """
    chain = list(_causes(error))
    named = next((m for one in chain if (m := LOADING.match(str(one)))), None)
    if named is None:
        return None
    target = named.group(1)
    root = chain[-1]
    if isinstance(root, ModuleNotFoundError) and root.name:
        own = target == root.name or target.startswith(f"{root.name}.")
        if own and root.name.count(".") == 0:
            return (
                f"the config names {target!r}, but no module {root.name!r} can be imported. Put "
                f"the folder that holds it on PYTHONPATH (PYTHONPATH=FOLDER ltrgr ...), or install "
                "it with: pip install -e FOLDER"
            )
        if not own:
            return (
                f"the config names {target!r}, whose module imports {root.name!r}, which is not "
                f"installed. Install it, or put its folder on PYTHONPATH"
            )
    module, _, name = target.rpartition(".")
    if isinstance(root, AttributeError | ModuleNotFoundError):
        return f"the config names {target!r}, but {module!r} has no {name!r}: look at the spelling"
    return None


def _causes(error: BaseException) -> list[BaseException]:
    chain = [error]
    while (cause := chain[-1].__cause__) is not None:
        chain.append(cause)
    return chain

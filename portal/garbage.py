"""Python's collector of garbage in a process that answers requests: what it looks through keeps somebody waiting."""

import gc

from django.urls import get_resolver

_YOUNG = 10_000  # objects; the usual 700 make each page be interrupted, and every tenth for as long as it takes itself


def settle() -> None:
    """Take what is loaded by now as there for good, which it is: 200,000 objects, a tenth of a second each time.

    Views are loaded first; Django would do so with the first request.
    """
    _loaded = get_resolver().url_patterns
    gc.collect()
    gc.freeze()
    gc.set_threshold(_YOUNG)

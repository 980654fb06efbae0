"""The shape of the JSON that `plan` and `sync` print, for those who cannot even reach the settings. Pure."""

from typing import Any

COUNTS = ("create", "update", "delete", "unchanged", "waiting", "blocked", "failed")


def build_failed_report(error: str) -> dict[str, Any]:
    """The report of a command that could not begin."""
    return {
        "status": "failed",
        "error": error,
        "counts": dict.fromkeys(COUNTS, 0),
        "changes": [],
        "problems": [],
        "unresolved": [],
        "api_calls": {},
        "seconds": 0.0,
        "checksum": None,
    }

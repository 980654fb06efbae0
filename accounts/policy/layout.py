"""How a policy's text is laid out where people read it, and by which name what is known of it is kept."""

import hashlib
import json


def format_policy(text: str) -> str:
    """A policy over several lines, as written if it is not JSON or already has lines."""
    if "\n" in text.strip():
        return text
    try:
        return json.dumps(json.loads(text), indent=2, ensure_ascii=False)
    except (ValueError, RecursionError):
        return text


def digest_policy(text: str) -> str:
    """Equal for policies that are shown alike: findings speak of the lines that people see."""
    return hashlib.sha256(format_policy(text).encode("utf-8", "surrogatepass")).hexdigest()

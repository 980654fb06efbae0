"""Every code of a problem, a reason or an error as a sentence, with what to do about it, in the reader's language.

The pure core and the database know codes and parameters only; people read these. A code without a sentence here is a
bug, which a test finds.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _gettext

from accounts.api_sentences import API_SENTENCES
from accounts.aws_sentences import AWS_SENTENCES
from accounts.backup_sentences import BACKUP_SENTENCES
from accounts.doctor_sentences import DOCTOR_SENTENCES
from accounts.giving_sentences import GIVING_SENTENCES
from accounts.guardrail_sentences import GUARDRAIL_SENTENCES
from accounts.kintone_sentences import KINTONE_SENTENCES
from accounts.letter_sentences import LETTER_SENTENCES
from accounts.notice_sentences import NOTICE_SENTENCES
from accounts.policy_sentences import POLICY_SENTENCES
from accounts.record_sentences import RECORD_SENTENCES
from accounts.run_sentences import RUN_SENTENCES
from accounts.set_sentences import SET_SENTENCES
from accounts.shortcut_sentences import SHORTCUT_SENTENCES
from accounts.standing_sentences import STANDING_SENTENCES
from accounts.stop_sentences import STOP_SENTENCES
from accounts.why_sentences import WHY_SENTENCES


@dataclass(frozen=True)
class Sentence:
    """What is the matter, and the way out (empty when nothing needs to be done)."""

    message: str
    remedy: str = ""

    @property
    def text(self) -> str:
        """Both, one after the other."""
        return join(self.message, self.remedy)


def join(first: str, second: str) -> str:
    """One sentence after the other; Japanese puts no blank between them."""
    blank = "" if first.endswith("。") else " "
    return f"{first}{blank}{second}".strip()


# Code → (message, remedy), parameters in braces; each family has a module of its own.
SENTENCES: Mapping[str, tuple[str, str]] = {
    **SET_SENTENCES,
    **RECORD_SENTENCES,
    **STANDING_SENTENCES,
    **STOP_SENTENCES,
    **AWS_SENTENCES,
    **RUN_SENTENCES,
    **DOCTOR_SENTENCES,
    **BACKUP_SENTENCES,
    **API_SENTENCES,
    **GUARDRAIL_SENTENCES,
    **GIVING_SENTENCES,
    **KINTONE_SENTENCES,
    **LETTER_SENTENCES,
    **NOTICE_SENTENCES,
    **POLICY_SENTENCES,
    **SHORTCUT_SENTENCES,
    **WHY_SENTENCES,
}


def render(code: str, params: Mapping[str, Any] | None = None) -> Sentence:
    """The sentence of a code in the active language. An unknown code is shown as it is."""
    if code not in SENTENCES:
        return Sentence(code)
    message, remedy = SENTENCES[code]
    values = _Values({name: _show(name, value) for name, value in (params or {}).items()})
    return Sentence(_fill(message, values), _fill(remedy, values))


def render_reason(reason: Mapping[str, Any]) -> Sentence | None:
    """The sentence of a stored reason ({} is none)."""
    if not reason.get("code"):
        return None
    return render(str(reason["code"]), reason.get("params"))


def _show(name: str, value: Any) -> Any:
    """A parameter as people read it: what ends in `_at` is a time, shown in the zone of whoever reads."""
    if not name.endswith("_at"):
        return value
    at = parse_datetime(str(value))
    return f"{timezone.localtime(at):%Y-%m-%d %H:%M}" if at else value


def _fill(text: str, values: "_Values") -> str:
    return _gettext(text).format_map(values) if text else ""


class _Values(dict[str, Any]):
    """A missing parameter shows as a dash rather than as an error on somebody's screen."""

    def __missing__(self, key: str) -> str:
        return "—"

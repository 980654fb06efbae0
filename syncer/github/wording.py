"""The reply to a `/sync` comment, in the company's language and in GitHub's Markdown.

What comes from names, and from AWS's words, is written so that it mentions nobody, links nowhere and looks like nothing
of ours. Last comes the mark, which nobody sees.
"""

import re
from collections.abc import Iterable

from django.conf import settings
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext, gettext_lazy, override

from accounts.sentences import render
from syncer.github.asking import COMMAND, MARK, MOST_NAMED
from syncer.models import Change, Run, SyncRequest
from syncer.states import Reason
from syncer.telling.matters import Findings, Kind, Told, find_matters, shorten, tame
from syncer.telling.outcomes import describe_outcome

MARK_SALT = "syncer.github.reply"
LONGEST_LINE = 600
LONGEST_QUOTE = 200
MOST_REASONS = 10  # of one run
ZERO_WIDTH = "\u200b"
_OF_THE_MODE = ("paused", "baseline_missing")
_COUNTS = {
    "create": gettext_lazy("Create: %(count)d"),
    "update": gettext_lazy("Change: %(count)d"),
    "delete": gettext_lazy("Remove: %(count)d"),
    "unchanged": gettext_lazy("As it is: %(count)d"),
    "waiting": gettext_lazy("Waiting: %(count)d"),
    "blocked": gettext_lazy("Blocked: %(count)d"),
    "failed": gettext_lazy("Failed: %(count)d"),
}


def build_mark(row: SyncRequest) -> str:
    """What finds this portal's reply to that comment again, and what nobody else can write before we do."""
    digest = salted_hmac(MARK_SALT, f"{settings.PUBLIC_URL} {row.comment_id}", algorithm="sha256").hexdigest()
    return f"{MARK} {digest[:32]} -->"


def render_reply(row: SyncRequest, *, is_public: bool) -> str:
    """is_public: everybody reads it, so it gives no reasons, in which accounts and people are named."""
    with override(settings.LANGUAGE_CODE):
        return "\n".join([*_say(row, is_public=is_public), "", build_mark(row)])


def _say(row: SyncRequest, *, is_public: bool) -> Iterable[str]:
    asked = f"@{row.login} " if re.fullmatch(r"[A-Za-z0-9_-]+", row.login) else ""
    if row.verdict == SyncRequest.Verdict.WRONG:
        words = ", ".join(_quote(word) for word in row.wrong)
        yield asked + gettext("This was not understood: %(words)s") % {"words": words}
        yield from _explain()
        return
    yield asked + _quote(row.text)
    if row.is_widened:
        yield gettext("A full run looked at everything instead.")
    for run in row.runs.order_by("pk"):
        yield from ("", *_tell(run, is_public=is_public))


def _explain() -> Iterable[str]:
    yield ""
    yield f"- `{COMMAND}`: " + gettext("a full run")
    yield f"- `{COMMAND} 24:57`: " + gettext("a record of kintone by app and number, or by its address in kintone")
    yield f"- `{COMMAND} 123456789012`: " + gettext("the records of an AWS account")
    yield ""
    yield gettext("Up to %(count)d of them, with blanks in between, on the first line.") % {"count": MOST_NAMED}


# --- One run ----------------------------------------------------------------------------------------------------------


def _tell(run: Run, *, is_public: bool) -> Iterable[str]:
    kind = f"{run.get_kind_display()} {run.record_reference}".strip()
    yield f"**{_plain(describe_outcome(run))}** · [{_plain(kind)}]({settings.PUBLIC_URL}/runs/{run.pk}/)"
    if run.counts:
        yield ""
        yield _count(run)
    reasons = [*_find_mode(run), *_find_matters(run)]
    if reasons and is_public:
        reasons = [gettext("The reasons stand on the run's page: this repository is public.")]
    if reasons:
        yield ""
        yield from (f"- {_plain(shorten(reason, LONGEST_LINE))}" for reason in reasons[:MOST_REASONS])


def _count(run: Run) -> str:
    """What is not 0, and always what was created, changed and removed."""
    always = ("create", "update", "delete")
    counts = {name: run.counts.get(name, 0) for name in _COUNTS}
    told = [str(words) % {"count": counts[name]} for name, words in _COUNTS.items() if counts[name] or name in always]
    return " · ".join(told)


def _find_mode(run: Run) -> Iterable[str]:
    """Why a run has only planned."""
    told = [problem for problem in run.problems if problem["code"] in _OF_THE_MODE]
    if not told and run.mode == Run.Mode.PLAN:
        told = [{"code": "mode_plan", "params": {}}]
    for problem in told:
        said = render(problem["code"], problem["params"])
        yield said.text


def _find_matters(run: Run) -> Iterable[str]:
    """What stopped it, what is held, what failed and what could not be read: equal causes are told once."""
    for matter in find_matters(_load_findings(run)):
        said = render(matter.sentence.code, matter.as_params())
        because = [render(reason.code, tame(reason).params) for reason in matter.because]
        if matter.sentence.code == "notice_run_failed":  # as the title says already
            yield " ".join(reason.text for reason in because)
            continue
        is_held = matter.kind == Kind.HELD
        told = (said.message, *(reason.message for reason in because), said.remedy if is_held else "")
        yield " ".join(filter(None, told))


def _load_findings(run: Run) -> Findings:
    rows = run.changes.filter(outcome__in=(Change.Outcome.FAILED, Change.Outcome.HELD)).order_by("position")
    told = [(row.outcome, Told(Reason.from_json(row.reason))) for row in rows]
    return Findings(
        run_id=run.pk,
        came_through=run.came_through,
        error=Reason.from_json(run.error) if run.error else None,
        failed=tuple(each for outcome, each in told if outcome == Change.Outcome.FAILED),
        held=tuple(each for outcome, each in told if outcome == Change.Outcome.HELD),
        checksum=run.checksum,
        unresolved=tuple(
            Told(Reason.from_json(item["reason"]), operation=item["operation"]) for item in run.unresolved
        ),
    )


# --- Markdown ---------------------------------------------------------------------------------------------------------


def _quote(text: str) -> str:
    """As code, in which GitHub sees nothing."""
    text = shorten(text, LONGEST_QUOTE).replace("`", "'")
    return f"`{text}`"


def _plain(text: str) -> str:
    """No mention, no link to an issue or a page, no formatting and no HTML of others' making."""
    escaped = re.sub(r"([\\`*_{}\[\]<>|~])", r"\\\1", text.replace("&", "&amp;"))
    return re.sub(r"([@#]|://|www\.|GH-)", rf"\1{ZERO_WIDTH}", escaped)

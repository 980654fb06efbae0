"""A comment as kintone's users read it: in the company's language, each problem with its place and the way out.

Plain text: kintone makes nothing of it but a link of the address. Whatever names and values hold is told on one line.
"""

from collections.abc import Iterable, Mapping

from django.conf import settings
from django.utils.translation import gettext, override

from accounts.sentences import render
from syncer.models import RecordComment
from syncer.telling.matters import shorten
from syncer.telling.remarks import Remark, Tone, find_tone

MOST_REMARKS = 20  # that a comment names before it says how many more there are
LONGEST_LINE = 1000  # characters; so a comment stays far below the 65,535 that kintone takes
LONGEST_LABEL = 80


def render_comment(comment: RecordComment, labels: Mapping[str, str], *, names_writer: bool = False) -> str:
    """The text, ending in the mark. `labels`: our field name → what the form in kintone calls the field.

    names_writer: nobody can be mentioned, so the text says who wrote the record.
    """
    with override(settings.LANGUAGE_CODE):
        is_well = comment.kind == RecordComment.Kind.WELL
        lines = [gettext("Nothing is left to mend in this record.")] if is_well else _tell(comment, labels)
        if names_writer and comment.writer_name:
            lines.append(gettext("Written by: %(name)s") % {"name": shorten(comment.writer_name, LONGEST_LABEL)})
        return "\n".join([*lines, *_sign(comment)])


def _tell(comment: RecordComment, labels: Mapping[str, str]) -> list[str]:
    remarks = [Remark(**remark) for remark in comment.remarks]
    lines = [_introduce(find_tone(remarks)), *_list_remarks(remarks[:MOST_REMARKS], labels)]
    if more := len(remarks) - MOST_REMARKS:
        lines += [gettext("and %(count)d more") % {"count": more}] if more > 0 else []
    return lines


def _introduce(tone: Tone) -> str:
    if tone is Tone.REFUSED:
        return gettext("AWS does not take what this record says.")
    if tone is Tone.VERDICT:
        return gettext("Not everything in this record is in force.")
    return gettext("There is something to mend in this record.")


def _list_remarks(remarks: Iterable[Remark], labels: Mapping[str, str]) -> Iterable[str]:
    for remark in remarks:
        said = render(remark.code, remark.params)
        place = _name_place(remark, labels)
        text = shorten(said.text, LONGEST_LINE)
        values = {"place": place, "text": text}
        yield (gettext("• %(place)s: %(text)s") if place else gettext("• %(text)s")) % values


def _name_place(remark: Remark, labels: Mapping[str, str]) -> str:
    label = shorten(labels.get(remark.field, remark.field), LONGEST_LABEL)
    if label and remark.line:
        return gettext("%(field)s, line %(line)d") % {"field": label, "line": remark.line}
    return label


def _sign(comment: RecordComment) -> Iterable[str]:
    """Where to look, and what finds this comment again."""
    record = comment.record
    yield f"{settings.PUBLIC_URL}/records/{record.app_id}/{record.record_id}/"
    yield gettext("Genkan · revision %(revision)d · %(mark)s") % {"revision": comment.revision, "mark": comment.mark}

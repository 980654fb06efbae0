"""What one is told by Slack or mail: what one wants of it, and what one was told lately."""

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from accounts.access import require_user
from accounts.audit import record_event
from accounts.models import User
from portal.forms.letters import LetterChoiceForm
from syncer.models import Letter, LetterChoice, LetterSettings
from syncer.telling.letter_wording import describe_letter

_SHOWN = 20  # newest first


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def letter_list(request: HttpRequest) -> HttpResponse:
    """The choice, and the letters of the person who is signed in."""
    user = require_user(request)
    form = LetterChoiceForm(request.POST if request.method == "POST" else None, instance=_find_choice(user))
    if request.method == "POST" and form.is_valid():
        _store(request, user, form)
        messages.success(request, _("Saved."))
        return redirect("letter_list")
    rows = Letter.objects.filter(person=user.person_id).order_by("-pk")[:_SHOWN] if user.person_id else []
    context = {
        "form": form,
        "chosen": LetterSettings.load(),
        "letters": [(letter, describe_letter(letter)) for letter in rows],
    }
    return render(request, "portal/letter_list.html", context)


def _find_choice(user: User) -> LetterChoice:
    return LetterChoice.objects.filter(user=user).first() or LetterChoice(user=user)


@transaction.atomic
def _store(request: HttpRequest, user: User, form: LetterChoiceForm) -> None:
    before = _find_choice(user).as_json()
    choice = form.save()
    if before != choice.as_json():
        subject = ("user", str(user.pk), str(user))
        record_event("letter.choose", request=request, obj=subject, before=before, after=choice.as_json())

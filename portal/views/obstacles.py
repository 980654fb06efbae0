"""Why a decision cannot become a record, said to whoever decided."""

from django.contrib import messages
from django.http import HttpRequest

from accounts.sentences import render
from syncer.drafts.drafting import NotPossible


def explain(refusal: NotPossible) -> str:
    return render(refusal.reason.code, refusal.reason.params).text


def tell(request: HttpRequest, refusal: NotPossible) -> None:
    """On the page that comes next."""
    messages.error(request, explain(refusal))

"""Personal access tokens: made once, good for their person alone, and no longer than he is welcome."""

from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.test import RequestFactory
from django.utils import timezone

from accounts import tokens
from accounts.models import AccessToken, AuditEvent, Principal, Stop, User
from accounts.tokens import TokenRefused, find_token, make_token, revoke
from tests.factories import get_principal, make_user

pytestmark = pytest.mark.django_db
MONTH = timedelta(days=30)


@pytest.fixture
def user() -> User:
    return make_user("花", last_login=timezone.now())


@pytest.fixture
def request_of_user(user: User) -> HttpRequest:
    request = RequestFactory().post("/tokens/")
    request.user = user
    return request


@pytest.fixture
def made(request_of_user: HttpRequest, user: User) -> tuple[AccessToken, str]:
    return make_token(request_of_user, user, "laptop", "read", MONTH)


def refusal_of(text: str) -> str:
    with pytest.raises(TokenRefused) as refusal:
        find_token(text)
    return refusal.value.code


def test_token_is_found_by_its_text_alone(made: tuple[AccessToken, str], user: User) -> None:
    token, text = made
    found = find_token(text)
    assert (found.pk, found.user) == (token.pk, user)
    assert refusal_of(text[:-1]) == refusal_of(token.digest) == refusal_of("") == refusal_of("gnk_") == "token_wrong"


def test_nothing_that_is_stored_can_be_used(made: tuple[AccessToken, str]) -> None:
    token, text = made
    row = AccessToken.objects.filter(pk=token.pk).values().get()
    assert not any(text in str(value) for value in row.values())
    assert not AuditEvent.objects.filter(object_name__contains=text).exists()
    assert text.startswith(token.hint)
    assert len(text) > 3 * len(token.hint)


def test_making_and_revoking_are_in_the_trail(made: tuple[AccessToken, str], request_of_user: HttpRequest) -> None:
    assert revoke(request_of_user, made[0])
    assert not revoke(request_of_user, made[0])
    assert list(AuditEvent.objects.order_by("pk").values_list("action", flat=True)) == ["token.make", "token.revoke"]
    assert refusal_of(made[1]) == "token_wrong"


def test_token_ends(made: tuple[AccessToken, str]) -> None:
    AccessToken.objects.update(expires_at=timezone.now())
    assert refusal_of(made[1]) == "token_wrong"


@pytest.mark.parametrize("values", [{"is_enabled": False}, {"gone_at": timezone.now()}])
def test_whoever_left_the_company_has_no_token(
    made: tuple[AccessToken, str], user: User, values: dict[str, object]
) -> None:
    Principal.objects.filter(pk=get_principal(user).pk).update(**values)
    assert refusal_of(made[1]) == "token_wrong"


def test_whoever_is_barred_or_locked_out_has_none(made: tuple[AccessToken, str], user: User) -> None:
    stop = Stop.objects.create(kind=Stop.Kind.LOCK_OUT, principal=get_principal(user), reason="stolen")
    assert refusal_of(made[1]) == "token_wrong"
    stop.delete()
    assert find_token(made[1]).user == user
    User.objects.update(is_active=False)
    assert refusal_of(made[1]) == "token_wrong"


def test_token_sleeps_until_its_person_signs_in_again(made: tuple[AccessToken, str]) -> None:
    """Roles are learnt at sign-ins: an admin of last year must not act as one by an old token."""
    User.objects.update(last_login=timezone.now() - MONTH)
    assert refusal_of(made[1]) == "token_sign_in"
    User.objects.update(last_login=timezone.now())
    assert find_token(made[1]).pk == made[0].pk


def test_use_is_noted(made: tuple[AccessToken, str]) -> None:
    before = timezone.now()
    find_token(made[1])
    assert AccessToken.objects.filter(last_used_at__gte=before).exists()


def test_auditor_makes_none_that_writes(request_of_user: HttpRequest) -> None:
    auditor = make_user(is_auditor=True)
    with pytest.raises(PermissionDenied):
        make_token(request_of_user, auditor, "x", "write", MONTH)
    assert make_token(request_of_user, auditor, "x", "read", MONTH)


def test_nobody_has_more_than_a_handful(
    request_of_user: HttpRequest, user: User, made: tuple[AccessToken, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tokens, "MOST", 1)
    with pytest.raises(TokenRefused) as refusal:
        make_token(request_of_user, user, "another", "read", MONTH)
    assert refusal.value.code == "token_too_many"
    revoke(request_of_user, made[0])
    assert make_token(request_of_user, user, "another", "read", MONTH)


@pytest.mark.parametrize("lifetime", [timedelta(0), timedelta(days=-1), timedelta(days=366)])
def test_lifetime_has_bounds(request_of_user: HttpRequest, user: User, lifetime: timedelta) -> None:
    with pytest.raises(ValueError, match="does not live"):
        make_token(request_of_user, user, "x", "read", lifetime)


@pytest.mark.parametrize(
    ("has", "needs", "may"),
    [
        ("cli", "cli", True),
        ("cli", "read", False),
        ("read", "cli", True),
        ("read", "write", False),
        ("write", "read", True),
    ],
)
def test_each_scope_may_what_the_one_before_may(has: str, needs: str, may: bool) -> None:
    assert AccessToken(scope=has).may(needs) is may

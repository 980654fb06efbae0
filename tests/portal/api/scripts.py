"""Scripts that ask the API."""

from datetime import timedelta
from typing import Any

from django.test import Client, RequestFactory
from django.utils import timezone

from accounts.models import User
from accounts.tokens import make_token

API = "/api/v1/"


def make_client(user: User, scope: str = "read", **headers: str) -> Client:
    """A script with a token of this person, who has signed in lately."""
    User.objects.filter(pk=user.pk, last_login=None).update(last_login=timezone.now())
    request = RequestFactory().post("/")
    request.user = user
    text = make_token(request, user, "script", scope, timedelta(days=1))[1]
    return Client(headers={"authorization": f"Bearer {text}", **headers})


def read(client: Client, address: str, **query: Any) -> Any:
    response = client.get(API + address, query)
    assert response.status_code == 200, response.content
    return response.json()


def send(client: Client, address: str, values: Any, **headers: str) -> Any:
    return client.post(API + address, values, content_type="application/json", headers=headers)


def code_of(response: Any) -> tuple[int, str]:
    return response.status_code, response.json()["error"]["code"]

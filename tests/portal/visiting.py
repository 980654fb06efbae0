"""A browser that goes between the portal and a simulated Entra ID, and the cast it signs in as."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import requests
from django.contrib.auth import SESSION_KEY, get_user_model
from django.test import Client

if TYPE_CHECKING:
    from accounts.models import User

TENANT = "11111111-1111-4111-8111-111111111111"
CLIENT_ID, SECRET = "22222222-2222-4222-8222-222222222222", "only-for-tests"
CALLBACK = "http://testserver/oidc/callback/"
ADMIN, MEMBER, AUDITOR, GUEST = (f"aaaaaaaa-0000-4000-8000-00000000000{n}" for n in range(1, 5))

# The portal's own pages, reduced to what the views give them.
TEMPLATES = {
    "portal/sign_in_refused.html": "{{ reason }}|{{ id }}|{{ retry_url }}|{{ other_account_url }}",
    "portal/sign_in_expired.html": "expired|{{ renew_url }}",
}


@dataclass
class Visitor:
    """One browser: Django's test client for the portal, a requests session for Entra ID."""

    client: Client
    session: requests.Session

    def begin(self, query: str = "") -> str:
        """Start at the portal; the address at Entra it leads to."""
        response = self.client.get(f"/oidc/authenticate/{query}")
        assert response.status_code == 302
        return str(response["Location"])

    def visit_entra(self, url: str, oid: str = "", *, cancel: bool = False) -> str:
        """Go to Entra and pick an account, if it asks; the address it leads back to, without the host."""
        response = self.session.get(url, allow_redirects=False)
        if response.status_code == 200:
            login = urlsplit(url)
            data = {"cancel": "1"} if cancel else {"oid": oid}
            address = f"{login.scheme}://{login.netloc}/{TENANT}/login?{login.query}"
            response = self.session.post(address, data=data, allow_redirects=False)
        assert response.status_code == 302, response.text
        back = urlsplit(response.headers["Location"])
        return f"{back.path}?{back.query}"

    def sign_in(self, oid: str, query: str = "") -> Any:
        """The whole way; the answer of the callback."""
        return self.client.get(self.visit_entra(self.begin(query), oid))

    @property
    def user(self) -> "User | None":
        """Who is signed in at the portal, by the session alone."""
        pk = self.client.session.get(SESSION_KEY)
        return get_user_model().objects.get(pk=pk) if pk else None


def params_of(url: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}

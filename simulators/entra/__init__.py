"""A local stand-in for Microsoft Entra ID: one tenant, OpenID Connect's code flow, no passwords.

It asks who you are and believes the answer, so it is bound to the loopback interface and refuses requests for any
other host name. Everything else is checked as Entra ID checks it: client, redirect URI, PKCE, secret or certificate.
"""

from simulators.entra.keys import Certificate, SigningKey, make_certificate
from simulators.entra.service import EntraSimulator
from simulators.entra.world import Client, EntraWorld, Person

__all__ = ["Certificate", "Client", "EntraSimulator", "EntraWorld", "Person", "SigningKey", "make_certificate"]

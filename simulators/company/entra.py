"""The company's Entra tenant: everybody, their app roles and groups, and the app registration of the portal."""

from simulators.clock import Clock
from simulators.company.organization import SEED
from simulators.company.people import Situation, fixed_guid, fixed_secret, group_oid, list_groups, list_people
from simulators.entra import EntraWorld

CLIENT_ID = fixed_guid("portal")
CLIENT_SECRET = fixed_secret("portal's client secret")
DEFAULT_PORT = 8000


def build_entra(port: int = DEFAULT_PORT, clock: Clock | None = None) -> EntraWorld:
    """The tenant with all people; the portal is registered at http://localhost:<port>."""
    world = build_empty_entra(port, clock)
    groups = list_groups()
    for person in list_people():
        world.add_person(
            person.oid,
            person.upn,
            person.name,
            email=person.upn,
            roles=person.roles,
            disabled=person.situation is Situation.LEFT,
            groups=[group_oid(name) for name, members in groups.items() if person in members],
        )
    return world


def build_empty_entra(port: int = DEFAULT_PORT, clock: Clock | None = None) -> EntraWorld:
    """The tenant with the portal's registration, and nobody to sign in."""
    world = EntraWorld(SEED, fixed_guid("tenant"), clock)
    register_portal(world, port)
    return world


def register_portal(world: EntraWorld, port: int) -> None:
    """Let the portal at this port of localhost sign people in; an earlier port no longer may."""
    portal = f"http://localhost:{port}"
    world.add_client(CLIENT_ID, CLIENT_SECRET, [f"{portal}/oidc/callback/"], [f"{portal}/"])

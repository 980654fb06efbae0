"""What somebody needs to know to use a simulated service: addresses, ids, keys, and the settings of the portal.

Each answer is one flat object for JSON; its `environment` holds the variables that point the portal at the service.
"""

from typing import Any

from simulators.aws import AwsWorld, scim
from simulators.company.aws import PORTAL_ROLE, find_hand_made
from simulators.company.entra import CLIENT_ID, CLIENT_SECRET
from simulators.company.kintone import (
    ADMINISTRATOR,
    ASSIGNMENT_TOKEN,
    LOGIN,
    PERMISSION_SET_TOKEN,
    USERS_TOKEN,
)
from simulators.company.people import DOMAIN, list_cast
from simulators.entra import EntraWorld
from simulators.kintone.world import KintoneWorld

Connection = dict[str, Any]


def describe_kintone(world: KintoneWorld, url: str) -> Connection:
    permission_set_app, assignment_app = (str(app_id) for app_id in sorted(world.apps)[:2])
    return {
        "simulator": "kintone",
        "url": url,
        "apps": {"permission_sets": permission_set_app, "assignments": assignment_app},
        "tokens": {"permission_sets": PERMISSION_SET_TOKEN, "assignments": ASSIGNMENT_TOKEN, "users": USERS_TOKEN},
        "username": ADMINISTRATOR,
        "password": LOGIN,
        "environment": {
            "KINTONE_BASE_URL": url,
            "KINTONE_PERMISSION_SET_APP_ID": permission_set_app,
            "KINTONE_PERMISSION_SET_API_TOKEN": PERMISSION_SET_TOKEN,
            "KINTONE_ASSIGNMENT_APP_ID": assignment_app,
            "KINTONE_ASSIGNMENT_API_TOKEN": ASSIGNMENT_TOKEN,
            "KINTONE_USERS_API_TOKEN": USERS_TOKEN,
            "KINTONE_USER_SUFFIX": f"@{DOMAIN}",
            "KINTONE_USERNAME": ADMINISTRATOR,
            "KINTONE_PASSWORD": LOGIN,
        },
    }


def describe_aws(world: AwsWorld, url: str) -> Connection:
    key = next(key for key in world.access_keys.values() if key.role == PORTAL_ROLE and key.token is None)
    return {
        "simulator": "aws",
        "url": url,
        "region": world.region,
        "access_key_id": key.id,
        "secret_access_key": key.secret,
        "instance_arn": world.instance_arn,
        "identity_store_id": world.identity_store_id,
        "management_account_id": world.management_account_id,
        "delegated_account_id": key.account_id,
        "accounts": {account.id: account.name for account in world.organization.accounts.values()},
        "hand_made": find_hand_made(world),
        "scim": {"url": f"{url}{scim.BASE}", "token": scim.token_of(world)},
        "environment": {
            "AWS_ENDPOINT_URL": url,
            "AWS_ACCESS_KEY_ID": key.id,
            "AWS_SECRET_ACCESS_KEY": key.secret,
            "AWS_DEFAULT_REGION": world.region,
            "IDENTITY_CENTER_REGION": world.region,
        },
    }


def describe_entra(world: EntraWorld, url: str) -> Connection:
    """`people` may sign in; `cast` are those of them who show different sides of the portal."""
    people = [
        {"upn": person.upn, "name": person.name, "oid": person.oid, "roles": list(person.roles)}
        for person in world.list_people()
        if not person.is_disabled
    ]
    return {
        "simulator": "entra",
        "url": url,
        "authority_host": url,
        "tenant_id": world.tenant_id,
        "client_id": CLIENT_ID,
        "client_secret": CLIENT_SECRET,
        "people": people,
        "cast": [
            {"upn": person.upn, "name": person.name, "part": part}
            for person, part in list_cast()
            if world.find_person(person.oid)
        ],
        "environment": {
            "ENTRA_AUTHORITY_HOST": url,
            "ENTRA_TENANT_ID": world.tenant_id,
            "ENTRA_CLIENT_ID": CLIENT_ID,
            "ENTRA_CLIENT_SECRET": CLIENT_SECRET,
        },
    }

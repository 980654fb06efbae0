"""AWS's managed policies as moto bundles them, and what they allow as a table for `accounts.policy.powers`.

`python -m tests.managed_policies` writes the table anew, and the texts that the simulator of IAM gives out; tests hold
that both are what the texts say.
"""

import ast
import json
from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from accounts.policy.powers import BILLING_SERVICES, find_powers_of_text, read_statements
from simulators.aws.catalogue import managed_policies

READING = ("*ReadOnly", "*ReadOnlyAccess", "*ReadOnlyAccess_v2", "ViewOnlyAccess", "SecurityAudit")  # says AWS
ROOT = Path(__file__).resolve().parent.parent
TABLE, SIMULATED = ROOT / "accounts/policy/managed_policies.json", ROOT / "simulators/aws/managed_policies.json"
MOST_ACTIONS = 60  # of a statement that the simulator gives out: ReadOnlyAccess has thousands


@cache
def load_texts() -> dict[str, str]:
    """Name → the policy as IAM shows it. Names are unique, whatever their paths."""
    return {name: json.dumps(row["Document"], indent=4) for name, row in _load_rows().items()}


@cache
def _load_rows() -> dict[str, Any]:
    return dict(json.loads(_read_moto()))


def _read_moto() -> str:
    """The text that moto's module assigns. Importing moto itself takes a second and half of boto3."""
    moto = find_spec("moto")
    if moto is None or moto.origin is None:
        raise ModuleNotFoundError("moto is not installed: make test installs it")
    (assignment,) = ast.parse((Path(moto.origin).parent / "iam/aws_managed_policies.py").read_text()).body
    return str(ast.literal_eval(assignment.value)) if isinstance(assignment, ast.Assign) else ""


def build_table(names: Iterable[str]) -> dict[str, str]:
    """Path and name → the first letters of its powers, and a d if it denies something."""
    return {
        _load_rows()[name]["Path"][1:] + name: (
            "".join(sorted(_judge(name, load_texts()[name]))) + _deny(load_texts()[name])
        )
        for name in names
    }


def build_simulated() -> dict[str, Any]:
    """Name → version and text of each policy in the simulator's catalogue; long lists of actions are thinned out."""
    names = sorted(policy.name for policy in managed_policies().values() if policy.name in _load_rows())
    rows = {name: _load_rows()[name] for name in names}
    return {
        name: {"version": row["DefaultVersionId"], "document": _thin(row["Document"])} for name, row in rows.items()
    }


def _thin(document: Mapping[str, Any]) -> dict[str, Any]:
    return {**document, "Statement": [_thin_statement(each) for each in _listed(document["Statement"])]}


def _thin_statement(statement: Mapping[str, Any]) -> dict[str, Any]:
    actions = _listed(statement.get("Action", []))
    step = -(-len(actions) // MOST_ACTIONS)
    return {**statement, "Action": actions[::step]} if step > 1 else dict(statement)


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def render_simulated() -> str:
    """A policy a line."""
    lines = (f"{json.dumps(name)}: {json.dumps(row)}" for name, row in build_simulated().items())
    return "{\n" + ",\n".join(lines) + "\n}\n"


def find_date() -> str:
    """The day of the newest policy."""
    return str(max(row["UpdateDate"] for row in _load_rows().values()))[:10]


def _deny(text: str) -> str:
    return "d" if any(statement.effect == "Deny" for statement in read_statements(text) or ()) else ""


def _judge(name: str, text: str) -> str:
    """What the text allows, less what would say nothing if a guardrail counted it."""
    flags = "".join(power.value[0] for power in find_powers_of_text(text))
    if name == "PowerUserAccess":  # sso: does nothing but in the accounts that administer Identity Center
        return "bw"
    if "a" not in flags and any(fnmatchcase(name, pattern) for pattern in READING):
        flags = flags.replace("w", "")
    return flags if _is_about_billing(text) else flags.replace("b", "")


def _is_about_billing(text: str) -> bool:
    """Half of what it names, or everything: a policy that reads the whole account reads bills by the way."""
    services = {
        str(node.value).partition(":")[0].lower()
        for statement in read_statements(text) or ()
        for node in statement.actions
        if statement.effect == "Allow" and not statement.excludes_actions
    }
    return not services or "*" in services or 2 * len(services & BILLING_SERVICES) >= len(services)


if __name__ == "__main__":
    content = {"date": find_date(), "policies": build_table(sorted(load_texts()))}
    TABLE.write_text(json.dumps(content, indent=0) + "\n")
    SIMULATED.write_text(render_simulated())

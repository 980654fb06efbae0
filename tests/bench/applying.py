"""1,200 operations, carried out by `manage.py sync` in 60 accounts; a process of its own, so that it may go on beside
other figures. Prints one JSON object.
"""

import json
import sys
from contextlib import ExitStack
from itertools import chain
from pathlib import Path
from tempfile import TemporaryDirectory

from simulators.aws.entities import AsyncRequest, RequestKind
from tests.companies import ASYNC_SECONDS, Company, Size, name_of_user, serve_company
from tests.integration.processes import Portal, describe_portal

ACCOUNTS, SETS = 60, 10
PAIRS = ACCOUNTS * SETS  # one record with one user each, who is replaced by another: a create and a delete
SIZE = Size(accounts=ACCOUNTS, sets=SETS, users=2 * PAIRS, groups=0, pairs=PAIRS, each=1)
OUTSTANDING = 8  # the default
NO_BRAKE = {"DELETE_LIMIT_COUNT": "1000000", "DELETE_LIMIT_SHARE": "1", "DELETE_LIMIT_MAX": "1000000"}
POLLS = tuple(f"sso-admin:{verb}AccountAssignment{what}Status" for verb in ("List", "Describe")
              for what in ("Creation", "Deletion"))  # fmt: skip


def replace_everybody(company: Company) -> None:
    for pair, record in enumerate(company.records):
        company.assignments.edit_record(record, {"users": [name_of_user(pair + PAIRS)]})


def list_requests(company: Company) -> list[AsyncRequest]:
    kinds = (RequestKind.CREATION, RequestKind.DELETION)
    return list(chain.from_iterable(company.aws.requests.all(kind) for kind in kinds))


def measure(company: Company, portal: Portal) -> dict[str, float]:
    """Sync what is there already, replace everybody, sync again."""
    for arguments in (("migrate", "--no-input"), ("sync", "--json")):
        ended = portal.run(*arguments, seconds=600)
        assert ended.code == 0, ended.output + ended.errors
    replace_everybody(company)
    polls, throttled = company.count_calls(*POLLS), company.count_throttled()
    ended = portal.run("sync", "--json", seconds=1800)
    assert ended.code == 0, ended.output[-2000:] + ended.errors[-2000:]
    requests = list_requests(company)
    seconds = max(each.due for each in requests) - min(each.created for each in requests)
    wanted = {(*company.size.place(pair), company.user_ids[pair + PAIRS]) for pair in range(PAIRS)}
    accounts = {account_id: number for number, account_id in enumerate(company.account_ids)}
    arns = {arn: number for number, arn in enumerate(company.arns)}
    found = {(accounts[row[0]], arns[row[1]], row[3]) for row in company.aws.assignments()}
    return {
        "operations": len(requests),
        "seconds": seconds,
        "allowed": OUTSTANDING / ASYNC_SECONDS,
        "polls": company.count_calls(*POLLS) - polls,
        "throttled": company.count_throttled() - throttled,
        "is_right": found == wanted,
    }


def main() -> None:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="genkan-bench-")))
        company = stack.enter_context(serve_company(SIZE))
        variables = {"DATABASE_URL": f"sqlite:///{folder / 'db.sqlite3'}", **NO_BRAKE}
        variables |= {"CACHE_URL": "locmemcache://bench", "CELERY_BROKER_URL": "memory://"}
        portal = describe_portal(folder, **company.environment, **variables)
        json.dump(measure(company, portal), sys.stdout)


if __name__ == "__main__":
    main()

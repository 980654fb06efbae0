"""Who is told of what a change in AWS means to him, and who is not."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts import stops
from accounts.models import (
    Account,
    OwnerEntry,
    Person,
    Principal,
    PrincipalLink,
    Record,
    RecordPerson,
    Shortcut,
    User,
)
from syncer.mirror.last_days import company_day, store_reminders
from syncer.models import Baseline, Change, Letter, LetterSettings, Run
from syncer.telling import letters
from syncer.telling.access_letters import note_access
from syncer.telling.letters import find_owners, find_people, tell_authors
from syncer.telling.notices import end_run
from syncer.telling.orphans import tell_orphans
from tests import factories
from tests.syncer.running import sync
from tests.syncer.worlds import World

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _on() -> None:
    LetterSettings.objects.update_or_create(pk=1, defaults={"people": "slack", "owners": "mail"})


@pytest.fixture
def run() -> Run:
    """A run of a portal that has been at work for long."""
    Baseline.objects.create(confirmed_at=timezone.now() - timedelta(days=9))
    return factories.make_run()


@pytest.fixture
def hana() -> Person:
    return factories.make_person("花")


def make_change(run: Run, person: Person, cause: str = "", **values: Any) -> Change:
    details = [{"field": "cause", "before": "", "after": cause}] if cause else []
    defaults: dict[str, Any] = {
        "principal_id": factories.get_principal(person).principal_id, "principal_name": person.name,
        "kind": "delete" if cause else "create", "details": details, "finished_at": timezone.now(),
    }  # fmt: skip
    return factories.make_change(run, **defaults | values)


def told() -> list[tuple[str, str, str]]:
    rows = Letter.objects.order_by("pk").select_related("person")
    return [(letter.person.name, letter.code, str(letter.params.get("by", ""))) for letter in rows]


# --- Whoever has or had it ----------------------------------------------------------------------------------------


def test_who_receives_access_is_told_by_whom_and_until_when(run: Run, hana: Person) -> None:
    account, permission_set = factories.make_account("shop"), factories.make_permission_set("Reader")
    record = factories.make_record(creator_name="佐藤 遥")
    day = timezone.localdate() + timedelta(days=3)
    factories.make_assignment(hana.principal, account=account, permission_set=permission_set, record=record, until=day)
    note_access(make_change(
        run, hana, account_id=account.account_id, permission_set_name="Reader", record_reference=record.reference,
    ))  # fmt: skip
    letter = Letter.objects.get()
    assert told() == [("花", "letter_given_by", "佐藤 遥")]
    assert (letter.path, letter.params["day"]) == (f"/records/24/{record.record_id}/", day.isoformat())
    assert (letter.params["account"], letter.params["stage"], letter.params["set"]) == ("shop", "production", "Reader")
    assert letter.retry_at
    assert letter.retry_at > timezone.now() + timedelta(seconds=50)


@pytest.mark.parametrize(
    ("cause", "code"),
    [
        ("ended", "letter_lost_ended"),
        ("asked", "letter_lost_asked"),
        ("guardrail", "letter_lost_guardrail"),
        ("drift", "letter_lost_drift"),
        ("withdrawn", "letter_lost_withdrawn"),
        ("no_record", "letter_lost_no_record"),
        ("of_tomorrow", "letter_lost"),
    ],
)
def test_who_loses_access_is_told_why(run: Run, hana: Person, cause: str, code: str) -> None:
    record = factories.make_record(creator_name="佐藤 遥")
    note_access(make_change(run, hana, cause, record_reference=record.reference))
    assert [row[1] for row in told()] == [code]


def test_nobody_is_named_where_the_record_is_gone(run: Run, hana: Person) -> None:
    record = factories.make_record(creator_name="佐藤 遥", gone_at=timezone.now())
    note_access(make_change(run, hana, "withdrawn", record_reference=record.reference))
    assert told() == [("花", "letter_lost_no_record", "")]


def test_who_is_locked_out_is_not_told(run: Run, hana: Person) -> None:
    note_access(make_change(run, hana, "locked_out"))
    assert told() == []


@pytest.mark.parametrize(
    "values", [{"principal_type": "GROUP"}, {"object": "permission_set", "principal_type": ""}, {"principal_id": "?"}]
)
def test_groups_sets_and_strangers_are_told_nothing(run: Run, hana: Person, values: dict[str, Any]) -> None:
    note_access(make_change(run, hana, **values))
    assert told() == []


def test_first_run_tells_nobody(hana: Person) -> None:
    run = factories.make_run()
    note_access(make_change(run, hana))
    Baseline.objects.create()
    note_access(make_change(run, hana))
    assert told() == []


def test_company_that_has_not_switched_it_on_tells_nobody(run: Run, hana: Person) -> None:
    LetterSettings.objects.update(people="", owners="mail")
    note_access(make_change(run, hana))
    assert told() == []


# --- Whoever owns it ----------------------------------------------------------------------------------------------


def leave(person: Person) -> None:
    Principal.objects.filter(person=person).update(is_enabled=False, disabled_at=timezone.now())


@pytest.mark.parametrize("cause", ["leaver", "gone"])
def test_owners_are_told_who_left_and_the_leaver_is_not(run: Run, hana: Person, cause: str) -> None:
    account, owner = factories.make_account("shop"), factories.make_person("持ち主")
    OwnerEntry.objects.create(account=account, principal=factories.get_principal(owner))
    leave(hana)
    note_access(make_change(run, hana, cause, account_id=account.account_id))
    assert told() == [("持ち主", "letter_left", "")]
    assert Letter.objects.get().params["who"] == "花"


def own(record: Record, *people: Person) -> None:
    RecordPerson.objects.bulk_create(
        RecordPerson(record=record, role="owner", key=person.kintone_code, code=person.kintone_code)
        for person in people
    )


def test_owners_of_the_record_are_told_too(run: Run, hana: Person) -> None:
    keeper, record = factories.make_person("記録"), factories.make_record()
    own(record, keeper, hana)
    leave(hana)
    note_access(make_change(run, hana, "leaver", record_reference=record.reference))
    assert told() == [("記録", "letter_left", "")]


def test_record_that_nobody_owns_any_more_is_told_once(hana: Person) -> None:
    account, owner = factories.make_account("shop"), factories.make_person("持ち主")
    OwnerEntry.objects.create(account=account, principal=factories.get_principal(owner))
    alone, shared = (factories.make_record(in_force={"account_id": account.account_id}) for _number in range(2))
    own(alone, hana)
    own(shared, hana, owner)
    assert tell_orphans(timezone.now()) == 0
    leave(hana)
    for _number in range(2):
        tell_orphans(timezone.now())
    letter = Letter.objects.get()
    assert (letter.person, letter.code, letter.params["record"]) == (owner, "letter_left_alone", alone.reference)


def test_account_whose_owners_have_all_left_is_told(hana: Person) -> None:
    account, other = factories.make_account("shop"), factories.make_person("同僚")
    admin = factories.make_user("管理", is_staff=True)
    for person in (hana, other):
        OwnerEntry.objects.create(account=account, principal=factories.get_principal(person))
    leave(hana)
    tell_orphans(timezone.now())
    assert told() == []
    leave(other)
    tell_orphans(timezone.now())
    letter = Letter.objects.get()
    assert (letter.person, letter.code, letter.path) == (
        admin.person,
        "letter_ownerless",
        f"/accounts/{account.account_id}/",
    )


def test_many_gone_at_once_are_no_leavers(hana: Person) -> None:
    account = factories.make_account("shop")
    factories.make_user(is_staff=True)
    OwnerEntry.objects.create(account=account, principal=factories.get_principal(hana))
    for person in [hana, *(factories.make_person() for _number in range(10))]:
        leave(person)
    assert tell_orphans(timezone.now()) == 0


@pytest.mark.parametrize("values", [{"disabled_at": None}, {"disabled_at": timezone.now() - timedelta(days=8)}])
def test_who_left_long_ago_is_no_news(hana: Person, values: dict[str, Any]) -> None:
    account = factories.make_account("shop")
    factories.make_user(is_staff=True)
    OwnerEntry.objects.create(account=account, principal=factories.get_principal(hana))
    Principal.objects.filter(person=hana).update(is_enabled=False, **values)
    assert tell_orphans(timezone.now()) == 0


def test_end_of_a_run_tells_what_its_leavers_leave(run: Run, hana: Person) -> None:
    account = factories.make_account("shop")
    admin = factories.make_user("管理", is_staff=True)
    OwnerEntry.objects.create(account=account, principal=factories.get_principal(hana))
    end_run(run)
    leave(hana)
    end_run(run)
    assert told() == []
    make_change(run, hana, "leaver")
    end_run(run)
    assert told() == [(str(admin.person), "letter_ownerless", "")]


def test_account_without_owners_is_told_those_of_its_unit_else_admins(hana: Person) -> None:
    account = factories.make_account("shop")
    admin = factories.make_user("管理", is_staff=True)
    assert find_owners([account.account_id]) == {account.account_id: [admin.person]}
    OwnerEntry.objects.create(ou=account.ou, principal=factories.get_principal(hana))
    assert find_owners([account.account_id]) == {account.account_id: [hana]}
    leaver = factories.make_person()
    OwnerEntry.objects.create(account=account, principal=factories.get_principal(leaver))
    leave(leaver)
    assert find_owners([account.account_id]) == {account.account_id: [hana]}


def test_people_are_found_by_code_and_by_link(hana: Person) -> None:
    assert find_people([hana.kintone_code, "nobody", ""]) == {hana.kintone_code: hana}


def test_author_is_told_of_a_shortcut_that_leads_nowhere() -> None:
    user = factories.make_user("花")
    row = Shortcut.objects.create(
        slug="logs", name="Logs", author=user, account=factories.make_account(),
        problem={"code": "shortcut_account_gone", "params": {"account": "shop"}},
    )  # fmt: skip
    tell_authors([row], timezone.now())
    letter = Letter.objects.get()
    assert (letter.kind, letter.params["name"], letter.path) == ("shortcut", row.name, f"/shortcuts/{row.pk}/edit/")
    LetterSettings.objects.update(owners="")
    tell_authors([row], timezone.now())
    assert Letter.objects.count() == 1


# --- Who is there ----------------------------------------------------------------------------------------------------


def lock_out(person: Person) -> None:
    stops.lock_out(None, person, "stolen laptop")


def bar(person: Person) -> None:
    User.objects.filter(person=person).update(is_active=False)


@pytest.mark.parametrize("go", [leave, lock_out, bar])
def test_who_is_not_there_is_not_found(hana: Person, go: Callable[[Person], None]) -> None:
    factories.make_user(person=hana)
    PrincipalLink.objects.create(source="kintone_user", key="alias", principal=factories.get_principal(hana))
    assert find_people(["alias", hana.kintone_code]).keys() == {"alias", hana.kintone_code}
    go(hana)
    assert find_people(["alias", hana.kintone_code]) == {}


@pytest.mark.parametrize("go", [lock_out, bar])
def test_account_whose_owner_is_not_there_is_told_the_next(hana: Person, go: Callable[[Person], None]) -> None:
    account, above = factories.make_account("shop"), factories.make_user("上").person
    assert above
    OwnerEntry.objects.create(account=account, principal=factories.get_principal(hana))
    OwnerEntry.objects.create(ou=account.ou, principal=factories.get_principal(above))
    factories.make_user(person=hana)
    go(hana)
    assert find_owners([account.account_id]) == {account.account_id: [above]}


@pytest.mark.parametrize("go", [leave, lock_out, bar])
def test_admins_who_are_not_there_stand_for_nobody(
    monkeypatch: pytest.MonkeyPatch, go: Callable[[Person], None]
) -> None:
    monkeypatch.setattr(letters, "_MOST_ADMINS", 2)
    account = factories.make_account("shop")
    people = [factories.make_user(is_staff=True).person for _number in range(4)]
    assert people[0]
    go(people[0])
    assert find_owners([account.account_id]) == {account.account_id: people[1:3]}


@pytest.mark.parametrize("go", [leave, lock_out, bar])
def test_author_who_is_not_there_is_not_told(go: Callable[[Person], None]) -> None:
    user = factories.make_user("花")
    row = Shortcut.objects.create(
        slug="logs", name="Logs", author=user, account=factories.make_account(),
        problem={"code": "shortcut_account_gone", "params": {"account": "shop"}},
    )  # fmt: skip
    assert user.person
    go(user.person)
    user.refresh_from_db()
    tell_authors([row], timezone.now())
    assert told() == []


def test_disabled_author_is_not_reminded_of_last_days(hana: Person) -> None:
    """What is written in the record stays; who wrote it is told nothing, and nor is an admin who left."""
    day = company_day(timezone.now()) + timedelta(days=1)
    account = factories.make_account("shop")
    factories.make_assignment(
        factories.make_person().principal, account=account, until=day,
        record=factories.make_record(creator_code=hana.kintone_code),
    )  # fmt: skip
    gone, admin = (factories.make_user(name, is_staff=True).person for name in ("去", "管理"))
    assert gone
    for person in (hana, gone):
        leave(person)
    factories.make_instance()
    assert store_reminders(timezone.now()) == 1
    assert [letter.person for letter in Letter.objects.all()] == [admin]


# --- Real runs ----------------------------------------------------------------------------------------------------


def test_run_tells_who_received_and_who_lost(world: World) -> None:
    world.register_set("Reader")
    reference = world.register("shop", "Reader", "hana")
    sync()
    assert told() == []  # the first run
    world.register("blog", "Reader", "taro")
    world.edit(reference, users=[])
    world.edit(reference, users=["taro"])
    sync()
    assert {(letter.person.email, letter.code) for letter in Letter.objects.all()} == {
        ("hana@example.com", "letter_lost_withdrawn"), ("taro@example.com", "letter_given_by"),
    }  # fmt: skip
    assert Letter.objects.filter(code="letter_given_by").count() == 2
    assert {Account.objects.get(account_id=letter.params["account_id"]).name for letter in Letter.objects.all()} == {
        "shop", "blog",
    }  # fmt: skip

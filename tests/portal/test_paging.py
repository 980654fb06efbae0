import pytest
from django.test import RequestFactory
from pytest_django import DjangoAssertNumQueries

from accounts.models import Account
from portal.views.paging import PAGE_SIZE, FoundPaginator, KeyPaginator, paginate_keys
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("kind", [KeyPaginator, FoundPaginator])
@pytest.mark.parametrize(("number", "count"), [("1", PAGE_SIZE), ("2", 3), ("3", 3), ("x", PAGE_SIZE)])
def test_page_of_keys_is_the_page_of_rows(kind: type[KeyPaginator], number: str, count: int) -> None:
    names = [f"account-{number:03d}" for number in range(PAGE_SIZE + 3)]
    for name in names:
        factories.make_account(name=name)
    found = Account.objects.filter(name__in=names).order_by("-name")
    page = paginate_keys(RequestFactory().get("/", {"page": number}), found, Account.objects.all(), kind=kind)
    start = (page.number - 1) * PAGE_SIZE
    assert [account.name for account in page] == names[::-1][start : start + count]
    assert page.paginator.count == len(names)


def test_what_is_dear_to_find_is_found_once(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    account = factories.make_account()
    with django_assert_num_queries(2):  # which ones, and what the page shows of them
        page = paginate_keys(
            RequestFactory().get("/"), Account.objects.order_by("pk"), Account.objects.all(), kind=FoundPaginator
        )
        assert list(page) == [account]

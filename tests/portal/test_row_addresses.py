"""Addresses that are put together, beside those that Django finds."""

import pytest
from django.urls import reverse

from portal.views.addresses import find_address


@pytest.mark.parametrize(
    ("url_name", "values"),
    [
        ("account_detail", ("012345678901",)),
        ("permission_set_detail", (7,)),
        ("remove_from_record", (900_000_002, 900_000_001)),
        ("pin_place", ("012345678901", "Deploy+w=x,y.z@a-b_c")),
        ("note_place", ("012345678901", "決済 {} 100%?#")),
        ("go", ("alert-of-night",)),
    ],
)
def test_address_is_the_one_that_django_finds(url_name: str, values: tuple[str | int, ...]) -> None:
    assert find_address(url_name, *values) == reverse(url_name, args=values)

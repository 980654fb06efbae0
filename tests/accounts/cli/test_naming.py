"""Names of profiles: safe in every shell, each once, whatever accounts are called."""

import re
import unicodedata

import jaconv
import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.cli.naming import DEFAULT_PATTERN, PATTERNS, AccountRole, is_pattern, name_profiles, to_ascii

SAFE = re.compile(r"[A-Za-z0-9_.][A-Za-z0-9_.-]*")
ENTRIES = st.builds(
    AccountRole,
    account_id=st.sampled_from(["012345678901", "123456789012", "234567890123"]),
    account_name=st.text(max_size=12),
    permission_set=st.text(max_size=8),
    stage=st.sampled_from(["production", ""]),
    unit=st.text(max_size=8),
    short_name=st.text(max_size=5),
)


def name_of(pattern: str = DEFAULT_PATTERN, *, is_kebab: bool = False, **values: str) -> str:
    role = AccountRole(
        **{"account_id": "012345678901", "account_name": "payments-prod", "permission_set": "ReadOnly"} | values
    )
    return name_profiles([role], pattern, is_kebab=is_kebab)[0].name


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("{set}-{id}", "ReadOnly-012345678901"),
        ("{account}-{set}", "payments-prod-ReadOnly"),
        ("{stage}.{unit}/{set}", "production.shop-ReadOnly"),
        ("aws_{set}", "aws_ReadOnly"),
    ],
)
def test_pattern_is_the_person_s_choice(pattern: str, expected: str) -> None:
    assert name_of(pattern, stage="production", unit="service/shop") == expected


def test_kebab_is_lower_case_with_dashes() -> None:
    assert (
        name_of("{account}-{set}", is_kebab=True, permission_set="AWSAdminAccess_v2")
        == "payments-prod-aws-admin-access-v2"
    )


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("けっさい", "kessai-ReadOnly"),
        ("データ基盤", "deta-ReadOnly"),
        ("ｶｰﾄ stg", "kato-stg-ReadOnly"),
        ("決済", "012345678901-ReadOnly"),
        ("Café", "Cafe-ReadOnly"),
        ("a\n[default]", "a-default-ReadOnly"),
        ("--x", "x-ReadOnly"),
    ],
)
def test_japanese_names_are_written_in_latin_letters(name: str, expected: str) -> None:
    assert name_of("{account}-{set}", account_name=name) == expected


def test_short_name_of_the_admin_goes_first() -> None:
    assert name_of("{account}-{set}", account_name="決済", short_name="pay") == "pay-ReadOnly"


def test_names_that_would_meet_all_get_the_account() -> None:
    """So a new account renames no profile of the others twice, and the order does not matter."""
    roles = [
        AccountRole("012345678901", "決済 検証", "A"),
        AccountRole("123456789012", "会計 検証", "A", short_name="x"),
    ]
    roles.append(AccountRole("234567890123", "x", "A"))
    for order in (roles, roles[::-1]):
        found = {
            profile.role.account_id: (profile.name, profile.was) for profile in name_profiles(order, "{account}-{set}")
        }
        assert found == {
            "012345678901": ("012345678901-A", ""),
            "123456789012": ("x-A-123456789012", "x-A"),
            "234567890123": ("x-A-234567890123", "x-A"),
        }


def test_what_unsafe_characters_made_alike_is_numbered() -> None:
    roles = [AccountRole("012345678901", "a", name) for name in ("a+b", "a=b", "a,b")]
    assert len({profile.name for profile in name_profiles(roles)}) == 3


@given(st.lists(ENTRIES, max_size=8), st.sampled_from([*PATTERNS, "{unit}{set}"]), st.booleans())
def test_every_name_is_safe_and_its_own(roles: list[AccountRole], pattern: str, is_kebab: bool) -> None:
    names = [profile.name for profile in name_profiles(roles, pattern, is_kebab=is_kebab)]
    assert len(set(names)) == len(roles)
    assert all(SAFE.fullmatch(name) for name in names)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{account}",
        "{set",
        "{set}}",
        "{set!r}",
        "{set:>9}",
        "{set.__class__}",
        "{0}{set}",
        "{set[0]}",
        "{set}" + "x" * 100,
    ],
)
def test_what_is_no_pattern_is_refused(text: str) -> None:
    assert not is_pattern(text)
    with pytest.raises(ValueError, match="no pattern"):
        name_profiles([], text)


@given(st.text())
def test_any_text_becomes_safe_or_nothing(text: str) -> None:
    assert re.fullmatch(r"[A-Za-z0-9_.-]*", to_ascii(text))


@given(st.text(st.characters(max_codepoint=127)))
def test_text_in_ascii_is_spelled_as_it_is(text: str) -> None:
    spelled = jaconv.kata2alphabet(jaconv.hira2kata(unicodedata.normalize("NFKC", text)))
    assert unicodedata.normalize("NFKD", spelled) == text

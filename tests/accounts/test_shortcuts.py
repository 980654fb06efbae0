import re
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.sentences import SENTENCES
from accounts.shortcuts import (
    CONSOLE_HOSTS,
    MAX_DESTINATION,
    BadDestination,
    ConsoleLink,
    Destination,
    build_console_link,
    build_portal_url,
    check_destination,
    find_partition,
    parse_console_link,
)

PORTAL = "https://example.awsapps.com/start"
LOG_GROUP = (
    "https://eu-central-1.console.aws.amazon.com/cloudwatch/home?region=eu-central-1"
    "#logsV2:log-groups/log-group/$252Faws$252Flambda$252Fmy-fn"
)


def test_link_names_account_and_set() -> None:
    assert build_console_link(PORTAL, "012345678901", "ReadOnly") == (
        "https://example.awsapps.com/start/#/console?account_id=012345678901&role_name=ReadOnly"
    )


def test_worked_example_byte_for_byte() -> None:
    assert build_console_link(PORTAL, "123456789012", "ReadOnly", LOG_GROUP) == (
        "https://example.awsapps.com/start/#/console?account_id=123456789012&role_name=ReadOnly"
        "&destination=https%3A%2F%2Feu-central-1.console.aws.amazon.com%2Fcloudwatch%2Fhome%3Fregion%3Deu-central-1"
        "%23logsV2%3Alog-groups%2Flog-group%2F%24252Faws%24252Flambda%24252Fmy-fn"
    )


def test_every_sign_of_a_set_name_is_encoded() -> None:
    assert build_console_link(PORTAL, "123456789012", "a+b=c,d@e.f-g_h").endswith("role_name=a%2Bb%3Dc%2Cd%40e.f-g_h")


def test_parentheses_and_quotes_survive_markdown() -> None:
    link = build_console_link(PORTAL, "123456789012", "X", "https://console.aws.amazon.com/a('b')")
    assert not set("()'") & set(link)


def test_slash_after_the_portal_is_not_doubled() -> None:
    assert build_console_link(PORTAL + "/", "123456789012", "X") == build_console_link(PORTAL, "123456789012", "X")


@pytest.mark.parametrize(
    "account_id", ["", "12345678901", "1234567890123", "12345678901a", "１２３４５６７８９０１２", "123456789012\n"]
)
def test_wrong_account_id_is_refused(account_id: str) -> None:
    with pytest.raises(ValueError, match="account id"):
        build_console_link(PORTAL, account_id, "ReadOnly")


@pytest.mark.parametrize(
    "url",
    [
        "https://console.aws.amazon.com/",
        "https://ap-northeast-1.console.aws.amazon.com/ecs/v2/clusters?region=ap-northeast-1",
        LOG_GROUP,
    ],
)
def test_console_urls_pass_unchanged(url: str) -> None:
    assert check_destination(url) == url


def test_label_of_a_session_is_dropped() -> None:
    url = "https://123456789012-ab12cd34.ap-northeast-1.console.aws.amazon.com/s3/buckets/x"
    assert check_destination(url) == "https://ap-northeast-1.console.aws.amazon.com/s3/buckets/x"


def test_labels_of_sessions_do_not_hide_each_other() -> None:
    label = "123456789012-ab12cd34."
    assert check_destination(f"https://{label}{label}console.aws.amazon.com/") == "https://console.aws.amazon.com/"


def test_other_partitions_have_their_own_hosts() -> None:
    url = "https://us-gov-west-1.console.amazonaws-us-gov.com/s3"
    assert check_destination(url, "aws-us-gov") == url
    with pytest.raises(BadDestination):
        check_destination(url)


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("http://console.aws.amazon.com/", "destination_not_https"),
        ("javascript:alert(1)//console.aws.amazon.com", "destination_not_https"),
        ("//console.aws.amazon.com/", "destination_not_https"),
        ("console.aws.amazon.com", "destination_not_https"),
        ("https://evil.example/", "destination_not_console"),
        ("https://evil.example/console.aws.amazon.com", "destination_not_console"),
        ("https://console.aws.amazon.com.evil.example/", "destination_not_console"),
        ("https://evilconsole.aws.amazon.com/", "destination_not_console"),
        ("https://console.aws.amazon.com@evil.example/", "destination_not_console"),
        ("https://user:pw@console.aws.amazon.com/", "destination_not_console"),
        ("https://console.aws.amazon.com:8443/", "destination_not_console"),
        ("https://console.aws.amazon.com:443/", "destination_not_console"),
        ("https://console.aws.amazon.com%2f@evil.example/", "destination_not_console"),
        ("https://evil.example%2f.console.aws.amazon.com/", "destination_not_console"),
        ("https://evil.example%252f.console.aws.amazon.com/", "destination_not_console"),
        ("https://cоnsole.aws.amazon.com/", "destination_not_console"),  # a Cyrillic о
        ("https://xn--cnsole-2of.aws.amazon.com/", "destination_not_console"),
        ("https://console.aws.amazon.com／evil.example/", "destination_unreadable"),
        ("https://evil。console.aws.amazon.com/", "destination_not_console"),
        ("https%3A%2F%2Fconsole.aws.amazon.com%2F", "destination_not_https"),
        ("https%253A%252F%252Fconsole.aws.amazon.com%252F", "destination_not_https"),
        ("https:console.aws.amazon.com/", "destination_not_console"),
        ("https:/console.aws.amazon.com/", "destination_not_console"),
        ("data:text/html,https://console.aws.amazon.com/", "destination_not_https"),
        ("https://console.amazonaws.cn/", "destination_other_partition"),
        ("https://us-gov-west-1.console.amazonaws-us-gov.com/", "destination_other_partition"),
        ("https://eusc-de-east-1.console.amazonaws-eusc.eu/", "destination_other_partition"),
        ("https://console.aws.amazon.com/%252e%252e%252fx", "destination_encoded_twice"),
        ("https://console.aws.amazon.com/%252F%252Fevil.example", "destination_encoded_twice"),
        ("https://console.aws.amazon.com/%25252F", "destination_encoded_twice"),
        ("https://console.aws.amazon.com/%25%32%66", "destination_encoded_twice"),
        ("https://console.aws.amazon.com/#%25252525252525", "destination_encoded_twice"),
        ("https://console.aws.amazon.com/%2fevil.example", "destination_unreadable"),
        ("https://console.aws.amazon.com//evil.example/", "destination_unreadable"),
        ("https://console.aws.amazon.com/%5Cevil.example/", "destination_unreadable"),
        ("https://console.aws.amazon.com/%0d%0aLocation:x", "destination_control"),
        ("https://console.aws.amazon.com/?a=%250d%250ab", "destination_control"),
        ("https://console.aws.amazon.com/#a=%25250D", "destination_control"),
        ("https://console.aws.amazon.com/#%7f", "destination_control"),
        ("https://console.aws.amazon.com/#" + "a" * MAX_DESTINATION, "destination_long"),
        ("https://evil.example#.console.aws.amazon.com", "destination_not_console"),
        ("https://evil.example?.console.aws.amazon.com", "destination_not_console"),
        ("https://.console.aws.amazon.com/", "destination_not_console"),
        ("https://console.aws.amazon.com./", "destination_not_console"),
        ("https://ｃonsole.aws.amazon.com/", "destination_not_console"),
        ("https:///console.aws.amazon.com/", "destination_not_console"),
        ("https://evil.example\\.console.aws.amazon.com/", "destination_unreadable"),
        ("https://console.aws.amazon.com/\nSet-Cookie: x", "destination_unreadable"),
        ("https://console.aws.amazon.com/\t", "destination_unreadable"),
        (" https://console.aws.amazon.com/", "destination_unreadable"),
        ("https://console.aws.amazon.com/\u202e", "destination_unreadable"),
        ("https://[console.aws.amazon.com/", "destination_unreadable"),
    ],
)
def test_hostile_destination_is_refused(url: str, code: str) -> None:
    with pytest.raises(BadDestination) as refused:
        check_destination(url)
    assert refused.value.code == code
    assert code in SENTENCES


@pytest.mark.parametrize("url", ["/s3/object/b?prefix=100%25%2Fx", "/x#a=50%2525", "/a%2Fb", "/#%E3%83%AD%E3%82%B0"])
def test_what_is_encoded_as_it_must_be_passes(url: str) -> None:
    assert check_destination(f"https://console.aws.amazon.com{url}").endswith(url)


def test_shouting_is_lowered() -> None:
    assert check_destination("HTTPS://Console.AWS.Amazon.com/S3") == "https://console.aws.amazon.com/S3"


@pytest.mark.parametrize(
    ("portal", "partition"),
    [
        ("https://example.awsapps.com/start", "aws"),
        ("https://d-9567890abc.awsapps.com/start", "aws"),
        ("https://ssoins-1234567890abcdef.ap-northeast-1.portal.amazonaws.com", "aws"),
        ("https://ssoins-1234567890abcdef.portal.ap-northeast-1.app.aws", "aws"),
        ("https://start.us-gov-west-1.us-gov-home.awsapps.com/directory/example", "aws-us-gov"),
        ("https://start.us-gov-home.awsapps.com/directory/d-9567890abc", "aws-us-gov"),
        ("https://ssoins-1234567890abcdef.us-gov-west-1.portal.amazonaws.com", "aws-us-gov"),
        ("https://start.cn-north-1.home.awsapps.cn/directory/d-9567890abc", "aws-cn"),
        ("https://start.home.awsapps.cn/directory/d-9567890abc", "aws-cn"),
        ("https://ssoins-1234567890abcdef.cn-northwest-1.portal.amazonaws.com.cn", "aws-cn"),
        ("https://ssoins-1234567890abcdef.portal.cn-north-1.app.amazonwebservices.com.cn", "aws-cn"),
        ("https://ssoins-1234567890abcdef.eusc-de-east-1.portal.amazonaws.eu", "aws-eusc"),
        ("https://ssoins-1234567890abcdef.portal.eusc-de-east-1.api.amazonwebservices.eu", "aws-eusc"),
        ("https://aws.example.co.jp", "aws"),
        ("https://awsapps.cn.example.com/start", "aws"),
    ],
)
def test_portal_tells_its_partition_and_takes_its_console(portal: str, partition: str) -> None:
    assert find_partition(portal) == partition
    url = f"https://region-1.{CONSOLE_HOSTS[partition]}/s3"
    link = build_console_link(portal, "123456789012", "ReadOnly", url)
    assert link == (
        f"{portal}/#/console?account_id=123456789012&role_name=ReadOnly"
        f"&destination=https%3A%2F%2Fregion-1.{CONSOLE_HOSTS[partition]}%2Fs3"
    )


@pytest.mark.parametrize(
    ("region", "partition"),
    [("us-gov-east-1", "aws-us-gov"), ("cn-north-1", "aws-cn"), ("eusc-de-east-1", "aws-eusc"), ("us-east-1", "aws")],
)
def test_domain_of_ones_own_goes_by_the_region(region: str, partition: str) -> None:
    assert find_partition("https://aws.example.co.jp", region) == partition
    link = build_console_link(
        "https://aws.example.co.jp", "123456789012", "X", f"https://{CONSOLE_HOSTS[partition]}/", partition=partition
    )
    assert f"destination=https%3A%2F%2F{CONSOLE_HOSTS[partition]}%2F" in link


@pytest.mark.parametrize("region", ["ap-northeast-1", "us-gov-west-1", "cn-north-1", "eusc-de-east-1"])
def test_portal_that_was_given_no_name_is_in_its_partition(region: str) -> None:
    url = build_portal_url(region, "d-9567890abc", "arn:aws:sso:::instance/ssoins-1234567890abcdef")
    assert url.startswith("https://")
    assert find_partition(url) == find_partition("", region)


def test_link_without_a_set_lets_the_portal_ask() -> None:
    assert build_console_link(PORTAL, "123456789012", "").endswith("/#/console?account_id=123456789012")


def test_open_names_stay_open() -> None:
    url = "https://console.aws.amazon.com/lambda/home#/functions/{function}?x={y}"
    link = build_console_link(PORTAL, "123456789012", "X", url, open_names=["function"])
    assert link.endswith("%23%2Ffunctions%2F{function}%3Fx%3D%7By%7D")


# --- Taking apart ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("permission_set", ["ReadOnly", "a+b=c,d@e.f-g_h", ""])
@pytest.mark.parametrize("destination", ["", LOG_GROUP, "https://console.aws.amazon.com/?a=b&c=d#e"])
def test_link_is_taken_apart_as_it_was_built(permission_set: str, destination: str) -> None:
    link = build_console_link(PORTAL, "123456789012", permission_set, destination)
    assert parse_console_link(f" {link}\n") == ConsoleLink("123456789012", permission_set, destination)


@pytest.mark.parametrize("text", ["", "x", LOG_GROUP, "javascript:/#/console?account_id=123456789012"])
def test_what_is_no_link_of_a_portal_is_none(text: str) -> None:
    assert parse_console_link(text) is None


def test_account_id_that_is_none_is_left_out() -> None:
    link = parse_console_link("https://x.awsapps.com/start/#/console?account_id=12&role_name=X")
    assert link == ConsoleLink("", "X", "")


# --- Whatever comes --------------------------------------------------------------------------------------------------

_PIECES = st.sampled_from([
    "https:", "http:", "javascript:", "//", "/", "\\", "@", ":", "?", "#", "%2f", "%252f", "%5c", "%0a", "$252F",
    ".", "..", "。", "／", "\t", "\n", "\x00", "\u200b", " ", "console.aws.amazon.com", "console.amazonaws.cn",
    "ap-northeast-1.", "evil.example", "123456789012-ab12cd34.", "xn--", "[", "]", "user:pw@", ":443",
])  # fmt: skip
_HOSTILE = st.one_of(
    st.lists(_PIECES | st.text(max_size=3), max_size=8).map("".join),
    st.lists(_PIECES | st.text(max_size=3), max_size=6).map(
        lambda pieces: "https://console.aws.amazon.com" + "".join(pieces)
    ),
)
# Read from the standard of browsers, not with urllib: what stands before the first of these is the authority.
_AUTHORITY = re.compile(r"https://([^/?#\\]*)(.*)", re.DOTALL)


@given(_HOSTILE)
def test_what_passes_is_at_the_console_for_every_browser(url: str) -> None:
    try:
        passed = check_destination(url)
    except BadDestination:
        return
    found = _AUTHORITY.fullmatch(passed)
    assert found
    assert re.fullmatch(r"([a-z0-9-]+\.)*console\.aws\.amazon\.com", found[1])
    assert not re.search(r"[\x00-\x1f\x7f\\]", unquote(unquote(found[2].partition("?")[0].partition("#")[0])))
    assert not re.search(r"[\x00-\x1f\x7f]", unquote(unquote(found[2])))
    assert check_destination(passed) == passed


@given(_HOSTILE)
def test_link_holds_exactly_what_passed(url: str) -> None:
    try:
        passed = check_destination(url)
    except BadDestination:
        return
    link = build_console_link(PORTAL, "123456789012", "X", url)
    assert re.fullmatch(r"[!-~]+", link)
    assert not set("()'\"<>`{}|") & set(link)
    assert unquote(link.partition("&destination=")[2]) == passed


# --- As it is kept ---------------------------------------------------------------------------------------------------


def test_destination_is_kept_and_read_again() -> None:
    destination = Destination.of("cloudwatch-log-group", "eu-central-1", {"log_group": "/aws/x", "open": ""})
    assert destination.filled == {"log_group": "/aws/x"}
    assert Destination.from_json(destination.as_json()) == destination
    assert hash(destination)


def test_open_values_are_filled_and_others_stay() -> None:
    destination = Destination.of("lambda-function", "eu-central-1", {"tab": "code"})
    assert destination.fill({"function": "a", "tab": "x", "empty": ""}).filled == {"function": "a", "tab": "code"}
    assert Destination(url="https://console.aws.amazon.com/").fill({"a": "b"}).values == ()


@pytest.mark.parametrize("kept", [{}, {"values": ["x"]}, {"values": {"a": 1, "b": ""}, "url": None, "new": "x"}])
def test_what_another_version_kept_is_left_out(kept: dict[str, object]) -> None:
    assert Destination.from_json(kept) == Destination()

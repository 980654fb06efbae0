import pytest

from accounts.shortcuts import BadDestination, build_console_link, check_destination

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

"""What an update changes, as lines that go and lines that come."""

from django.utils.translation import override

from portal.views.differences import FieldDifference, build_differences


def compare(field: str, before: str, after: str) -> list[str]:
    [difference] = build_differences([{"field": field, "before": before, "after": after}])
    return [f"{line.sign}{line.text}" for line in difference.lines]


def test_only_what_changes_of_a_list_is_shown() -> None:
    assert compare("managed_policies", "A\nB\nC", "A\nC\nD") == ["−B", "+D"]


def test_durations_are_told_as_people_write_them() -> None:
    with override("en"):
        assert compare("session_duration", "PT1H", "PT90M") == ["−1 hour", "+1 hour 30 minutes"]


def test_what_was_empty_only_comes() -> None:
    assert compare("relay_state", "", "https://example.com/") == ["+https://example.com/"]


def test_policies_are_compared_line_by_line_with_what_is_around() -> None:
    before = '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:Get*", "Resource": "*"}]}'
    assert compare("inline_policy", before, before.replace("s3:Get*", "s3:*")) == [
        "    {",
        '      "Effect": "Allow",',
        '−      "Action": "s3:Get*",',
        '+      "Action": "s3:*",',
        '      "Resource": "*"',
        "    }",
    ]


def test_left_out_lines_of_a_policy_are_marked() -> None:
    lines = [f'"key{number}": 1' for number in range(30)]
    changed = ['"first": 1', *lines[1:-1], '"last": 1']
    assert compare("inline_policy", "\n".join(lines), "\n".join(changed)).count("…") == 1


def test_policy_that_is_no_json_is_compared_as_it_is() -> None:
    assert compare("inline_policy", "", "{broken") == ["+{broken"]


def test_long_difference_is_folded() -> None:
    def build(lines: int) -> FieldDifference:
        return build_differences([{"field": "description", "before": "", "after": "\n".join("x" * lines)}])[0]

    assert [build(14).is_long, build(15).is_long] == [False, True]


def test_words_about_a_change_are_no_difference() -> None:
    assert build_differences([{"field": "cause", "before": "", "after": "withdrawn"}]) == []
    assert build_differences([{"field": "stale_accounts", "before": "", "after": "123456789012"}]) == []

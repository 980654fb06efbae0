"""kintone's error answers: codes, statuses and messages in Japanese and English.

A caller branches on code, status and the keys of `errors`; the messages are here because people read
them in logs. `ApiError` knows both languages, so that nobody below the HTTP layer needs the caller's.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple

Language = Literal["ja", "en"]


class Text(NamedTuple):
    """One message in the languages the simulator speaks."""

    ja: str
    en: str

    def speak(self, language: Language) -> str:
        return self.ja if language == "ja" else self.en

    def fill(self, **names: object) -> "Text":
        """Put values into the `{name}` places; a name not given becomes empty."""
        values = defaultdict(str, {name: str(value) for name, value in names.items()})
        return Text(self.ja.format_map(values), self.en.format_map(values))


Errors = Mapping[str, Sequence[Text]]


class ApiError(Exception):
    """An answer that is not 2xx. `errors` is keyed as kintone keys it, e.g. `record.name.value`."""

    def __init__(self, status: int, code: str, message: Text, errors: Errors | None = None) -> None:
        super().__init__(f"[{status}] [{code}] {message.en} {_flat(errors)}".rstrip())
        self.status, self.code, self.message, self.errors = status, code, message, errors

    def body(self, language: Language, error_id: str) -> dict[str, Any]:
        body: dict[str, Any] = {"code": self.code, "id": error_id, "message": self.message.speak(language)}
        if self.errors:
            body["errors"] = {
                key: {"messages": [text.speak(language) for text in texts]} for key, texts in self.errors.items()
            }
        return body


def _flat(errors: Errors | None) -> str:
    return "; ".join(f"{key}: {text.en}" for key, texts in (errors or {}).items() for text in texts)


# The words are ours; codes, statuses and keys are kintone's.
CATALOGUE: dict[str, tuple[int, Text]] = {
    "CB_VA01": (400, Text("送られた値に誤りがあります。", "Some of the values sent are wrong.")),
    "CB_IJ01": (400, Text("本文をJSONとして読めません。", "The body cannot be read as JSON.")),
    "CB_IL02": (400, Text("このリクエストは受け付けられません。", "This request is not accepted.")),
    "CB_AU01": (401, Text("サインインが必要です。", "You have to sign in first.")),
    "CB_WA01": (401, Text("ログイン名かパスワードが違います。", "Login name or password is wrong.")),
    "CB_NO02": (403, Text("この操作をする権利がありません。", "You have no right to do this.")),
    "GAIA_NO01": (
        403,
        Text("このAPIトークンの権利では、このAPIは使えません。", "The rights of this API token do not cover this API."),
    ),
    "GAIA_AP15": (
        403,
        Text("このAPIトークンはアプリ{app}のものではありません。", "This API token is not one of app {app}."),
    ),
    "GAIA_IA02": (400, Text("このAPIトークンはどのアプリにも登録されていません。", "No app has this API token.")),
    "GAIA_DA03": (
        400,
        Text("1つのアプリに対するAPIトークンが2つ以上あります。", "More than one API token is given for one app."),
    ),
    "GAIA_IL23": (
        400,
        Text(
            "このアプリはゲストスペースにあります。パスにスペースの番号が必要です。",
            "This app is in a guest space; the path needs the number of the space.",
        ),
    ),
    "GAIA_AP01": (404, Text("アプリ{app}はありません。", "There is no app {app}.")),
    "GAIA_BL01": (404, Text("ファイル{file}はありません。", "There is no file {file}.")),
    "GAIA_RE01": (404, Text("レコード{record}はありません。", "There is no record {record}.")),
    "GAIA_RE02": (400, Text("そのコメントはありません。", "There is no such comment.")),
    "GAIA_RE20": (404, Text("この更新キーを持つレコードはありません。", "No record has this update key.")),
    "GAIA_CO02": (
        409,
        Text(
            "レコードは読み取った後に変更されています。revisionが古くなりました。",
            "The record was changed after you read it: the revision is out of date.",
        ),
    ),
    "GAIA_DA02": (
        400,
        Text(
            "ほかの処理がデータを使用中で、書き込めませんでした。少し待って再実行してください。",
            "Other work holds these data, so nothing was written. Wait a little and repeat.",
        ),
    ),
    "GAIA_RE18": (
        400,
        Text(
            "ほかの処理がデータを使用中で、書き込めませんでした。少し待って再実行してください。",
            "Other work holds these data, so nothing was written. Wait a little and repeat.",
        ),
    ),
    "GAIA_TO04": (
        429,
        Text(
            "実行中のリクエストが多すぎます。少し待って再実行してください。",
            "Too many requests are under way. Wait a little and repeat.",
        ),
    ),
    "GAIA_TM12": (
        429,
        Text(
            "開いているカーソルが多すぎます。使い終えたものを削除してください。",
            "Too many cursors are open. Delete those that are done with.",
        ),
    ),
    "GAIA_CN01": (
        404,
        Text("このカーソルはないか、期限が過ぎています。", "This cursor is unknown or its time is over."),
    ),
    "GAIA_LO03": (
        400,
        Text(
            "参照先のキー項目が重複を許しているため、ルックアップできません。",
            "The lookup cannot work: its key field allows the same value twice.",
        ),
    ),
    "GAIA_LO04": (
        400,
        Text(
            "項目{field}の値{value}は、参照先のアプリで見つからないか、閲覧できません。",
            "Field {field}: the app looked up has no {value}, or you may not see it.",
        ),
    ),
    "GAIA_IL26": (400, Text("コード{code}のユーザーはいません。", "No user has the code {code}.")),
    "GAIA_IL27": (400, Text("コード{code}のグループはありません。", "No group has the code {code}.")),
    "GAIA_IL28": (400, Text("コード{code}の組織はありません。", "No department has the code {code}.")),
    "GAIA_IL03": (
        400,
        Text(
            "この状態からそのアクションは実行できません。状態か設定が変わっています。",
            "This action does not start from this status; status or settings have changed.",
        ),
    ),
    "GAIA_ST02": (
        400,
        Text("このアプリではプロセス管理を使っていません。", "This app does not use process management."),
    ),
    "GAIA_SA01": (400, Text("作業者が選ばれていません。", "No assignee is chosen.")),
    "GAIA_SI01": (
        520,
        Text("テーブルの中に、同じ番号{code}の行が2つあります。", "Two rows of a table have the same id {code}."),
    ),
    "GAIA_IQ11": (
        400,
        Text("クエリの項目{field}はアプリにありません。", "The query names {field}, which the app does not have."),
    ),
    "GAIA_IQ03": (
        400,
        Text(
            "項目{field}は演算子{operator}で比べられない種類です。",
            "Field {field} is of a type that {operator} does not fit.",
        ),
    ),
    "GAIA_IQ07": (
        400,
        Text(
            "テーブルの中の項目{field}は演算子{operator}で比べられません。",
            "Field {field} is inside a table, where {operator} does not fit.",
        ),
    ),
    "GAIA_IQ23": (400, Text("{value}は日にちではありません（1〜31）。", "{value} is no day of a month (1 to 31).")),
    "GAIA_IQ25": (
        400,
        Text(
            "FROM_TODAY()の単位は DAYS、WEEKS、MONTHS、YEARS です。",
            "FROM_TODAY() counts in DAYS, WEEKS, MONTHS or YEARS.",
        ),
    ),
    "GAIA_IL08": (400, Text("クエリを解釈できません。", "The query cannot be understood.")),
    "GAIA_QU01": (400, Text("limitの上限は500です。", "limit goes up to 500.")),
    "GAIA_QU02": (400, Text("offsetの上限は10,000です。", "offset goes up to 10,000.")),
}

# Messages that stand in `errors`. A parameter that is missing and a form field that is empty are told apart.
PARAMETER_REQUIRED = Text("このパラメーターを省略できません。", "This parameter is missing.")
AT_LEAST_ONE = Text("1以上の値が必要です。", "Give 1 or more.")
OUT_OF_RANGE = Text("{low}以上{high}以下の値が必要です。", "Give {low} or more, up to {high}.")
NOT_IN_ENUM = Text("決められた値のどれでもありません。", "This is none of the known values.")
REQUIRED = Text("値を入れてください。", "Fill in a value.")
DUPLICATE = Text("この値は別のレコードが使っています。", "Another record has this value.")
TOO_LONG = Text("{limit}文字未満にしてください。", "Use fewer than {limit} characters.")
TOO_SHORT = Text("{limit}文字を超える長さにしてください。", "Use over {limit} characters.")
TOO_LARGE = Text("上限は{limit}です。", "At most {limit} is allowed.")
TOO_SMALL = Text("下限は{limit}です。", "At least {limit} is needed.")
NOT_A_NUMBER = Text("数として読めません。", "This is not a number.")
NOT_A_DATE = Text("日付や時刻として読めません。", "This is not a date or time.")
NOT_AN_OPTION = Text("{value}という選択肢はありません。", "There is no option {value}.")
QUERY_SYNTAX = Text("クエリの書き方に誤りがあります。", "The query is not well formed.")
TOO_MANY = {
    "POST": Text("追加は1回に100件までです。", "One call adds up to 100 records."),
    "PUT": Text("更新は1回に100件までです。", "One call updates up to 100 records."),
    "DELETE": Text("削除は1回に1件以上100件までです。", "One call deletes 1 to 100 records."),
    "BULK": Text("まとめて送れるのは20件までです。", "One bulk holds up to 20 requests."),
}


def fail(code: str, /, **names: object) -> ApiError:
    """The error of this code, its message filled with `names`."""
    status, message = CATALOGUE[code]
    return ApiError(status, code, message.fill(**names))


def invalid(errors: Errors) -> ApiError:
    """CB_VA01 with these `errors`."""
    status, message = CATALOGUE["CB_VA01"]
    return ApiError(status, "CB_VA01", message, errors)


def invalid_parameter(name: str, *texts: Text) -> ApiError:
    """CB_VA01 about one parameter."""
    return invalid({name: texts})

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


CATALOGUE: dict[str, tuple[int, Text]] = {
    "CB_VA01": (400, Text("入力内容が正しくありません。", "Missing or invalid input.")),
    "CB_IJ01": (400, Text("不正なJSON文字列です。", "Invalid JSON string.")),
    "CB_IL02": (400, Text("不正なリクエストです。", "Illegal request.")),
    "CB_AU01": (401, Text("ログインしてください。", "Please login.")),
    "CB_WA01": (401, Text("パスワード認証に失敗しました。", "Password authentication failed.")),
    "CB_NO02": (403, Text("権限がありません。", "No privilege to proceed.")),
    "GAIA_NO01": (
        403,
        Text(
            "このAPIトークンでは、指定したAPIを実行できません。",
            "Using this API token, you cannot run the specified API.",
        ),
    ),
    "GAIA_AP15": (
        403,
        Text(
            "APIトークンとアプリ（id: {app}）の組み合わせが正しくありません。",
            "The combination of the API token and the app (ID: {app}) is invalid.",
        ),
    ),
    "GAIA_IA02": (
        400,
        Text(
            "指定したAPIトークンは、アプリで生成されたトークンと異なります。",
            "The specified API token does not match the API token generated via an app.",
        ),
    ),
    "GAIA_DA03": (
        400,
        Text(
            "同じアプリのAPIトークンを重複して指定できません。",
            "You cannot specify a duplicate API token for the same app.",
        ),
    ),
    "GAIA_IL23": (
        400,
        Text(
            "ゲストスペース内のアプリを操作する場合は、ゲストスペースのIDを指定してください。",
            "To operate an app in a guest space, specify the guest space ID.",
        ),
    ),
    "GAIA_AP01": (
        404,
        Text(
            "指定したアプリ（id: {app}）が見つかりません。削除されている可能性があります。",
            "The app (ID: {app}) not found. The app may have been deleted.",
        ),
    ),
    "GAIA_BL01": (
        404,
        Text("指定したファイル（id: {file}）が見つかりません。", "The specified file (id: {file}) not found."),
    ),
    "GAIA_RE01": (
        404,
        Text("指定したレコード（id: {record}）が見つかりません。", "The specified record (ID: {record}) is not found."),
    ),
    "GAIA_RE02": (
        400,
        Text(
            "指定したコメントが存在しません。削除された可能性があります。",
            "The specified comment does not exist. The comment may have been deleted.",
        ),
    ),
    "GAIA_RE20": (
        404,
        Text("更新キーに一致するレコードが見つかりません。", "No record that matches the update key is found."),
    ),
    "GAIA_CO02": (
        409,
        Text(
            "指定したrevisionは最新ではありません。ほかのユーザーがレコードを更新した可能性があります。",
            "The revision is not the latest. Someone may update a record.",
        ),
    ),
    "GAIA_DA02": (
        400,
        Text(
            "データベースのロックに失敗したため、変更を保存できませんでした。時間をおいて再度お試しください。",
            "Could not save the changes because the database could not be locked. Please try again later.",
        ),
    ),
    "GAIA_RE18": (
        400,
        Text(
            "データベースのロックに失敗したため、変更を保存できませんでした。時間をおいて再度お試しください。",
            "Could not save the changes because the database could not be locked. Please try again later.",
        ),
    ),
    "GAIA_TO04": (
        429,
        Text(
            "同時に処理できるリクエスト数の上限を超えました。時間をおいて再度お試しください。",
            "The number of requests processed at the same time exceeds the limit. Please try again later.",
        ),
    ),
    "GAIA_TM12": (
        429,
        Text(
            "作成できるカーソルの上限に達しているため、カーソルを作成できません。"
            "不要なカーソルを削除するか、しばらく経ってから再実行してください。",
            "The number of cursors reached the limit. Delete cursors that are not needed, or try again later.",
        ),
    ),
    "GAIA_CN01": (
        404,
        Text(
            "指定したカーソルは存在しないか、既に有効期限が切れています。",
            "The specified cursor does not exist or has expired.",
        ),
    ),
    "GAIA_LO03": (
        400,
        Text(
            "ルックアップの参照先から値をコピーできません。「コピー元のフィールド」に指定したフィールドの設定で"
            "「値の重複を禁止する」を選択しておく必要があります。",
            "Cannot copy values from the lookup's source. The source key field must prohibit duplicate values.",
        ),
    ),
    "GAIA_LO04": (
        400,
        Text(
            "フィールド「{field}」の値「{value}」が、ルックアップの参照先のフィールドにないか、"
            "またはアプリやフィールドの閲覧権限がありません。",
            "A value {value} in the field {field} does not exist in the datasource app for lookup, "
            "or you do not have permission to view the app or the field.",
        ),
    ),
    "GAIA_IL26": (
        400,
        Text("指定したユーザー（code: {code}）が見つかりません。", "The specified user (code: {code}) is not found."),
    ),
    "GAIA_IL27": (
        400,
        Text("指定したグループ（code: {code}）が見つかりません。", "The specified group (code: {code}) is not found."),
    ),
    "GAIA_IL28": (
        400,
        Text("指定した組織（code: {code}）が見つかりません。", "The specified department (code: {code}) is not found."),
    ),
    "GAIA_IL03": (
        400,
        Text(
            "ステータスの変更に失敗しました。ほかのユーザーがステータス、またはステータスの設定を変更した可能性があります。",
            "Failed to update the status. The settings or the status itself may have been changed by someone.",
        ),
    ),
    "GAIA_ST02": (
        400,
        Text(
            "操作に失敗しました。プロセス管理機能が無効化されています。",
            "Your request failed. The process management feature has been disabled.",
        ),
    ),
    "GAIA_SA01": (400, Text("作業者を指定してください。", "Specify the assignee.")),
    "GAIA_SI01": (
        520,
        Text("テーブルの行ID（code: {code}）が重複しています。", "Raw ID (code: {code}) in a table is duplicated."),
    ),
    "GAIA_IQ11": (
        400,
        Text("指定されたフィールド（{field}）が見つかりません。", "Specified field ({field}) not found."),
    ),
    "GAIA_IQ03": (
        400,
        Text(
            "{field}フィールドのフィールドタイプには演算子{operator}を使用できません。",
            "The operator {operator} cannot be used with the type of the field {field}.",
        ),
    ),
    "GAIA_IQ07": (
        400,
        Text(
            "レコードを読み込めません。テーブルに設定している場合、{field}フィールドのフィールドタイプには、"
            "演算子{operator}を使用できません。",
            "Cannot load records. The operator {operator} cannot be used with the field {field} inside a table.",
        ),
    ),
    "GAIA_IQ23": (
        400,
        Text(
            "指定した日にち（{value}）は無効です。1から31までの整数で指定します。",
            "The specified day ({value}) is invalid. Specify an integer between 1 and 31.",
        ),
    ),
    "GAIA_IQ25": (
        400,
        Text(
            "FROM_TODAY()の第2引数には、「DAYS」「WEEKS」「MONTHS」「YEARS」のいずれかを指定します。",
            "The second argument of FROM_TODAY() must be DAYS, WEEKS, MONTHS or YEARS.",
        ),
    ),
    "GAIA_IL08": (400, Text("クエリの指定が不正です。", "The query is invalid.")),
    "GAIA_QU01": (
        400,
        Text("limit には 500 以下の値を指定してください。", "limit must be less than or equal to 500."),
    ),
    "GAIA_QU02": (
        400,
        Text("offset には 10,000 以下の値を指定してください。", "offset must be less than or equal to 10,000."),
    ),
}

# Messages that stand in `errors`. kintone says "Required field." of a parameter and "Required." of a form field.
PARAMETER_REQUIRED = Text("必須です。", "Required field.")
AT_LEAST_ONE = Text("最小でも1以上です。", "must be greater than or equal to 1")
OUT_OF_RANGE = Text(
    "{low}から{high}までの値を指定してください。",
    "must be greater than or equal to {low} and less than or equal to {high}",
)
NOT_IN_ENUM = Text("Enum値のいずれかでなければなりません。", "must be one of the enum value")
REQUIRED = Text("必須です。", "Required.")
DUPLICATE = Text("値がほかのレコードと重複しています。", "This value already exists in another record.")
TOO_LONG = Text("{limit}文字より短くなければなりません。", "Enter less than {limit} characters.")
TOO_SHORT = Text("{limit}文字より長くなければなりません。", "Enter more than {limit} characters.")
TOO_LARGE = Text("{limit}以下である必要があります。", "The value must be {limit} or less.")
TOO_SMALL = Text("{limit}以上である必要があります。", "The value must be {limit} or more.")
NOT_A_NUMBER = Text("数字でなければなりません。", "Only numbers are allowed.")
NOT_A_DATE = Text("日付または時刻の形式が正しくありません。", "The format of the date or time is invalid.")
NOT_AN_OPTION = Text('"{value}"は選択肢にありません。', 'The value, "{value}", is not in options.')
QUERY_SYNTAX = Text("クエリ記法が間違っています。", "The query is invalid.")
TOO_MANY = {
    "POST": Text("一度に100件までのレコードを追加できます。", "A maximum of 100 records can be added at one time."),
    "PUT": Text("一度に100件までのレコードを更新できます。", "A maximum of 100 records can be updated at one time."),
    "DELETE": Text(
        "一度に1件から100件までのレコードを削除できます。", "Between 1 and 100 records can be deleted at one time."
    ),
    "BULK": Text("一度に20件までのリクエストを実行できます。", "A maximum of 20 requests can be run at one time."),
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

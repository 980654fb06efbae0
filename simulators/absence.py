"""A service that is away for as long as a file is there: what people see then can be tried in a running demo."""

from pathlib import Path

from simulators.serving import Application, Request, Response


def go_away_while(application: Application, file: Path) -> Application:
    """The application, whose gateway says that it is under maintenance while `file` exists."""

    def answer(request: Request) -> Response:
        return Response.text("Service Unavailable: maintenance", 503) if file.exists() else application(request)

    return answer

"""A mail server of our own: speaks enough of SMTP for Django's, and refuses what a test wants refused, by its code."""

import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage


@dataclass
class SmtpSimulator:
    """Keeps what was sent; `refusals` are answers by command (`OPEN EHLO AUTH MAIL RCPT DATA .`), `""` hangs up."""

    mails: list[EmailMessage] = field(default_factory=list)
    recipients: list[str] = field(default_factory=list)
    refusals: dict[str, str] = field(default_factory=dict)

    def take(self, body: bytes) -> None:
        self.mails.append(message_from_bytes(body, EmailMessage, policy=policy.default))

    @property
    def texts(self) -> list[str]:
        return [self._read(mail, "plain") for mail in self.mails]

    @property
    def pages(self) -> list[str]:
        return [self._read(mail, "html") for mail in self.mails]

    @staticmethod
    def _read(mail: EmailMessage, kind: str) -> str:
        part = mail.get_body((kind,))
        return str(part.get_content()) if part else ""


class _Handler(socketserver.StreamRequestHandler):
    simulator: SmtpSimulator

    def handle(self) -> None:
        self._say(self.simulator.refusals.get("OPEN", "220 simulated"))
        while line := self.rfile.readline():
            command = line.strip().decode().upper()[:4]
            if not self._answer(command, line.strip().decode()):
                return

    def _answer(self, command: str, line: str) -> bool:
        refusal = self.simulator.refusals.get(command)
        if refusal is not None:
            self._say(refusal) if refusal else None
            return bool(refusal)
        if command == "DATA":
            return self._take_data()
        if command == "RCPT":
            self.simulator.recipients.append(line.partition("<")[2].partition(">")[0])
        answers = {"EHLO": "250-simulated\r\n250 AUTH PLAIN", "AUTH": "235 welcome", "QUIT": "221 bye"}
        self._say(answers.get(command, "250 ok"))
        return command != "QUIT"

    def _take_data(self) -> bool:
        self._say("354 go on")
        lines = []
        while (line := self.rfile.readline()) not in (b".\r\n", b""):
            lines.append(line[1:] if line.startswith(b"..") else line)
        refusal = self.simulator.refusals.get(".")
        if refusal is None:
            self.simulator.take(b"".join(lines))
        self._say(refusal or "250 taken")
        return True

    def _say(self, text: str) -> None:
        self.wfile.write(f"{text}\r\n".encode())


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True


@contextmanager
def serve_smtp(simulator: SmtpSimulator) -> Iterator[int]:
    """Serve on a port of this machine."""
    handler = type("Handler", (_Handler,), {"simulator": simulator})
    with _Server(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
            thread.join()

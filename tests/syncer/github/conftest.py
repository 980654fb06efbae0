"""A simulated GitHub behind a port, and the settings that lead there."""

from collections.abc import Iterator

import pytest
from pytest_django import Settings

from simulators.github import GitHubSimulator, User
from simulators.serving import Serving

HANA = User("hana", "MEMBER")


@pytest.fixture
def github(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[GitHubSimulator]:
    """Nobody is woken: tests say when a task runs."""
    simulator = GitHubSimulator()
    monkeypatch.setattr("syncer.tasks._send", lambda _task: None)
    settings.GITHUB_TOKEN, settings.GITHUB_SYNC_ISSUE = "ghp_simulated", "Example/AWS-Access#12"
    settings.PUBLIC_URL, settings.LANGUAGE_CODE = "https://genkan.example.com", "en"
    with Serving(simulator) as serving:
        settings.GITHUB_API_URL = serving.url
        yield simulator

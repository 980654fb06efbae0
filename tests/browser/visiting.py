"""What a person does first in every journey."""

import re

from playwright.sync_api import Page, expect

ADMIN = "haruka.sato@asagiri.example"
OWNER = "koji.hayashi@asagiri.example"
DEVELOPER = "takashi.hashimoto@asagiri.example"
NEWCOMER = "kazuki.ishikawa@asagiri.example"
LOCKED = "yuto.shimizu@asagiri.example"  # nobody else's journey
AUDITOR = "megumi.morita@asagiri.example"


def sign_in(page: Page, upn: str, path: str = "/") -> None:
    """From the portal's door through Entra ID's account picker to the page that was asked for."""
    page.goto(path)
    page.get_by_role("link", name=re.compile("Microsoft")).click()
    page.get_by_role("searchbox").fill(upn)
    page.get_by_role("searchbox").press("Enter")
    page.get_by_role("button", name=re.compile(re.escape(upn))).click()
    page.wait_for_url(f"**{path}")
    expect(page.locator("h1")).to_be_visible()

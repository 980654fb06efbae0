"""Installs the portal's own admin site. In a module of its own: an app's `apps.py` may hold one default config only."""

from django.contrib.admin.apps import AdminConfig


class GenkanAdminConfig(AdminConfig):
    default_site = "portal.admin_site.GenkanAdminSite"

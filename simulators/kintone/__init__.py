"""A kintone domain on this machine: records, forms, comments, users and webhooks over the real REST protocol.

It follows what is known of the service, not what our client does.
"""

from simulators.kintone.api import KintoneSimulator
from simulators.kintone.directory import ADMINISTRATOR
from simulators.kintone.errors import ApiError
from simulators.kintone.faults import Fault
from simulators.kintone.world import App, KintoneWorld

__all__ = ["ADMINISTRATOR", "ApiError", "App", "Fault", "KintoneSimulator", "KintoneWorld"]

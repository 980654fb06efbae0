"""The broker of the demo and of a trial: messages as files in a folder, without a service.

kombu's own writes a message under the name by which workers look for it. A worker that looks in that moment takes an
empty file, cannot read it, and ends. Here a message has its name only once it is whole.
"""

import uuid
from pathlib import Path
from time import monotonic_ns
from typing import Any

from kombu.transport import filesystem
from kombu.utils.json import dumps


class Channel(filesystem.Channel):
    def __init__(self, connection: Any, **options: Any) -> None:
        """kombu expects to find its folders."""
        places = connection.client.transport_options
        for name in ("data_folder_in", "data_folder_out", "control_folder"):
            if name in places:
                Path(places[name]).mkdir(parents=True, exist_ok=True)
        super().__init__(connection, **options)

    def _put(self, queue: str, *args: Any, **kwargs: Any) -> None:
        (payload,) = args  # kombu's own classes do not agree on its name
        # In the order of their names messages are taken.
        place = Path(self.data_folder_out, f"{monotonic_ns()}_{uuid.uuid4()}.{queue}.msg")
        draft = place.with_name(f"{place.name}.part")
        draft.write_text(dumps(payload), encoding="utf-8")
        draft.replace(place)


class Transport(filesystem.Transport):
    Channel = Channel

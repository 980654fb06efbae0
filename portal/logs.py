"""What no log may hold: the token in a webhook's address."""

import logging
import re

_TOKEN = re.compile(r"([?&]token=)[^&\s\"']+")


class MaskTokens(logging.Filter):
    """Lets every record through, with stars for tokens in addresses."""

    def filter(self, record: logging.LogRecord) -> bool:
        message = record.getMessage()
        if "token=" in message:
            record.msg, record.args = _TOKEN.sub(r"\1***", message), ()
        return True

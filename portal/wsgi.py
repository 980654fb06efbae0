"""What gunicorn serves."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")

application = get_wsgi_application()

# After Django is set up: the start stops here, with every missing name, rather than at the first sign-in.
from syncer.required import require_settings  # noqa: E402

require_settings("web", "kintone", "aws")

"""What gunicorn serves."""

import os

from django.core.wsgi import get_wsgi_application

from portal.garbage import settle
from syncer.measured import CLERK
from syncer.required import require_settings

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")

# The start stops here, with every missing name, rather than at the first sign-in.
require_settings("web", "kintone", "aws")

application = get_wsgi_application()
settle()
# In the process that answers: gunicorn imports this after it has forked.
CLERK.begin()

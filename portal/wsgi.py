"""What gunicorn serves."""

import gc
import os

from django.core.wsgi import get_wsgi_application

from syncer.measured import CLERK
from syncer.required import require_settings

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")

# The start stops here, with every missing name, rather than at the first sign-in.
require_settings("web", "kintone", "aws")

application = get_wsgi_application()
# What is loaded by now is there for good. Looked through for garbage again and again, it would each time keep
# somebody's request waiting for a tenth of a second.
gc.collect()
gc.freeze()
# In the process that answers: gunicorn imports this after it has forked.
CLERK.begin()

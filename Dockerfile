# The portal, its worker and its beat are one image; docker-compose.yml says what each of them runs.

FROM python:3.11-slim AS build
ENV UV_PYTHON_DOWNLOADS=never PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /build
COPY requirements/uv.txt requirements/production.txt requirements/
RUN python -m venv uv \
    && uv/bin/pip install --no-cache-dir --no-deps --require-hashes --requirement requirements/uv.txt \
    && python -m venv --without-pip /app/.venv \
    && uv/bin/uv pip sync --no-cache --compile-bytecode --python /app/.venv/bin/python --require-hashes \
        requirements/production.txt
WORKDIR /app
ENV PATH=/app/.venv/bin:$PATH
COPY . .
RUN pybabel compile --directory locale --domain django --statistics \
    && python manage.py collectstatic --no-input \
    && python -m compileall -q accounts portal syncer simulators \
    && rm -rf var

FROM python:3.11-slim
# A volume that is mounted at /backup takes its owner over.
RUN useradd --system --uid 10001 --no-create-home genkan && install --directory --owner genkan --mode 0700 /backup
COPY --from=build /app /app
WORKDIR /app
# Nothing is written but below /tmp and in /backup, so the root file system can be read-only.
ENV PATH=/app/.venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 HOME=/tmp
USER 10001
EXPOSE 8000
# `localhost` is among the allowed hosts as long as ALLOWED_HOSTS is not set without it.
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://localhost:8000/healthz/live', timeout=4)"]
# The control socket would be written to the home folder; the workers' heartbeat files belong into memory.
CMD ["gunicorn", "portal.wsgi", "--bind", "0.0.0.0:8000", "--worker-class", "gthread", "--workers", "2", \
    "--threads", "8", "--no-control-socket", "--worker-tmp-dir", "/dev/shm"]

# The dashboard and everything that trains, in one image. `compose.yaml` runs it beside Postgres.

FROM node:22-slim AS dashboard
WORKDIR /build/frontend
COPY frontend/package.json frontend/package-lock.json ./
RUN npm ci --no-audit --no-fund
COPY frontend/ ./
RUN npm run build

FROM python:3.11-slim AS application
# The CPU build of torch: the CUDA one adds several GB that nothing here uses.
ENV UV_TORCH_BACKEND=cpu FORESYNC_SKIP_FRONTEND=1
WORKDIR /build
COPY constraints.txt pyproject.toml ./
RUN python -m venv /opt/foresync \
 && /opt/foresync/bin/pip install --no-cache-dir --constraint constraints.txt uv \
 && /opt/foresync/bin/uv pip install --no-cache --python /opt/foresync/bin/python \
    --constraint constraints.txt --requirements pyproject.toml
COPY hatch_build.py README.md LICENSE ./
COPY alembic/ alembic/
COPY predictor/ predictor/
COPY workers/ workers/
COPY backend/ backend/
COPY --from=dashboard /build/frontend/dist/ backend/static/
RUN /opt/foresync/bin/uv pip install --no-cache --no-deps --python /opt/foresync/bin/python \
    --build-constraint constraints.txt .

FROM python:3.11-slim
RUN apt-get update \
 && apt-get install -y --no-install-recommends dataset-fashion-mnist \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --uid 10001 --no-create-home --shell /usr/sbin/nologin foresync \
 && install -d -o foresync -m 700 /data
COPY --from=application /opt/foresync /opt/foresync
ENV PATH=/opt/foresync/bin:$PATH PYTHONUNBUFFERED=1 OMP_NUM_THREADS=1 FORESYNC_HOME=/data
USER 10001
VOLUME /data
EXPOSE 8000
HEALTHCHECK --interval=15s --timeout=5s --start-period=60s \
  CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/api/v1/health', timeout=4)"]
CMD ["foresync", "serve", "--host", "0.0.0.0"]

# Production image. rasterio and the GDAL bindings are built on the one libgdal of the base image, because two builds of
# GDAL must not share a process.
FROM ghcr.io/osgeo/gdal:ubuntu-small-3.10.3 AS build
RUN apt-get update \
 && apt-get install -y --no-install-recommends python3-venv python3-dev build-essential \
 && rm -rf /var/lib/apt/lists/*
WORKDIR /app
COPY requirements.txt requirements-production.txt ./
RUN python3 -m venv /opt/venv \
 && /opt/venv/bin/pip install --no-cache-dir --no-binary rasterio,gdal -r requirements-production.txt

FROM ghcr.io/osgeo/gdal:ubuntu-small-3.10.3
RUN useradd --system --uid 10001 --create-home mpc && install -d -o mpc -g mpc /data /inbox
COPY --from=build /opt/venv /opt/venv
WORKDIR /app
COPY --chown=mpc:mpc . .
ENV PATH=/opt/venv/bin:$PATH PYTHONUNBUFFERED=1 MPC_DATA_DIR=/data
USER mpc
EXPOSE 8000
CMD ["gunicorn", "mpc.wsgi:application", "--bind", "0.0.0.0:8000", "--worker-class", "gthread", "--workers", "2", "--threads", "8"]

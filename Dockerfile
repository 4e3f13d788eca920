# The images of production: `proxy` before the site, and `site`, which web, workers, sweeper and tools share.
# rasterio and the GDAL bindings are built on the one libgdal of the base image, because two builds of GDAL must not share
# a process; everything else is installed as a wheel. The version of GDAL is the one that rasterio's wheel carries, so
# that what was tested is what runs.
ARG GDAL=3.10.3

FROM caddy:2 AS proxy
# It listens on ports without privileges, so it needs none: a copy of the program has none. Its certificates are kept in
# a volume.
RUN cp /usr/bin/caddy /tmp/caddy && mv /tmp/caddy /usr/bin/caddy && mkdir -p /state && chown 10001:10001 /state
ENV XDG_DATA_HOME=/state XDG_CONFIG_HOME=/state
COPY deploy/Caddyfile /etc/caddy/Caddyfile
USER 10001:10001
EXPOSE 8080 8443
HEALTHCHECK --interval=15s --timeout=5s --start-period=10s CMD ["wget", "-q", "-O", "/dev/null", "http://127.0.0.1:8090/alive"]

FROM ghcr.io/osgeo/gdal:ubuntu-small-${GDAL} AS build
RUN apt-get update \
 && apt-get install -y --no-install-recommends python3-venv python3-dev g++ \
 && rm -rf /var/lib/apt/lists/*
WORKDIR /build
COPY requirements.txt requirements-production.txt ./
RUN python3 -m venv /opt/venv \
 && /opt/venv/bin/pip install --no-cache-dir --only-binary :all: --no-binary rasterio,gdal -r requirements-production.txt
# One GDAL, with what reads Sentinel-2; else no image.
RUN /opt/venv/bin/python -c "import rasterio; from osgeo import gdal; \
assert rasterio.__gdal_version__ == gdal.__version__, (rasterio.__gdal_version__, gdal.__version__); \
assert gdal.GetDriverByName('JP2OpenJPEG') and gdal.GetDriverByName('SENTINEL2')"

FROM ghcr.io/osgeo/gdal:ubuntu-small-${GDAL} AS site
RUN useradd --system --uid 10001 --user-group --no-create-home --home-dir /data mpc \
 && install -d -o mpc -g mpc /data /data/tmp /backups /inbox /schemas
COPY --from=build /opt/venv /opt/venv
WORKDIR /app
COPY . .
ARG GIT_COMMIT=unknown
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    MPC_GIT_COMMIT=$GIT_COMMIT \
    MPC_DATA_DIR=/data \
    MPC_BIND=0.0.0.0:8000 \
    NUMBA_CACHE_DIR=/data/numba \
    TMPDIR=/data/tmp
RUN python -m compileall -q /app
USER mpc
EXPOSE 8000
HEALTHCHECK --interval=15s --timeout=12s --start-period=60s CMD ["python", "-m", "mpc.housekeeping.probe"]
CMD ["gunicorn", "mpc.wsgi:application", "--bind", "0.0.0.0:8000", "--worker-class", "gthread", "--workers", "2", "--threads", "8", "--timeout", "120", "--worker-tmp-dir", "/dev/shm"]

# syntax=docker/dockerfile:1
# Two stages: the first installs the locked packages, the second holds them and the program, and nothing that builds.
# Only dkimpy has to be built; it is published as source alone, without C.

FROM python:3.12-slim AS packages
COPY requirements.lock /tmp/requirements.lock
RUN python -m venv --without-pip /opt/venv \
    && pip --python /opt/venv/bin/python install --no-cache-dir --require-hashes --only-binary :all: --no-binary dkimpy -r /tmp/requirements.lock

FROM python:3.12-slim
LABEL org.opencontainers.image.title="Parley" org.opencontainers.image.licenses="Apache-2.0"
RUN useradd --system --uid 10001 --no-create-home parley && install -d -o parley -m 0700 /data
COPY --from=packages /opt/venv /opt/venv
COPY channels /opt/parley/channels
COPY config /opt/parley/config
COPY core /opt/parley/core
COPY dialogs /opt/parley/dialogs
COPY gateway /opt/parley/gateway
COPY LICENSE /opt/parley/LICENSE
RUN /opt/venv/bin/python -m compileall -q /opt/parley \
    && printf '#!/bin/sh\nexec /opt/venv/bin/python -P -m gateway "$@"\n' > /usr/local/bin/parley \
    && chmod 0755 /usr/local/bin/parley
ENV PYTHONPATH=/opt/parley \
    PYTHONUNBUFFERED=1 \
    PARLEY_DATA=/data \
    PARLEY_SERVER_HOST=0.0.0.0 \
    PARLEY_SERVER_HEALTH_PORT=8081
USER parley
WORKDIR /data
VOLUME /data
EXPOSE 8080 8081
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s \
    CMD ["/opt/venv/bin/python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8081/healthz', timeout=2)"]
ENTRYPOINT ["parley"]
CMD ["run"]

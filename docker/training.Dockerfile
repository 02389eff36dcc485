# syntax=docker/dockerfile:1
# The engine that makes candidates, for machines with GPUs: torch brings CUDA's libraries in its wheel, the host only the driver.
#   docker build --file docker/training.Dockerfile --tag lehia-training .
#   docker run --rm --gpus all --shm-size 8g --volume /srv/lehia:/srv/training lehia-training train exp_2_110_lora

FROM debian:12.15-slim AS build
SHELL ["/bin/bash", "-o", "pipefail", "-c"]
# versions are those of the point release and its security updates
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends ca-certificates python3 python3-venv \
    && rm -rf /var/lib/apt/lists/* /var/cache/apt/*
WORKDIR /srv/lehia
COPY pyproject.toml constraints.txt ./
RUN python3 -m venv /opt/venv \
    && python3 -c "import tomllib; extras = tomllib.load(open('pyproject.toml', 'rb'))['project']['optional-dependencies']; print(*(each for name in ('train', 'dpo', 'gpu', 'evaluate', 'tensorboard') for each in extras[name]), sep='\n')" > /opt/requirements.txt \
    && /opt/venv/bin/python -m pip install --no-cache-dir --disable-pip-version-check --constraint constraints.txt --requirement /opt/requirements.txt \
    && /opt/venv/bin/python -m pip uninstall --yes pip
COPY docs/schemas docs/schemas
COPY training training
RUN /opt/venv/bin/python -m compileall -q training

FROM debian:12.15-slim AS training
# Triton compiles its kernels' launchers with a C compiler, while it runs
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends ca-certificates gcc libc6-dev python3 python3-dev \
    && rm -rf /var/lib/apt/lists/* /var/cache/apt/* \
    && groupadd --gid 10001 lehia \
    && useradd --uid 10001 --gid 10001 --home-dir /srv/training --no-create-home --shell /usr/sbin/nologin lehia \
    && install --directory --owner lehia --group lehia --mode 0750 /srv/training
COPY --from=build /opt/venv /opt/venv
COPY --from=build /srv/lehia /srv/lehia
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONPATH=/srv/lehia \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    HOME=/srv/training \
    HF_HOME=/srv/training/hf
WORKDIR /srv/training
USER 10001:10001
# a run is over when it ends; nothing listens here
HEALTHCHECK NONE
ENTRYPOINT ["python", "-m", "training"]
CMD ["recipes"]

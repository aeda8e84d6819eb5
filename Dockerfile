FROM python:3.12-slim AS build
RUN python -m venv /opt/jisr
WORKDIR /src
COPY . .
RUN /opt/jisr/bin/pip install -q --disable-pip-version-check --no-cache-dir -c constraints.txt .

FROM python:3.12-slim
RUN useradd --system --uid 10001 --no-create-home jisr && install -d -o jisr -g jisr /data
COPY --from=build /opt/jisr /opt/jisr
ENV PATH=/opt/jisr/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    MPLCONFIGDIR=/data/.matplotlib \
    JISR_DATABASE_URL=sqlite+aiosqlite:////data/jisr.db
USER jisr
WORKDIR /data
VOLUME /data
# The database answers, and some engine of this bot was at work within the last minute.
HEALTHCHECK --interval=30s --timeout=10s --start-period=60s CMD ["jisr", "healthy"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["jisr"]
CMD ["run"]

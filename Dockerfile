# Two stages: the first builds, the second holds one binary and runs it without privileges.
FROM rust:1.95-slim-bookworm AS build
# The bundled SQLite and ring need a C compiler.
RUN apt-get update && apt-get install -y --no-install-recommends gcc libc6-dev && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY Cargo.toml Cargo.lock askama.toml ./
COPY .cargo ./.cargo
COPY src ./src
COPY web ./web
COPY migrations ./migrations
COPY benches ./benches
RUN --mount=type=cache,target=/usr/local/cargo/registry --mount=type=cache,target=/src/target \
    cargo build --profile dist --locked --bin headcount && cp target/dist/headcount /usr/local/bin/headcount

FROM debian:bookworm-slim
RUN useradd --system --uid 10001 --no-create-home --shell /usr/sbin/nologin headcount \
    && install -d -o headcount -g headcount /data
COPY --from=build /usr/local/bin/headcount /usr/local/bin/headcount
# A number, so that a platform can check that it is not root.
USER 10001
WORKDIR /data
VOLUME /data
ENV HEADCOUNT_LISTEN=0.0.0.0:8080 \
    HEADCOUNT_DATABASE_URL=sqlite:///data/headcount.db \
    HEADCOUNT_LOG_FORMAT=json
EXPOSE 8080
# The binary checks itself: the image needs no curl.
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s CMD ["headcount", "health"]
# SIGTERM drains for HEADCOUNT_DRAIN (10 s): give `docker stop` a little more than that.
STOPSIGNAL SIGTERM
ENTRYPOINT ["headcount"]

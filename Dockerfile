# One image for the server and the operator's command line. No secret is in it: settings come from the environment (.env.example).
# The full image has the compiler that one package wants; the slim one of the same release runs what it made.
FROM node:24.21 AS packages
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
# No scripts of packages, and no prepared embedded database: the image runs on PostgreSQL. Only the way to tokens (PKCS11_MODULE) is compiled.
RUN npm ci --omit=dev --ignore-scripts && npm_config_nodedir=/usr/local npm rebuild pkcs11js

FROM node:24.21-slim
WORKDIR /app
COPY --from=packages /app/node_modules node_modules
COPY package.json ./
COPY prisma prisma
COPY models models
COPY views views
COPY src src
COPY scripts/build-models.ts scripts/
RUN install -d -o node -g node /data
ENV NODE_ENV=production HOST=0.0.0.0 METRICS_HOST=0.0.0.0 DATA_DIR=/data
# Memory that the face and hash threads have let go returns to the machine: a sixth less resident (docs/benchmarks.md).
ENV MALLOC_ARENA_MAX=1 MALLOC_TRIM_THRESHOLD_=131072 MALLOC_MMAP_THRESHOLD_=131072
# The server says so itself; here for whatever else loads the runtime of the nets.
ENV ORT_DISABLE_TELEMETRY=1
USER node
VOLUME /data
EXPOSE 3000 9464
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=4s --start-period=30s --retries=3 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT ?? 3000}/pronto`).then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
CMD ["node", "src/main.ts"]

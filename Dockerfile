# One image for the server and the operator's command line. No secret is in it: settings come from the environment (.env.example).
FROM node:24.11-slim AS packages
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
# No scripts of packages, and no prepared embedded database: the image runs on PostgreSQL.
RUN npm ci --omit=dev --ignore-scripts

FROM node:24.11-slim
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
USER node
VOLUME /data
EXPOSE 3000 9464
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=4s --start-period=30s --retries=3 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT ?? 3000}/pronto`).then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
CMD ["node", "src/main.ts"]

# Every service of the shop in one image: the command says which of them a container runs, and
# without one it runs them all in one process. No build step: Node runs TypeScript as it is.
FROM node:24.21.0-trixie-slim

WORKDIR /shop

# Dependencies first, so that this layer is made anew only when they change. Without the optional ones
# there is no embedded Postgres and no second Node; what is left needs no install script.
COPY package.json package-lock.json .npmrc ./
RUN --mount=type=cache,target=/root/.npm npm ci --omit=dev --omit=optional --ignore-scripts

# Only what runs in a container; .dockerignore keeps the stand-ins out of these folders.
COPY kit kit
COPY proto/gen proto/gen
COPY tracing tracing
COPY discovery discovery
COPY database database
COPY mesh mesh
COPY events events
COPY saga saga
COPY services services
COPY cli cli
COPY deploy/compose/healthcheck.js deploy/compose/

# The base image's user `node`, by number: Kubernetes' runAsNonRoot cannot read names. The files above
# are root's, so a service cannot change its own code.
USER 1000:1000
STOPSIGNAL SIGTERM

# The V8 flag is the one `mesh up` starts services with (cli/local/child.ts has the reason).
ENTRYPOINT ["node", "--max-semi-space-size=64", "cli/mesh.js"]
CMD ["serve", "user", "product", "inventory", "payment", "shipping", "order", "notification"]

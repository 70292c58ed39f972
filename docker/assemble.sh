#!/bin/sh
# sh docker/assemble.sh <app> <folder>: puts into the folder what one app needs to run and nothing else: its build, the
# packages that it uses, Node.js. Comes after "sh scripts/bootstrap.sh build"; needs no network.
set -eu
app=$1
mkdir -p "$2"
target=$(cd "$2" && pwd -P)
cd "$(dirname "$0")/.."

case $(uname -m) in
  aarch64 | arm64) processor=arm64 other=x64 ;;
  *) processor=x64 other=arm64 ;;
esac

# The lock file describes the whole workspace, so that the installation wants to see every member of it.
tar -cf - package.json pnpm-lock.yaml pnpm-workspace.yaml .npmrc prisma/migrations prisma/schema.prisma \
  apps/*/package.json packages/*/package.json packages/*/dist "apps/$app/dist" bench/package.json \
  tests/*/package.json docker/check-heartbeat.mjs | tar -xf - -C "$target"
PATH=$(pwd -P)/tools/node_modules/node-linux-$processor/bin:$PATH
pnpm=$(pwd -P)/tools/node_modules/@pnpm/exe.linux-$processor/pnpm
(cd "$target" && CI=true "$pnpm" install --prod --offline --frozen-lockfile --filter "@pademelon/$app...")

# The ONNX Runtime comes with the libraries of every system.
for runtime in "$target"/node_modules/.pnpm/onnxruntime-node@*/node_modules/onnxruntime-node/bin/napi-v*; do
  rm -rf "$runtime/darwin" "$runtime/win32" "$runtime/linux/$other"
done
mkdir -p "$target/bin"
cp "tools/node_modules/node-linux-$processor/bin/node" "$target/bin/node"

#!/bin/sh
# Makes this checkout runnable, then becomes the program asked for: start, test, rotate and so on. With `build` it ends
# when everything is built.
#
# All it needs is a POSIX shell, npm and some Node.js from 18 on (Debian 12's own will do). It installs the pinned
# Node.js and pnpm into tools/, the dependencies into node_modules/ and the build into dist/, each only when missing or
# out of date, so a warm start costs milliseconds. It ends in `exec`: signals reach the program itself.
set -eu

say() { printf '%s\n' "pademelon: $*" >&2; }
fail() {
  for sentence in "$@"; do say "$sentence"; done
  exit 1
}

[ $# -ge 1 ] || fail 'Say what to run: sh scripts/bootstrap.sh start|test|check|bench|chaos|faults|tutorial|rotate|build.'
command=$1
shift
cd "$(dirname "$0")/.."
root=$(pwd -P)

[ "$(uname -s)" = Linux ] || fail "Pademelon runs on Linux; this is $(uname -s). Use a Linux machine, container or WSL."
case $(uname -m) in
  x86_64 | amd64) platform=linux-x64 ;;
  aarch64 | arm64) platform=linux-arm64 ;;
  *) fail "Pademelon runs on x86-64 and arm64 processors; this one is $(uname -m)." ;;
esac

node=$root/tools/node_modules/node-$platform/bin/node
pnpm=$root/tools/node_modules/@pnpm/exe.$platform/pnpm
# Each stamp is a copy of what its step was done for; a step that fails leaves none.
tools_stamp=tools/node_modules/.installed-lock.json
install_stamp=node_modules/.installed-lock.yaml
build_stamp=node_modules/.built-sources
setup_log=.cache/setup.log

tools_are_current() { cmp -s tools/package-lock.json "$tools_stamp" && [ -x "$node" ]; }
install_is_current() { cmp -s pnpm-lock.yaml "$install_stamp"; }

# By content, not by date: a checkout, a copy or a restored cache may carry any date.
sources_fingerprint() {
  LC_ALL=C find apps packages prisma scripts/build-package.mjs pnpm-lock.yaml \
    \( -name node_modules -o -name dist -o -name generated -o -name .turbo \) -prune -o -type f ! -name '*.test.ts' -print |
    LC_ALL=C sort | tr '\n' '\0' | xargs -0 cksum | cksum
}
build_is_current() {
  for folder in apps/* packages/*; do
    [ ! -f "$folder/package.json" ] || [ -d "$folder/dist" ] || return 1
  done
  [ -f "$build_stamp" ] && [ "$(sources_fingerprint)" = "$(cat "$build_stamp")" ]
}

registry_hint='The package registry could not be used. Check the network, and the settings registry, proxy and cafile that "npm config list" shows; then start again.'

# Runs one step quietly; what it printed is shown only when it fails.
run_step() {
  hint=$1
  shift
  if "$@" >"$setup_log" 2>&1; then return 0; fi
  tail -n 25 "$setup_log" >&2
  if grep -q -e ENOSPC -e 'No space left' -e EDQUOT "$setup_log"; then
    fail "The disk is full: free some space on the disk of $root (2 GB are enough) and start again."
  elif grep -q -e EACCES -e EPERM -e EROFS "$setup_log"; then
    fail "A file could not be written: $(id -un) needs to own $root and everything in it."
  elif grep -q -E 'ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ERR_SOCKET_TIMEOUT|NETWORK_ERROR|FETCH_FAIL|CERT|E40[137]' "$setup_log"; then
    fail "$registry_hint"
  fi
  fail "$hint The whole output is in $root/$setup_log."
}

install_tools() {
  command -v npm >/dev/null 2>&1 || fail 'npm is missing. On Debian and Ubuntu: apt install nodejs npm.'
  say 'installing the pinned Node.js and pnpm'
  run_step 'The pinned Node.js could not be installed.' \
    npm ci --prefix tools --ignore-scripts --no-audit --no-fund --no-update-notifier
  # npm takes a package for one platform as optional, and does not fail when it could not be fetched.
  [ -x "$node" ] && [ -x "$pnpm" ] || fail "$registry_hint" \
    "It has to carry the packages node-$platform and @pnpm/exe.$platform."
  "$node" --version >/dev/null 2>&1 ||
    fail "The pinned Node.js does not run here. It needs glibc 2.28 or newer, which Alpine and very old systems lack."
  # turbo looks for pnpm on the path.
  ln -sf "../@pnpm/exe.$platform/pnpm" tools/node_modules/.bin/pnpm
  cp tools/package-lock.json "$tools_stamp"
}

install_dependencies() {
  say 'installing the dependencies'
  rm -f "$install_stamp"
  run_step 'The dependencies could not be installed.' "$pnpm" install --frozen-lockfile --reporter=append-only \
    --config.fetch-retries=2 --config.fetch-retry-mintimeout=500 --config.fetch-retry-maxtimeout=2000
  cp pnpm-lock.yaml "$install_stamp"
}

build() {
  say 'building'
  rm -f "$build_stamp"
  fingerprint=$(sources_fingerprint)
  run_step 'The build failed.' env TURBO_TELEMETRY_DISABLED=1 TURBO_NO_UPDATE_NOTIFIER=1 \
    node_modules/.bin/turbo run build --output-logs=errors-only
  printf '%s\n' "$fingerprint" >"$build_stamp"
}

set_up() {
  tools_are_current || install_tools
  PATH=$root/tools/node_modules/node-$platform/bin:$root/tools/node_modules/.bin:$root/node_modules/.bin:$PATH
  export PATH
  install_is_current || install_dependencies
  # The tests build when it is their turn, so that what fails first is what is cheapest to see.
  case $command in
    start | bench | chaos | faults | tutorial | rotate | build) build_is_current || build ;;
  esac
}

case $command in
  start) program=apps/local/dist/main.js ;;
  test | check) program=scripts/test.ts ;;
  bench) program=bench/main.ts ;;
  faults) program=tests/faults/main.ts ;;
  tutorial) program=examples/house-price/tutorial.ts ;;
  chaos) program=tests/chaos/main.ts ;;
  rotate) program=apps/local/dist/rotate-keys.js ;;
  build) program= ;;
  *) fail "There is no command \"$command\". Use start, test, check, bench, chaos, faults, tutorial, rotate or build." ;;
esac

mkdir -p .cache 2>/dev/null && [ -w .cache ] ||
  fail "$root/.cache cannot be written: $(id -un) needs to own $root and everything in it."
# One set-up at a time: starts that come meanwhile wait and then find everything done. The kernel drops the lock when
# the set-up and everything it started are gone, however they end.
exec 9>.cache/setup.lock
if ! flock -n 9; then
  say 'waiting for another start to finish setting up'
  flock 9
fi
set_up
exec 9>&-

case $command in
  build) exit 0 ;;
  test | check | bench | chaos | faults | tutorial) exec "$node" --conditions=source "$program" "$command" "$@" ;;
  # The launcher itself does little: a small heap of young objects and no optimizing compiler keep it small.
  *) exec "$node" --max-semi-space-size=1 --no-opt --no-maglev "$program" "$@" ;;
esac

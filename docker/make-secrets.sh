#!/bin/sh
# sh docker/make-secrets.sh: makes the files in docker/secrets that docker-compose.yml hands to the services, each only
# when it is missing. Keep them with your backups: without the secret key, connection details cannot be opened.
set -eu
cd "$(dirname "$0")"
mkdir -p secrets
# The folder keeps other users of this machine out; inside the containers the services' own user must read the files.
chmod 0700 secrets
random_hex() { od -An -N32 -tx1 /dev/urandom | tr -d ' \n'; }
keep() {
  [ -s "secrets/$1" ] || printf '%s' "$2" >"secrets/$1"
  chmod 0444 "secrets/$1"
}
keep secret_key "$(random_hex)"
keep postgres_password "$(random_hex)"
keep database_url "postgres://pademelon:$(cat secrets/postgres_password)@postgres:5432/pademelon"

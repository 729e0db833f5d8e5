#!/usr/bin/env bash
# Installs what is missing on a Debian machine that has a Rust toolchain: a C compiler for SQLite and the TLS library, the
# AWS CLI where instances can read it, iproute2, curl, Python. Prints what it does; does nothing where nothing is missing.
#   prerequisites.sh [test]      with `test`, also what only the tests need
set -euo pipefail
cd "$(dirname "$0")/.."

missing=()
need() { command -v "$1" >/dev/null 2>&1 || [ -x "/usr/bin/$1" ] || [ -x "/usr/sbin/$1" ] || missing+=("$2"); }
need gcc gcc; need make make; need curl curl; need ip iproute2; need python3 python3; need git git
# Inside an instance everything is read as an unprivileged user reads it: the CLI of somebody's home is of no use there.
[ -x /usr/bin/aws ] || missing+=(awscli)
[ -e /etc/ssl/certs/ca-certificates.crt ] || missing+=(ca-certificates)
if [ "${1:-}" = test ]; then
  python3 -c 'import venv, ensurepip' 2>/dev/null || missing+=(python3-venv)
fi
if [ ${#missing[@]} -gt 0 ]; then
  if [ "$(id -u)" != 0 ]; then
    echo "missing: ${missing[*]}; run as root, or first: sudo apt-get install -y ${missing[*]}" >&2
    exit 1
  fi
  echo "installing ${missing[*]}"
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -qq
  apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
fi
if ! command -v cargo >/dev/null 2>&1; then
  # shellcheck disable=SC1091
  [ -f "$HOME/.cargo/env" ] && . "$HOME/.cargo/env"
  command -v cargo >/dev/null 2>&1 || { echo "there is no Rust toolchain: see https://rustup.rs" >&2; exit 1; }
fi
if [ "${1:-}" = test ] && [ ! -x .test/venv/bin/python ]; then
  echo "making .test/venv"
  mkdir -p .test
  python3 -m venv .test/venv
fi
if [ "${1:-}" = test ] && ! cmp -s tests/requirements.txt .test/venv/requirements.txt; then
  echo "installing Python packages of the tests"
  .test/venv/bin/pip install --quiet --disable-pip-version-check -r tests/requirements.txt
  cp tests/requirements.txt .test/venv/requirements.txt
fi

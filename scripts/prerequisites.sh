#!/usr/bin/env bash
# Installs what is missing on a Debian machine that has a Rust toolchain: a C compiler for SQLite and the TLS library, the
# AWS CLI where instances can read it, iproute2, curl, Python. Prints what it does; does nothing where nothing is missing.
# Debian 12's own AWS CLI (2.9) does not know AWS_ENDPOINT_URL, which came with 2.13 and 1.29: where there is no newer one, one
# is put into /opt/daypass-awscli, with a link from /usr/local/bin.
#   prerequisites.sh [test]      with `test`, also what only the tests need
#   prerequisites.sh cli         says which AWS CLI is used, and does nothing
set -euo pipefail
cd "$(dirname "$0")/.."

missing=()
need() { command -v "$1" >/dev/null 2>&1 || [ -x "/usr/bin/$1" ] || [ -x "/usr/sbin/$1" ] || missing+=("$2"); }
need gcc gcc; need make make; need curl curl; need ip iproute2; need python3 python3; need git git
# Inside an instance everything is read as an unprivileged user reads it: the CLI of somebody's home is of no use there.
knows_endpoints() { [ -x "$1" ] || return 1
  local version; version=$("$1" --version 2>/dev/null | sed -nE 's|^aws-cli/([0-9]+)\.([0-9]+).*|\1 \2|p'); set -- $version
  [ "${1:-0}" = 2 ] && [ "${2:-0}" -ge 13 ] || { [ "${1:-0}" = 1 ] && [ "${2:-0}" -ge 29 ]; }; }
cli=
for candidate in /usr/local/bin/aws /usr/bin/aws; do if knows_endpoints "$candidate"; then cli=$candidate; break; fi; done
if [ "${1:-}" = cli ]; then echo "$cli"; exit; fi
[ -n "$cli" ] || /usr/bin/python3 -c 'import venv, ensurepip' 2>/dev/null || missing+=(python3-venv)
[ -e /etc/ssl/certs/ca-certificates.crt ] || missing+=(ca-certificates)
if [ "${1:-}" = test ]; then
  for python in python3 /usr/bin/python3; do
    "$python" -c 'import venv, ensurepip' 2>/dev/null || { missing+=(python3-venv); break; }
  done
  need strace strace
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
if [ -z "$cli" ]; then
  if [ "$(id -u)" != 0 ]; then
    echo "missing: an AWS CLI that knows AWS_ENDPOINT_URL (1.29, 2.13 or later) in /usr/local/bin or /usr/bin; run as root to have one installed" >&2
    exit 1
  fi
  echo "installing the AWS CLI into /opt/daypass-awscli"
  /usr/bin/python3 -m venv /opt/daypass-awscli
  /opt/daypass-awscli/bin/pip install --quiet --disable-pip-version-check awscli==1.45.11
  chmod -R go+rX /opt/daypass-awscli
  if [ -e /usr/local/bin/aws ]; then echo "an older /usr/local/bin/aws is there: remove it, and run this again" >&2; exit 1; fi
  ln -s /opt/daypass-awscli/bin/aws /usr/local/bin/aws
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
# The boto3 story runs inside instances too, where nothing of anybody's home is seen.
if [ "${1:-}" = test ] && [ "$(id -u)" = 0 ] && ! cmp -s tests/requirements.txt /opt/daypass-boto3/requirements.txt; then
  echo "making /opt/daypass-boto3"
  rm -rf /opt/daypass-boto3
  /usr/bin/python3 -m venv /opt/daypass-boto3
  /opt/daypass-boto3/bin/pip install --quiet --disable-pip-version-check -r tests/requirements.txt
  cp tests/requirements.txt /opt/daypass-boto3/requirements.txt
  chmod -R go+rX /opt/daypass-boto3
fi

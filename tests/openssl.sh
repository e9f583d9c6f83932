# Which OpenSSL `modules/eos` is built with: the machine's libssl-dev, or else our own copy of it (tests/lab/prepare).
# Sourced in the project's folder by whatever calls cargo.
# shellcheck shell=sh

openssl=$(tests/lab/prepare openssl)
[ -z "$openssl" ] || export OPENSSL_DIR="$openssl"

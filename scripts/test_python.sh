#!/usr/bin/env bash
# Runs the tests of the library (test/pure_tests.txt) on another Python: scripts/test_python.sh 3.14
#
# It is looked for on the PATH, among the versions of pyenv and uv; as root, Debian testing serves 3.14.
set -euo pipefail

version=$1
cd "$(dirname "$0")/.."

find_python() {
  local candidate
  for candidate in "$(command -v "python$version" || true)" \
    "$HOME"/.pyenv/versions/"$version".*/bin/python3 \
    "$(uv python find "$version" 2>/dev/null || true)"; do
    # A shim of pyenv may stand for a version that is not chosen.
    if [ -x "$candidate" ] && "$candidate" -c 'import ensurepip' 2>/dev/null; then
      echo "$candidate"
      return
    fi
  done
  uv python install --quiet "$version" 2>/dev/null && uv python find "$version"
}

if ! python=$(find_python) || [ -z "$python" ]; then
  [ "$version" = 3.14 ] && [ "$(id -u)" = 0 ] && exec scripts/test_in_debian.sh forky amd64
  echo "Python $version is not here: install it, or uv, which downloads it" >&2
  exit 1
fi
venv=.venv-library-$version
[ -e "$venv/bin/pip" ] || "$python" -m venv "$venv"
echo "The tests of the library on $("$venv/bin/python" --version)"
"$venv/bin/pip" install --quiet -c requirements/constraints.txt \
  '.[onnxruntime,bag]' pytest pytest-timeout
mapfile -t tests < <(grep -v '^#' test/pure_tests.txt)
OMP_NUM_THREADS=1 "$venv/bin/python" -m pytest -q -p no:cacheprovider "${tests[@]}"

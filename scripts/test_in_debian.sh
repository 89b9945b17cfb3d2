#!/usr/bin/env bash
# Runs the tests of the library in a Debian of another release or architecture, as root.
#
#   scripts/test_in_debian.sh SUITE ARCHITECTURE TESTS...
#   scripts/test_in_debian.sh bookworm arm64           (what is in test/arm64_tests.txt)
#   scripts/test_in_debian.sh forky amd64              (Python 3.14, every test of the library)
#
# Needs debootstrap, and qemu-user-static for another architecture. The system is made once, under
# DEBIAN_FOLDERS (default /var/tmp/espnet_ros-debian), 0.5 GB each. The package is installed there
# with ONNX Runtime from PyPI, as README says; then one picture is segmented here and there, and
# the two masks are compared.
set -euo pipefail

suite=$1 architecture=$2
shift 2
repository=$(cd "$(dirname "$0")/.." && pwd)
root=${DEBIAN_FOLDERS:-/var/tmp/espnet_ros-debian}/$suite-$architecture
mirror=${DEBIAN_MIRROR:-http://deb.debian.org/debian}
here_python=${PYTHON:-$repository/.venv/bin/python}
bundle=${SSL_CERT_FILE:-/etc/ssl/certs/ca-certificates.crt}
list=pure_tests.txt
[ "$architecture" = arm64 ] && list=arm64_tests.txt
[ $# -gt 0 ] && tests=("$@") || mapfile -t tests < <(grep -v '^#' "$repository/test/$list")

fail() { echo "$*" >&2; exit 1; }
[ "$(id -u)" = 0 ] || fail 'expected root, for chroot and debootstrap; run it with sudo'
command -v debootstrap >/dev/null || fail 'debootstrap is missing: apt-get install debootstrap'

# The kernel hands programs of another architecture to qemu, which it opens now (flag F).
register_qemu() {
  local folder=/proc/sys/fs/binfmt_misc
  [ -e $folder/register ] || mount -t binfmt_misc binfmt_misc $folder
  [ -e $folder/qemu-aarch64 ] && return
  [ -x /usr/bin/qemu-aarch64-static ] || fail 'qemu is missing: apt-get install qemu-user-static'
  # magic and mask of an ELF file for aarch64
  local magic='\x7f\x45\x4c\x46\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\xb7\x00'
  local mask='\xff\xff\xff\xff\xff\xff\xff\x00\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff'
  printf '%s' ":qemu-aarch64:M::$magic:$mask:/usr/bin/qemu-aarch64-static:POF" > $folder/register
}

make_system() {
  echo "Making Debian $suite for $architecture in $root"
  local script=/usr/share/debootstrap/scripts/$suite
  # A release younger than this debootstrap is made like sid.
  [ -e "$script" ] && script= || script=/usr/share/debootstrap/scripts/sid
  mkdir -p "$root"
  # shellcheck disable=SC2086  # no script is no argument
  debootstrap --arch="$architecture" --variant=minbase \
    --include=python3,python3-venv,ca-certificates "$suite" "$root" "$mirror" $script
  touch "$root/.complete"
}

inside() {
  env -i HOME=/root PATH=/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 OMP_NUM_THREADS=1 \
    PIP_CERT=/etc/ssl/bundle.crt SSL_CERT_FILE=/etc/ssl/bundle.crt \
    chroot "$root" "$@"
}

limit_s=300
if [ "$architecture" = arm64 ] && [ "$(uname -m)" != aarch64 ]; then
  register_qemu
  limit_s=3600
fi
[ -e "$root/.complete" ] || make_system
cp /etc/resolv.conf "$root/etc/resolv.conf"
cp "$bundle" "$root/etc/ssl/bundle.crt"
mountpoint -q "$root/proc" || mount -t proc proc "$root/proc"
trap 'umount "$root/proc"' EXIT

rm -rf "$root/espnet_ros" && mkdir "$root/espnet_ros"
(cd "$repository" && git ls-files -z --cached --others --exclude-standard |
  tar --null --ignore-failed-read -T - -c) | tar -x -C "$root/espnet_ros"

echo "Installing into $(inside python3 --version), $(inside uname -m)"
inside sh -euc 'cd /espnet_ros
  [ -e /venv/bin/pip ] || python3 -m venv /venv
  /venv/bin/pip install --quiet ".[onnxruntime,bag]" pytest pytest-timeout -c requirements/constraints.txt'

# One picture, here and there.
picture=espnet_ros_picture.png
"$here_python" -c "
import cv2
from espnet_ros.sources import open_source
street = open_source('synthetic', size=(360, 480))
cv2.imwrite('$root/espnet_ros/$picture', next(iter(street)).image_bgr)"
arguments=(-m espnet_ros.cli.main segment "$picture" --runtime onnxruntime --precision fp32 --overwrite)
(cd "$root/espnet_ros" && "$here_python" "${arguments[@]}" --output mask_here)
inside sh -euc 'cd /espnet_ros && exec /venv/bin/python "$@"' sh "${arguments[@]}" --output mask_there
"$here_python" - "$root/espnet_ros" <<'PYTHON'
import sys
import cv2
from pathlib import Path

root = Path(sys.argv[1])
here, there = (cv2.imread(str(next((root / f'mask_{w}').glob('*_mask.png'))), -1) for w in ('here', 'there'))
share = float((here == there).mean())
print(f'labels of {here.shape[1]}x{here.shape[0]} pixels equal to those of this machine: {100 * share:.4f} %')
sys.exit(share < 0.9999)
PYTHON

inside sh -euc 'cd /espnet_ros && exec /venv/bin/python -m pytest -q -p no:cacheprovider "$@"' \
  sh -o timeout=$limit_s "${tests[@]}"

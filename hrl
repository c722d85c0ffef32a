#!/usr/bin/env bash
# Humanoid RL's launcher: makes <home>/venv/<hash of requirements.lock> on first use, then runs the command in it.
# <home> is $HUMANOID_RL_HOME or ~/humanoid_rl. Everything this script says goes to standard error.
set -euo pipefail

repo=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
home=$(realpath -ms "${HUMANOID_RL_HOME:-$HOME/humanoid_rl}")

lock_hash() { local sum; sum=$(sha256sum "$1"); echo "${sum:0:12}"; }
venv=$home/venv/$(lock_hash "$repo/requirements.lock")
python=$venv/bin/python

DOWNLOAD_GB=3.2 DISK_GB=7
# Shared libraries that the wheels load but do not carry, and the Debian packages that do.
LIBRARIES=(libGL.so.1:libgl1 libEGL.so.1:libegl1 libX11.so.6:libx11-6 libgomp.so.1:libgomp1 libvulkan.so.1:libvulkan1)

libraries_checked=$venv/.libraries-2  # to be counted up with every change of the list

say() { echo "hrl: $*" >&2; }
fail() { say "$*"; exit 1; }

# Whether $1 is a Python 3.12 that runs; a pyenv shim exists even where its version is not selected.
runs_312() { "$1" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 12))' >/dev/null 2>&1; }

# Runs apt-get as root, or fails when this user may not.
apt_get() {
  command -v apt-get >/dev/null || return 1
  if [[ $EUID == 0 ]]; then DEBIAN_FRONTEND=noninteractive apt-get "$@" >&2
  elif sudo -n true 2>/dev/null; then sudo -n DEBIAN_FRONTEND=noninteractive apt-get "$@" >&2
  else return 1; fi
}

# Installs the Debian packages $@, or says the exact line that does.
install_debian() {
  say "installing system packages: $*"
  apt_get install -qq -y --no-install-recommends "$@" && return
  { apt_get update -qq && apt_get install -qq -y --no-install-recommends "$@"; } && return
  say "could not install them here; this line does:"
  say "    sudo apt-get update && sudo apt-get install -y $*"
  return 1
}

find_python() {
  local candidate
  for candidate in python3.12 "$home"/python/cpython-3.12*/bin/python3.12 \
    "${PYENV_ROOT:-$HOME/.pyenv}"/versions/3.12*/bin/python python3; do
    if runs_312 "$candidate"; then "$candidate" -c 'import sys; print(sys.executable)'; return; fi
  done
  return 1
}

# Installs the locked uv into the virtual environment $1.
install_uv() {
  sed -n '/^uv==/,/[^\\]$/p' "$repo/requirements.lock" >"$1/uv.lock"
  "$1/bin/python" -m pip --disable-pip-version-check install --quiet --no-deps --require-hashes -r "$1/uv.lock" >&2
}

# Makes an empty virtual environment $2 with Python $1; Debian keeps the part of Python that this needs in a package.
make_venv() {
  rm -rf "$2"
  "$1" -c 'import ensurepip' 2>/dev/null ||
    install_debian "$("$1" -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])')" || exit 1
  "$1" -m venv "$2" >&2 || fail "$1 could not make a virtual environment in $2: see the lines above"
}

# Asks uv to bring Python 3.12, installing uv itself when there is none.
bring_python() {
  local uv
  say "no Python 3.12 on PATH or in pyenv; asking uv to bring one"
  if ! uv=$(command -v uv); then
    python3 -c 'import venv' 2>/dev/null || install_debian python3 python3-venv ||
      fail "Python 3.12 is needed: install it (python3.12 and python3.12-venv), or uv (https://docs.astral.sh/uv)"
    make_venv python3 "$home/uv"
    install_uv "$home/uv" || fail "uv could not be downloaded from PyPI: see the lines above"
    uv=$home/uv/bin/uv
  fi
  UV_PYTHON_INSTALL_BIN=0 "$uv" python install --install-dir "$home/python" 3.12 >&2 ||
    fail "uv could not bring Python 3.12 from GitHub: install python3.12 and python3.12-venv, then try again"
}

# In the repository's folder, because uv obeys the settings of the project that it is started in.
uv_install() (
  cd "$repo"
  export UV_HTTP_TIMEOUT=${UV_HTTP_TIMEOUT:-120}
  "$venv/bin/uv" pip install --python "$python" --require-hashes -r "$1" >&2
)

check_machine() {
  local glibc free
  [[ $(uname -sm) == "Linux x86_64" ]] || fail "the locked packages are for Linux on x86_64, and this is $(uname -sm)"
  glibc=$(getconf GNU_LIBC_VERSION 2>/dev/null | cut -d' ' -f2)
  [[ $(printf '%s\n' 2.35 "${glibc:-0}" | sort -V | head -n1) == 2.35 ]] ||
    fail "the locked packages need glibc 2.35 or newer (Ubuntu 22.04, Debian 12), and this system has ${glibc:-none}"
  free=$(($(df -P -B1000000 "$home" | awk 'NR == 2 {print $4}') / 1000))
  ((free >= DISK_GB)) || fail "$home has $free GB free and the packages need $DISK_GB GB; free some, or set HUMANOID_RL_HOME"
}

install_libraries() {
  local entry missing=()
  for entry in "${LIBRARIES[@]}"; do
    "$python" -c 'import ctypes, sys; ctypes.CDLL(sys.argv[1])' "${entry%%:*}" >/dev/null 2>&1 || missing+=("${entry#*:}")
  done
  # Vulkan's software renderer is found by its description, not by a library's name.
  compgen -G "/usr/share/vulkan/icd.d/*.json" >/dev/null || compgen -G "/etc/vulkan/icd.d/*.json" >/dev/null ||
    missing+=(mesa-vulkan-drivers)
  ((${#missing[@]} == 0)) || install_debian "${missing[@]}" ||
    say "going on without them: physics or the panel will not start; ./hrl doctor names what is missing"
  : >"$libraries_checked"
}

install() (
  local base
  mkdir -p "$home/venv" || fail "cannot write to $home; set HUMANOID_RL_HOME to a folder that you can write to"
  exec 9>"$venv.lock"
  flock -n 9 || { say "another installation is running; waiting for it"; flock 9; }
  [[ -e $venv/.complete && -x $python ]] && return
  trap 'say "interrupted; the same command goes on from what is already downloaded"; exit 130' INT TERM
  say "first use: making a virtual environment in $venv"
  rm -rf "$venv"
  check_machine
  base=$(find_python) || { bring_python; base=$(find_python) || fail "the Python that uv brought does not run"; }
  make_venv "$base" "$venv"
  install_libraries
  say "installing $(grep -c '^[a-z0-9]' "$repo/requirements.lock") packages: about $DOWNLOAD_GB GB to download, $DISK_GB GB on disk;" \
    "a few minutes on a fast line, and only once"
  install_uv "$venv" && uv_install "$repo/requirements.lock" ||
    fail "the packages could not be installed: see the lines above; the same command tries again"
  touch "$venv/.complete" || fail "cannot write to $venv"
  say "ready"
)

ensure_installed() {
  { [[ -e $venv/.complete && -x $python ]] || install; } && { [[ -e $libraries_checked ]] || install_libraries; }
}

# Installs the extra packages of the group $1 (test, bench) once.
ensure_group() {
  local lock=$repo/requirements-$1.lock marker
  marker=$venv/.$1-$(lock_hash "$lock")
  [[ -e $marker ]] && return
  say "installing the packages of requirements-$1.lock"
  uv_install "$lock" || fail "they could not be installed: see the lines above"
  touch "$marker"
}

# With arguments: pytest alone. Without: the linter, the formatter, the type checker and pytest, all of them.
run_tests() {
  local status=0
  ensure_group test
  cd "$repo"
  (($# == 0)) || exec "$python" -P -m pytest "$@"
  say "ruff check" && "$python" -m ruff check . || status=1
  say "ruff format --check" && "$python" -m ruff format --check . || status=1
  say "mypy humanoid_rl_ext" && "$python" -m mypy humanoid_rl_ext || status=1
  say "pytest" && "$python" -P -m pytest || status=1
  exit $status
}

# Runs the doctor in whatever Python there is when the installation failed.
run_doctor() {
  ensure_installed || { (($? != 130)) || exit 130; python=$(find_python || command -v python3) || exit 1; }
  PYTHONSAFEPATH=1 exec "$python" -m humanoid_rl_ext.doctor "$@"
}

if [[ ! -e $venv/.complete && ${1:---help} =~ ^(-h|--help|help)$ ]]; then
  say "nothing is installed yet. The first command, such as ./hrl doctor or ./hrl train cartpole_balance, downloads about"
  say "$DOWNLOAD_GB GB into $venv. After that ./hrl --help lists the commands."
  exit 0
fi
unset PYTHONHOME
export PYTHONPATH=$repo
case ${1:-} in
  doctor) shift && run_doctor "$@" ;;
  test) shift && ensure_installed && run_tests "$@" ;;
  python) shift && ensure_installed && ensure_group bench && exec "$python" "$@" ;;
  *) ensure_installed && exec "$python" -P -m humanoid_rl_ext "$@" ;;
esac

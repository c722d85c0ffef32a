"""The launcher ./hrl, with stand-ins for what it would download."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import time
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parent.parent
TOOLS = (
    "awk bash cp cut df dirname flock getconf grep head mkdir readlink realpath rm sed sha256sum sort touch uname env"
)


def lock_hash() -> str:
    return hashlib.sha256((REPOSITORY / "requirements.lock").read_bytes()).hexdigest()[:12]


def executable(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)
    return path


@pytest.fixture
def bare_path(tmp_path):
    """A folder for PATH that holds the basic tools and neither Python, uv nor apt-get."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for tool in TOOLS.split():
        found = shutil.which(tool)
        assert found, f"{tool} is not on PATH"
        (folder / tool).symlink_to(found)
    return folder


@pytest.fixture
def launch(tmp_path, bare_path):
    """Runs ./hrl in a folder of its own with only the basic tools on PATH; its home has a space in its name."""
    home = tmp_path / "a home"

    def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        variables = {"PATH": str(bare_path), "HOME": str(tmp_path), "HUMANOID_RL_HOME": str(home), **environment}
        command = [str(REPOSITORY / "hrl"), *arguments]
        return subprocess.run(command, env=variables, cwd=tmp_path, capture_output=True, text=True, timeout=60)

    run.home, run.venv = home, home / "venv" / lock_hash()
    return run


@pytest.fixture
def installed(launch):
    """The same with a finished environment, whose Python prints how it was started."""
    executable(launch.venv / "bin" / "python", '#!/bin/sh\nprintf "%s|" "$PYTHONPATH" "$@"\n')
    for marker in (".complete", ".libraries-2"):
        (launch.venv / marker).touch()
    return launch


def test_a_command_is_forwarded_word_by_word(installed):
    result = installed("train", "cartpole_balance", "a b=c d")
    assert result.stdout == f"{REPOSITORY}|-P|-m|humanoid_rl_ext|train|cartpole_balance|a b=c d|"
    assert (result.returncode, result.stderr) == (0, "")


def test_test_arguments_go_to_pytest_alone(installed):
    marker = hashlib.sha256((REPOSITORY / "requirements-test.lock").read_bytes()).hexdigest()[:12]
    (installed.venv / f".test-{marker}").touch()
    assert installed("test", "-k", "a or b").stdout == f"{REPOSITORY}|-P|-m|pytest|-k|a or b|"


def test_the_doctor_does_not_need_the_command_line(installed):
    assert installed("doctor", "--json").stdout == f"{REPOSITORY}|-m|humanoid_rl_ext.doctor|--json|"


def test_the_launcher_adds_little_to_the_start(installed):
    durations = []
    for _ in range(5):
        began = time.perf_counter()
        installed("tasks")
        durations.append(time.perf_counter() - began)
    assert min(durations) < 0.2


def test_a_link_to_the_launcher_works(installed, tmp_path):
    link = tmp_path / "link"
    link.symlink_to(REPOSITORY / "hrl")
    environment = {"PATH": str(tmp_path / "bin"), "HOME": str(tmp_path), "HUMANOID_RL_HOME": str(installed.home)}
    result = subprocess.run([str(link), "tasks"], env=environment, capture_output=True, text=True, timeout=60)
    assert result.stdout == f"{REPOSITORY}|-P|-m|humanoid_rl_ext|tasks|"


def test_without_any_python_one_line_says_what_to_install(launch, bare_path):
    executable(bare_path / "python3.12", "#!/bin/sh\necho 'pyenv: python3.12: command not found' >&2\nexit 127\n")
    result = launch("tasks")
    assert result.returncode == 1
    assert result.stdout == ""
    assert result.stderr.splitlines()[-1].startswith("hrl: Python 3.12 is needed: install it")
    assert not (launch.venv / ".complete").exists()


def test_without_a_virtual_environment_module_the_package_is_named(launch, bare_path):
    python = '#!/bin/sh\ncase "$*" in *ensurepip*) exit 1;; *print*) echo python3.12-venv;; esac\n'
    executable(bare_path / "python3.12", python.replace("*print*) echo", '*executable*) echo "$0";; *print*) echo'))
    result = launch("tasks")
    assert result.returncode == 1
    assert result.stderr.splitlines()[-1].endswith("sudo apt-get update && sudo apt-get install -y python3.12-venv")


def test_a_home_that_cannot_be_made_is_one_line(launch, tmp_path):
    (tmp_path / "file").touch()
    result = launch("tasks", HUMANOID_RL_HOME=str(tmp_path / "file" / "home"))
    assert result.returncode == 1
    assert "set HUMANOID_RL_HOME to a folder" in result.stderr.splitlines()[-1]


def test_help_before_the_installation_downloads_nothing(launch):
    result = launch("--help")
    assert result.returncode == 0
    assert "nothing is installed yet" in result.stderr
    assert not launch.home.exists()


def test_a_failed_installation_starts_over(launch, bare_path):
    stand_in = """#!/bin/sh
    case "$*" in
      *executable*) echo "$0" ;;
      "-m venv "*) mkdir -p "$3/bin" && cp "$0" "$3/bin/python" ;;
      *"pip "*) [ -e "$HUMANOID_RL_HOME/online" ] || exit 1; cp "$0" "$(dirname "$0")/uv" || true ;;
      *humanoid_rl_ext*) echo started ;;
    esac
    """
    executable(bare_path / "python3.12", stand_in)
    executable(launch.venv / "left over", "")
    failed = launch("tasks")
    assert failed.returncode == 1
    assert failed.stderr.splitlines()[-1].endswith("the same command tries again")
    assert not (launch.venv / "left over").exists()

    (launch.home / "online").touch()
    finished = launch("tasks")
    assert finished.stderr.splitlines()[-1] == "hrl: ready"
    assert (finished.returncode, finished.stdout) == (0, "started\n")
    assert launch("tasks").stderr == ""

"""The command line. Nothing heavy is imported before the arguments are known to be good."""

from __future__ import annotations

import contextlib
import os
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path

from humanoid_rl_ext.cli.output import Output
from humanoid_rl_ext.cli.parser import parse
from humanoid_rl_ext.errors import HumanoidRLError

INTERRUPTED = 130


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command; the exit status: 0 done, 1 failed while running, 2 bad input, 130 interrupted."""
    _open_what_is_closed()
    arguments = parse(sys.argv[1:] if argv is None else argv)
    # torch's idle threads spin by default, which takes the cores that physics needs; this is read when torch is loaded.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    with Output(arguments.json) as out:
        try:
            return arguments.command(arguments, out)
        except HumanoidRLError as error:
            if arguments.debug:
                traceback.print_exc()
            return _fail(" ".join(str(error).split()), error.exit_status)
        except KeyboardInterrupt:
            return _fail(_what_is_left(out.run_folder), INTERRUPTED)
        except BrokenPipeError:
            return 1
        except Exception as error:
            return _fail(_keep_traceback(error, out, arguments.debug), 1)


def _open_what_is_closed() -> None:
    """Points standard streams that the caller closed to nowhere; else the next file opened would take their output."""
    for descriptor, name in ((1, "stdout"), (2, "stderr")):
        if getattr(sys, name) is None:
            nowhere = os.open(os.devnull, os.O_WRONLY)
            if nowhere != descriptor:
                os.dup2(nowhere, descriptor)
                os.close(nowhere)
            setattr(sys, name, os.fdopen(descriptor, "w", closefd=False))


def _what_is_left(run: Path | None) -> str:
    if run is None:
        return "interrupted before there was anything to save"
    return f"given up without saving; what was saved before is in {run}"


def _fail(message: str, status: int) -> int:
    with contextlib.suppress(BrokenPipeError):
        print(f"hrl: {message}", file=sys.stderr, flush=True)
    return status


def _keep_traceback(error: Exception, out: Output, debug: bool) -> str:
    """One line about an error nobody foresaw; its traceback goes where a report can quote it from."""
    what = f"{type(error).__name__}: {' '.join(str(error).split())}"
    if debug:
        traceback.print_exc()
        return what
    if out.run_folder is not None and out.run_folder.is_dir():
        log = out.run_folder / "error.log"
        with contextlib.suppress(OSError):  # the disk may be full, and that be the very error
            log.write_text("".join(traceback.format_exception(error)), encoding="utf-8")
            return f"{what} (the traceback is in {log})"
    return f"{what} (--debug shows the traceback)"

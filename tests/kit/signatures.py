"""What Kit's modules offer, read from public source, for the stand-ins to be held against.

``python tests/kit/signatures.py ISAACSIM PHYSX`` (Git directories of isaac-sim/IsaacSim and NVIDIA-Omniverse/PhysX)
parses the sources named in ``references.py`` and writes ``signatures.json``: for every name that a stand-in offers, its
kind, its parameters' names and kinds, which of them have defaults, and where that was read. What public source does not
define comes from ``references.py`` and is marked so, with the calls that Isaac Sim's own code makes as evidence.
"""

from __future__ import annotations

import ast
import enum
import inspect
import io
import json
import subprocess
import sys
import tarfile
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

FILE = Path(__file__).with_name("signatures.json")
COMMITS = {
    "isaac-sim/IsaacSim": "045ca8b59622b99a408092124377c66346e8d9c2",
    "NVIDIA-Omniverse/PhysX": "a3d8a641de4c3014fd56704af0f50b8be7e9778b",
}
Record = dict[str, Any]


def recorded() -> dict[str, dict[str, Record]]:
    """The recorded modules: name of each thing they offer (``Class.method`` for members) to its record."""
    return json.loads(FILE.read_text(encoding="utf-8"))


def offered(module: ModuleType) -> Iterator[tuple[str, Any]]:
    """Every public name that a stand-in module defines, members of its classes included, with what stands there."""
    for name, value in vars(module).items():
        if name.startswith("_") or inspect.ismodule(value) or name == "annotations":
            continue
        if not name.isupper() and getattr(value, "__module__", None) != module.__name__:
            continue
        yield name, value
        if inspect.isclass(value) and not issubclass(value, enum.Enum):
            yield from (
                (f"{name}.{member}", kind) for member, kind in vars(value).items() if not member.startswith("_")
            )


def describe(value: Any) -> Record:
    """The record of something a stand-in offers: ``kind``, and ``parameters`` or ``members``."""
    if inspect.isclass(value) and issubclass(value, enum.Enum):
        return {"kind": "enum", "members": sorted(value.__members__)}
    if inspect.isclass(value):
        constructor = vars(value).get("__init__")
        return {"kind": "class", "parameters": constructor and _parameters(inspect.signature(constructor))[1:]}
    if isinstance(value, property) or inspect.isdatadescriptor(value):
        return {"kind": "property"}
    if isinstance(value, classmethod):
        return {"kind": "classmethod", "parameters": _parameters(inspect.signature(value.__func__))[1:]}
    if callable(value):
        parameters = _parameters(inspect.signature(value))
        method = bool(parameters) and parameters[0][0] == "self"
        return {"kind": "method" if method else "function", "parameters": parameters[method:]}
    return {"kind": "constant"}


def difference(value: Any, record: Record) -> str:
    """How something a stand-in offers differs from its record; empty when it does not."""
    found = describe(value)
    if found["kind"] != record["kind"]:
        return f"is a {found['kind']}, recorded as a {record['kind']}"
    if found["kind"] == "enum":
        unknown = set(found["members"]) - set(record["members"])
        return f"has members that are not recorded: {sorted(unknown)}" if unknown else ""
    wanted, takes = record.get("parameters"), found.get("parameters")
    if None in (wanted, takes) or takes == wanted:  # None: no parameters, or a class that nobody constructs by hand
        return ""
    return f"takes {takes}, recorded {wanted}"


def parse(signature: str) -> list[list[Any]]:
    """The parameters of a signature's text, '(a, *, b=0)', as ``describe`` gives them."""
    return _of_arguments(ast.parse(f"def f{signature}: 0").body[0].args)  # type: ignore[attr-defined]


def binds(parameters: list[list[Any]], positional: int, keywords: list[str]) -> bool:
    """Whether a call with so many positional arguments and these keywords is possible."""
    signature = inspect.Signature(
        [
            inspect.Parameter(name, inspect._ParameterKind[kind], default=0 if has_default else inspect.Parameter.empty)
            for name, kind, has_default in sorted(parameters, key=lambda each: inspect._ParameterKind[each[1]])
        ]
    )
    try:
        signature.bind(*[0] * positional, **dict.fromkeys(keywords, 0))
    except TypeError:
        return False
    return True


def _parameters(signature: inspect.Signature) -> list[list[Any]]:
    return [
        [each.name, each.kind.name, each.default is not inspect.Parameter.empty]
        for each in signature.parameters.values()
    ]


def _of_arguments(arguments: ast.arguments) -> list[list[Any]]:
    before, both = arguments.posonlyargs, arguments.args
    bare = len(before) + len(both) - len(arguments.defaults)
    found = [[each.arg, "POSITIONAL_ONLY", index >= bare] for index, each in enumerate(before)]
    found += [[each.arg, "POSITIONAL_OR_KEYWORD", len(before) + index >= bare] for index, each in enumerate(both)]
    if arguments.vararg:
        found.append([arguments.vararg.arg, "VAR_POSITIONAL", False])
    found += [
        [each.arg, "KEYWORD_ONLY", default is not None]
        for each, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
    ]
    if arguments.kwarg:
        found.append([arguments.kwarg.arg, "VAR_KEYWORD", False])
    return found


def read_definitions(source: str) -> dict[str, Record]:
    """Records of all functions and classes of a Python file, members as ``Class.member``."""
    records: dict[str, Record] = {}
    for node in ast.parse(source).body:
        if isinstance(node, ast.FunctionDef):
            records[node.name] = {"kind": "function", "parameters": _of_arguments(node.args)}
        elif isinstance(node, ast.ClassDef):
            records |= _read_class(node)
    return records


def _read_class(node: ast.ClassDef) -> dict[str, Record]:
    if any("Enum" in ast.unparse(base) for base in node.bases):
        members = [target.id for line in node.body if isinstance(line, ast.Assign) for target in line.targets]  # type: ignore[attr-defined]
        return {node.name: {"kind": "enum", "members": sorted(members)}}
    records: dict[str, Record] = {node.name: {"kind": "class", "parameters": None}}
    for method in node.body:
        if not isinstance(method, ast.FunctionDef):
            continue
        marks = {ast.unparse(mark) for mark in method.decorator_list}
        parameters = _of_arguments(method.args)[1:]
        if method.name == "__init__":
            records[node.name]["parameters"] = parameters
        elif "property" in marks:
            records[f"{node.name}.{method.name}"] = {"kind": "property"}
        elif not any(mark.endswith(".setter") for mark in marks):
            kind = "classmethod" if "classmethod" in marks else "method"
            records[f"{node.name}.{method.name}"] = {"kind": kind, "parameters": parameters}
    return records


class CallSites:
    """How Isaac Sim's own Python code calls and names things."""

    def __init__(self, directory: str) -> None:
        """Reads every Python file below ``source`` at the recorded commit."""
        self._calls: dict[str, list[tuple[str, str, int, tuple[str, ...]]]] = defaultdict(list)
        self._names: dict[str, list[tuple[str, str]]] = defaultdict(list)
        self._texts: dict[str, str] = {}
        archive = _git(directory, "archive", COMMITS["isaac-sim/IsaacSim"], "source")
        with tarfile.open(fileobj=io.BytesIO(archive)) as files:
            for member in files:
                if member.name.endswith(".py"):
                    self._read(member.name, files.extractfile(member).read().decode("utf-8", "replace"))  # type: ignore[union-attr]

    def _read(self, path: str, text: str) -> None:
        try:
            tree = ast.parse(text)
        except SyntaxError:  # templates with placeholders
            return
        self._texts[path] = text
        for node in ast.walk(tree):
            if isinstance(node, ast.Call):
                name = getattr(node.func, "attr", getattr(node.func, "id", None))
                spread = any(isinstance(each, ast.Starred) for each in node.args)
                if name and not spread and all(each.arg for each in node.keywords):
                    keywords = tuple(sorted(each.arg for each in node.keywords if each.arg))
                    self._calls[name].append((path, ast.unparse(node.func), len(node.args), keywords))
            elif isinstance(node, ast.Attribute):
                owner = getattr(node.value, "attr", getattr(node.value, "id", ""))
                self._names[node.attr].append((owner, path))

    def calls(self, name: str, module: str, parameters: list[list[Any]]) -> list[Record]:
        """The forms in which a function is called in files that speak of a module, most frequent first.

        Forms that the parameters do not allow are calls of something else by the same name, or unknown here.
        """
        forms: Counter[tuple[int, tuple[str, ...]]] = Counter()
        first: dict[tuple[int, tuple[str, ...]], str] = {}
        for path, _, positional, keywords in self._calls[name]:
            if module in self._texts[path] and binds(parameters, positional, list(keywords)):
                forms[positional, keywords] += 1
                first.setdefault((positional, keywords), path)
        return [
            {"positional": form[0], "keywords": list(form[1]), "times": times, "in": first[form]}
            for form, times in forms.most_common()
        ]

    def place(self, name: str, module: str, owner: str | None = None) -> str | None:
        """A file that speaks of a module and says ``owner.name`` (any owner for None), or None."""
        found = (path for before, path in self._names[name] if owner in (None, before) and module in self._texts[path])
        return next(found, None)


def _git(directory: str, *arguments: str) -> bytes:
    return subprocess.run(["git", "-C", directory, *arguments], check=True, capture_output=True).stdout


def main(isaac_sim: str, physx: str) -> None:
    """Writes ``signatures.json``; every name that a stand-in offers must be found."""
    from references import CALLED_IN, EXTRA, KNOWN, SOURCES
    from standin import installed
    from standin.kit import NAMES

    directories = dict(zip(COMMITS, (isaac_sim, physx), strict=True))
    sites = CallSites(isaac_sim)
    modules: dict[str, dict[str, Record]] = {}
    with installed() as kit:
        for module in NAMES:
            definitions: dict[str, Record] = {}
            for repository, path in SOURCES.get(module, ()):
                commit = COMMITS[repository]
                text = _git(directories[repository], "show", f"{commit}:{path}").decode()
                for name, record in read_definitions(text).items():
                    definitions.setdefault(name, record | {"source": f"{repository}@{commit}:{path}"})
            modules[module] = {}
            for name, _ in offered(kit[module]):
                if name in definitions:
                    record = definitions[name]
                    for keyword in EXTRA.get(f"{module}.{name}", ()):
                        record["parameters"].append([keyword, "KEYWORD_ONLY", True])
                        record["seen"] = sites.calls(name, module, record["parameters"])
                else:
                    record = _reference(module, name, KNOWN, CALLED_IN, sites)
                modules[module][name] = record
    FILE.write_text(_dump(modules), encoding="utf-8")


def _reference(module: str, name: str, known: Any, called_in: Any, sites: CallSites) -> Record:
    signature, how = known[module][name]
    last, owner = name.rpartition(".")[2], module.rpartition(".")[2]
    record: Record = {"source": f"reference: {how}"}
    spoken = called_in.get(module, module)
    if isinstance(signature, list):
        places = {member: sites.place(member, spoken, name) for member in signature}
        return record | {"kind": "enum", "members": sorted(signature), "seen": places}
    if signature in ("property", "constant"):
        place = sites.place(last, spoken, owner if signature == "constant" else None)
        return record | {"kind": signature, "seen": {last: place}}
    kind = "class" if last[0].isupper() else "method" if "." in name else "function"
    if signature is None:
        return record | {"kind": kind, "parameters": None}
    parameters = parse(signature)
    return record | {"kind": kind, "parameters": parameters, "seen": sites.calls(last, spoken, parameters)}


def _dump(modules: dict[str, dict[str, Record]]) -> str:
    """JSON with one record a line."""
    blocks = []
    for module, records in modules.items():
        lines = [f"    {json.dumps(name)}: {json.dumps(record)}" for name, record in sorted(records.items())]
        blocks.append(f"  {json.dumps(module)}: {{\n" + ",\n".join(lines) + "\n  }")
    return "{\n" + ",\n".join(blocks) + "\n}\n"


if __name__ == "__main__":
    sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).resolve().parents[2])]
    main(*sys.argv[1:])

#!/usr/bin/env python3
"""Whether the modules depend on each other as LAYERS has it.

A module may use what stands on a lower line, and nothing on its own. What it includes, its CMakeLists.txt names: in
DEPS where a public header shows it, else in DEPS or PRIVATE_DEPS. bin/ and tests/ may use all. Prints a line for each
thing that is not so, and ends with 1.
"""
import re
import sys
from pathlib import Path

# Low to high. mirror and source stand on one line: neither end knows the other.
LAYERS = [
    ["base"],
    ["model"],
    ["wire", "planner", "index", "fs"],
    ["session", "net", "scanner", "content"],
    ["store"],
    ["transfer", "monitor"],
    ["mirror", "source"],
    ["serve"],
]
LAYER = {module: height for height, line in enumerate(LAYERS) for module in line}

# A library's headers that only one module may include.
OWNED = [(re.compile(r"<zmq[._a-z]*>"), Path("modules/net"))]

INCLUDE = re.compile(r'^\s*#\s*include\s+(?:"ssync/([a-z_]+)/[^"]*"|(<[^>]+>))', re.MULTILINE)
KEYWORD = re.compile(r"^[A-Z_]+$")


def sources(folder):
    return sorted(p for p in folder.rglob("*") if p.suffix in (".h", ".cc"))


def declared(folder):
    """What ssync_module() of the folder names: {"DEPS": modules, "PRIVATE_DEPS": modules}."""
    text = re.sub(r"#.*", "", (folder / "CMakeLists.txt").read_text())
    call = re.search(r"ssync_module\(([^)]*)\)", text)
    if not call:
        return None
    found = {"DEPS": set(), "PRIVATE_DEPS": set()}
    keyword = ""
    for word in call.group(1).split():
        if KEYWORD.match(word):
            keyword = word
        elif keyword in found and word.startswith("ssync::"):
            found[keyword].add(word.removeprefix("ssync::"))
    return found


def included(folder):
    """Modules that the folder's files include, with one file for each: of public headers, and of all files."""
    shown, used = {}, {}
    for path in sources(folder):
        for module, _ in INCLUDE.findall(path.read_text()):
            if module and module != folder.name:
                used.setdefault(module, path)
                if "include" in path.relative_to(folder).parts:
                    shown.setdefault(module, path)
    return shown, used


def check_module(folder):
    deps = declared(folder)
    if deps is None:
        yield f"{folder}/CMakeLists.txt: no ssync_module()"
        return
    shown, used = included(folder)
    named = deps["DEPS"] | deps["PRIVATE_DEPS"]
    for module in sorted(named | used.keys()):
        where = used.get(module, folder / "CMakeLists.txt")
        if module not in LAYER:
            yield f"{where}: {module} is in no layer"
        elif LAYER[module] >= LAYER[folder.name]:
            yield f"{where}: {folder.name} may not use {module}, which does not stand below it"
    for module in sorted(used.keys() - named):
        yield f"{used[module]}: includes {module}, which DEPS and PRIVATE_DEPS do not name"
    for module in sorted((shown.keys() & named) - deps["DEPS"]):
        yield f"{shown[module]}: a public header includes {module}, so it belongs in DEPS"


def check_owned(folders):
    for folder in folders:
        for path in sources(folder):
            for _, header in INCLUDE.findall(path.read_text()):
                for pattern, owner in OWNED:
                    if header and pattern.fullmatch(header) and not path.is_relative_to(owner):
                        yield f"{path}: only {owner} may include {header}"


def main():
    found = []
    modules = sorted(p for p in Path("modules").iterdir() if p.is_dir())
    for folder in modules:
        if folder.name in LAYER:
            found += check_module(folder)
        else:
            found.append(f"{folder}: is in no layer (tools/lint.d/dependencies.py)")
    found += check_owned([Path(name) for name in ("modules", "bin", "tests", "tools")])
    print("\n".join(found), end="\n" if found else "")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())

"""The wheel and the editable install: every module under its installed name, the data files, and no top-level `kernels`.

Both are built from a copy of the working tree, without network and without build isolation, by the setuptools of this environment.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import shutil
import subprocess
import sys
import sysconfig
import tomllib
import venv
import zipfile
from email.parser import HeaderParser
from pathlib import Path

import pytest

import structgen

ROOT = Path(__file__).resolve().parent.parent
FOLDERS = {"structgen": "structgen", "kernels": "structgen/kernels", "grammars": "structgen/grammars"} | {
    "jsonschemabench": "structgen/jsonschemabench"
}
BESIDE = ("pyproject.toml", "README.md", "LICENSE")
PROBE = """
import importlib.util, structgen, structgen.kernels, structgen.grammars, structgen.jsonschemabench
for name in ("kernels", "grammars", "jsonschemabench"):
    spec = importlib.util.find_spec(name)
    print(name, None if spec is None else spec.origin)
print(structgen.__file__)
"""


def setuptools_version() -> tuple[int, ...]:
    if importlib.util.find_spec("setuptools") is None or importlib.util.find_spec("pip") is None:
        return (0,)
    return tuple(int(part) for part in importlib.metadata.version("setuptools").split(".")[:1])


pytestmark = pytest.mark.skipif(
    setuptools_version() < (77,), reason="needs pip and setuptools >= 77 (extra `test`) to build without network"
)


def expected_files() -> set[str]:
    """Every file that the wheel must hold, beside its metadata."""
    files = set()
    for folder, installed in FOLDERS.items():
        for path in (ROOT / folder).rglob("*"):
            relative = path.relative_to(ROOT / folder)
            if folder == "structgen" and relative.parts[0] in FOLDERS:
                continue  # a symlink: counted under its own folder
            if not path.is_file() or "__pycache__" in relative.parts:
                continue
            data = (
                relative.parts[:2] in (("tiny", "model"), ("tiny", "phrases"))
                or path.suffix == ".lark"
                or path.name.endswith(".jsonl.gz")
                or path.name in ("py.typed", "MODEL_CARD.md")
            )
            if path.suffix == ".py" or data:
                files.add(f"{installed}/{relative.as_posix()}")
    return files


def pip(*args: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pip", *args], capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of what a build reads, symlinks kept, caches left out."""
    target = tmp_path_factory.mktemp("copy")
    for folder in FOLDERS:
        shutil.copytree(
            ROOT / folder,
            target / folder,
            symlinks=True,
            ignore=shutil.ignore_patterns("__pycache__", "*.nbi", "*.nbc"),
        )
    for name in BESIDE:
        shutil.copy(ROOT / name, target / name)
    return target


@pytest.fixture(scope="module")
def wheel(copy: Path, tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    out = tmp_path_factory.mktemp("wheel")
    pip("wheel", "--quiet", "--no-deps", "--no-build-isolation", "--no-index", "--wheel-dir", str(out), str(copy))
    (path,) = out.glob("*.whl")
    return zipfile.ZipFile(path)


def test_wheel_holds_every_module_and_data_file(wheel: zipfile.ZipFile) -> None:
    packed = {name for name in wheel.namelist() if ".dist-info/" not in name}
    assert packed == expected_files()


def test_source_distribution_makes_the_same_wheel(copy: Path, wheel: zipfile.ZipFile, tmp_path: Path) -> None:
    build = "import sys, setuptools.build_meta as backend; print(backend.build_sdist(sys.argv[1]))"
    done = subprocess.run(
        [sys.executable, "-c", build, str(tmp_path)], capture_output=True, text=True, check=False, cwd=copy
    )
    assert done.returncode == 0, done.stderr
    (archive,) = tmp_path.glob("*.tar.gz")
    pip(
        "wheel",
        "--quiet",
        "--no-deps",
        "--no-build-isolation",
        "--no-index",
        "--wheel-dir",
        str(tmp_path),
        str(archive),
    )
    (path,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(path) as rebuilt:
        assert sorted(rebuilt.namelist()) == sorted(wheel.namelist())


def test_wheel_has_one_top_level_name(wheel: zipfile.ZipFile) -> None:
    assert {name.partition("/")[0] for name in wheel.namelist() if ".dist-info/" not in name} == {"structgen"}


def test_wheel_metadata_agrees_with_the_project(wheel: zipfile.ZipFile) -> None:
    (name,) = [name for name in wheel.namelist() if name.endswith(".dist-info/METADATA")]
    metadata = HeaderParser().parsestr(wheel.read(name).decode("utf-8"))
    assert metadata["Version"] == structgen.__version__
    assert metadata["License-Expression"] == "Apache-2.0"
    required = [line for line in metadata.get_all("Requires-Dist") or [] if "extra ==" not in line]
    assert not [line for line in required if line.startswith("triton")], "triton must stay optional"
    (license_name,) = [name for name in wheel.namelist() if name.endswith("/LICENSE")]
    text = wheel.read(license_name).decode("utf-8")
    assert "Apache License" in text
    assert "APPENDIX: How to apply the Apache License to your work." in text
    (entry_points,) = [name for name in wheel.namelist() if name.endswith("entry_points.txt")]
    assert "structgen = structgen.cli:main" in wheel.read(entry_points).decode("utf-8")


def test_constraints_pin_every_direct_dependency_within_its_range() -> None:
    from packaging.requirements import Requirement
    from packaging.utils import canonicalize_name

    pins = {}
    for line in (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            name, _, version = line.partition("==")
            pins[canonicalize_name(name)] = version
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    for line in [
        *project["dependencies"],
        *(line for extra in project["optional-dependencies"].values() for line in extra),
    ]:
        requirement = Requirement(line)
        pinned = pins.get(canonicalize_name(requirement.name))
        assert pinned is not None, f"{requirement.name} has no pin"
        assert requirement.specifier.contains(pinned), f"{requirement} does not admit the pin {pinned}"


def probe(python: Path | str, search: str | None, where: Path) -> list[str]:
    """The lines of PROBE, run in a neutral folder."""
    environment = {"PATH": "/usr/bin:/bin"} | ({"PYTHONPATH": search} if search else {})
    done = subprocess.run(
        [str(python), "-c", PROBE], capture_output=True, text=True, check=False, cwd=where, env=environment
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_wheel_imports_without_top_level_names(wheel: zipfile.ZipFile, tmp_path: Path) -> None:
    unpacked = tmp_path / "site"
    wheel.extractall(unpacked)
    neutral = tmp_path / "neutral"
    neutral.mkdir()
    *tops, home = probe(sys.executable, str(unpacked), neutral)
    assert Path(home).is_relative_to(unpacked)
    assert not [line for line in tops if str(unpacked) in line]


def test_editable_install_imports_without_top_level_names(copy: Path, tmp_path: Path) -> None:
    environment = tmp_path / "venv"
    venv.create(environment, with_pip=False, symlinks=True)
    python = environment / "bin" / "python"
    # This environment's packages without its own (perhaps editable) structgen: a path in a .pth file has its .pth files ignored.
    site = Path(sysconfig.get_path("purelib", vars={"base": str(environment), "platbase": str(environment)}))
    (site / "outer.pth").write_text(sysconfig.get_path("purelib") + "\n")
    pip(
        "--python",
        str(python),
        "install",
        "--quiet",
        "--no-deps",
        "--no-build-isolation",
        "--no-index",
        "-e",
        str(copy),
    )
    neutral = tmp_path / "neutral"
    neutral.mkdir()
    *tops, home = probe(python, None, neutral)
    assert Path(home).is_relative_to(copy)
    assert not [line for line in tops if str(copy) in line]
    assert (environment / "bin" / "structgen").is_file()

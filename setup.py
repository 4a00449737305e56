"""Packaging of the pages and of the server's modules. pyproject.toml says everything else.

`make dist` builds the pages in client_web/editor/dist. The wheel holds them in the package `server`
as built_pages, and the sdist holds them at the same place as the repository. Neither can be made
without the pages. An editable installation serves those in the source tree.

The wheel installs one top-level package, `manyhands`. The packages `crdt` and `server` move to its
folder `program`, where manyhands/__main__.py finds them. Other packages and programs have modules
of these names, too. An editable installation leaves them where they are in the repository.
"""

import shutil
from pathlib import Path

from setuptools import Command, setup
from setuptools.command.build import build
from setuptools.command.egg_info import egg_info
from setuptools.command.sdist import sdist
from setuptools.errors import FileError

PAGES = Path("client_web/editor/dist")
PROGRAM = Path("manyhands/program")
MOVED = ("crdt", "server")
MISSING = f"There are no built pages in {PAGES}: run `make dist`, which builds the pages and then the packages."


def _files() -> list[Path]:
    return sorted(path for path in PAGES.rglob("*") if path.is_file())


def _need_pages() -> None:
    if not (PAGES / "index.html").is_file():
        raise FileError(MISSING)


class Build(build):
    """A build of one package, in a directory that is emptied first: leftovers would be packed."""

    sub_commands = [*build.sub_commands, ("build_pages", None)]  # noqa: RUF012  # as setuptools declares them

    def run(self) -> None:
        shutil.rmtree(self.build_lib, ignore_errors=True)
        super().run()
        built = Path(self.build_lib)
        if not (built / "server").is_dir():
            return  # an editable installation builds nothing
        (built / PROGRAM).mkdir()
        for name in MOVED:
            (built / name).rename(built / PROGRAM / name)


class BuildPages(Command):
    """Copies the pages into the package, with the methods of setuptools' `SubCommand`."""

    description = "copy the built pages into the package"
    user_options = []  # noqa: RUF012  # there are none
    editable_mode = False

    def initialize_options(self) -> None:
        self.build_lib: str | None = None

    def finalize_options(self) -> None:
        """Use the directory into which the modules are built."""
        self.set_undefined_options("build_py", ("build_lib", "build_lib"))

    def run(self) -> None:
        """Copy every file. Raises FileError if there are no pages."""
        if self.editable_mode:
            return
        _need_pages()
        for target, source in self.get_output_mapping().items():
            self.mkpath(str(Path(target).parent))
            self.copy_file(source, target)

    def get_source_files(self) -> list[str]:
        """Return the files that the sdist needs for this command."""
        return [str(path) for path in _files()]

    def get_outputs(self) -> list[str]:
        """Return the files that this command writes, for the list of installed files."""
        return list(self.get_output_mapping())

    def get_output_mapping(self) -> dict[str, str]:
        """Return each copy's path with the path of its original."""
        if self.editable_mode:
            return {}
        assert self.build_lib is not None
        into = Path(self.build_lib) / "server" / "built_pages"
        return {str(into / path.relative_to(PAGES)): str(path) for path in _files()}


class EggInfo(egg_info):
    """The metadata, which name the one package that the wheel installs."""

    def run(self) -> None:
        """Write the metadata; setuptools would name the moved packages as well."""
        super().run()
        Path(self.egg_info, "top_level.txt").write_text("manyhands\n")


class Sdist(sdist):
    """An sdist with the pages in it, so that building from it needs no Node.js."""

    def run(self) -> None:
        """Write the sdist. Raises FileError if there are no pages."""
        _need_pages()
        super().run()


setup(cmdclass={"build": Build, "build_pages": BuildPages, "egg_info": EggInfo, "sdist": Sdist})

"""Compile kernels and worlds beside what pyproject.toml says; without a compiler, go on without."""

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

SOURCE = "evo_ntm/machine/kernels/source"
COMPILED = ["-std=c++17", "-O3", "-ffp-contract=off"]


class build_compiled(build_ext):  # noqa: N801 - the name that setuptools shows
    """Build with OpenMP where the compiler knows it, else with plain threads."""

    def build_extension(self, extension: Extension) -> None:
        """Build what an extension is made of."""
        plain = list(extension.extra_compile_args), list(extension.extra_link_args)
        try:
            extension.extra_compile_args += ["-fopenmp"]
            extension.extra_link_args += ["-fopenmp"]
            build_ext.build_extension(self, extension)
        except Exception:
            extension.extra_compile_args, extension.extra_link_args = plain
            build_ext.build_extension(self, extension)


setup(
    cmdclass={"build_ext": build_compiled},
    ext_modules=[
        Extension(
            "evo_ntm.machine.kernels._cpu",
            sources=[f"{SOURCE}/{name}.cpp" for name in ("entry", "avx512", "avx2", "portable")],
            depends=[f"{SOURCE}/{name}.hpp" for name in
                     ("kernel", "space", "vectors", "arrive", "machine", "tape", "episode",
                      "recording", "backward", "sums", "gradient")],
            extra_compile_args=[*COMPILED, "-Wno-psabi", "-Wno-maybe-uninitialized"],
            extra_link_args=["-pthread"],
            optional=True,
        ),
        Extension(
            "evo_ntm.tasks._worlds",
            sources=["evo_ntm/tasks/source/t_maze.cpp"],
            extra_compile_args=[*COMPILED],
            optional=True,
        ),
    ],
)  # fmt: skip

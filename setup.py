"""Compile the fused kernel beside what pyproject.toml says; without a compiler, go on without."""

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

SOURCE = "evo_ntm/machine/kernels/source"


class build_kernel(build_ext):  # noqa: N801 - the name that setuptools shows
    """Build with OpenMP where the compiler knows it, else with plain threads."""

    def build_extension(self, extension: Extension) -> None:
        """Build the kernel."""
        plain = list(extension.extra_compile_args), list(extension.extra_link_args)
        try:
            extension.extra_compile_args += ["-fopenmp"]
            extension.extra_link_args += ["-fopenmp"]
            build_ext.build_extension(self, extension)
        except Exception:
            extension.extra_compile_args, extension.extra_link_args = plain
            build_ext.build_extension(self, extension)


setup(
    cmdclass={"build_ext": build_kernel},
    ext_modules=[
        Extension(
            "evo_ntm.machine.kernels._cpu",
            sources=[f"{SOURCE}/{name}.cpp" for name in ("entry", "avx512", "avx2", "portable")],
            depends=[f"{SOURCE}/{name}.hpp" for name in
                     ("kernel", "space", "vectors", "arrive", "machine", "tape", "episode",
                      "recording", "backward", "sums", "gradient")],
            extra_compile_args=["-std=c++17", "-O3", "-ffp-contract=off", "-Wno-psabi",
                                "-Wno-maybe-uninitialized"],
            extra_link_args=["-pthread"],
            optional=True,
        )
    ],
)  # fmt: skip

"""The repository root is the package `kinograph`, so its sub-packages are named here."""

from setuptools import find_packages, setup

inside = find_packages(include=["nodes*", "kernels*", "host*", "benchmarks*", "formats*"])
setup(
    packages=["kinograph", *(f"kinograph.{name}" for name in inside)],
    package_data={
        "kinograph": [
            "web/**/*",
            "workflows/*",
            "subgraphs/*",
            "weights/**/*",
            "locales/**/*",
            "host/models/*.json",
        ]
    },
    include_package_data=True,
)

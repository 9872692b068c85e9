"""Generates the Python code of the protos whenever the distribution is built or installed."""

import shutil
from pathlib import Path

import grpc_tools
from grpc_tools import protoc
from setuptools import find_namespace_packages, setup

HERE = Path(__file__).resolve().parent
OUT = HERE / "python"


def generate() -> None:
    """Writes *_pb2.py, *_pb2.pyi, *_pb2_grpc.py and the descriptor set for the gateway below python/."""
    OUT.mkdir(exist_ok=True)
    sources = sorted(str(path.relative_to(HERE)) for path in HERE.glob("crm/**/*.proto"))
    failed = protoc.main(
        [
            "protoc",
            f"-I{HERE}",
            f"-I{Path(grpc_tools.__file__).parent / '_proto'}",  # google/protobuf
            f"--python_out={OUT}",
            f"--pyi_out={OUT}",
            f"--grpc_python_out={OUT}",
            "--include_imports",
            "--include_source_info",
            f"--descriptor_set_out={OUT}/crm/descriptors.binpb",
            *(str(HERE / source) for source in sources),
            # ErrorInfo and LocalizedMessage must be known where error details become JSON.
            str(HERE / "google/rpc/error_details.proto"),
        ]
    )
    if failed:
        raise SystemExit("protoc failed; its messages stand above")
    for listed in ("calls.yaml", "errors.yaml"):
        shutil.copy(HERE / listed, OUT / "crm" / listed)
    for stray in OUT.glob("google/**/*.py*"):
        stray.unlink()  # googleapis-common-protos has these


(OUT / "crm").mkdir(parents=True, exist_ok=True)
generate()
setup(
    packages=find_namespace_packages("python"),
    package_dir={"": "python"},
    package_data={"crm": ["descriptors.binpb", "calls.yaml", "errors.yaml"], "": ["*.pyi"]},
)

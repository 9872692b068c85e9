"""All of Envoy's files, from the protos, the settings and the public keys."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from gateway.edge import jwt, secrets, unknown_fields
from gateway.edge.bootstrap import bootstrap
from gateway.edge.catalogue import PublicMethod, descriptors, public_methods
from gateway.edge.clusters import clusters
from gateway.edge.description.contracts import Contracts
from gateway.edge.description.publishing import documents
from gateway.edge.files import discovery, write_bytes, write_json
from gateway.edge.listeners import listener
from gateway.edge.routes import route_configuration
from gateway.edge.settings import EdgeSettings
from gateway.edge.transcoding import Transcoder


def render(settings: EdgeSettings, keys: Sequence[Mapping[str, str]]) -> Path:
    """Writes the files into settings.dir and returns the path of the one that Envoy is started with.

    A running Envoy takes what changed without losing a call. `keys` are the public JSON web keys of the
    access tokens. Raises ValueError when a service with public methods has no address or there is no key.
    """
    files = descriptors()
    methods = public_methods(files)
    _demand_addresses(methods, settings)
    directory = settings.dir.absolute()
    settings = settings.model_copy(update={"dir": directory})
    directory.mkdir(parents=True, exist_ok=True)

    # Whatever a file refers to is there before it.
    transcoder = Transcoder(files, methods, directory)
    write_bytes(transcoder.file, transcoder.content)
    for name, secret in secrets.all_secrets(settings).items():
        write_json(secrets.file_of(name, directory), discovery([secret]))
    jwt.write_keys(keys, directory)
    write_json(directory / "clusters.json", discovery(clusters(settings)))
    published = documents(files, methods, settings)
    current = {transcoder.file, *(file for document in published for file in document.write(directory))}
    routes = route_configuration(methods, published, settings)
    write_json(directory / "routes.json", discovery([routes]))
    to_grpc = [unknown_fields.http_filter(Contracts(files), methods), transcoder.http_filter()]
    outside = listener(settings, to_grpc, directory / "routes.json")
    write_json(directory / "listeners.json", discovery([outside]))
    start = directory / "bootstrap.json"
    write_json(start, bootstrap(settings, directory / "clusters.json", directory / "listeners.json"))
    _remove_earlier(directory, current)
    return start


def _demand_addresses(methods: Sequence[PublicMethod], settings: EdgeSettings) -> None:
    missing = {method.owner for method in methods} - set(settings.upstreams)
    if missing:
        raise ValueError(f"CRM_EDGE_UPSTREAMS names no address of {', '.join(sorted(missing))}")


def _remove_earlier(directory: Path, current: Collection[Path]) -> None:
    """Descriptors and documents of earlier releases; whoever read them holds them in memory."""
    for file in (*directory.glob("descriptors-*.binpb"), *directory.glob("published/*")):
        if file not in current:
            file.unlink()

"""Opens what Freshet publishes, as readers do."""
import json
import os

import fsspec
import icechunk
import zarr


def access_to(prefix):
    if prefix.startswith("s3:"):
        return icechunk.s3_from_env_credentials()
    return icechunk.credentials.HttpAccess if prefix.startswith("http") else icechunk.credentials.LocalFileSystemAccess


def open_store(path, version):
    """One version of a store on this disk; of `references`, kerchunk references: a JSON document (with zstd too) or a folder of Parquet."""
    if version == "references":
        packed = {"target_options": {"compression": "zstd"}} if path.endswith(".zst") else {}
        file_system = fsspec.filesystem("reference", fo=path, remote_protocol="file", asynchronous=True, **packed)
        return zarr.storage.FsspecStore(file_system)
    storage = icechunk.local_filesystem_storage(path)
    containers = icechunk.Repository.fetch_config(storage).virtual_chunk_containers
    authorize = icechunk.containers_credentials({prefix: access_to(prefix) for prefix in containers})
    repository = icechunk.Repository.open(storage, authorize_virtual_chunk_access=authorize)
    return repository.readonly_session(snapshot_id=version).store


def answer(value):
    """Prints JSON and ends. Icechunk's threads sometimes end an interpreter that shuts down with a segmentation fault."""
    print(json.dumps(value), flush=True)
    os._exit(0)

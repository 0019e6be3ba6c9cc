import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { PYTHON } from "../../support/python.ts";

/** Runs lines of Python with icechunk and zarr imported, and answers what they print, read as JSON. */
export async function inPython<T>(lines: string, ...parameters: readonly string[]): Promise<T> {
  const { stdout } = await promisify(execFile)(PYTHON as string, ["-c", PRELUDE + lines, ...parameters], { maxBuffer: 1 << 26 });
  return JSON.parse(stdout) as T;
}

/** `open_repo(path)` may read virtual chunks from wherever the repository says. */
const PRELUDE = `
import sys, json, datetime, logging
import icechunk, zarr, numpy as np
logging.disable(logging.CRITICAL)
def open_repo(path):
    storage = icechunk.local_filesystem_storage(path)
    containers = icechunk.Repository.open(storage).config.virtual_chunk_containers or {}
    access = {prefix: icechunk.credentials.LocalFileSystemAccess for prefix in containers}
    return icechunk.Repository.open(storage, authorize_virtual_chunk_access=icechunk.containers_credentials(access))
def contents(repo, version):
    group = zarr.open_group(repo.readonly_session(snapshot_id=version).store, mode="r")
    return {path: node[...].tolist() for path, node in group.members(max_depth=None) if isinstance(node, zarr.Array)}
`;

import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { PYTHON } from "../../support/python.ts";

/** Runs lines of Python with icechunk and zarr imported, and answers what they print, read as JSON. */
export async function inPython<T>(lines: string, ...parameters: readonly string[]): Promise<T> {
  const { stdout } = await promisify(execFile)(PYTHON as string, ["-c", PRELUDE + lines + END, ...parameters], {
    maxBuffer: 1 << 26,
  });
  return JSON.parse(stdout) as T;
}

/** Icechunk's threads sometimes end an interpreter that shuts down with a segmentation fault. */
const END = "\nsys.stdout.flush()\nos._exit(0)\n";

/** `open_repo(path)` may read virtual chunks from wherever the repository says. */
const PRELUDE = `
import sys, os, json, datetime, logging
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

"""Opens the newest version of a store, and now and then an older one, over and over until a file appears, and holds all that is in it
against what its writer announced before it published it. Prints one JSON object.

    reader.py STORE EXPECTATIONS STOP
"""
import json
import os
import random
import sys

import icechunk
import numpy as np
import xarray as xr
import zarr

store_path, expectations_path, stop_path = sys.argv[1:]
expected = {}


def expectation(sequence):
    """The lines are only ever appended to, and the one of a version is there before the version is."""
    if sequence not in expected:
        with open(expectations_path) as lines:
            for line in lines:
                if line.endswith("\n"):
                    one = json.loads(line)
                    expected[one["sequence"]] = one
    return expected.get(sequence)


def open_repository():
    storage = icechunk.local_filesystem_storage(store_path)
    containers = icechunk.Repository.fetch_config(storage).virtual_chunk_containers or {}
    access = icechunk.containers_credentials({prefix: icechunk.credentials.LocalFileSystemAccess for prefix in containers})
    return icechunk.Repository.open(storage, authorize_virtual_chunk_access=access)


def disagreement(store, with_xarray):
    group = zarr.open_group(store, mode="r")
    if "_freshet" not in group:
        return None, "empty"
    sequence = group["_freshet"].attrs["freshet"]["sequence"]
    wanted = expectation(sequence)
    if wanted is None:
        return sequence, "a version that nobody announced"
    if with_xarray:
        dataset = xr.open_zarr(store, consolidated=False, decode_cf=False)
        time, sst = dataset["time"].values, dataset["sst"].values
    else:
        time, sst = group["time"][:], group["sst"][:]
    if time.tolist() != wanted["times"]:
        return sequence, f"times {time.tolist()}"
    if sst.shape != (len(time), 2, 3):
        return sequence, f"shape {sst.shape}"
    full = np.broadcast_to(np.array(wanted["values"], dtype="i2")[:, None, None], sst.shape)
    if not (sst == full).all():
        return sequence, f"values {sst[:, 0, 0].tolist()}, expected {wanted['values']}"
    return sequence, None


rounds, wrong, seen = 0, [], set()
while not os.path.exists(stop_path):
    rounds += 1
    try:
        repository = open_repository()
        session = repository.readonly_session("main")
        if rounds % 4 == 0:
            older = [snapshot.id for snapshot in repository.ancestry(branch="main")][:-1]
            if older:
                session = repository.readonly_session(snapshot_id=random.choice(older))
        sequence, problem = disagreement(session.store, rounds % 3 == 0)
        if problem not in (None, "empty"):
            wrong.append(f"#{sequence}: {problem}")
        elif problem is None:
            seen.add(sequence)
    except Exception as error:
        wrong.append(repr(error)[:500])
print(json.dumps(dict(rounds=rounds, versions=len(seen), wrong=wrong[:5])))
sys.stdout.flush()
# Icechunk's threads sometimes end an interpreter that shuts down with a segmentation fault.
os._exit(0)

"""What Python needs for references that Freshet wrote, and kerchunk for writing the same ones: forms.py JSON PARQUET FOLDER RECORDS.
Prints one JSON object: seconds by what was done. A package that is not there is said instead."""
import json
import sys
import time
import warnings

warnings.simplefilter("ignore")
document, partitions, folder, records = sys.argv[1:]
seconds = {}


def timed(name, work):
    started = time.perf_counter()
    try:
        result = work()
        seconds[name] = round(time.perf_counter() - started, 3)
        return result
    except ImportError as error:
        seconds[name] = f"not measured: {error}"


def read(fo):
    import fsspec
    from zarr.storage import FsspecStore
    import zarr

    files = fsspec.filesystem("reference", fo=fo, remote_protocol="file", asynchronous=True, skip_instance_cache=True)
    group = zarr.open_group(FsspecStore(files), mode="r", zarr_format=2)
    return [group[f"v{n}"][-1].shape for n in range(10)]


def kerchunk_parquet(refs):
    import os

    import fastparquet
    from kerchunk.df import refs_to_dataframe

    os.makedirs(folder)
    refs_to_dataframe(refs, folder, record_size=int(records))


timed("imports", lambda: (__import__("fsspec"), __import__("zarr"), __import__("pandas")))
timed("fsspec + zarr: open JSON, one row of each array", lambda: read(document))
timed("fsspec + zarr: open Parquet, one row of each array", lambda: read(partitions))
refs = timed("json.load", lambda: json.load(open(document)))
timed("kerchunk: json.dump", lambda: json.dump(refs, open(folder + ".json", "w")))
timed("kerchunk: Parquet (refs_to_dataframe)", lambda: kerchunk_parquet(refs))
print(json.dumps(seconds))

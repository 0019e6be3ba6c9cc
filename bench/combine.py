"""python combine.py FOLDER_OF_PEERS PEER FOLDER COUNT

Scans so many granules of a folder with kerchunk or VirtualiZarr, says "ready", and combines them once for each line that it reads, as peers.py
does: a JSON line with the seconds, how many references there are, and the process's peak memory.
"""

import json
import pathlib
import resource
import sys
import time
import warnings

warnings.filterwarnings("ignore")
sys.path.insert(0, sys.argv[1])
import peers  # noqa: E402

peer, folder, count = sys.argv[2], pathlib.Path(sys.argv[3]), int(sys.argv[4])
files = sorted(folder.glob("*.nc"))[:count]

if peer == "kerchunk":
    from kerchunk.combine import MultiZarrToZarr

    scans = [peers.kerchunk_scan(path) for path in files]

    def combine():
        found = MultiZarrToZarr(scans, concat_dims=["time"], identical_dims=["y", "x"], remote_protocol="file").translate()
        return sum(1 for value in found["refs"].values() if isinstance(value, (list, tuple)))

else:
    import xarray
    from obspec_utils.registry import ObjectStoreRegistry
    from obstore.store import LocalStore
    from virtualizarr.parsers import HDFParser

    registry, parser = ObjectStoreRegistry({"file://": LocalStore()}), HDFParser()
    scans = [peers.virtualizarr_scan(path, registry, parser).to_virtual_dataset(loadable_variables=["time"]) for path in files]

    def combine():
        found = xarray.concat(scans, dim="time", coords="minimal", compat="override", data_vars="minimal", join="override")
        return sum(v.data.manifest._paths.size for v in found.variables.values() if hasattr(v.data, "manifest"))


def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def now():
    for line in open("/proc/self/status"):
        if line.startswith("VmRSS"):
            return int(line.split()[1]) // 1024


print("ready", flush=True)
for _ in sys.stdin:
    before = now()
    started, used = time.perf_counter(), time.process_time()
    references = combine()
    seconds, cpu = time.perf_counter() - started, time.process_time() - used
    print(json.dumps(dict(seconds=seconds, cpuSeconds=cpu, references=references, beforeMiB=before, peakMiB=peak())), flush=True)

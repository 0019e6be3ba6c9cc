"""python theirs.py FOLDER_OF_PEERS REPEAT PLACE...

Scans each place REPEAT times with kerchunk and VirtualiZarr in this warm process, and prints a line of JSON for each; local files by the
functions of peers.py. With REPEAT 0 each is scanned once, cold, by the peer that PEER names: what a command would do.
"""

import json
import os
import sys
import time
import warnings

warnings.filterwarnings("ignore")
sys.path.insert(0, sys.argv[1])
repeat = int(sys.argv[2])
places = sys.argv[3:]


def kerchunk(place):
    if not place.startswith("http"):
        import peers

        return lambda: peers.kerchunk_scan(place)
    raise RuntimeError("reads HTTP through aiohttp, which the pinned environment does not have")


def virtualizarr(place):
    from obspec_utils.registry import ObjectStoreRegistry
    from virtualizarr.parsers import HDFParser

    parser = HDFParser()
    if place.startswith("http"):
        from obstore.store import HTTPStore

        origin = "/".join(place.split("/")[:3])

        def scan():
            store = HTTPStore.from_url(origin, client_options={"allow_http": True})
            return parser(url=place, registry=ObjectStoreRegistry({origin: store}))

        return scan
    from obstore.store import LocalStore

    registry = ObjectStoreRegistry({"file://": LocalStore()})
    return lambda: parser(url=f"file://{place}", registry=registry)


PEERS = {"kerchunk": kerchunk, "virtualizarr": virtualizarr}

if repeat == 0:
    PEERS[os.environ["PEER"]](places[0])()
else:
    for place in places:
        for who, make in PEERS.items():
            try:
                scan = make(place)
                scan()
                wall, cpu = [], []
                for _ in range(repeat):
                    started, used = time.perf_counter(), time.process_time()
                    scan()
                    wall.append(time.perf_counter() - started)
                    cpu.append(time.process_time() - used)
                print(json.dumps({"place": place, "who": who, "wall": min(wall), "cpu": min(cpu)}), flush=True)
            except Exception as error:  # noqa: BLE001
                print(json.dumps({"place": place, "who": who, "error": f"{type(error).__name__}: {error}"[:200]}), flush=True)

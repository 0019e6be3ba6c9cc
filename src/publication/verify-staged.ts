import { FreshetError } from "../errors/index.ts";
import type { Layout } from "../products/index.ts";
import type { IcechunkStore } from "../writers/icechunk/index.ts";
import type { GranuleScans } from "./granule-scans.ts";

/**
 * Looks at a staged version as a reader would, before anybody else can: every array along the axis is as long as the layout
 * says, and each new granule has a chunk at its place in every array that it wrote one of.
 * @throws FreshetError `corrupt`; then the version is not published. A check that found nothing to look at fails too.
 */
export async function verifyStaged(input: {
  readonly store: IcechunkStore;
  readonly version: string;
  readonly layout: Layout;
  readonly granules: GranuleScans;
}): Promise<void> {
  const { store, version, layout, granules } = input;
  const reader = await store.reader(version);
  const { shape } = granules.template;
  const steps = shape.validMs.length;
  let looked = 0;
  for (const { path, role, axisIndex } of shape.arrays) {
    if (role === "static") continue;
    const bytes = await reader.get(`${path.slice(1)}/zarr.json`);
    const metadata = bytes === null ? undefined : (JSON.parse(Buffer.from(bytes).toString("utf8")) as { shape: number[] });
    const found = metadata?.shape[axisIndex ?? 0];
    if (found !== layout.rows.length * steps) {
      throw refusal(`${found} steps`, `${layout.rows.length * steps}`, path, version);
    }
    looked++;
  }
  for (const [slot, granule] of granules.bySlot) {
    for (const { path, role, array, axisIndex, isNewAxis } of granule.shape.arrays) {
      if (role !== "along") continue;
      const written = firstWritten(array.manifest.grid, (cell) => array.manifest.at(cell).kind !== "missing");
      if (written === undefined) continue;
      const axis = axisIndex ?? 0;
      const cells = isNewAxis ? 1 : (array.manifest.grid[axis] as number);
      const index = isNewAxis ? [slot, ...written] : written.with(axis, (written[axis] as number) + slot * cells);
      const key = [path.slice(1), "c", ...index].join("/");
      if (!(await reader.exists(key))) throw refusal("no chunk", key, path, version);
      looked++;
    }
  }
  if (looked === 0) throw refusal("nothing to look at", "at least one array along the axis", "/", version);
}

function firstWritten(grid: readonly number[], isWritten: (cell: number) => boolean): number[] | undefined {
  const cells = grid.reduce((product, length) => product * length, 1);
  for (let cell = 0; cell < cells; cell++) {
    if (!isWritten(cell)) continue;
    let left = cell;
    return grid.map((_, dimension) => {
      const size = grid.slice(dimension + 1).reduce((product, length) => product * length, 1);
      const at = Math.floor(left / size);
      left -= at * size;
      return at;
    });
  }
  return undefined;
}

function refusal(found: string, expected: string, path: string, version: string): FreshetError {
  return new FreshetError("corrupt", "the new version is not what was planned, so it is not published", {
    found,
    expected,
    path,
    uri: version,
    remedy: "Report this: it must not happen",
  });
}

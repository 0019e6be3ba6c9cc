import type { Attributes, VirtualGroup } from "../virtual/index.ts";

/** The attributes of one group or array. */
export interface AttributesAt {
  /** Absolute; "/" is the root group. */
  readonly path: string;
  readonly isGroup: boolean;
  readonly attributes: Attributes;
}

/** The attributes of every group and array of a granule, each group before what is in it. */
export function* attributesByPath(group: VirtualGroup, path = ""): Generator<AttributesAt> {
  yield { path: path || "/", isGroup: true, attributes: group.attributes };
  for (const [name, { attributes }] of group.arrays) yield { path: `${path}/${name}`, isGroup: false, attributes };
  for (const [name, child] of group.groups) yield* attributesByPath(child, `${path}/${name}`);
}

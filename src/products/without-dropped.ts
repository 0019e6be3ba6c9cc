import type { VirtualGroup } from "../virtual/index.ts";

/**
 * The group without the variables that a dataset drops, by name or by path, and without the groups that it drops by path. A scan may have been made before the dataset file
 * dropped them.
 */
export function withoutDropped(root: VirtualGroup, drop: readonly string[], path = ""): VirtualGroup {
  if (drop.length === 0) return root;
  const isDropped = (name: string): boolean => drop.includes(name) || drop.includes(`${path}/${name}`);
  return {
    ...root,
    arrays: new Map([...root.arrays].filter(([name]) => !isDropped(name))),
    groups: new Map(
      [...root.groups]
        .filter(([name]) => !drop.includes(`${path}/${name}`))
        .map(([name, group]) => [name, withoutDropped(group, drop, `${path}/${name}`)]),
    ),
  };
}

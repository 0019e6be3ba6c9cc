/** False for a path that a Zarr v2 store cannot have: zarr-python takes \ as a separator, resolves . and .., and keeps .z… for its metadata. */
export function canBeKey(path: string): boolean {
  return !path.includes("\\") && path.split("/").every((part) => part !== "." && part !== ".." && !part.startsWith(".z"));
}

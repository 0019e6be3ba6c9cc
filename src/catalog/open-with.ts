import { fileURLToPath } from "node:url";
import type { FormFacts, ProductFacts } from "./facts.ts";

/** Python that opens a version of a product's store. @param group of the store; "" for the root. */
export function icechunkCode({ product, prefixes, version, dataset }: ProductFacts, group: string): string {
  const anonymous = dataset.source.s3?.anonymous === true;
  const access = prefixes.map((prefix) => `${text(prefix)}: icechunk.${accessTo(prefix, anonymous)}`).join(", ");
  return [
    "import icechunk, xarray",
    `storage = icechunk.local_filesystem_storage(${text(fileURLToPath(product.store))})`,
    `access = icechunk.containers_credentials({${access}})`,
    "repository = icechunk.Repository.open(storage, authorize_virtual_chunk_access=access)",
    `store = repository.readonly_session(snapshot_id=${text(version)}).store  # "main": the newest`,
    `data = xarray.open_zarr(store, ${group === "" ? "" : `group=${text(group)}, `}consolidated=False)`,
  ].join("\n");
}

/** Python that opens references. */
export function referencesCode(form: FormFacts): string {
  const place = form.href.startsWith("file:") ? fileURLToPath(form.href) : form.href;
  const { target_options: packed, ...others } = storageOptions(form);
  const options = Object.entries({ ...others, ...(packed === undefined ? {} : { target_options: packed }) })
    .map(([name, value]) => `, ${name}=${JSON.stringify(value)}`)
    .join("");
  return [
    "import fsspec, xarray",
    "from zarr.storage import FsspecStore",
    `references = fsspec.filesystem("reference", fo=${text(place)}, asynchronous=True${options})`,
    "data = xarray.open_zarr(FsspecStore(references), consolidated=False)",
  ].join("\n");
}

/** How fsspec's reference file system reaches the references and the granules. */
export function storageOptions({ href, protocol, isZstd }: FormFacts): Record<string, unknown> {
  return {
    ...(href.startsWith("s3:") ? { target_protocol: "s3" } : {}),
    ...(isZstd ? { target_options: { compression: "zstd" } } : {}),
    remote_protocol: protocol,
  };
}

function accessTo(prefix: string, anonymous: boolean): string {
  if (prefix.startsWith("s3:")) return anonymous ? "s3_anonymous_credentials()" : "s3_from_env_credentials()";
  return prefix.startsWith("file:") ? "credentials.LocalFileSystemAccess" : "credentials.HttpAccess";
}

/** A string in Python. */
function text(value: string): string {
  return JSON.stringify(value);
}

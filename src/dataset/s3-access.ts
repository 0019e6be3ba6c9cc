import type { S3Access } from "./dataset.ts";
import type { S3Input } from "./source-schema.ts";

/** How `s3://` is reached, as a checked document declares it. */
export function completeS3({ endpoint, region, anonymous, pathStyle }: S3Input, defaultRegion = "us-east-1"): S3Access {
  return {
    ...(endpoint === undefined ? {} : { endpoint }),
    region: region ?? defaultRegion,
    anonymous: anonymous ?? false,
    pathStyle: pathStyle ?? endpoint !== undefined,
  };
}

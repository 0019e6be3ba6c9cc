import type { S3Input } from "./source-schema.ts";

/** How objects of S3 are reached. Credentials are never part of it: they come from the environment of the process. */
export interface S3Access {
  /** A service that is not AWS: a URL or `${NAME}`. */
  readonly endpoint?: string | undefined;
  readonly region: string;
  /** Requests are not signed. */
  readonly anonymous: boolean;
  /** The bucket stands in the path, not in the host's name. */
  readonly pathStyle: boolean;
}

/** How `s3://` is reached, as a checked document declares it. */
export function completeS3({ endpoint, region, anonymous, pathStyle }: S3Input, defaultRegion = "us-east-1"): S3Access {
  return {
    ...(endpoint === undefined ? {} : { endpoint }),
    region: region ?? defaultRegion,
    anonymous: anonymous ?? false,
    pathStyle: pathStyle ?? endpoint !== undefined,
  };
}

import type { S3Client } from "@aws-sdk/client-s3";
import type { S3KeyGiver } from "./http-credentials.ts";
import { LIMITS, type SourceLimits } from "./source-limits.ts";

/** How objects are reached. It is written into stores: credentials are never part of it. */
export interface S3Connection {
  /** URL of a service that is not AWS. */
  readonly endpoint?: string | undefined;
  readonly region: string;
  /** Requests are not signed. */
  readonly anonymous: boolean;
  /** The bucket stands in the path, not in the host's name. */
  readonly pathStyle: boolean;
}

/** How AWS itself is reached where nothing is said. */
export const AWS: S3Connection = { region: "us-east-1", anonymous: false, pathStyle: false };

/** The commands' classes and a client, which is shared by all that have the same connection and limits. */
export interface S3 {
  readonly sdk: typeof import("@aws-sdk/client-s3");
  readonly client: S3Client;
}

/** More than turns are given at once: they bound the number of connections. */
const CONNECTIONS = 1_000;

const opened = new Map<string, Promise<S3>>();

/**
 * Loads the SDK with the first request: whoever reads no objects should not wait for it.
 * @param giver whose keys requests are signed with. Default: those of the environment, by the SDK's chain.
 */
export function openS3(connection: S3Connection, limits: SourceLimits = {}, giver?: S3KeyGiver): Promise<S3> {
  const { endpoint, region, anonymous, pathStyle } = connection;
  const { connectMs = LIMITS.connectMs, firstByteMs = LIMITS.firstByteMs } = limits;
  const key = JSON.stringify([endpoint, region, anonymous, pathStyle, connectMs, firstByteMs, giver?.id]);
  let s3 = opened.get(key);
  if (s3 === undefined) {
    s3 = import("@aws-sdk/client-s3").then((sdk) => ({
      sdk,
      client: new sdk.S3Client({
        region,
        forcePathStyle: pathStyle,
        ...(endpoint === undefined ? {} : { endpoint }),
        ...(anonymous ? UNSIGNED : {}),
        // The SDK asks again before they expire.
        ...(giver === undefined || anonymous ? {} : { credentials: () => giver.keys() }),
        // Readers try again by themselves: they know how long they may wait.
        maxAttempts: 1,
        requestChecksumCalculation: "WHEN_REQUIRED",
        // The checksum of a whole object says nothing of a range.
        responseChecksumValidation: "WHEN_REQUIRED",
        customUserAgent: "freshet",
        requestHandler: {
          connectionTimeout: connectMs,
          requestTimeout: firstByteMs,
          throwOnRequestTimeout: true,
          httpAgent: { maxSockets: CONNECTIONS },
          httpsAgent: { maxSockets: CONNECTIONS },
        },
      }),
    }));
    opened.set(key, s3);
    s3.catch(() => opened.delete(key));
  }
  return s3;
}

/** Without it the SDK would look for credentials, and fail where there are none. */
const UNSIGNED = {
  credentials: { accessKeyId: "", secretAccessKey: "" },
  signer: { sign: async <Request>(request: Request): Promise<Request> => request },
};

/** The host whose turns the requests to a bucket wait for. */
export function s3Host(bucket: string, { endpoint, region }: S3Connection): string {
  return endpoint === undefined ? `${bucket}.s3.${region}.amazonaws.com` : new URL(endpoint).host;
}

import { type Command, InvalidArgumentError } from "commander";
import { FreshetError } from "../errors/index.ts";
import { AWS, type S3Connection } from "../storage/index.ts";

/** What a command is told of how `s3:` is reached. */
export interface S3Options {
  readonly endpoint?: string;
  readonly region?: string;
  readonly anonymous?: boolean;
}

/** Adds the options to a command. */
export function addS3Options(command: Command): Command {
  return command
    .option("--endpoint <url>", "of S3: a service that is not AWS (FRESHET_S3_ENDPOINT)", service)
    .option("--region <name>", `of S3 (AWS_REGION, default ${AWS.region})`)
    .option("--anonymous", "of S3: requests are not signed, as public buckets allow");
}

/**
 * The connection: options go before the environment. Credentials are those of the environment.
 * @throws FreshetError `usage` where FRESHET_S3_ENDPOINT is no URL.
 */
export function s3ConnectionFor(options: S3Options, environment: NodeJS.ProcessEnv = process.env): S3Connection {
  const endpoint = options.endpoint ?? endpointIn(environment);
  return {
    ...(endpoint === undefined ? {} : { endpoint }),
    region: options.region ?? environment.AWS_REGION ?? AWS.region,
    anonymous: options.anonymous === true,
    pathStyle: endpoint !== undefined,
  };
}

function endpointIn({ FRESHET_S3_ENDPOINT: text = "" }: NodeJS.ProcessEnv): string | undefined {
  if (text === "" || isService(text)) return text === "" ? undefined : text;
  throw new FreshetError("usage", "FRESHET_S3_ENDPOINT is no endpoint", {
    expected: "a URL without credentials: https://s3.example.org",
  });
}

function service(text: string): string {
  if (isService(text)) return text;
  throw new InvalidArgumentError("An endpoint is a URL without credentials: https://s3.example.org.");
}

function isService(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, username, password, search } = new URL(text);
  return /^https?:$/.test(protocol) && `${username}${password}${search}` === "";
}

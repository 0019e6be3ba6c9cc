import { Option } from "commander";

/** `--source`: what tells which granules are meant; see `meantGranules`. */
export function granuleSource(): Option {
  return new Option(
    "--source <names|cmr|listing|file>",
    "`names`: made up from the calendar and the name grammar; `cmr`, `listing`: what the source's CMR or folders tell of; else a file with a uri a line",
  ).default("names");
}

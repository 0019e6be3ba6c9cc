import type { RangeReader } from "../../storage/range-reader.ts";
import type { VariableOutcome, VirtualArray } from "../../virtual/index.ts";
import { CHUNK_BYTES, type FormatOptions, type FormatScan } from "../format-scan.ts";
import { readHeader } from "./header.ts";
import { recordLayout } from "./record-layout.ts";
import { chunkingOf, type FileFacts, refusalOf, virtualVariable } from "./virtual-variable.ts";

/**
 * References of one file in all: 20 bytes each in memory. Record variables of a hostile file may overlap, so that its size
 * alone is no limit.
 */
const REFERENCE_LIMIT = 2 ** 25;

/**
 * Scans a NetCDF classic file: CDF-1, CDF-2 or CDF-5. Only the header is read.
 * @throws FreshetError `unknown-format`, `malformed`, `truncated` or `unsupported` when the header cannot be read, and what
 *   the reader throws. Variables whose values are not in the file are refused one by one, in the outcomes.
 */
export async function scanNetcdf3(reader: RangeReader, options: FormatOptions = {}): Promise<FormatScan> {
  const header = await readHeader(reader, options.signal);
  const records = recordLayout(header, reader.size);
  const file: FileFacts = { uri: reader.uri, size: reader.size, header, records };
  const arrays = new Map<string, VirtualArray>();
  const outcomes: VariableOutcome[] = [];
  let references = 0;
  for (const variable of header.variables) {
    const path = `/${variable.name}`;
    let reason = refusalOf(variable, file);
    const chunking = chunkingOf(variable, file, options.chunkBytes ?? CHUNK_BYTES);
    const needed = chunking.chunks;
    if (reason === undefined && references + needed > REFERENCE_LIMIT)
      reason = `its ${needed} chunks bring the file to more than ${REFERENCE_LIMIT} references`;
    if (reason === undefined) {
      references += needed;
      arrays.set(variable.name, virtualVariable(variable, file, chunking));
      outcomes.push({ path, outcome: "referenced", reason: "" });
    } else {
      outcomes.push({ path, outcome: "refused", reason });
    }
  }
  return { root: { name: "", attributes: header.attributes, arrays, groups: new Map() }, outcomes };
}

import { readHeader } from "../../formats/netcdf3/header.ts";
import { recordLayout } from "../../formats/netcdf3/record-layout.ts";
import type { RangeReader } from "../../storage/index.ts";
import type { Evidence } from "./evidence.ts";

/** What the header of a NetCDF classic file says of a variable. Undefined where it has none of that name. */
export async function explainNetcdf3(reader: RangeReader, path: string, signal?: AbortSignal): Promise<Evidence[] | undefined> {
  const header = await readHeader(reader, signal);
  const variable = header.variables.find(({ name }) => `/${name}` === path);
  if (variable === undefined) return undefined;
  const { count, recordBytes } = recordLayout(header, reader.size);
  const dimensions = variable.dimensions.map(({ name, length, isRecord }) => `${name} ${isRecord ? count : length}`);
  const values = variable.isRecord
    ? `the first of ${count} records of ${variable.bytes} bytes, one every ${recordBytes} bytes`
    : `${variable.bytes} bytes in one piece`;
  const shape = dimensions.length === 0 ? "scalar" : dimensions.join(", ");
  return [
    {
      offset: 0,
      structure: "header",
      says: `CDF-${header.version}, ${header.length} bytes, ${header.variables.length} variables`,
    },
    { offset: 0, structure: "header, the variable's entry", says: `${variable.type}, ${shape}; begin ${variable.begin}` },
    { offset: variable.begin, structure: "values", says: values },
  ];
}

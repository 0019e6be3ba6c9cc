/**
 * The rooms of src/, from the bottom to the top: a room may import only rooms before it. docs/architecture.md says what each is for.
 */
export const ROOMS = [
  "steps",
  "errors",
  "secrets",
  "codecs",
  "virtual",
  "storage",
  "grids",
  "formats",
  "scan",
  "witness",
  "writers",
  "ledger",
  "dataset",
  "brokers",
  "products",
  "catalog",
  "contract",
  "notify",
  "envelopes",
  "acquisition",
  "publication",
  "activities",
  "workflows",
  "starters",
  "serve",
  "worker",
  "cli",
];

const folder = (...rooms) => `^src/(${rooms.join("|")})/`;
const NODE = ["core"];
const PACKAGES = ["npm", "npm-dev", "npm-optional", "npm-peer", "npm-no-pkg", "npm-unknown"];

const directions = ROOMS.slice(0, -1).map((room, level) => ({
  name: `${room}-imports-only-rooms-below`,
  severity: "error",
  from: { path: folder(room) },
  to: { path: folder(...ROOMS.slice(level + 1)) },
}));
/** @type {import("dependency-cruiser").IConfiguration} */
export default {
  forbidden: [
    ...directions,
    {
      name: "every-folder-is-a-room",
      comment: "a new folder takes its place in ROOMS",
      severity: "error",
      from: { path: "^src/", pathNot: folder(...ROOMS) },
      to: {},
    },
    { name: "no-cycles", severity: "error", from: {}, to: { circular: true } },
    { name: "imports-resolve", severity: "error", from: {}, to: { couldNotResolve: true } },
    {
      name: "src-uses-no-development-dependencies",
      severity: "error",
      from: { path: "^src/" },
      to: { dependencyTypes: ["npm-dev", "npm-no-pkg", "npm-unknown"], dependencyTypesNot: ["type-only"] },
    },
    {
      name: "formats-do-not-know-each-other",
      severity: "error",
      from: { path: "^src/formats/(hdf5|netcdf3|grib2)/" },
      to: { path: "^src/formats/(hdf5|netcdf3|grib2)/", pathNot: "^src/formats/$1/" },
    },
    {
      name: "formats-import-nothing-of-node",
      comment: "bytes come through the RangeReader that is handed in",
      severity: "error",
      from: { path: folder("formats") },
      to: { dependencyTypes: NODE },
    },
    {
      name: "contract-is-types-and-constants",
      comment: "of other rooms it takes types only, of errors, dataset and products",
      severity: "error",
      from: { path: folder("contract") },
      to: { path: "^src/", pathNot: folder("contract"), dependencyTypesNot: ["type-only"] },
    },
    {
      name: "contract-knows-few-rooms",
      severity: "error",
      from: { path: folder("contract") },
      to: { path: "^src/", pathNot: folder("contract", "errors", "dataset", "products") },
    },
    {
      name: "contract-imports-no-packages",
      severity: "error",
      from: { path: folder("contract") },
      to: { dependencyTypes: [...NODE, ...PACKAGES], pathNot: "@temporalio/(common|workflow)/" },
    },
    {
      name: "workflows-stay-deterministic",
      comment: "a workflow may use the contract, its own room and @temporalio/workflow; of the activities, types only",
      severity: "error",
      from: { path: folder("workflows") },
      to: { path: "^src/", pathNot: folder("workflows", "contract"), dependencyTypesNot: ["type-only"] },
    },
    {
      name: "workflows-take-types-of-activities-only",
      severity: "error",
      from: { path: folder("workflows") },
      to: { path: "^src/", pathNot: folder("workflows", "contract", "activities") },
    },
    {
      name: "workflows-import-only-temporal",
      comment: "@temporalio/common has the typed search attribute keys, which @temporalio/workflow does not export again",
      severity: "error",
      from: { path: folder("workflows") },
      to: { dependencyTypes: [...NODE, ...PACKAGES], pathNot: "@temporalio/(common|workflow)/" },
    },
  ],
  options: {
    tsPreCompilationDeps: true,
    tsConfig: { fileName: "tsconfig.json" },
    doNotFollow: { path: "node_modules" },
    enhancedResolveOptions: { exportsFields: ["exports"], conditionNames: ["import", "node", "default", "types"] },
  },
};

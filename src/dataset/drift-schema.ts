import { z } from "zod";
import { ATTRIBUTE_RULES, DECODING_ATTRIBUTES } from "./attribute-rule.ts";
import { DRIFT_KINDS, type DriftAction, type DriftKind, MENDED_BY_COPY } from "./drift.ts";
import { mapping } from "./mapping.ts";

const WHAT: Readonly<Record<DriftKind, string>> = {
  chunks: "other chunks, or chunks that the granule's end cuts along the axis.",
  codecs: "other filters, or another order of them.",
  variables: "a variable more, or one that is missing.",
  fill: "another fill value, or another attribute that says it.",
  types: "another data type.",
  units: "other units, another calendar.",
  packing: "another scale_factor, add_offset or _Unsigned.",
  meaning: "another standard_name, cell_methods, positive, or other flags.",
  grid: "other dimensions, shapes, or values of coordinates.",
  steps: "another number of steps.",
  attributes: "an attribute that must be equal, and is not.",
  place: "a time that has no place on the axis, or that its name denies.",
};

/** What can be done about each kind. */
function actionsFor(kind: DriftKind): readonly [DriftAction, ...DriftAction[]] {
  if (kind === "place") return ["quarantine", "refuse"];
  if (MENDED_BY_COPY.includes(kind)) return ["quarantine", "epoch", "native", "refuse"];
  return ["quarantine", "epoch", "refuse"];
}

const ALL = ["quarantine", "epoch", "native", "refuse"] as const;
const ALLOWED = `${ALL.join(", ")}, or a mapping of them by kind: ${DRIFT_KINDS.join(", ")}, default`;

const byKind = mapping({
  default: z
    .enum(ALL, { error: ALL.join(", ") })
    .optional()
    .describe("Kinds that are not named. Default: quarantine."),
  ...Object.fromEntries(
    DRIFT_KINDS.map((kind) => {
      const actions = actionsFor(kind);
      return [
        kind,
        z
          .enum(actions, { error: actions.join(", ") })
          .optional()
          .describe(`A granule with ${WHAT[kind]}`),
      ];
    }),
  ),
} as Record<"default" | DriftKind, z.ZodOptional<z.ZodEnum<Record<DriftAction, DriftAction>>>>);

export const driftSchema = z
  .union([z.enum(ALL, { error: ALLOWED }), byKind], { error: ALLOWED })
  .optional()
  .describe("A granule that does not fit the dataset: what is done, for all kinds of drift or by kind. Default: quarantine.");

const ATTRIBUTE_FORM = "an attribute's name, variable:name, or :name for the groups'";
const RULE_FORM = ATTRIBUTE_RULES.join(", ");

export const attributesSchema = z
  .record(z.string(), z.enum(ATTRIBUTE_RULES, { error: RULE_FORM }), { error: `a mapping from attributes to ${RULE_FORM}` })
  .superRefine((rules, context) => {
    for (const [key, rule] of Object.entries(rules)) {
      const refuse = (message: string): void =>
        context.addIssue({ code: "custom", path: [key], message, params: { found: key } });
      const [, variable, name] = /^(?:([^\s:]*):)?([^\s:]+)$/.exec(key) ?? [];
      if (name === undefined) refuse(ATTRIBUTE_FORM);
      else if (rule !== "must-equal" && DECODING_ATTRIBUTES.includes(name)) refuse("must-equal: it decides how numbers are read");
      else if (rule !== "must-equal" && name === "units" && !variable) refuse("units of one variable: variable:units");
    }
  })
  .optional()
  .describe("What the product says where granules say different things: by attribute. Default: what differs is left out.");

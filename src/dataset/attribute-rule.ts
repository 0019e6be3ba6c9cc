/** What becomes of an attribute that granules have with different values; docs/drift.md. */
export const ATTRIBUTE_RULES = ["drop", "first", "latest", "min", "max", "list", "must-equal"] as const;

export type AttributeRule = (typeof ATTRIBUTE_RULES)[number];

/** Attributes without which numbers are read wrongly: no rule lets granules differ in them. */
export const DECODING_ATTRIBUTES: readonly string[] = [
  "_FillValue",
  "missing_value",
  "scale_factor",
  "add_offset",
  "_Unsigned",
  "calendar",
  "grid_mapping",
];

/** Rules as the dataset file has them: by `name`, `variable:name` (a name or an absolute path), or `:name` for the groups. */
export type AttributeRules = Readonly<Record<string, AttributeRule>>;

/** The rule for an attribute: that of its variable, else that of its name. `path` is the array's, or undefined for a group. */
export function attributeRule(rules: AttributeRules, path: string | undefined, name: string): AttributeRule | undefined {
  const own =
    path === undefined
      ? rules[`:${name}`]
      : (rules[`${path}:${name}`] ?? rules[`${path.slice(path.lastIndexOf("/") + 1)}:${name}`]);
  return own ?? rules[name];
}

/**
 * Read a JSON Schema (as pydantic writes it) into the few kinds of fields that a form can draw.
 *
 * A field carries all that its control needs: label, help, unit, limits. So a new policy, forecaster or speed
 * model appears in the form as soon as the server's schema holds it.
 */

import { isData } from "./values";

/** The part of JSON Schema that specs use; `unit` and `advanced` are ours. */
export interface JsonSchema {
  $ref?: string;
  $defs?: Record<string, JsonSchema>;
  title?: string;
  description?: string;
  type?: string;
  default?: unknown;
  const?: unknown;
  enum?: unknown[];
  anyOf?: JsonSchema[];
  oneOf?: JsonSchema[];
  discriminator?: { propertyName: string };
  properties?: Record<string, JsonSchema>;
  required?: string[];
  items?: JsonSchema;
  minimum?: number;
  exclusiveMinimum?: number;
  maximum?: number;
  exclusiveMaximum?: number;
  minLength?: number;
  maxLength?: number;
  minItems?: number;
  maxItems?: number;
  unit?: string;
  advanced?: boolean;
}

interface Common {
  name: string; // last part of its path
  label: string;
  help: string;
  unit: string;
  isAdvanced: boolean;
  default: unknown;
}

export interface NumberField extends Common {
  kind: "number";
  isInteger: boolean;
  min?: number;
  above?: number;
  max?: number;
  below?: number;
}

export interface TextField extends Common {
  kind: "text";
  minLength: number;
  maxLength: number;
}

export interface ChoiceField extends Common {
  kind: "choice";
  options: unknown[];
}

export interface GroupField extends Common {
  kind: "group";
  fields: Field[];
}

export interface Variant {
  label: string;
  help: string;
  field: Field;
}

/** One of several shapes: by the value of `tag`, or (tag null) by what the value looks like. */
export interface UnionField extends Common {
  kind: "union";
  tag: string | null;
  variants: Variant[];
}

export interface ListField extends Common {
  kind: "list";
  item: Field;
  minItems: number;
  maxItems: number;
}

/** A field that may be absent (null). */
export interface OptionalField extends Common {
  kind: "optional";
  field: Field;
}

export interface BooleanField extends Common {
  kind: "boolean";
}

export type Field =
  NumberField | TextField | ChoiceField | GroupField | UnionField | ListField | OptionalField | BooleanField;

/** Read the schema of a whole object, e.g. a run's spec. */
export function readSchema(root: JsonSchema): GroupField {
  const field = readField(root, "", root);
  if (field.kind !== "group") throw new Error("the schema of a spec must describe an object");
  return field;
}

function readField(schema: JsonSchema, name: string, root: JsonSchema): Field {
  const target = follow(schema, root);
  const merged: JsonSchema = { ...target, ...schema };
  const common: Common = {
    name,
    label: labelOf(name, merged.unit ?? ""),
    help: (schema.description ?? target.description ?? "").replaceAll("`", ""), // written for documentation, too
    unit: merged.unit ?? "",
    isAdvanced: merged.advanced ?? false,
    default: merged.default,
  };
  const choices = target.oneOf ?? target.anyOf;
  if (choices) return readUnion(common, target, choices, root);
  if (target.const !== undefined) return { ...common, kind: "choice", options: [target.const] };
  if (target.enum) return { ...common, kind: "choice", options: target.enum };
  switch (target.type) {
    case "object":
      return {
        ...common,
        kind: "group",
        fields: Object.entries(target.properties ?? {}).map(([key, one]) => readField(one, key, root)),
      };
    case "integer":
    case "number":
      return { ...common, kind: "number", isInteger: target.type === "integer", ...limits(merged) };
    case "boolean":
      return { ...common, kind: "boolean" };
    case "array":
      return {
        ...common,
        kind: "list",
        item: readField(target.items ?? {}, name, root),
        minItems: target.minItems ?? 0,
        maxItems: target.maxItems ?? Infinity,
      };
    default:
      return { ...common, kind: "text", minLength: merged.minLength ?? 0, maxLength: merged.maxLength ?? Infinity };
  }
}

function readUnion(common: Common, target: JsonSchema, choices: JsonSchema[], root: JsonSchema): Field {
  const shapes = choices.filter((one) => follow(one, root).type !== "null");
  const isOptional = shapes.length < choices.length;
  const [only] = shapes;
  if (only && shapes.length === 1) {
    const inner = readField(only, common.name, root);
    const field = { ...inner, help: common.help || inner.help, unit: common.unit || inner.unit };
    return isOptional ? { ...common, help: field.help, kind: "optional", field } : field;
  }
  const tag = target.discriminator?.propertyName ?? null;
  const variants = shapes.map((one) => readVariant(one, tag, common.name, root));
  const union: UnionField = { ...common, kind: "union", tag, variants };
  return isOptional ? { ...common, kind: "optional", field: union } : union;
}

function readVariant(schema: JsonSchema, tag: string | null, name: string, root: JsonSchema): Variant {
  const target = follow(schema, root);
  const field = readField(schema, name, root);
  const tagValue = tag === null ? target.const : target.properties?.[tag]?.const;
  const label = typeof tagValue === "string" ? tagValue : wordsOf(target.title ?? "other");
  return { label, help: field.help, field };
}

function limits({ minimum, exclusiveMinimum, maximum, exclusiveMaximum }: JsonSchema): Partial<NumberField> {
  return {
    ...(minimum !== undefined && { min: minimum }),
    ...(exclusiveMinimum !== undefined && { above: exclusiveMinimum }),
    ...(maximum !== undefined && { max: maximum }),
    ...(exclusiveMaximum !== undefined && { below: exclusiveMaximum }),
  };
}

function follow(schema: JsonSchema, root: JsonSchema): JsonSchema {
  if (!schema.$ref) return schema;
  const target = root.$defs?.[schema.$ref.slice(schema.$ref.lastIndexOf("/") + 1)];
  if (!target) throw new Error(`the schema refers to ${schema.$ref}, which it does not hold`);
  return target;
}

/** "learning_rate" -> "Learning rate"; the unit's suffix and `num_` go, since the unit stands beside the field. */
export function labelOf(name: string, unit = ""): string {
  const short = name.replace(/^num_/, "").replace(unit === "s" ? /_s$/ : /_bytes$/, "");
  const words = short.replaceAll("_", " ").trim();
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** "DirichletPartition" -> "dirichlet": the first word names the variant. */
function wordsOf(title: string): string {
  return (title.match(/[A-Z]?[a-z0-9]+/)?.[0] ?? title).toLowerCase();
}

/** The value of a field before anybody has touched it. */
export function defaultOf(field: Field): unknown {
  if (field.default !== undefined) return structuredClone(field.default);
  switch (field.kind) {
    case "group":
      return Object.fromEntries(field.fields.map((one) => [one.name, defaultOf(one)]));
    case "union":
      return field.variants[0] ? defaultOf(field.variants[0].field) : null;
    case "list":
      return Array.from({ length: field.minItems }, () => defaultOf(field.item));
    case "choice":
      return field.options[0];
    case "boolean":
      return false;
    case "text":
      return "";
    case "number":
      return field.min ?? 0;
    case "optional":
      return null;
  }
}

/** Which variant of a union a value is; -1 = none of them. */
export function variantOf(union: UnionField, value: unknown): number {
  const { tag } = union;
  if (tag !== null) return union.variants.findIndex(({ label }) => isData(value) && value[tag] === label);
  return union.variants.findIndex(({ field }) => looksLike(field, value));
}

function looksLike(field: Field, value: unknown): boolean {
  switch (field.kind) {
    case "group":
      return isData(value);
    case "choice":
      return field.options.includes(value);
    case "number":
      return typeof value === "number";
    case "list":
      return Array.isArray(value);
    case "boolean":
      return typeof value === "boolean";
    default:
      return typeof value === "string";
  }
}

/** The fields of an object that a person can set: all but tags and other constants. */
export function settable(group: GroupField): Field[] {
  return group.fields.filter((field) => field.kind !== "choice" || field.options.length > 1);
}

/** Fill what a value leaves open with the defaults of its field, as the server does. Unknown keys stay. */
export function complete(field: Field, value: unknown): unknown {
  if (field.kind === "optional") return value === null || value === undefined ? value : complete(field.field, value);
  if (field.kind === "union") {
    const variant = field.variants[variantOf(field, value)];
    return variant ? complete(variant.field, value) : value;
  }
  if (field.kind !== "group" || !isData(value)) return value;
  const whole: Record<string, unknown> = { ...value };
  for (const one of field.fields) {
    whole[one.name] = one.name in value ? complete(one, value[one.name]) : defaultOf(one);
  }
  return whole;
}

/** Find the field at a dotted path; undefined inside a union, where it depends on the value. */
export function fieldAt(root: Field, path: string): Field | undefined {
  let here: Field | undefined = root;
  for (const part of path.split(".")) {
    while (here?.kind === "optional") here = here.field;
    here = here?.kind === "group" ? here.fields.find((one) => one.name === part) : undefined;
  }
  return here;
}

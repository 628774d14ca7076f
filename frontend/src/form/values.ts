/** Plain data by dotted path ("speed.factors.2"), never changed in place. */

export type Data = Record<string, unknown>;

export function isData(value: unknown): value is Data {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Give what stands at a path; undefined where there is no such place. */
export function getAt(data: unknown, path: string): unknown {
  if (path === "") return data;
  let here: unknown = data;
  for (const part of path.split(".")) {
    if (Array.isArray(here)) here = here[Number(part)];
    else if (isData(here)) here = here[part];
    else return undefined;
  }
  return here;
}

/** Give the data with another value at a path; objects on the way are made where they are missing. */
export function setAt(data: unknown, path: string, value: unknown): unknown {
  if (path === "") return value;
  const [head = "", ...rest] = path.split(".");
  if (Array.isArray(data)) {
    const index = Number(head);
    return data.map((one: unknown, i) => (i === index ? setAt(one, rest.join("."), value) : one));
  }
  const object = isData(data) ? data : {};
  return { ...object, [head]: setAt(object[head], rest.join("."), value) };
}

/** Lay `over` on `base`, key by key; lists and unions of another kind are replaced whole. */
export function overlay(base: unknown, over: unknown, path = ""): unknown {
  if (over === undefined) return base;
  if (!isData(base) || !isData(over) || (path !== "" && isOtherKind(base, over))) return over;
  const result: Data = { ...base };
  for (const [key, value] of Object.entries(over)) result[key] = overlay(base[key], value, join(path, key));
  return result;
}

/** Put a path together; the root's is "". */
export function join(path: string, name: string): string {
  return path === "" ? name : `${path}.${name}`;
}

const TAGS = ["name", "kind"]; // what tells the variants of a spec's unions apart

function isOtherKind(base: Data, over: Data): boolean {
  return TAGS.some((tag) => typeof base[tag] === "string" && typeof over[tag] === "string" && base[tag] !== over[tag]);
}

export function isSame(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true;
  if (Array.isArray(a) && Array.isArray(b)) return a.length === b.length && a.every((one, i) => isSame(one, b[i]));
  if (!isData(a) || !isData(b)) return false;
  const keys = new Set([...Object.keys(a), ...Object.keys(b)]);
  return [...keys].every((key) => isSame(a[key], b[key]));
}

/** The smallest set of dotted paths whose values turn `before` into `after`; another kind of a union is one path. */
export function changesBetween(before: unknown, after: unknown, path = ""): Record<string, unknown> {
  if (isSame(before, after)) return {};
  if (!isData(before) || !isData(after) || (path !== "" && isOtherKind(before, after))) return { [path]: after };
  const changes: Record<string, unknown> = {};
  for (const key of new Set([...Object.keys(before), ...Object.keys(after)])) {
    Object.assign(changes, changesBetween(before[key], after[key], join(path, key)));
  }
  return changes;
}

/**
 * The text of a filter, as the server reads it, looked at for three ends: to complete what is typed, to see which
 * values a facet has chosen, and to change one. What is wrong with a filter only the server says.
 */

export interface Piece {
  kind: "open" | "close" | "minus" | "word" | "operator" | "comma";
  text: string; // without quotes
  start: number;
  end: number;
}

/** A part of the outermost level that compares one key with values. */
export interface Part {
  key: string;
  operator: string;
  values: string[];
  isNegated: boolean;
  start: number;
  end: number;
}

const OPERATORS = ["!=", "<=", ">=", ":", "=", "<", ">"];
const PLAIN = /^[^\s()",:=<>!-][^\s()",:=<>!]*$/;
const KEYWORDS = new Set(["or", "and", "not", "none"]);

/** Cut a text into its pieces; an unclosed quotation reaches to the end. */
export function cut(text: string): Piece[] {
  const pieces: Piece[] = [];
  let at = 0;
  let isValue = false as boolean; // changed by `take`
  const take = (kind: Piece["kind"], end: number, inner = text.slice(at, end)) => {
    pieces.push({ kind, text: inner, start: at, end });
    at = end;
    isValue = kind === "operator" || kind === "comma";
  };
  while (at < text.length) {
    const first = text[at] ?? "";
    if (/\s/.test(first)) at += 1;
    else if (first === '"') {
      const { end, inner } = readQuoted(text, at);
      take("word", end, inner);
    } else if (first === "(" || first === ")") take(first === "(" ? "open" : "close", at + 1);
    else if (first === "," && (isValue || (at > 0 && !/\s/.test(text[at - 1] ?? "")))) take("comma", at + 1);
    else if (isValue) take("word", endOf(text, at, /[\s()",]/));
    else {
      const operator = OPERATORS.find((one) => text.startsWith(one, at));
      if (operator) take("operator", at + operator.length);
      else if (first === "-" && /[^\s-]/.test(text[at + 1] ?? " ")) take("minus", at + 1);
      else take("word", Math.max(at + 1, endOf(text, at, /[\s()":=<>!]/)));
    }
  }
  return pieces;
}

function endOf(text: string, start: number, stop: RegExp): number {
  let end = start;
  while (end < text.length && !stop.test(text[end] ?? "")) end += 1;
  return end;
}

function readQuoted(text: string, start: number): { end: number; inner: string } {
  let inner = "";
  for (let at = start + 1; at < text.length; at += 1) {
    const character = text[at] ?? "";
    if (character === '"') return { end: at + 1, inner };
    const next = text[at + 1];
    if (character === "\\" && (next === '"' || next === "\\")) {
      inner += next;
      at += 1;
    } else inner += character;
  }
  return { end: text.length, inner };
}

/** Write a value: in quotes where it needs them. */
export function quote(value: string): string {
  const isPlain = PLAIN.test(value) && !KEYWORDS.has(value.toLowerCase());
  return isPlain ? value : `"${value.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`;
}

/** The comparisons of the outermost level, and whether alternatives ("or") stand there. */
export function readParts(text: string): { parts: Part[]; hasOr: boolean } {
  const pieces = cut(text);
  const parts: Part[] = [];
  let depth = 0;
  let hasOr = false;
  for (let i = 0; i < pieces.length; i += 1) {
    const piece = pieces[i];
    if (!piece) break;
    if (piece.kind === "open") depth += 1;
    if (piece.kind === "close") depth -= 1;
    if (depth !== 0 || piece.kind !== "word") continue;
    const operator = pieces[i + 1];
    if (operator?.kind !== "operator") {
      const isWord = text[piece.start] !== '"' && piece.text.toLowerCase() === "or";
      hasOr ||= isWord;
      continue;
    }
    const before = pieces[i - 1];
    const isNegated = before?.kind === "minus" || (before?.kind === "word" && before.text.toLowerCase() === "not");
    const values: Piece[] = [];
    i += 1;
    while (pieces[i + 1]?.kind === "word") {
      values.push(pieces[i + 1] as Piece);
      i += 1;
      if (pieces[i + 1]?.kind !== "comma") break;
      i += 1;
    }
    const end = (values.at(-1) ?? operator).end;
    const written = { key: piece.text.toLowerCase(), operator: operator.text, values: values.map((one) => one.text) };
    parts.push({ ...written, isNegated, start: isNegated ? before.start : piece.start, end });
  }
  return { parts, hasOr };
}

/** A key of the filter, as facets name it. */
export interface KeyNames {
  key: string;
  aliases?: readonly string[]; // other names that the server takes
}

const isChoice = (part: Part, { key, aliases = [] }: KeyNames) =>
  (part.key === key || aliases.includes(part.key)) && !part.isNegated && (part.operator === ":" || part.operator === "=");

/** The values of a key that the outermost level asks for. */
export function chosenValues(text: string, names: KeyNames): string[] {
  return readParts(text)
    .parts.filter((part) => isChoice(part, names))
    .flatMap(({ values }) => values);
}

/** Add a part that has to fit as well. */
export function withTerm(text: string, term: string): string {
  const old = text.trim();
  if (old === "") return term;
  return readParts(old).hasOr ? `(${old}) ${term}` : `${old} ${term}`;
}

/** Add a value to those that a key may have, or take it out. Where a run may have several (tags), each has to fit. */
export function toggleValue(text: string, names: KeyNames, value: string, isEach = false): string {
  const { key } = names;
  const { parts, hasOr } = readParts(text);
  const own = hasOr ? [] : parts.filter((part) => isChoice(part, names));
  const holder = own.find((part) => part.values.includes(value));
  const replace = (part: Part, values: readonly string[]) => {
    const term = values.length > 0 ? `${key}:${values.map((one) => quote(one)).join(",")}` : "";
    return [text.slice(0, part.start).trim(), term, text.slice(part.end).trim()].filter(Boolean).join(" ");
  };
  if (holder) {
    return replace(
      holder,
      holder.values.filter((one) => one !== value),
    );
  }
  const first = own[0];
  if (first && !isEach) return replace(first, [...first.values, value]);
  return withTerm(text, `${key}:${quote(value)}`);
}

/** What stands at the caret and may be completed. */
export interface Spot {
  kind: "key" | "value";
  key: string; // of a value
  typed: string;
  start: number;
  end: number;
}

export function spotAt(text: string, caret: number): Spot {
  const pieces = cut(text);
  const index = pieces.findIndex(({ start, end }) => start < caret && caret <= end);
  const piece = pieces[index];
  const keyOf = (from: number) => {
    for (let i = from; i >= 1; i -= 1) {
      if (pieces[i]?.kind === "operator") return pieces[i - 1]?.text.toLowerCase() ?? "";
      if (pieces[i]?.kind !== "comma" && pieces[i]?.kind !== "word") return "";
    }
    return "";
  };
  if (piece && (piece.kind === "operator" || piece.kind === "comma")) {
    return { kind: "value", key: keyOf(index), typed: "", start: caret, end: caret };
  }
  if (piece?.kind === "word") {
    const before = pieces[index - 1];
    const isValue = before?.kind === "operator" || before?.kind === "comma";
    const quoted = text[piece.start] === '"' ? 1 : 0;
    const typed = text.slice(piece.start + quoted, caret);
    if (isValue) return { kind: "value", key: keyOf(index - 1), typed, start: piece.start, end: piece.end };
    return { kind: "key", key: "", typed: quoted ? `"${typed}` : typed, start: piece.start, end: piece.end };
  }
  return { kind: "key", key: "", typed: "", start: caret, end: caret };
}

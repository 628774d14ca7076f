/**
 * How numbers and times are written: three significant digits, small units, tabular figures.
 *
 * Every function takes null, undefined and NaN and gives `UNKNOWN`, so that a view never prints "NaN". What is
 * rounded here is shown exactly on hover (`exactNumber`, `formatAbsolute`; the components of `ui/Num` do both).
 */

export const UNKNOWN = "–";
const NARROW_SPACE = "\u202f"; // between a number and its unit: never breaks a line

/** A number apart from its unit, so that a view can draw the unit smaller. */
export interface Quantity {
  text: string;
  unit: string;
}

type Maybe = number | null | undefined;

function isKnown(value: Maybe): value is number {
  return typeof value === "number" && !Number.isNaN(value);
}

function group(digits: string): string {
  const [whole = "", fraction] = digits.split(".");
  const grouped = whole.replace(/\B(?=(\d{3})+(?!\d))/g, ",");
  return fraction === undefined ? grouped : `${grouped}.${fraction}`;
}

/** Round to three significant digits, written without an exponent: 0.0123, 1.23, 12.3, 123, 12,300. */
function threeDigits(value: number): string {
  if (value === 0) return "0";
  const size = Math.abs(value);
  if (size >= 1e15 || size < 1e-6) return value.toExponential(2).replace("e", "·10^").replace("+", "");
  const rounded = Number(value.toPrecision(3));
  const magnitude = Math.floor(Math.log10(Math.abs(rounded)));
  return group(rounded.toFixed(Math.max(0, 2 - magnitude)));
}

function join({ text, unit }: Quantity): string {
  return unit ? `${text}${NARROW_SPACE}${unit}` : text;
}

/** A plain number to three significant digits. */
export function formatNumber(value: Maybe): string {
  if (!isKnown(value)) return UNKNOWN;
  if (!Number.isFinite(value)) return value > 0 ? "∞" : "−∞";
  return threeDigits(value).replace("-", "−");
}

/** A count: exact up to 99,999, then 123 k, 1.23 M. */
export function formatCount(value: Maybe): string {
  if (!isKnown(value)) return UNKNOWN;
  if (Math.abs(value) < 1e5) return group(String(Math.round(value))).replace("-", "−");
  if (Math.abs(value) < 999_500) return join({ text: formatNumber(value / 1e3), unit: "k" });
  if (Math.abs(value) < 999.5e6) return join({ text: formatNumber(value / 1e6), unit: "M" });
  return join({ text: formatNumber(value / 1e9), unit: "G" });
}

/** Seconds: 41.2 ms, 1.24 s, 95.1 s, 2 min 05 s, 1 h 05 min, 3 d 4 h. */
export function splitSeconds(value: Maybe): Quantity {
  if (!isKnown(value)) return { text: UNKNOWN, unit: "" };
  const size = Math.abs(value);
  if (size === Infinity) return { text: formatNumber(value), unit: "" };
  const sign = value < 0 ? "−" : "";
  if (size === 0) return { text: "0", unit: "s" };
  if (size < 0.9995e-3) return { text: formatNumber(value * 1e6), unit: "µs" };
  if (size < 0.09995) return { text: formatNumber(value * 1e3), unit: "ms" };
  if (size < 119.5) return { text: formatNumber(value), unit: "s" };
  if (size < 3599.5) return { text: sign + clock(Math.round(size), 60, "min"), unit: "s" };
  if (size < 48 * 3600 - 30) return { text: sign + clock(Math.round(size / 60), 60, "h"), unit: "min" };
  return { text: sign + clock(Math.round(size / 3600), 24, "d"), unit: "h" };
}

function clock(total: number, base: number, unit: string): string {
  const rest = String(total % base).padStart(2, "0");
  return `${Math.floor(total / base)}${NARROW_SPACE}${unit} ${rest}`;
}

export function formatSeconds(value: Maybe): string {
  return join(splitSeconds(value));
}

/** A share of 1 as per cent, at most two decimals: 0.05%, 5.00%, 12.3%, 100%. */
export function formatPercent(share: Maybe): string {
  if (!isKnown(share)) return UNKNOWN;
  const percent = share * 100;
  if (percent !== 0 && Math.abs(percent) < 1) return `${percent.toFixed(2).replace("-", "−")}%`;
  return `${formatNumber(percent)}%`;
}

/** A predicted time: two digits are all that a prediction holds. 8.5 s, 40 s, 2 min, 1 h 10 min. */
export function formatRoughSeconds(value: Maybe): string {
  if (!isKnown(value) || !Number.isFinite(value)) return formatNumber(value);
  const rough = value === 0 ? 0 : Number(value.toPrecision(2));
  if (rough < 99.5) return join({ text: String(rough), unit: "s" });
  const minutes = Math.round(value / 60);
  if (minutes < 60) return join({ text: String(minutes), unit: "min" });
  const hours = join({ text: String(Math.floor(minutes / 60)), unit: "h" });
  return minutes % 60 === 0 || minutes >= 600 ? hours : `${hours} ${join({ text: String(minutes % 60), unit: "min" })}`;
}

const BYTE_UNITS = ["B", "kB", "MB", "GB", "TB", "PB"];

/** Bytes in steps of 1,000: 512 B, 1.23 kB, 21.8 GB. */
export function splitBytes(value: Maybe): Quantity {
  if (!isKnown(value)) return { text: UNKNOWN, unit: "" };
  let scaled = value;
  let step = 0;
  while (Math.abs(scaled) >= 999.5 && step < BYTE_UNITS.length - 1) {
    scaled /= 1000;
    step += 1;
  }
  return { text: step === 0 ? String(Math.round(scaled)) : formatNumber(scaled), unit: BYTE_UNITS[step] ?? "B" };
}

export function formatBytes(value: Maybe): string {
  return join(splitBytes(value));
}

/** How many times the baseline: 0.62×. */
export function formatRatio(value: Maybe): string {
  return isKnown(value) && Number.isFinite(value) ? `${formatNumber(value)}×` : UNKNOWN;
}

/** A change with its sign: +0.42, −1.3. */
export function formatDelta(value: Maybe, format: (value: number) => string = formatNumber): string {
  if (!isKnown(value)) return UNKNOWN;
  const text = format(Math.abs(value));
  return value === 0 ? text : `${value > 0 ? "+" : "−"}${text}`;
}

/** The number itself, grouped, for the hover. */
export function exactNumber(value: Maybe, unit = ""): string {
  if (!isKnown(value)) return "not known";
  const text = Math.abs(value) >= 1e15 ? String(value) : group(String(value));
  return unit ? `${text} ${unit}` : text;
}

/** The share's exact per cent, for the hover, without the noise of binary fractions. */
export function exactPercent(share: Maybe): string {
  return isKnown(share) ? `${group(String(Number((share * 100).toPrecision(12))))}%` : "not known";
}

/** "just now", "42 s ago", "3 min ago", "2 h ago", "5 d ago", "in 3 min". */
export function formatRelative(iso: string | null | undefined, nowMs: number): string {
  const atMs = iso ? Date.parse(iso) : NaN;
  if (Number.isNaN(atMs)) return UNKNOWN;
  const seconds = Math.round((nowMs - atMs) / 1000);
  const size = Math.abs(seconds);
  if (size < 5) return "just now";
  const text =
    size < 60
      ? `${size} s`
      : size < 3600
        ? `${Math.floor(size / 60)} min`
        : size < 48 * 3600
          ? `${Math.floor(size / 3600)} h`
          : `${Math.floor(size / 86400)} d`;
  return seconds < 0 ? `in ${text}` : `${text} ago`;
}

let absolute: Intl.DateTimeFormat | undefined; // made when it is first needed: it takes longer than a whole list

/** The instant in the reader's zone, for the hover. */
export function formatAbsolute(iso: string | null | undefined): string {
  const atMs = iso ? Date.parse(iso) : NaN;
  if (Number.isNaN(atMs)) return "not known";
  // With seconds and the reader's zone.
  absolute ??= new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "long" });
  return absolute.format(atMs);
}

/** "1 run", "3 runs". */
export function plural(count: number, one: string, many = `${one}s`): string {
  return `${formatCount(count)} ${count === 1 ? one : many}`;
}

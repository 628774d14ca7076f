import {
  exactNumber,
  exactPercent,
  formatNumber,
  formatPercent,
  splitBytes,
  splitSeconds,
  UNKNOWN,
  type Quantity,
} from "../format";
import css from "./Num.module.css";

interface Props {
  value: number | null | undefined;
  as?: "number" | "seconds" | "bytes" | "percent" | "count";
  unit?: string; // of a plain number
}

/** A figure: three significant digits, its unit small beside it, the exact value on hover. */
export function Num({ value, as = "number", unit = "" }: Props) {
  if (value === null || value === undefined || Number.isNaN(value)) {
    return (
      <span className={css.num}>
        <span aria-hidden="true">{UNKNOWN}</span>
        <span className="unseen">not known</span>
      </span>
    );
  }
  const { text, unit: small } = split(value, as, unit);
  return (
    <span className={css.num} title={exact(value, as, unit)}>
      {text}
      {small && <span className="unit">{small}</span>}
    </span>
  );
}

function split(value: number, as: NonNullable<Props["as"]>, unit: string): Quantity {
  if (as === "seconds") return splitSeconds(value);
  if (as === "bytes") return splitBytes(value);
  if (as === "percent") return { text: formatPercent(value).replace("%", ""), unit: "%" };
  if (as === "count") return { text: exactNumber(value), unit };
  return { text: formatNumber(value), unit };
}

function exact(value: number, as: NonNullable<Props["as"]>, unit: string): string {
  if (as === "seconds") return exactNumber(value, "s");
  if (as === "bytes") return exactNumber(value, "bytes");
  if (as === "percent") return exactPercent(value);
  return exactNumber(value, unit);
}

import { Scroll } from "./Scroll";
import table from "../ui/Table.module.css";
import css from "./Account.module.css";

interface Props {
  rows: readonly { label: string; value: number; text: string }[];
  unit: string;
  caption: string;
}

/** A histogram: upright bars, the first and last label below; a table behind it. */
export function Bars({ rows, unit, caption }: Props) {
  const largest = Math.max(...rows.map(({ value }) => value), 1);
  return (
    <div>
      <div className={css.histogram} aria-hidden="true">
        {rows.map(({ label, value, text }) => (
          <span key={label} title={`${label} ${unit}: ${text}`}>
            <i style={{ height: `${(value / largest) * 100}%` }} />
          </span>
        ))}
      </div>
      <div className={css.axis} aria-hidden="true">
        <span>{rows[0]?.label}</span>
        <span>{unit}</span>
        <span>{rows.length > 1 ? rows[rows.length - 1]?.label : ""}</span>
      </div>
      <details className={css.behind}>
        <summary>The same as a table</summary>
        <Scroll label={caption}>
          <table className={table.table}>
            <caption className="unseen">{caption}</caption>
            <tbody>
              {rows.map(({ label, text }) => (
                <tr key={label}>
                  <th scope="row">{label}</th>
                  <td className={table.right}>{text}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </Scroll>
      </details>
    </div>
  );
}

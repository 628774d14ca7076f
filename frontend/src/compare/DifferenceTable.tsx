import type { Difference, Run } from "../api/types";
import { useRowsByNow } from "../app/later";
import { describePath, describeValue } from "../form/describe";
import { PolicyText } from "../form/PolicyText";
import { areSimulated, RunHead, RunName } from "./MetricTable";
import type { RunStyle } from "./styles";
import table from "../ui/Table.module.css";
import css from "./tables.module.css";

interface Props {
  runs: readonly Run[];
  differences: readonly Difference[];
  labels: ReadonlyMap<string, string>;
  styles: ReadonlyMap<string, RunStyle>;
}

/** Only the settings in which the runs differ: a row a run, a column a setting. */
export function DifferenceTable({ runs, differences, labels, styles }: Props) {
  const num = useRowsByNow(runs.length);
  if (differences.length === 0) return <p className="quiet">The runs have the same settings.</p>;
  // Where the policies differ, each has settings of its own: they are told in one cell, but for defaults.
  const hasPolicies = differences.some(({ path }) => path === "policy" || path === "policy.name");
  const shown = hasPolicies ? differences.filter(({ path }) => path !== "policy" && !path.startsWith("policy.")) : differences;
  return (
    <div className={`${table.scroll ?? ""} ${css.tall ?? ""}`}>
      <table className={`${table.table ?? ""} ${css.differs ?? ""}`}>
        <caption className="unseen">Settings that differ</caption>
        <thead>
          <tr>
            <th scope="col" className={css.run}>
              <RunHead runs={runs} />
            </th>
            {hasPolicies && <th scope="col">Policy</th>}
            {shown.map(({ path }) => (
              <th key={path} scope="col" title={path}>
                {describePath(path)}
              </th>
            ))}
            <th scope="col" className={table.fill}>
              <span className="unseen">Nothing more</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {runs.slice(0, num).map((run, index) => (
            <tr key={run.id}>
              <th scope="row" className={css.run}>
                <RunName run={run} label={labels.get(run.id) ?? run.name} style={styles.get(run.id)} isMarked={!areSimulated(runs)} />
              </th>
              {hasPolicies && (
                <td>
                  <PolicyText policy={run.spec_in_force.policy} />
                </td>
              )}
              {shown.map(({ path, values }) => (
                <td key={path}>
                  {values[index] === null || values[index] === undefined ? (
                    <span className="quiet">not set</span>
                  ) : (
                    describeValue(values[index])
                  )}
                </td>
              ))}
              <td />
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

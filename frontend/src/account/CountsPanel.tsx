import type { AccountCounts } from "../api/types";
import { formatCount, formatNumber, formatPercent } from "../format";
import { Bars } from "./Bars";
import { Facts } from "./Facts";
import { Panel } from "./Panel";

interface Props {
  title: string;
  basis: string;
  unit: string;
  counts: AccountCounts;
  what: string;
  none: string;
}

/** The distribution of whole numbers. */
export function CountsPanel({ title, basis, unit, counts, what, none }: Props) {
  const { num, mean, median, p95, max, width, first, bars } = counts;
  if (num === 0) {
    return (
      <Panel title={title}>
        <p className="quiet">{none}</p>
      </Panel>
    );
  }
  const rows = bars.map((count, place) => {
    const low = first + place * width;
    const label = width === 1 ? formatCount(low) : `${formatCount(low)} to ${formatCount(low + width - 1)}`;
    return { label, value: count, text: `${formatCount(count)}, ${formatPercent(count / num)}` };
  });
  return (
    <Panel title={title} basis={basis} note={what}>
      <Bars rows={rows} unit={unit} caption={`${title}: how often each number of ${unit} came`} />
      <Facts
        facts={[
          ["mean", formatNumber(mean)],
          ["median", formatCount(median)],
          ["95% at most", formatCount(p95)],
          ["largest", formatCount(max)],
        ]}
      />
    </Panel>
  );
}

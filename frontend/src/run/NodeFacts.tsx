import { Fragment } from "react";
import { Sparkline } from "../charts/Sparkline";
import { formatBytes, formatCount, formatNumber, formatPercent, formatSeconds, UNKNOWN } from "../format";
import { ratio, sharesOf } from "../store/figures";
import { runningForecast, SHARE_HELP, WARM_UP_HELP } from "../store/forecast";
import type { NodeModel, RunModel } from "../store/model";
import type { TimeSeries } from "../store/series";
import { stateSentence } from "../timeline/LaneTable";
import { exactTime } from "../timeline/ticks";
import { Facts } from "./SidePanel";
import { scoreFacts } from "./scoreFacts";
import { useNews, usePageSession } from "./session";
import css from "./SidePanel.module.css";

/** All that is known of a node: what it does now, where its time went, its gauges. */
export function NodeFacts({ node }: { node: NodeModel }) {
  const session = usePageSession();
  useNews(session);
  const { model } = session.store;
  const nowS = session.store.nowS();
  const shares = sharesOf(model, node, 0, nowS, nowS);
  const { wallS } = shares;
  const isWorker = node.worker !== null;
  return (
    <>
      <section className={css.section}>
        <p className={css.reason}>{stateSentence(model, node, nowS)}</p>
        {isWorker && (
          <Facts
            facts={[
              { name: "utilisation", value: formatPercent(ratio(shares.computeS, wallS)) },
              { name: "of it during syncs", value: formatPercent(ratio(shares.overlappedS, wallS)) },
              { name: "waiting", value: `${formatPercent(ratio(shares.waitS, wallS))}, ${formatSeconds(shares.waitS)}` },
              { name: "transfer", value: formatPercent(ratio(shares.transferS, wallS)) },
              { name: "iterations", value: formatCount(node.iteration) },
              { name: "pushed up to", value: `iteration ${formatCount(node.clock)}` },
              { name: "lead, largest", value: `${formatCount(node.lead.last)}, ${formatCount(node.maxLead)}` },
              { name: "staleness, mean", value: `${formatNumber(node.staleness.last)}, ${formatNumber(node.staleness.mean(0, Infinity))}` },
              { name: "holds version", value: formatCount(node.version) },
              ...(node.numDiscarded > 0 ? [{ name: "pushes dropped", value: formatCount(node.numDiscarded) }] : []),
              ...(node.numSlow > 0 ? [{ name: "slower than asked for", value: `${formatCount(node.numSlow)} iterations` }] : []),
            ]}
          />
        )}
      </section>
      {node.forecasts.length > 0 && <IterationForecasts model={model} node={node} nowS={nowS} />}
      <section className={css.section}>
        <dl className={css.gauges}>
          <Gauge name="CPU" series={node.cpu} write={formatPercent} />
          <Gauge name="memory" series={node.memory} write={formatBytes} />
          {isWorker && <Gauge name="lead" series={node.lead} write={formatCount} />}
        </dl>
        <Facts
          facts={[
            { name: "sent", value: formatBytes(node.sentBytes) },
            { name: "received", value: formatBytes(node.receivedBytes) },
            { name: "process", value: node.pid === null ? UNKNOWN : `${node.pid}` },
            ...(node.incarnation > 0 ? [{ name: "life", value: `no. ${node.incarnation + 1}` }] : []),
            ...(node.goneS === null ? [] : [{ name: "ended at", value: exactTime(node.goneS) }]),
          ]}
        />
      </section>
    </>
  );
}

/** When the running iteration is predicted to end, and how the earlier forecasts held. */
function IterationForecasts({ model, node, nowS }: { model: RunModel; node: NodeModel; nowS: number }) {
  const running = runningForecast(model, node);
  const { score } = node.forecasts;
  return (
    <section className={css.section}>
      <p className={css.title}>Forecasts of its iterations</p>
      <Facts
        facts={[
          ...(running
            ? [
                { name: `iteration ${formatCount(running.iteration)}, predicted`, value: whenText(running.expectedS - nowS) },
                { name: "window, 5–95%", value: `${exactTime(running.lowS)} to ${exactTime(running.highS)}` },
              ]
            : []),
          ...scoreFacts(score, model.isSimulated),
        ]}
      />
      <p className="quiet">{score.num === 0 ? WARM_UP_HELP : SHARE_HELP}</p>
    </section>
  );
}

function whenText(inS: number): string {
  return inS >= 0 ? `ends in ${formatSeconds(inS)}` : `${formatSeconds(-inS)} overdue`;
}

const NUM_POINTS = 48;

function Gauge({ name, series, write }: { name: string; series: TimeSeries; write: (value: number | null) => string }) {
  if (series.length === 0) return null;
  const firstS = series.at[0] as number;
  const lengthS = (series.at[series.length - 1] as number) - firstS;
  const values = Array.from({ length: NUM_POINTS }, (_, i) => series.valueAt(firstS + (lengthS * i) / (NUM_POINTS - 1)));
  return (
    <Fragment>
      <dt>{name}</dt>
      <dd aria-hidden="true">
        <Sparkline values={values} />
      </dd>
      <dd>{write(series.last)}</dd>
    </Fragment>
  );
}

import type { Run } from "../api/types";
import { ratio, sharesOf } from "../store/figures";
import { WARM_UP_HELP } from "../store/forecast";
import { nodeName, nodeOf, type NodeModel } from "../store/model";
import { stateSentence } from "../timeline/LaneTable";
import type { Selection } from "../timeline/selection";
import { Num } from "../ui/Num";
import { MANY_NODES, useIsOpen, useNodeNews, usePageSession } from "./session";
import { useRowsInView } from "./useRowsInView";
import table from "../ui/Table.module.css";
import css from "./Tabs.module.css";

interface Props {
  run: Run;
  selectedNode: string | null;
  onSelect: (selection: Selection | null) => void;
}

const FORECAST_TITLES = ["Forecasts held", "Forecast error"];
const FORECAST_HELP = `Of its iterations: how many ended inside their predicted 5–95% window (90% wanted), and the mean error as a share of the iteration. ${WARM_UP_HELP}`;

const RECENT_TITLES = ["Staleness", ...FORECAST_TITLES]; // of a long run, only the newest events tell of them

function helpOf(title: string, isLong: boolean): string | undefined {
  const help = FORECAST_TITLES.includes(title) ? FORECAST_HELP : undefined;
  return isLong && RECENT_TITLES.includes(title) ? `Of the newest part of this long run. ${help ?? ""}`.trim() : help;
}

/** Every node with what it does and its figures over the whole run. */
export function NodeTable({ run, selectedNode, onSelect }: Props) {
  const session = usePageSession();
  useNodeNews(session);
  const isOpen = useIsOpen(session);
  const { model } = session.store;
  const nowS = session.store.nowS();
  const others = ["server", "evaluator"].flatMap((id) => model.nodes.get(id) ?? []);
  const nodes: NodeModel[] = [...others, ...model.workers];
  const isWhole = nodes.length <= MANY_NODES; // or it scrolls by itself
  const { box, first, last, rowPx } = useRowsInView(nodes.length, isWhole);
  const hasForecasts = nodes.some(({ forecasts }) => forecasts.score.num > 0);
  if (nodes.length === 0 || (!isWhole && !isOpen)) {
    return <p className="quiet">A row for the server and each of the {run.spec.cluster.num_workers} workers stands here once they run.</p>;
  }
  return (
    <div ref={box} className={`${table.scroll ?? ""} ${isWhole ? "" : (css.tall ?? "")}`}>
      <table className={`${table.table ?? ""} ${css.dense ?? ""}`} aria-rowcount={nodes.length + 1}>
        <caption className="unseen">Nodes</caption>
        <thead>
          <tr>
            <th scope="col">Node</th>
            <th scope="col">Now</th>
            {["Iterations", "Utilisation", "Waiting", "Transfer", "Lead", "Staleness", ...(hasForecasts ? FORECAST_TITLES : []), "CPU", "Memory", "Sent", "Received"].map((title) => (
              <th key={title} scope="col" className={table.right} title={helpOf(title, session.store.past !== null)}>
                {title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          <Gap heightPx={first * rowPx} />
          {nodes.slice(first, last).map(({ id }, i) => {
            const node = nodeOf(model, id);
            const { computeS, waitS, transferS, wallS } = sharesOf(model, node, 0, nowS, nowS);
            const isWorker = node.worker !== null;
            const { num, numCovered, errorShare } = node.forecasts.score;
            const state = stateSentence(model, node, nowS);
            return (
              <tr key={id} data-row aria-rowindex={first + i + 2} aria-selected={id === selectedNode}>
                <th scope="row">
                  <button type="button" className={css.link} onClick={() => onSelect({ kind: "node", node: id })}>
                    {nodeName(id)}
                  </button>
                </th>
                <td className={`${table.fill ?? ""} ${css.now ?? ""}`} title={state}>
                  {state}
                </td>
                <td className={table.right}>{isWorker && <Num value={node.iteration} as="count" />}</td>
                <td className={table.right}>{isWorker && <Num value={ratio(computeS, wallS)} as="percent" />}</td>
                <td className={table.right}>{isWorker && <Num value={ratio(waitS, wallS)} as="percent" />}</td>
                <td className={table.right}>{isWorker && <Num value={ratio(transferS, wallS)} as="percent" />}</td>
                <td className={table.right}>{isWorker && <Num value={node.lead.last} as="count" />}</td>
                <td className={table.right}>{isWorker && <Num value={node.staleness.mean(0, Infinity)} />}</td>
                {hasForecasts && <td className={table.right}>{isWorker && <Num value={ratio(numCovered, num)} as="percent" />}</td>}
                {hasForecasts && <td className={table.right}>{isWorker && <Num value={ratio(errorShare, num)} as="percent" />}</td>}
                <td className={table.right}>
                  <Num value={node.cpu.last} as="percent" />
                </td>
                <td className={table.right}>
                  <Num value={node.memory.last} as="bytes" />
                </td>
                <td className={table.right}>
                  <Num value={hasTraffic(node) ? node.sentBytes : null} as="bytes" />
                </td>
                <td className={table.right}>
                  <Num value={hasTraffic(node) ? node.receivedBytes : null} as="bytes" />
                </td>
              </tr>
            );
          })}
          <Gap heightPx={(nodes.length - last) * rowPx} />
        </tbody>
      </table>
    </div>
  );
}

/** The server's own counting comes with its samples, which a virtual run has none of; the evaluator sends no weights. */
function hasTraffic(node: NodeModel): boolean {
  return node.worker !== null || node.sentBytes + node.receivedBytes > 0;
}

/** Stands in place of rows that are not in view. */
function Gap({ heightPx }: { heightPx: number }) {
  return heightPx > 0 ? (
    <tr aria-hidden="true" className={css.gap}>
      <td style={{ height: heightPx }} />
    </tr>
  ) : null;
}

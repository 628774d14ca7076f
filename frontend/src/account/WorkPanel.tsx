import type { Account } from "../api/types";
import { formatSeconds } from "../format";
import { nodeName } from "../store/model";
import { Num } from "../ui/Num";
import table from "../ui/Table.module.css";
import { Facts } from "./Facts";
import { Panel } from "./Panel";
import { Scroll } from "./Scroll";
import css from "./Account.module.css";

/** What the iterations were good for. */
export function WorkPanel({ account }: { account: Account }) {
  const { work, evaluations, basis } = account;
  const rows = [
    ["applied to the global weights", work.applied],
    ["done, not applied yet", work.pending],
    ["discarded by the policy", work.discarded],
    ["sent, but the run ended before", work.dropped],
    ["never sent, their worker left", work.unsent],
  ] as const;
  return (
    <Panel title="What the computing was good for" basis={basis.times}>
      <Scroll label="Iterations by what became of them">
        <table className={`${table.table ?? ""} ${css.wrap ?? ""}`}>
          <caption className="unseen">Iterations by what became of them</caption>
          <thead>
            <tr>
              <th scope="col">Iterations</th>
              <th scope="col" className={table.right}>
                Number
              </th>
              <th scope="col" className={table.right}>
                Computing
              </th>
            </tr>
          </thead>
          <tbody>
            {rows.map(([name, { num_iterations, seconds }], place) =>
              num_iterations === 0 && place > 0 ? null : (
                <tr key={name}>
                  <th scope="row">{name}</th>
                  <td className={table.right}>
                    <Num value={num_iterations} as="count" />
                  </td>
                  <td className={table.right}>
                    <Num value={seconds} as="seconds" />
                  </td>
                </tr>
              ),
            )}
          </tbody>
        </table>
      </Scroll>
      <Facts
        facts={[
          ...(work.unfinished_s > 0 ? [[account.is_finished ? "cut off when a worker left" : "unfinished now", formatSeconds(work.unfinished_s)] as const] : []),
          ...(work.num_rolled_back > 0 ? [["rolled back by a resume", `${work.num_rolled_back} iterations`] as const] : []),
          ...(work.after_target ? [["done after the target was reached", `${work.after_target.num_iterations} iterations, ${formatSeconds(work.after_target.seconds)}`] as const] : []),
          ...(evaluations.num > 0 && basis.times === "measured" ? [["evaluating, beside the training", formatSeconds(evaluations.seconds), "No worker waits for an evaluation."] as const] : []),
        ]}
      />
    </Panel>
  );
}

/** Payload of weights and deltas by node. */
export function TrafficPanel({ account }: { account: Account }) {
  const isGauge = account.bytes.some(({ known_by }) => known_by === "gauge");
  const note = isGauge ? "Weights and deltas, as each process counted them up to its last sample." : "Weights and deltas of the exchanges that were answered.";
  return (
    <Panel title="Bytes" basis={account.basis.bytes} note={note}>
      <Scroll label="Payload by node and direction" isTall>
        <table className={table.table}>
          <caption className="unseen">Payload by node and direction</caption>
          <thead>
            <tr>
              <th scope="col">Node</th>
              <th scope="col" className={table.right}>
                Sent
              </th>
              <th scope="col" className={table.right}>
                Received
              </th>
            </tr>
          </thead>
          <tbody>
            {account.bytes.map(({ node, sent_bytes, received_bytes }) => (
              <tr key={node}>
                <th scope="row">{nodeName(node)}</th>
                <td className={table.right}>
                  <Num value={sent_bytes} as="bytes" />
                </td>
                <td className={table.right}>
                  <Num value={received_bytes} as="bytes" />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </Scroll>
    </Panel>
  );
}

/** What happened in a short stretch of a long run, of which single events are not on the page. */

import { formatCount, formatNumber, formatPercent, formatSeconds } from "../format";
import { countsWithin, noShares, addShares, ratio } from "../store/figures";
import { nodeName, type RunModel } from "../store/model";
import type { Description } from "./describe";
import type { Selection } from "./selection";
import { exactTime } from "./ticks";

export function describeStretch(model: RunModel, { node: id, atS, lengthS }: Extract<Selection, { kind: "stretch" }>): Description {
  const span = { name: "from", value: `${exactTime(atS)} to ${exactTime(atS + lengthS)}` };
  const closer = "Zoom in to see single iterations.";
  const node = model.nodes.get(id);
  if (id === "server" || !node) {
    const { updates, iterations, losses, lossSum } = countsWithin(model, atS, atS + lengthS);
    const facts = [
      span,
      { name: "updates", value: formatCount(Math.round(updates)) },
      { name: "iterations of all workers", value: formatCount(Math.round(iterations)) },
      ...(losses > 0 ? [{ name: "mean training loss", value: formatNumber(lossSum / losses) }] : []),
    ];
    return { title: `${nodeName(id)}: ${formatSeconds(lengthS)} of the overview`, reason: closer, facts };
  }
  const shares = noShares();
  addShares(model, node, atS, atS + lengthS, atS + lengthS + 1, shares);
  const part = (name: string, seconds: number) => ({ name, value: formatPercent(ratio(seconds, shares.wallS)) });
  const facts = [
    span,
    part("computing", shares.computeS),
    part("waiting", shares.waitS),
    part("transfer", shares.transferS),
    ...(shares.overlappedS > 0 ? [part("of computing, during syncs", shares.overlappedS)] : []),
  ];
  return { title: `${nodeName(id)}: ${formatSeconds(lengthS)} of the overview`, reason: closer, facts };
}

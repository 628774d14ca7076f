/** What is selected or pointed at, in words and numbers. */

import { formatCount, formatNumber, formatPercent, formatSeconds, plural } from "../format";
import { outcomeOf } from "../store/figures";
import { iterationText, runningForecast } from "../store/forecast";
import type { IterationForecast } from "../store/forecastTrack";
import { modelAround, nodeName, type RunModel } from "../store/model";
import { Kind } from "../store/spans";
import { describeStretch } from "./describeStretch";
import { isBlurred, spanAt, type Selection } from "./selection";
import { exactTime } from "./ticks";

/** A name with its value; what is predicted says so in its name. */
export interface Fact {
  name: string;
  value: string;
  help?: string; // said on hover
}

export interface Description {
  title: string; // a sentence
  reason: string; // the gate's own sentence, what it forecast of an iteration, or ""
  facts: Fact[];
}

/** Describe a selection at this time; null when there is nothing any more. */
export function describe(present: RunModel, selection: Selection, nowS: number): Description | null {
  if (selection.kind !== "entry" && selection.kind !== "node" && selection.kind !== "stretch" && isBlurred(present, selection.atS)) {
    return { title: "Its events are being fetched", reason: "", facts: [{ name: "at", value: exactTime(selection.atS) }] };
  }
  const model = "atS" in selection ? modelAround(present, selection.atS) : present;
  switch (selection.kind) {
    case "node":
      return null;
    case "stretch":
      return describeStretch(present, selection);
    case "span":
      return describeSpan(model, selection.node, selection.atS, nowS);
    case "sync":
      return describeSync(model, selection.atS);
    case "window":
      return describeWindow(model, selection.atS, nowS);
    case "entry": {
      const entry = model.entries.find(({ seq }) => seq === selection.seq);
      return entry ? { title: entry.text, reason: "", facts: [{ name: "at", value: exactTime(entry.atS) }] } : null;
    }
  }
}

function describeSpan(model: RunModel, id: string, atS: number, nowS: number): Description | null {
  const node = model.nodes.get(id);
  const span = node && spanAt(model, node, atS, nowS);
  if (!node || !span) return null;
  const name = nodeName(id);
  const lasted = formatSeconds(span.endS - span.startS);
  const facts: Fact[] = [
    { name: "from", value: exactTime(span.startS) },
    { name: "to", value: span.isOpen ? "now" : exactTime(span.endS) },
    { name: span.isOpen ? "so far" : "lasted", value: lasted },
  ];
  const reason = model.sentences[span.reason] ?? "";
  const { iteration, isOpen } = span;
  switch (span.kind) {
    case Kind.compute:
    case Kind.overlapped: {
      if (!isOpen) facts.push({ name: "loss of the minibatch", value: formatNumber(span.value) });
      if (span.isSlow) facts.push({ name: "slower than asked for", value: "by more than 10%" });
      const verb = span.kind === Kind.overlapped ? "trained on during a synchronisation" : isOpen ? "computes" : "computed";
      const forecast = isOpen ? runningForecast(model, node) : node.forecasts.of(iteration, span.startS);
      if (forecast) facts.push(...forecastFacts(model, forecast));
      const told = forecast ? iterationText(forecast) : reason;
      return { title: `${name} ${verb}: iteration ${formatCount(iteration)}, ${lasted}`, reason: told, facts };
    }
    case Kind.wait:
      facts.push({ name: "after iteration", value: String(iteration) });
      return { title: `${name} ${isOpen ? "has waited" : "waited"} ${lasted}`, reason, facts };
    case Kind.up:
      return { title: `${name} ${isOpen ? "sends" : "sent"} its update: ${lasted}`, reason, facts };
    case Kind.down:
      if (!isOpen) facts.push({ name: "version", value: String(span.value) });
      return { title: `${name} ${isOpen ? "receives" : "received"} new weights: ${lasted}`, reason, facts };
    case Kind.evaluation:
      facts.push({ name: "accuracy", value: formatPercent(span.value) });
      return { title: `evaluation of version ${iteration}: ${lasted}`, reason, facts };
    case Kind.lost:
      return { title: `${name} ${isOpen ? "has been" : "was"} lost for ${lasted}`, reason: isOpen ? node.exit : reason, facts };
  }
}

/** Put the forecast of an iteration beside its end. */
function forecastFacts({ isSimulated }: RunModel, { expectedS, lowS, highS, endedS }: IterationForecast): Fact[] {
  const facts = [
    { name: "predicted end", value: exactTime(expectedS) },
    { name: "predicted window, 5–95%", value: `${exactTime(lowS)} to ${exactTime(highS)}` },
  ];
  if (!Number.isFinite(endedS)) return facts;
  const came = `${formatSeconds(Math.abs(endedS - expectedS))} ${endedS >= expectedS ? "later" : "earlier"}`;
  return [...facts, { name: `${isSimulated ? "simulated" : "measured"} end`, value: came }];
}

function describeSync(model: RunModel, atS: number): Description | null {
  const { aggregates, windows } = model;
  const i = aggregates.indexAt(atS);
  if (i >= aggregates.length || aggregates.at[i] !== atS) return null;
  const version = aggregates.get(i, "version");
  const num = aggregates.get(i, "numPushes");
  const facts: Fact[] = [
    { name: "at", value: exactTime(atS) },
    { name: "pushes", value: String(num) },
    { name: "largest staleness", value: String(aggregates.get(i, "maxStaleness")) },
    { name: "weight of each", value: formatNumber(aggregates.get(i, "scale")) },
  ];
  for (let row = windows.indexAt(atS) - 1; row >= Math.max(0, windows.indexAt(atS) - 4); row--) {
    if (windows.get(row, "actualS") === atS) facts.push(...outcomeFacts(model, row));
  }
  let last = i;
  while (last + 1 < aggregates.length && aggregates.at[last + 1] === atS) last += 1;
  if (last > i) facts.push({ name: "at the same instant", value: `${plural(last - i, "more update")}, to version ${aggregates.get(last, "version")}` });
  const what = num > 1 ? `synchronisation of ${num} pushes` : "update";
  return { title: `${what} made version ${version}`, reason: model.sentences[aggregates.get(i, "reason")] ?? "", facts };
}

/** Put the forecast beside what happened. */
export function outcomeFacts(model: RunModel, row: number): Fact[] {
  const { cutS, lowS, highS, errorS, isCovered, plannedS } = outcomeOf(model, row);
  const first = model.windows.get(row, "firstCutS");
  return [
    { name: "predicted for", value: exactTime(cutS) },
    { name: "predicted window", value: `${exactTime(lowS)} to ${exactTime(highS)}` },
    { name: "came", value: `${formatSeconds(Math.abs(errorS))} ${errorS >= 0 ? "later" : "earlier"}` },
    { name: "inside the window", value: isCovered ? "yes" : "no" },
    { name: "predicted at", value: exactTime(plannedS) },
    { name: "first predicted for", value: exactTime(first) },
  ];
}

function describeWindow(model: RunModel, firstPlannedS: number, nowS: number): Description | null {
  const { windows } = model;
  const row = windows.indexAt(firstPlannedS);
  if (row >= windows.length || windows.at[row] !== firstPlannedS) return null;
  const version = windows.get(row, "version");
  const actualS = windows.get(row, "actualS");
  if (actualS === Infinity) return { title: `version ${version} was predicted and never came`, reason: "", facts: [] };
  if (!Number.isNaN(actualS)) {
    return { title: `synchronisation that made version ${version}`, reason: "", facts: outcomeFacts(model, row) };
  }
  const cutS = windows.get(row, "cutS");
  const away = formatSeconds(Math.abs(cutS - nowS));
  return {
    title: cutS >= nowS ? `next synchronisation predicted in ${away}` : `synchronisation overdue by ${away}`,
    reason: model.plan?.reason ?? "",
    facts: [
      { name: "makes version", value: String(version) },
      { name: "predicted for", value: exactTime(cutS) },
      { name: "predicted window (5–95%)", value: `${exactTime(windows.get(row, "lowS"))} to ${exactTime(windows.get(row, "highS"))}` },
      { name: "predicted idle share", value: formatPercent(windows.get(row, "idle")) },
      { name: "planned", value: `${windows.get(row, "numPlans")} times` },
    ],
  };
}

/** What stands on the bars: unfinished spans, iteration numbers, marks, axis. */

import type { Entry } from "../store/model";
import { openSpans } from "../store/open";
import { Kind } from "../store/spans";
import { plate } from "./drawSync";
import { axisTop, fillTextured, fit, fromS, isInSight, secondsOf, topOf, toS, vertical, widthOf, xOf, type Frame } from "./frame";
import { spanAt } from "./selection";
import { exactTime, tickLabel, ticks, tickStep } from "./ticks";

const TEXT_FROM = 34; // CSS pixels of a span from which it carries its number
const TELLING = 18; // letters of a sentence; fewer would only say that it waits, which the colour says

/** Draw what has not ended: the newest part of each lane; a computation paler, since it is inferred. */
export function drawOpen(frame: Frame, isPlayedBack = false): void {
  const { ctx, palette, model, nowS } = frame;
  for (const lane of frame.layout.lanes) {
    if (!lane.node || !isInSight(frame, lane)) continue;
    for (const span of openSpans(model, lane.node, nowS)) {
      if (isPlayedBack && span.kind !== Kind.lost) continue; // what it did then stands on its lane
      const left = Math.max(frame.layout.left, xOf(frame, span.startS));
      const right = xOf(frame, span.endS);
      if (right <= left) continue;
      ctx.globalAlpha = span.kind === Kind.compute ? 0.45 : 1;
      fillTextured(frame, palette.fills[span.kind] as string | CanvasPattern, left, topOf(frame, lane), right - left, lane.height);
      ctx.globalAlpha = 1;
    }
  }
}

/** Write iteration numbers and the gate's sentences into spans that have room for them. */
export function drawTexts(frame: Frame): void {
  const { ctx, palette, model } = frame;
  ctx.font = `11px ${palette.face}`;
  ctx.textBaseline = "middle";
  for (const lane of frame.layout.lanes) {
    if (!lane.node || lane.height < 14 || !isInSight(frame, lane)) continue;
    const { track } = lane.node;
    const first = track.firstEndingAfter(fromS(frame));
    const end = track.numStartingBefore(toS(frame));
    const middle = topOf(frame, lane) + lane.height / 2;
    if (end - first > 400) continue;
    for (let i = first; i < end; i++) {
      const left = Math.max(xOf(frame, track.start[i] as number), frame.layout.left);
      const width = Math.min(xOf(frame, track.end[i] as number), frame.layout.width - frame.layout.right) - left;
      if (width < TEXT_FROM) continue;
      const kind = track.kind[i] as Kind;
      if (kind === Kind.compute || (kind === Kind.overlapped && track.iteration[i + 1] !== track.iteration[i])) {
        ctx.textAlign = "center";
        ctx.fillStyle = palette.inkInverse;
        ctx.fillText(String(track.iteration[i]), left + width / 2, middle + 0.5);
      } else if (kind === Kind.wait) {
        const text = fit(ctx, model.sentences[track.reason[i] as number] ?? "", width - 14, TELLING);
        if (text) plate(frame, text, left + 7, middle, widthOf(ctx, text));
      }
    }
  }
}

/** Draw the line of the lanes' idle ground. */
export function drawGround(frame: Frame): void {
  const { ctx, layout, palette } = frame;
  ctx.fillStyle = palette.sunken;
  const width = layout.width - layout.left - layout.right;
  for (const lane of layout.lanes) if (isInSight(frame, lane)) ctx.fillRect(layout.left, topOf(frame, lane), width, lane.height);
}

const THUMB = 3; // CSS pixels

/** Where there are more lanes than fit, show which of them are seen. */
export function drawScroll({ ctx, layout, palette }: Frame): void {
  const room = layout.height - layout.axis;
  if (layout.contentHeight <= room + 1) return;
  const height = Math.max(24, (room * room) / layout.contentHeight);
  const top = (layout.scrollY / (layout.contentHeight - room)) * (room - height);
  ctx.fillStyle = palette.lineStrong;
  ctx.fillRect(layout.width - THUMB, top, THUMB, height);
}

/** Draw the time axis, the run's marks on it, and the line of now. */
export function drawAxis(frame: Frame): void {
  const { ctx, layout, palette, nowS } = frame;
  const top = axisTop(frame);
  ctx.fillStyle = palette.surface;
  ctx.fillRect(0, top, layout.width, layout.axis);
  ctx.fillStyle = palette.line;
  ctx.fillRect(layout.left, top, layout.width - layout.left - layout.right, 1);
  const stepS = tickStep(secondsOf(frame, 84));
  ctx.font = `11px ${palette.face}`;
  ctx.textAlign = "center";
  ctx.textBaseline = "alphabetic";
  for (const atS of ticks(fromS(frame), toS(frame), stepS)) {
    const x = xOf(frame, atS);
    const label = tickLabel(atS, stepS);
    const half = widthOf(ctx, label) / 2;
    ctx.fillStyle = palette.lineStrong;
    vertical(frame, x, top, top + 5);
    if (x - half < layout.left - 6 || x + half > layout.width - layout.right + 6) continue;
    ctx.fillStyle = palette.inkQuiet;
    ctx.fillText(label, x, layout.height - 6);
  }
  ctx.fillStyle = palette.inkQuiet;
  ctx.textAlign = "right";
  ctx.fillText("busy", layout.width - 8, layout.height - 6);
  if (frame.model.isSimulated) {
    ctx.textAlign = "left";
    ctx.fillText(layout.left < 100 ? "virtual" : "virtual time", 8, layout.height - 6);
  }
  drawMarks(frame, top);
  if (nowS > fromS(frame) && nowS < toS(frame)) {
    const x = xOf(frame, nowS);
    ctx.fillStyle = palette.ink;
    if (frame.isLive) vertical(frame, x, 0, top + 6, 2);
    else vertical(frame, x, 0, top);
  }
  drawCursor(frame, top);
}

const MARKED: Partial<Record<Entry["kind"], "flag" | "square" | "diamond" | "bar" | "cross">> = {
  target: "flag",
  checkpoint: "square",
  retuned: "diamond",
  resumed: "bar",
  lost: "cross",
};

function drawMarks(frame: Frame, top: number): void {
  const { ctx, palette, model, layout } = frame;
  for (const entry of model.entries) {
    const shape = MARKED[entry.kind];
    if (!shape || entry.atS < fromS(frame) || entry.atS > toS(frame)) continue;
    const x = Math.round(xOf(frame, entry.atS));
    ctx.fillStyle = palette.ink;
    if (shape === "flag" || shape === "bar" || shape === "diamond") {
      ctx.globalAlpha = 0.8;
      for (let y = 0; y < top; y += 6) ctx.fillRect(x, y, 1, 3);
      ctx.globalAlpha = 1;
    }
    ctx.beginPath();
    if (shape === "square") ctx.rect(x - 2.5, top + 1, 5, 5);
    else if (shape === "flag") for (const [dx, dy] of [[0, 0], [9, 4], [0, 8]] as const) ctx.lineTo(x + dx, dy);
    else if (shape === "diamond") for (const [dx, dy] of [[0, 0], [4, 4], [0, 8], [-4, 4]] as const) ctx.lineTo(x + dx, top + dy);
    else if (shape === "bar") ctx.rect(x - 1, 0, 3, top);
    ctx.fill();
    if (shape !== "cross") continue;
    const lane = layout.lanes.find(({ id }) => id === entry.node);
    if (!lane) continue;
    const middle = topOf(frame, lane) + lane.height / 2;
    const size = Math.min(6, lane.height / 2);
    ctx.strokeStyle = palette.ink;
    ctx.lineWidth = 2;
    ctx.beginPath();
    for (const dx of [-size, size]) {
      ctx.moveTo(x - dx, middle - size);
      ctx.lineTo(x + dx, middle + size);
    }
    ctx.stroke();
  }
}

function drawCursor(frame: Frame, top: number): void {
  const { ctx, palette, cursorS } = frame;
  if (cursorS === null || cursorS < fromS(frame) || cursorS > toS(frame)) return;
  const x = xOf(frame, cursorS);
  ctx.fillStyle = palette.lineStrong;
  vertical(frame, x, 0, top);
  const text = exactTime(cursorS);
  ctx.font = `11px ${palette.face}`;
  const width = widthOf(ctx, text);
  const left = Math.min(Math.max(x - width / 2, frame.layout.left), frame.layout.width - frame.layout.right - width);
  ctx.fillStyle = palette.surface;
  ctx.fillRect(left - 8, top + 6, width + 16, 18);
  plate(frame, text, left, top + 14, width);
}

/** Outline what is pointed at and what is selected. */
export function drawOutlines(frame: Frame): void {
  for (const [selection, width] of [[frame.hover, 1], [frame.selection, 2]] as const) {
    if (selection?.kind !== "span") continue;
    const lane = frame.layout.lanes.find(({ id }) => id === selection.node);
    const span = lane?.node && spanAt(frame.model, lane.node, selection.atS, frame.nowS);
    if (!lane || !span) continue;
    const { ctx, palette } = frame;
    const left = xOf(frame, span.startS);
    ctx.strokeStyle = palette.ink;
    ctx.lineWidth = width;
    ctx.strokeRect(left, topOf(frame, lane) - 1, Math.max(2, xOf(frame, span.endS) - left), lane.height + 2);
  }
}

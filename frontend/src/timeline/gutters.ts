/** What stands beside the lanes: names and states at the left, shares at the right. */

import { formatPercent } from "../format";
import { ratio, sharesOf } from "../store/figures";
import { nodeName } from "../store/model";
import { recentText } from "../store/recent";
import { axisTop, fit, fromS, topOf, toS, type Frame } from "./frame";
import type { Lane, Layout } from "./layout";
import type { Palette } from "./palette";

const NARROW_LEFT = 100; // of the left gutter, below which names are short
export const CALM_MS = 500; // what stands there changes at most this often

/** Keeps the gutters as a picture, since texts are slow to draw and change seldom. */
export class GutterLayer {
  private readonly ctx = document.createElement("canvas").getContext("2d", { alpha: false });
  private notes: readonly LaneNote[] = [];
  private notedMs = -Infinity;
  isSettled = false; // what stands there is of the frame that was painted last
  private drawn: { notes: readonly LaneNote[]; layout: Layout; palette: Palette; selectedNode: string | null } | null = null;

  /** Paint them onto the frame. */
  paint(frame: Frame, atMs: number, isPlayedBack: boolean): void {
    const { layout, palette, selectedNode, scale } = frame;
    if (atMs - this.notedMs >= CALM_MS || this.notes.length !== layout.lanes.length) {
      this.notes = laneNotes(frame, isPlayedBack);
      this.notedMs = atMs;
    }
    this.isSettled = this.notedMs === atMs;
    const { ctx, notes, drawn } = this;
    if (!ctx) return;
    const isSame = drawn?.notes === notes && drawn.layout === layout && drawn.palette === palette && drawn.selectedNode === selectedNode;
    if (!isSame) {
      this.drawn = { notes, layout, palette, selectedNode };
      ctx.canvas.width = Math.ceil((layout.left + layout.right) * scale.ratio); // which clears it, too
      ctx.canvas.height = Math.ceil(layout.height * scale.ratio);
      ctx.setTransform(scale.ratio, 0, 0, scale.ratio, 0, 0);
      drawGutters({ ...frame, ctx }, notes);
    }
    const left = Math.round(layout.left * scale.ratio);
    const { width, height } = ctx.canvas;
    const right = frame.ctx.canvas.width - (width - left);
    frame.ctx.save();
    frame.ctx.setTransform(1, 0, 0, 1, 0, 0);
    frame.ctx.drawImage(ctx.canvas, 0, 0, left, height, 0, 0, left, height);
    frame.ctx.drawImage(ctx.canvas, left, 0, width - left, height, right, 0, width - left, height);
    frame.ctx.restore();
  }
}

/** What stands beside a lane. */
interface LaneNote {
  busy: number | null; // utilisation in the stretch that is seen
  text: string;
}

/** Draw both gutters side by side: font by font, since a change of it asks the page's styles. */
function drawGutters(frame: Frame, notes: readonly LaneNote[]): void {
  const { ctx, layout, palette } = frame;
  ctx.fillStyle = palette.surface;
  ctx.fillRect(0, 0, layout.left + layout.right, layout.height);
  const lines = namedLanes(frame, notes);
  ctx.fillStyle = palette.ink;
  ctx.textAlign = "left";
  ctx.textBaseline = "middle";
  for (const { lane, middle, hasTwo } of lines) {
    const isSelected = frame.selectedNode === lane.id;
    const font = `${isSelected ? "600 " : ""}${lane.pitch >= 16 ? 13 : 11}px ${palette.face}`;
    if (ctx.font !== font) ctx.font = font;
    ctx.fillText(fit(ctx, layout.left < NARROW_LEFT ? shortName(lane) : nodeName(lane.id), layout.left - 14), 10, hasTwo ? middle - 8 : middle + 0.5);
  }
  ctx.font = `12px ${palette.face}`;
  ctx.textAlign = "right";
  for (const { note, middle } of lines) {
    if (note.busy !== null) ctx.fillText(formatPercent(note.busy), layout.left + layout.right - 8, middle + 0.5);
  }
  ctx.font = `11px ${palette.face}`;
  ctx.textAlign = "left";
  ctx.fillStyle = palette.inkQuiet;
  for (const { note, middle, hasTwo } of lines) {
    if (hasTwo) ctx.fillText(fit(ctx, note.text, layout.left - 16), 10, middle + 8.5);
  }
  const selected = layout.lanes.find(({ id }) => id === frame.selectedNode);
  if (!selected) return;
  ctx.fillStyle = palette.ink;
  ctx.fillRect(0, topOf(frame, selected), 3, selected.height);
}

interface NamedLane {
  lane: Lane;
  note: LaneNote;
  middle: number;
  hasTwo: boolean; // a line for its state, too
}

/** Give the lanes in sight that have room for a name: all of them, or every second, third, ... */
function namedLanes(frame: Frame, notes: readonly LaneNote[]): NamedLane[] {
  const { layout } = frame;
  const pitch = layout.lanes[layout.lanes.length - 1]?.pitch ?? 1;
  const every = Math.max(1, Math.ceil(13 / pitch));
  return layout.lanes.flatMap((lane, i) => {
    const note = notes[i];
    const middle = topOf(frame, lane) + lane.height / 2;
    const isNamed = lane.worker === null ? lane.height >= 8 : lane.worker % every === 0 && (lane.worker > 0 || pitch >= 9); // the name above needs its room
    if (!note || !isNamed || middle < 0 || middle > axisTop(frame)) return [];
    return [{ lane, note, middle, hasTwo: lane.height >= 30 && layout.left >= NARROW_LEFT && note.text !== "" }];
  });
}

function shortName({ id, worker }: Lane): string {
  if (worker !== null) return `w ${worker}`;
  return id === "evaluator" ? "eval" : id;
}

/** Give what stands beside each lane at this moment. */
function laneNotes(frame: Frame, isPlayedBack: boolean): LaneNote[] {
  const { model, layout, nowS } = frame;
  return layout.lanes.map(({ node, id }) => {
    if (!node) return { busy: null, text: "not started" };
    if (node.worker === null) return { busy: null, text: id === "server" ? `version ${model.version}` : "" };
    const { computeS, wallS } = sharesOf(model, node, fromS(frame), Math.min(nowS, toS(frame)), nowS);
    return { busy: ratio(computeS, wallS), text: isPlayedBack ? "" : recentText(model, node, nowS) };
  });
}

import { useEffect, useId, useRef, useState } from "react";
import { useKeys } from "../app/keys";
import { useNews, type Session } from "../run/session";
import { describe } from "./describe";
import { Gestures } from "./gestures";
import { LaneTable } from "./LaneTable";
import { TimelinePainter } from "./painter";
import { isSame, neighbour, type Selection } from "./selection";
import { Tooltip } from "./Tooltip";
import { watchSize } from "./watchSize";
import css from "./Timeline.module.css";

interface Props {
  session: Session;
  numWorkers: number;
  selection: Selection | null;
  selectedNode: string | null;
  onSelect: (selection: Selection | null) => void;
}

const ZOOM = 0.72;
const PAN = 0.18;

/** All nodes on one canvas. The time that is seen is shared with the charts below. */
export function Timeline({ session, numWorkers, selection, selectedNode, onSelect }: Props) {
  const { view, store, loop, playback } = session;
  const box = useRef<HTMLDivElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const painter = useRef<TimelinePainter>(null);
  const select = useRef(onSelect);
  const [hover, setHover] = useState<Selection | null>(null);
  const [spot, setSpot] = useState({ x: 0, y: 0 });
  const helpId = useId();

  useEffect(() => {
    select.current = onSelect;
  });

  useEffect(() => {
    if (!canvas.current || !box.current) return;
    const made = new TimelinePainter(canvas.current, store, view, loop.request, () => playback.headS);
    painter.current = made;
    const gestures = new Gestures(canvas.current, made, view, {
      onSelect: (one) => select.current(one),
      onHover: (one, x, y) => {
        setHover((old) => (isSame(old, one) ? old : one));
        setSpot({ x, y });
        loop.request();
      },
    });
    const stop = loop.add((atMs) => {
      if (made.paint(atMs)) loop.open();
      gestures.painted();
      return false;
    });
    const forget = watchSize(box.current, (width, height, ratio) => made.resize(width, height, ratio));
    return () => {
      stop();
      forget();
      gestures.dispose();
      made.dispose();
      painter.current = null;
    };
  }, [store, view, loop, playback]);

  useEffect(() => {
    const { current } = painter;
    if (!current) return;
    Object.assign(current, { selection, selectedNode, numWorkers });
    loop.request();
  }, [selection, selectedNode, numWorkers, loop]);

  useKeys("Timeline", {
    w: { label: "Zoom in", run: () => view.zoomByKey(ZOOM) },
    s: { label: "Zoom out", run: () => view.zoomByKey(1 / ZOOM) },
    a: { label: "Earlier", run: () => view.pan(-PAN, true) },
    d: { label: "Later", run: () => view.pan(PAN, true) },
    f: { label: "Follow now; an ended run: show it whole", run: () => view.follow() },
    ",": { label: "Synchronisation before", run: () => step("server", -1) },
    ".": { label: "Synchronisation after", run: () => step("server", 1) },
  });

  const step = (id: string, direction: 1 | -1) => {
    const lane = painter.current?.layout.lanes.find((one) => one.id === id);
    if (!lane) return;
    const next = neighbour(store.model, selection, lane, direction, store.nowS());
    onSelect(next);
    if ("atS" in next) view.reveal(next.atS);
  };

  const changeLane = (by: number) => {
    const lanes = painter.current?.layout.lanes ?? [];
    const here = lanes.findIndex(({ id }) => id === selectedNode);
    const next = lanes[here < 0 ? (by > 0 ? 0 : lanes.length - 1) : Math.min(Math.max(0, here + by), lanes.length - 1)];
    if (next) onSelect({ kind: "node", node: next.id });
  };

  const press = (event: KeyboardEvent) => {
    const actions: Record<string, () => void> = {
      ArrowUp: () => changeLane(-1),
      ArrowDown: () => changeLane(1),
      ArrowLeft: () => (event.shiftKey ? view.pan(-PAN, true) : step(selectedNode ?? "server", -1)),
      ArrowRight: () => (event.shiftKey ? view.pan(PAN, true) : step(selectedNode ?? "server", 1)),
      "+": () => view.zoomByKey(ZOOM),
      "-": () => view.zoomByKey(1 / ZOOM),
      Home: () => view.show(0, view.lengthS),
      End: () => view.follow(),
      PageUp: () => painter.current?.scrollBy(-200),
      PageDown: () => painter.current?.scrollBy(200),
      Escape: () => onSelect(null),
    };
    const action = actions[event.key];
    if (!action || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    action();
  };

  return (
    <div ref={box} className={css.box} data-timeline>
      {/* The canvas handles its own keys, which is what `application` says; the table below mirrors it. */}
      {/* eslint-disable jsx-a11y/no-interactive-element-to-noninteractive-role */}
      <canvas
        ref={canvas}
        className={css.canvas}
        tabIndex={0}
        role="application"
        aria-label="Timeline of the nodes"
        aria-describedby={helpId}
        onKeyDown={press}
      />
      {/* eslint-enable */}
      <p id={helpId} className="unseen">
        One lane for each node. Up and Down choose a node, Left and Right a moment in its lane; W and S zoom, A and D move, F
        follows now. What each node does stands in the table that follows.
      </p>
      <LaneTable session={session} />
      <Announcement session={session} selection={selection} />
      {hover && <Tooltip session={session} selection={hover} x={spot.x} y={spot.y} />}
    </div>
  );
}

/** Read the selection out when it changes. */
function Announcement({ session, selection }: { session: Session; selection: Selection | null }) {
  useNews(session);
  const [said, setSaid] = useState<{ selection: Selection | null; text: string }>({ selection: null, text: "" });
  if (!isSame(said.selection, selection)) {
    const description = selection && describe(session.store.model, selection, session.store.nowS());
    const text = description ? [description.title, description.reason].filter(Boolean).join(". ") : nameOf(selection);
    setSaid({ selection, text });
  }
  return (
    <p className="unseen" role="status">
      {said.text}
    </p>
  );
}

function nameOf(selection: Selection | null): string {
  return selection?.kind === "node" ? selection.node.replace("-", " ") : "";
}

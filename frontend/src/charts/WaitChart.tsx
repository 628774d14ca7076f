import { useCallback } from "react";
import type uPlot from "uplot";
import { cssToken } from "../app/theme";
import { formatNumber } from "../format";
import { useNews, type Session } from "../run/session";
import { sharesOf } from "../store/figures";
import { bandsOf, bucketsOf, WaitCache, waitingData } from "./buckets";
import { Chart, type ChartSpec } from "./Chart";

const BUCKET_PX = 4;

interface Props {
  session: Session;
  height: number;
  numWorkers: number;
}

/** How many workers were waiting, one band for each. */
export function WaitChart({ session, height, numWorkers }: Props) {
  useNews(session);
  const makeSpec = useCallback(() => specOf(session, numWorkers), [session, numWorkers]);
  const { model } = session.store;
  const nowS = session.store.nowS();
  const recent = model.workers.reduce((sum, node) => sum + sharesOf(model, node, nowS - 1, nowS, nowS).waitS, 0);
  return (
    <Chart session={session} title="Workers that wait, over time" height={height} makeSpec={makeSpec}>
      <b>Workers waiting</b>
      <ul>
        <li>
          last second <output>{formatNumber(model.numIterations > 0 ? recent : null)}</output>
        </li>
        {numWorkers > 1 && <li data-optional>bands: worker 0 lowest</li>}
      </ul>
    </Chart>
  );
}

/** Mix a colour with the surface, so that neighbouring bands can be told apart. */
function shade(band: number, num: number): string {
  const share = num === 1 ? 70 : 40 + (45 * ((band * 3) % num)) / Math.max(1, num - 1);
  return `color-mix(in srgb, ${cssToken("--wait")} ${share.toFixed(0)}%, ${cssToken("--surface")})`;
}

function specOf({ store }: Session, numWorkers: number): ChartSpec {
  const bands = bandsOf(numWorkers);
  const quiet = cssToken("--ink-quiet");
  const cache = new WaitCache();
  const bucketPx = numWorkers > 16 ? 2 * BUCKET_PX : BUCKET_PX;
  return {
    data: (fromS, lengthS, width) => {
      const buckets = bucketsOf(fromS, lengthS, Math.max(20, Math.round(width / bucketPx)));
      const { x, sums } = waitingData(store.model, buckets, bands, store.nowS(), cache);
      return [x, ...sums.reverse()]; // the highest sum first, so that the lower ones are painted over it
    },
    scales: { workers: { range: () => [0, Math.max(1, numWorkers)] } },
    series: bands
      .map((_, band): uPlot.Series => ({
        scale: "workers",
        fill: shade(band, bands.length),
        width: 0, // neighbours differ in shade; outlines would cost more than all else on the page
        points: { show: false },
      }))
      .reverse(),
    isStepped: true,
    axes: [
      {
        scale: "workers",
        stroke: quiet,
        font: `11px ${cssToken("--face")}`,
        gap: 6,
        ticks: { show: false },
        grid: { stroke: cssToken("--line"), width: 1 },
        space: 22,
        incrs: [1, 2, 4, 8, 16, 32, 64, 128],
      },
    ],
  };
}

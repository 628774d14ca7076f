import { formatPercent, plural } from "../format";
import { ratio } from "../store/figures";
import { WARM_UP_HELP } from "../store/forecast";
import type { Score } from "../store/forecastTrack";
import type { Fact } from "../timeline/describe";

/** How forecasts of iterations held, as names with values; nothing where none was judged. */
export function scoreFacts({ num, numCovered, errorShare, widthShare }: Score, isSimulated: boolean): Fact[] {
  if (num === 0) return [];
  const known = isSimulated ? "simulated" : "measured";
  const ofIteration = "as a share of how long the iteration took";
  return [
    { name: "judged", value: plural(num, "iteration"), help: WARM_UP_HELP },
    { name: `inside their window, ${known}`, value: formatPercent(ratio(numCovered, num)) },
    { name: "wanted", value: "90%", help: "the window goes from the 5% to the 95% quantile" },
    {
      name: `mean error, ${known}`,
      value: formatPercent(ratio(errorShare, num)),
      help: `from the predicted to the ${known} end, ${ofIteration}`,
    },
    {
      name: "mean width, predicted",
      value: formatPercent(ratio(widthShare, num)),
      help: `mean width, ${ofIteration}`,
    },
  ];
}

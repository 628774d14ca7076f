/** Where the marks of a time axis stand and what they say. */

const STEPS = [1, 2, 5];

/** Give a round distance between marks, at least `leastS`: 1, 2 or 5 times a power of ten below a minute, then clock steps. */
export function tickStep(leastS: number): number {
  if (leastS <= 20) {
    const power = 10 ** Math.floor(Math.log10(leastS));
    for (const step of STEPS) if (step * power >= leastS) return step * power;
    return Math.min(10 * power, 30);
  }
  for (const step of [30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14_400, 21_600, 43_200, 86_400]) {
    if (step >= leastS) return step;
  }
  return Math.ceil(leastS / 86_400) * 86_400;
}

/** Give the marks in [fromS, toS], each a multiple of the step. */
export function ticks(fromS: number, toS: number, stepS: number): number[] {
  const first = Math.ceil(fromS / stepS - 1e-9);
  const last = Math.floor(toS / stepS + 1e-9);
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, i) => (first + i) * stepS);
}

/** Write a time of the run as exactly as the step needs: "12.35 s", "1:05", "1:02:30". */
export function tickLabel(exactS: number, stepS: number): string {
  if (exactS < -1e-9) return "";
  const decimals = Math.max(0, Math.min(6, -Math.floor(Math.log10(stepS) + 1e-9)));
  const atS = Number(exactS.toFixed(decimals)); // as it is written, before it is split: never "1:60"
  if (atS < 60 && stepS < 30) return `${atS.toFixed(decimals)} s`;
  const hours = Math.floor(atS / 3600 + 1e-9);
  const minutes = Math.floor((atS - hours * 3600) / 60 + 1e-9);
  const seconds = Math.max(0, atS - hours * 3600 - minutes * 60);
  const text = seconds.toFixed(decimals).padStart(decimals > 0 ? decimals + 3 : 2, "0");
  return hours > 0 ? `${hours}:${String(minutes).padStart(2, "0")}:${text}` : `${minutes}:${text}`;
}

/** Write a time of the run exactly, for details: "12.346 s", "1:05.346". */
export function exactTime(atS: number): string {
  return tickLabel(Math.max(0, atS), 0.001);
}

// The hours of a run: read, added up, looked at between two full hours.

export const KINDS = ["wind", "pv", "csp", "salt", "grid"] as const;
export type Kind = (typeof KINDS)[number];

/** As /api/v1/twin/runs/{id}/hours tells them: MW of the machines by hour, jobs by hour. */
export interface RunHours {
  start_s: number;
  n_hours: number;
  load_mw: number[];
  wind_mw: number[];
  pv_mw: number[];
  csp_mw: number[];
  salt_mw: number[];
  grid_mw: number[];
  unused_mw: number[];
  planned_mw?: number[];
  running_jobs?: number[];
  waiting_jobs?: number[];
}

export function series(hours: RunHours, kind: Kind): number[] {
  return hours[`${kind}_mw`];
}

/** Energy drawn, and the clean part of it, from the start to the end of each hour; for "so far". */
export function sumsOf(hours: RunHours): { load: Float64Array; grid: Float64Array } {
  const [load, grid] = [new Float64Array(hours.n_hours + 1), new Float64Array(hours.n_hours + 1)];
  for (let hour = 0; hour < hours.n_hours; hour += 1) {
    load[hour + 1] = (load[hour] ?? 0) + (hours.load_mw[hour] ?? 0);
    grid[hour + 1] = (grid[hour] ?? 0) + (hours.grid_mw[hour] ?? 0);
  }
  return { load, grid };
}

/** Share that was not bought until the end of an hour; 1 where nothing was drawn. */
export function cleanSoFar(sums: { load: Float64Array; grid: Float64Array }, hour: number): number {
  const load = sums.load[hour + 1] ?? 0;
  return load > 0 ? 1 - (sums.grid[hour + 1] ?? 0) / load : 1;
}

/** A round number that is not below: 1, 2, 2.5 or 5 times a power of ten, so many steps of it. */
export function niceStep(top: number, nSteps = 4): number {
  const raw = Math.max(top, 1e-9) / nSteps;
  const size = 10 ** Math.floor(Math.log10(raw));
  return size * ([1, 2, 2.5, 5, 10].find((part) => size * part >= raw * (1 - 1e-9)) ?? 10);
}

export type Sentence = "clean" | "salt" | "grid" | "unused" | "still";

/** What an hour is about: the grid where it gives some, else the salt where it gives much, else what finds no work. */
export function sentenceOf(hours: RunHours, hour: number): { name: Sentence; share: number; mw: number } {
  const load = hours.load_mw[hour] ?? 0;
  const [grid, salt, unused] = [hours.grid_mw[hour] ?? 0, hours.salt_mw[hour] ?? 0, hours.unused_mw[hour] ?? 0];
  if (load <= 0) return { name: "still", share: 0, mw: 0 };
  if (grid >= 0.005 * load) return { name: "grid", share: grid / load, mw: 0 };
  if (salt >= 0.25 * load) return { name: "salt", share: salt / load, mw: 0 };
  if (unused >= 0.25 * load) return { name: "unused", share: 0, mw: unused };
  return { name: "clean", share: 0, mw: 0 };
}

/** Where the window of `span` hours begins at a moment: it glides with now at 62 in 100, or turns like a page. */
export function windowStart(atH: number, span: number, nHours: number, isCalm: boolean): number {
  const wanted = isCalm ? Math.floor(atH / span) * span : atH - 0.62 * span;
  return Math.max(0, Math.min(Math.max(0, nHours - span), wanted));
}

/** The outline of a layer in steps between two lines of values, for hours `first` to `last`. */
export function stepPath(
  low: (hour: number) => number, high: (hour: number) => number, first: number, last: number, x: (hour: number) => number,
): string {
  if (last <= first) return "";
  const parts = [`M${x(first).toFixed(1)} ${high(first).toFixed(1)}`];
  for (let hour = first; hour < last; hour += 1) parts.push(`V${high(hour).toFixed(1)}H${x(hour + 1).toFixed(1)}`);
  for (let hour = last - 1; hour >= first; hour -= 1) parts.push(`V${low(hour).toFixed(1)}H${x(hour).toFixed(1)}`);
  return `${parts.join("")}Z`;
}

/** A line in steps. */
export function stepLine(value: (hour: number) => number, first: number, last: number, x: (hour: number) => number): string {
  if (last <= first) return "";
  const parts = [`M${x(first).toFixed(1)} ${value(first).toFixed(1)}`];
  for (let hour = first; hour < last; hour += 1) parts.push(`V${value(hour).toFixed(1)}H${x(hour + 1).toFixed(1)}`);
  return parts.join("");
}

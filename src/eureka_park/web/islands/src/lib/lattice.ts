// Reading between the points of the lattice of years, as energy/core/lattice.py does: a monotone cubic, axis by axis.

export const AXES = ["load_mw", "flex_frac", "wind_mw", "pv_mw", "battery_mw"] as const;
export type Axis = (typeof AXES)[number];
export type Point = Record<Axis, number> & { scenario: string };
export type Quantities = Record<string, number>;

export interface Lattice {
  axes: Record<Axis, number[]>;
  values: Record<string, Record<string, number[]>>;
}

interface Between {
  index: number;
  part: number;
}

/** The quantities of a year at a point; beyond an axis its end counts. */
export function read(lattice: Lattice, point: Point): Quantities {
  const found: Quantities = {};
  for (const [name, series] of Object.entries(lattice.values[point.scenario] ?? {})) {
    let values = series;
    for (const axis of [...AXES].reverse()) values = led(values, lattice.axes[axis], weightsAt(lattice.axes[axis], point[axis]));
    found[name] = values[0] ?? 0;
  }
  return found;
}

function led(series: number[], marks: number[], at: Between): number[] {
  const found: number[] = [];
  for (let start = 0; start < series.length; start += marks.length) {
    found.push(monotone(marks, series.slice(start, start + marks.length), at));
  }
  return found;
}

function weightsAt(marks: number[], value: number): Between {
  const last = marks.length - 1;
  if (last === 0 || value <= of(marks, 0)) return { index: 0, part: 0 };
  if (value >= of(marks, last)) return { index: last - 1, part: 1 };
  const index = marks.findIndex((mark) => mark > value) - 1;
  return { index, part: (value - of(marks, index)) / (of(marks, index + 1) - of(marks, index)) };
}

function monotone(marks: number[], values: number[], at: Between): number {
  if (marks.length === 1) return of(values, 0);
  const { index, part } = at;
  const width = of(marks, index + 1) - of(marks, index);
  const back = 1 - part;
  return (
    (1 + 2 * part) * back ** 2 * of(values, index) +
    part ** 2 * (3 - 2 * part) * of(values, index + 1) +
    width * part * back * (back * slope(marks, values, index) - part * slope(marks, values, index + 1))
  );
}

function slope(marks: number[], values: number[], at: number): number {
  const last = marks.length - 1;
  const gap = (here: number): number => of(marks, here + 1) - of(marks, here);
  const steep = (here: number): number => (of(values, here + 1) - of(values, here)) / gap(here);
  if (last === 1) return steep(0);
  if (at === 0 || at === last) {
    const [here, beside] = at === 0 ? [0, 1] : [last - 1, last - 2];
    const [one, two] = [steep(here), steep(beside)];
    const found = ((2 * gap(here) + gap(beside)) * one - gap(here) * two) / (gap(here) + gap(beside));
    if (found * one <= 0) return 0;
    return one * two < 0 && Math.abs(found) > 3 * Math.abs(one) ? 3 * one : found;
  }
  const [one, two] = [steep(at - 1), steep(at)];
  if (one * two <= 0) return 0;
  const heavy = 2 * gap(at) + gap(at - 1);
  const light = gap(at) + 2 * gap(at - 1);
  return (heavy + light) / (heavy / one + light / two);
}

function of(values: number[], index: number): number {
  return values[index] ?? Number.NaN;
}

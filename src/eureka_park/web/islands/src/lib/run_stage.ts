// The moving picture of a run: sources stacked from the ground against what work draws, under it jobs; now is a line.
import { KINDS, niceStep, series, stepLine, stepPath, type RunHours } from "./run_hours.ts";

const SVG = "http://www.w3.org/2000/svg";
const [START, END, ABOVE, JOBS, BELOW, GAP] = [46, 8, 18, 46, 22, 14];
const NARROW = 560;
const ROOM_FRAC = 0.42; // of the highest load: for clean power beyond it
const FADE = "play-fade"; // stands once in a page

export interface Scale {
  topMw: number;
  topJobs: number;
}

/** One scale for several runs, so that they can be compared. */
export function scaleOf(runs: RunHours[]): Scale {
  const most = (pick: (hours: RunHours) => number[] | undefined): number =>
    runs.reduce((top, run) => (pick(run) ?? []).reduce((so, value) => Math.max(so, value), top), 0);
  const load = most((run) => run.load_mw);
  return {
    topMw: Math.max(1e-6, load + Math.min(ROOM_FRAC * load, Math.max(0.04 * load, most((run) => run.unused_mw)))),
    topJobs: Math.max(1, most((run) => run.running_jobs), ...runs.map((run) => usualMost(run.waiting_jobs ?? []))),
  };
}

/** What 97 in 100 hours stay below: a rare rush must not press all others flat. */
function usualMost(values: number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(0.97 * values.length)] ?? 0;
}

/** How many hours a picture of this width shows. */
export function spanOf(width: number, nHours: number): number {
  return Math.min(nHours, width < NARROW ? 48 : 96);
}

export class Stage {
  readonly svg: SVGSVGElement;
  private readonly hours: RunHours;
  private readonly scale: Scale;
  private readonly parts = new Map<string, SVGElement>();
  private readonly fixed: SVGGElement;
  private readonly moving: SVGGElement;
  private width = 0;
  private height = 0;
  private ground = 0;
  private span = 96;

  constructor(hours: RunHours, scale: Scale, name: string) {
    this.hours = hours;
    this.scale = scale;
    this.svg = document.createElementNS(SVG, "svg");
    this.svg.setAttribute("class", "play-stage");
    this.svg.setAttribute("role", "img");
    this.svg.setAttribute("direction", "ltr");
    this.svg.setAttribute("aria-label", name);
    this.fixed = this.made("g", "");
    this.moving = this.made("g", "");
    this.svg.append(this.fixed, this.moving);
  }

  /** Fit a width; what does not move is drawn anew. `unit` names a power of 1 MW as people read it. */
  fit(width: number, unit: { name: string; size: number }, number: (value: number) => string): void {
    this.width = Math.max(260, Math.round(width));
    this.height = this.width < NARROW ? 290 : 330;
    this.ground = this.height - BELOW - JOBS - GAP;
    this.span = spanOf(this.width, this.hours.n_hours);
    this.svg.setAttribute("viewBox", `0 0 ${this.width} ${this.height}`);
    this.svg.setAttribute("width", String(this.width));
    this.svg.setAttribute("height", String(this.height));
    this.fixed.replaceChildren();
    if (!document.getElementById(FADE)) this.fixed.append(this.fade());
    const top = this.scale.topMw / unit.size;
    const step = niceStep(top);
    this.text("tick", 2, 11, unit.name, "start");
    for (let value = 0; value <= top * (1 + 1e-9); value += step) {
      const y = this.y(value * unit.size);
      this.line("rule", START, this.width - END, y, y);
      this.text("tick", START - 8, y + 4, number(value), "end");
    }
    const jobsGround = this.height - BELOW;
    this.line("rule", START, this.width - END, jobsGround, jobsGround);
    if (this.hours.running_jobs) {
      for (const [part, down] of [[1, 8], [0.25, 4]] as const) {
        const jobs = Math.round(part * this.scale.topJobs);
        this.text("tick", START - 8, jobsGround - JOBS * Math.sqrt(part) + down, number(jobs), "end");
      }
    }
    this.moving.replaceChildren();
    this.parts.clear();
  }

  get spanH(): number {
    return this.span;
  }

  /** The hour at a place of the picture. */
  hourAt(clientX: number, fromH: number): number {
    const box = this.svg.getBoundingClientRect();
    const x = ((clientX - box.left) / Math.max(1, box.width)) * this.width;
    return fromH + ((x - START) / (this.width - START - END)) * this.span;
  }

  /** Draw the window that begins at `fromH`, with now at `atH`. What lies ahead is pale, for nobody knew it then. */
  draw(fromH: number, atH: number, day: (startS: number) => string): void {
    const [first, last] = [Math.floor(fromH), Math.min(this.hours.n_hours, Math.ceil(fromH + this.span))];
    const now = Math.min(last, Math.floor(atH) + 1);
    const inner = this.width - START - END;
    const x = (hour: number): number => Math.min(this.width - END, Math.max(START, START + ((hour - fromH) / this.span) * inner));
    for (const [name, from, to] of [["past", first, now], ["ahead", now, last]] as const) this.stack(name, from, to, x);
    this.path("play-planned", this.hours.planned_mw ? stepLine((hour) => this.y(this.value(this.hours.planned_mw, hour)), now, last, x) : "");
    this.path("load", stepLine((hour) => this.y(this.value(this.hours.load_mw, hour)), first, now, x));
    this.jobs(first, now, x);
    this.marks(fromH, x, day);
    this.nowLine(x(atH), this.y(this.value(this.hours.load_mw, Math.min(this.hours.n_hours - 1, Math.floor(atH)))));
  }

  private stack(name: string, from: number, to: number, x: (hour: number) => number): void {
    const below = (hour: number, upTo: number): number =>
      KINDS.slice(0, upTo).reduce((sum, kind) => sum + this.value(series(this.hours, kind), hour), 0);
    KINDS.forEach((kind, at) => {
      const path = stepPath((hour) => this.y(below(hour, at)), (hour) => this.y(below(hour, at + 1)), from, to, x);
      this.path(`s-${kind} play-${name}`, path);
    });
    const load = (hour: number): number => this.value(this.hours.load_mw, hour);
    const top = (hour: number): number => Math.max(ABOVE, this.y(load(hour) + this.value(this.hours.unused_mw, hour)));
    this.path(`play-unused play-${name}`, stepPath((hour) => this.y(load(hour)), top, from, to, x));
  }

  private jobs(first: number, now: number, x: (hour: number) => number): void {
    const ground = this.height - BELOW;
    // Heights go by the square root: hundreds that run and thousands that wait are both to be seen.
    const y = (jobs: number): number => ground - Math.sqrt(Math.min(jobs, this.scale.topJobs) / this.scale.topJobs) * JOBS;
    const { running_jobs: running, waiting_jobs: waiting } = this.hours;
    this.path("play-running", running ? stepPath(() => ground, (hour) => y(this.value(running, hour)), first, now, x) : "");
    this.path("play-waiting", waiting ? stepLine((hour) => y(this.value(waiting, hour)), first, now, x) : "");
  }

  private marks(fromH: number, x: (hour: number) => number, day: (startS: number) => string): void {
    const group = this.part("g", "play-days");
    const nodes: SVGElement[] = [];
    const ground = this.height - BELOW;
    for (let hour = Math.ceil(fromH / 24) * 24; hour <= fromH + this.span; hour += 24) {
      nodes.push(this.made("line", "day", { x1: x(hour), x2: x(hour), y1: ABOVE, y2: ground + 5 }));
    }
    for (let hour = Math.floor(fromH / 24) * 24; hour < Math.min(fromH + this.span, this.hours.n_hours); hour += 24) {
      const [from, to] = [x(Math.max(hour, fromH)), x(Math.min(hour + 24, fromH + this.span))];
      if (to - from < 70) continue;
      const text = this.made("text", "tick", { x: (from + to) / 2, y: ground + 17 });
      text.setAttribute("text-anchor", "middle");
      text.textContent = day(this.hours.start_s + hour * 3600);
      nodes.push(text);
    }
    group.replaceChildren(...nodes);
  }

  private nowLine(x: number, y: number): void {
    const [line, dot] = [this.part("line", "now"), this.part("circle", "now-dot")];
    for (const [name, value] of Object.entries({ x1: x, x2: x, y1: ABOVE - 6, y2: this.height - BELOW })) {
      line.setAttribute(name, value.toFixed(1));
    }
    for (const [name, value] of Object.entries({ cx: x, cy: y, r: 5 })) dot.setAttribute(name, value.toFixed(1));
  }

  /** Clean power without work fades towards the top, where it may go on beyond the picture. */
  private fade(): SVGElement {
    const fade = this.made("linearGradient", "", { x1: 0, x2: 0, y1: 1, y2: 0 });
    fade.id = FADE;
    for (const [offset, css] of [[0, "play-fade-near"], [1, "play-fade-far"]] as const) fade.append(this.made("stop", css, { offset }));
    return fade;
  }

  private y(mw: number): number {
    return this.ground - (Math.min(mw, this.scale.topMw) / this.scale.topMw) * (this.ground - ABOVE);
  }

  private value(values: number[] | undefined, hour: number): number {
    return values?.[hour] ?? 0;
  }

  private path(css: string, d: string): void {
    this.part("path", css).setAttribute("d", d);
  }

  private part(tag: string, css: string): SVGElement {
    const found = this.parts.get(css);
    if (found) return found;
    const made = this.made(tag, css);
    this.parts.set(css, made);
    this.moving.append(made);
    return made;
  }

  private line(css: string, x1: number, x2: number, y1: number, y2: number): void {
    this.fixed.append(this.made("line", css, { x1, x2, y1, y2 }));
  }

  private text(css: string, x: number, y: number, text: string, anchor: string): void {
    const made = this.made("text", css, { x, y });
    made.setAttribute("text-anchor", anchor);
    made.textContent = text;
    this.fixed.append(made);
  }

  private made<T extends SVGElement>(tag: string, css: string, values: Record<string, number> = {}): T {
    const made = document.createElementNS(SVG, tag) as T;
    if (css) made.setAttribute("class", css);
    for (const [name, value] of Object.entries(values)) made.setAttribute(name, value.toFixed(1));
    return made;
  }
}

// Plays a run of the twin back: one clock for one run or two, its picture, its figures, its place among all hours.
import { cleanSoFar, sentenceOf, sumsOf, windowStart, type RunHours } from "../lib/run_hours.ts";
import { all, fill, isNew, isolated, locale, speak } from "../lib/page.ts";
import { scaleOf, Stage } from "../lib/run_stage.ts";

const SVG = "http://www.w3.org/2000/svg";
const CALM_MS = 250; // who asks for less motion sees steps of a quarter of a second
const FIGURES_MS = 90;
const HOUR_MS = 3_600_000;

interface Track {
  name: string;
  hours: RunHours;
  sums: ReturnType<typeof sumsOf>;
  stage: Stage;
}

/** Give play-backs their work. */
export function attach(): void {
  for (const card of all("[data-playback]")) if (isNew(card, "playback")) void open(card);
}

async function open(card: HTMLElement): Promise<void> {
  const told = JSON.parse(card.dataset.tracks ?? "[]") as { url: string; name: string }[];
  const answers = await Promise.all(told.map(({ url }) => fetch(url).then((answer) => (answer.ok ? answer.json() : undefined), () => undefined)));
  const runs = answers.filter((answer): answer is RunHours => Boolean(answer) && answer.n_hours > 0);
  if (!runs.length || runs.length !== told.length) return; // the static pictures stay
  const scale = scaleOf(runs);
  const tracks = runs.map((hours, at) => {
    const name = told[at]?.name ?? "";
    return { name, hours, sums: sumsOf(hours), stage: new Stage(hours, scale, name) };
  });
  new Player(card, tracks);
}

class Player {
  private readonly card: HTMLElement;
  private readonly tracks: Track[];
  private readonly said: Record<string, string>;
  private readonly forms: Record<string, string>;
  private readonly place: HTMLElement;
  private readonly button: HTMLButtonElement;
  private readonly scrub: HTMLInputElement;
  private readonly speed: HTMLSelectElement;
  private readonly when = dates({ weekday: "long", day: "numeric", month: "long", hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
  private readonly day = dates({ weekday: "short", day: "numeric", month: "short" });
  private readonly nHours: number;
  private atH = 0;
  private isPlaying = false;
  private frame = 0;
  private lastMs = 0;
  private figuresMs = 0;
  private fittedPx = 0;

  constructor(card: HTMLElement, tracks: Track[]) {
    this.card = card;
    this.tracks = tracks;
    this.said = JSON.parse(card.dataset.said ?? "{}") as Record<string, string>;
    this.forms = JSON.parse(card.dataset.forms ?? "{}") as Record<string, string>;
    this.place = need(card, "[data-play-stage]");
    this.button = need(card, "[data-play-button]");
    this.scrub = need(card, "[data-play-scrub]");
    this.speed = need(card, "[data-play-speed]");
    this.nHours = Math.min(...tracks.map((track) => track.hours.n_hours));
    this.scrub.max = String(this.nHours - 1);
    this.show();
    this.listen();
    this.go(Math.min(this.nHours - 1, 60));
  }

  /** The moving picture takes the place of the still one. */
  private show(): void {
    for (const name of ["stage", "controls", "figures", "now", "legend"]) {
      for (const part of all(`[data-play-${name}]`, this.card)) part.hidden = false;
    }
    for (const part of all("[data-play-static]", this.card)) part.hidden = true;
    for (const track of this.tracks) {
      const box = document.createElement("div");
      if (this.tracks.length > 1) {
        const title = document.createElement("p");
        title.className = "play-name";
        title.textContent = track.name;
        const soFar = document.createElement("b");
        soFar.dataset.playSoFar = "";
        title.append(" ", soFar);
        box.append(title);
      }
      box.append(track.stage.svg);
      this.place.append(box);
    }
    new ResizeObserver(() => this.fit()).observe(this.place);
  }

  private listen(): void {
    this.button.addEventListener("click", () => this.turn(!this.isPlaying));
    this.scrub.addEventListener("input", () => this.go(this.scrub.valueAsNumber));
    this.place.addEventListener("keydown", (event) => this.key(event));
    this.place.addEventListener("pointerdown", (event) => this.drag(event));
    this.place.addEventListener("pointermove", (event) => event.buttons === 1 && this.drag(event));
    for (const heat of this.heats()) heat.addEventListener("pointerdown", (event) => this.jump(heat, event));
    document.addEventListener("visibilitychange", () => document.hidden && this.turn(false));
  }

  private key(event: KeyboardEvent): void {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    const to: Record<string, number> = {
      ArrowRight: this.hour + 1, ArrowLeft: this.hour - 1, PageDown: this.hour + 24, PageUp: this.hour - 24, Home: 0, End: this.nHours - 1,
    };
    const wanted = to[event.key];
    if (event.key === " ") this.turn(!this.isPlaying);
    else if (wanted !== undefined) this.go(wanted, true);
    else return;
    event.preventDefault();
  }

  private drag(event: PointerEvent): void {
    const first = this.tracks[0];
    if (first && event.target instanceof Element && event.target.closest("svg")) this.go(first.stage.hourAt(event.clientX, this.fromH));
  }

  private jump(heat: SVGSVGElement, event: PointerEvent): void {
    const matrix = heat.getScreenCTM();
    if (!matrix) return;
    const at = new DOMPoint(event.clientX, event.clientY).matrixTransform(matrix.inverse());
    const box = fieldOf(heat);
    const day = Math.floor(((at.x - box.x0) / (box.x1 - box.x0)) * Math.ceil(this.nHours / 24));
    const hour = Math.floor(((at.y - box.y0) / (box.y1 - box.y0)) * 24);
    this.go(24 * day + Math.min(23, Math.max(0, hour)));
  }

  private get hour(): number {
    return Math.min(this.nHours - 1, Math.max(0, Math.floor(this.atH)));
  }

  private get isCalm(): boolean {
    return matchMedia("(prefers-reduced-motion: reduce)").matches;
  }

  private get fromH(): number {
    return windowStart(this.atH, this.tracks[0]?.stage.spanH ?? 96, this.nHours, this.isCalm);
  }

  private go(hour: number, isSpoken = false): void {
    this.atH = Math.min(this.nHours - 1, Math.max(0, Math.floor(hour))) + 0.5;
    this.draw();
    this.tell();
    if (isSpoken && !this.isPlaying) speak(this.sentence());
  }

  private turn(on: boolean): void {
    if (on === this.isPlaying) return;
    this.isPlaying = on;
    this.button.textContent = this.said[on ? "pause" : "play"] ?? "";
    if (on && this.hour >= this.nHours - 1) this.atH = 0;
    cancelAnimationFrame(this.frame);
    if (on) {
      this.lastMs = performance.now();
      this.frame = requestAnimationFrame((ms) => this.step(ms));
    } else {
      this.tell();
      speak(this.sentence());
    }
  }

  private step(ms: number): void {
    const gone = ms - this.lastMs;
    if (!this.isCalm || gone >= CALM_MS) {
      this.lastMs = ms;
      this.atH = Math.min(this.nHours - 1e-6, this.atH + (Math.min(gone, 500) / 1000) * (Number(this.speed.value) || 24));
      this.draw();
      if (ms - this.figuresMs >= FIGURES_MS) this.tell();
    }
    if (this.atH >= this.nHours - 1e-5) this.turn(false);
    else if (this.isPlaying) this.frame = requestAnimationFrame((next) => this.step(next));
  }

  private fit(): void {
    const width = this.place.clientWidth;
    if (!width || width === this.fittedPx) return;
    this.fittedPx = width;
    const unit = this.unit();
    for (const { stage } of this.tracks) stage.fit(width, unit, (value) => number(value));
    this.draw();
  }

  private draw(): void {
    const fromH = this.fromH;
    for (const { stage } of this.tracks) stage.draw(fromH, this.atH, (startS) => this.day.format(startS * 1000));
    for (const heat of this.heats()) this.markHeat(heat);
  }

  /** The figures of the hour, its sentence, and where it stands among all hours. */
  private tell(): void {
    this.figuresMs = performance.now();
    const first = this.tracks[0];
    if (!first) return;
    const { hours, sums } = first;
    const load = hours.load_mw[this.hour] ?? 0;
    const told: Record<string, string> = {
      load: this.power(load),
      clean: percent(load > 0 ? 1 - (hours.grid_mw[this.hour] ?? 0) / load : 1),
      so_far: percent(cleanSoFar(sums, this.hour)),
      running: hours.running_jobs ? isolated(number(hours.running_jobs[this.hour] ?? 0)) : "–",
      waiting: hours.waiting_jobs ? isolated(number(hours.waiting_jobs[this.hour] ?? 0)) : "–",
    };
    for (const place of all("[data-play-figure]", this.card)) put(place, told[place.dataset.playFigure ?? ""] ?? "");
    all("[data-play-so-far]", this.card).forEach((place, at) => {
      const track = this.tracks[at];
      if (track) put(place, percent(cleanSoFar(track.sums, this.hour)));
    });
    const sentence = this.sentence();
    put(need(this.card, "[data-play-when]"), this.whenTold());
    put(need(this.card, "[data-play-sentence]"), this.bare());
    this.scrub.value = String(this.hour);
    this.scrub.setAttribute("aria-valuetext", sentence);
  }

  /** What the hour is about, with its time; for who hears it. */
  private sentence(): string {
    return fill(this.said.hour ?? "{when}: {sentence}", { when: this.whenTold(), sentence: this.bare() });
  }

  private whenTold(): string {
    const startS = this.tracks[0]?.hours.start_s ?? 0;
    return isolated(this.when.format(startS * 1000 + this.hour * HOUR_MS));
  }

  private bare(): string {
    const hours = this.tracks[0]?.hours;
    if (!hours) return "";
    const found = sentenceOf(hours, this.hour);
    return fill(this.said[found.name] ?? "", { share: percent(found.share), mw: this.power(found.mw) });
  }

  /** A wide one and a narrow one, of which the sheet shows one. */
  private heats(): SVGSVGElement[] {
    return [...this.card.querySelectorAll<SVGSVGElement>("[data-play-heat] svg")];
  }

  private markHeat(heat: SVGSVGElement): void {
    const box = fieldOf(heat);
    const [wide, high] = [(box.x1 - box.x0) / Math.ceil(this.nHours / 24), (box.y1 - box.y0) / 24];
    const [day, hour] = [Math.floor(this.hour / 24), this.hour % 24];
    const width = Math.max(5, wide);
    const x = box.x0 + (day + 0.5) * wide;
    place(heat, "line", "play-day", { x1: x, x2: x, y1: box.y0, y2: box.y1 });
    place(heat, "rect", "play-here", { x: x - width / 2, y: box.y0 + hour * high, width, height: high });
  }

  private unit(): { name: string; size: number } {
    const top = scaleOf(this.tracks.map((track) => track.hours)).topMw;
    const [name, size] = top >= 1 ? ["MW", 1] : top >= 1e-3 ? ["kW", 1e-3] : ["W", 1e-6];
    return { name: fill(this.forms[String(name)] ?? `{n} ${name}`, { n: "" }).trim(), size: Number(size) };
  }

  private power(mw: number): string {
    const [unit, size] = mw >= 1 || mw === 0 ? ["MW", 1] : mw >= 1e-3 ? ["kW", 1e-3] : ["W", 1e-6];
    return isolated(fill(this.forms[String(unit)] ?? `{n} ${unit}`, { n: number(mw / Number(size)) }));
  }
}

function fieldOf(drawing: SVGSVGElement): { x0: number; x1: number; y0: number; y1: number } {
  const { x0, x1, y0, y1 } = drawing.dataset;
  return { x0: Number(x0), x1: Number(x1), y0: Number(y0), y1: Number(y1) };
}

/** A part of a drawing, made when it is placed first. */
function place(drawing: SVGSVGElement, tag: string, css: string, values: Record<string, number>): void {
  let part = drawing.querySelector<SVGElement>(`.${css}`);
  if (!part) {
    part = document.createElementNS(SVG, tag);
    part.setAttribute("class", css);
    drawing.append(part);
  }
  for (const [name, value] of Object.entries(values)) part.setAttribute(name, value.toFixed(2));
}

function need<T extends HTMLElement>(inside: HTMLElement, selector: string): T {
  const found = inside.querySelector<T>(selector);
  if (!found) throw new Error(selector);
  return found;
}

function put(place: HTMLElement, text: string): void {
  if (place.textContent !== text) place.textContent = text;
}

function dates(options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  return new Intl.DateTimeFormat(locale(), { ...options, timeZone: "UTC" });
}

function number(value: number): string {
  const digits = value >= 100 || value === Math.round(value) ? 0 : 1;
  return new Intl.NumberFormat(locale(), { minimumFractionDigits: digits, maximumFractionDigits: digits }).format(value);
}

function percent(frac: number): string {
  return isolated(new Intl.NumberFormat(locale(), { style: "percent", maximumFractionDigits: 0 }).format(frac));
}

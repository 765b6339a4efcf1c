// Series that grow while one looks: drawn by uPlot, read by keys or pointer, in the colours of the park's tokens.
import uPlot from "uplot";
import { all, fill, isNew, isolated, locale, plain } from "../lib/page.ts";
import { hourText } from "../lib/time.ts";

type Named = { key: string; name: string; colour: string; fill?: boolean };
type Answer = { times_s: number[]; series: Record<string, (number | null)[]> };

const EVERY_S_MIN = 2;
const SCALES: Record<string, [string, number][]> = {
  MW: [["MW", 1], ["kW", 1e3], ["W", 1e6]],
  kWh: [["MWh", 1e-3], ["kWh", 1], ["Wh", 1e3]],
};

/** Give the live charts of the page their work. */
export function attach(): void {
  for (const figure of all("[data-series-chart]")) {
    if (isNew(figure, "series")) new LiveChart(figure).start();
  }
}

class LiveChart {
  private readonly figure: HTMLElement;
  private readonly place: HTMLElement;
  private readonly series: Named[];
  private plot: uPlot | null = null;
  private answer: Answer = { times_s: [], series: {} };
  private here: number | null = null;
  private hint = "";

  constructor(figure: HTMLElement) {
    this.figure = figure;
    this.place = figure.querySelector<HTMLElement>("[data-chart-plot]") ?? figure;
    this.series = JSON.parse(figure.dataset.series ?? "[]") as Named[];
  }

  start(): void {
    this.hint = this.readout?.textContent ?? "";
    this.place.tabIndex = 0;
    this.place.setAttribute("role", "img");
    const title = this.figure.querySelector<HTMLElement>("figcaption")?.innerText ?? "";
    this.place.setAttribute("aria-label", title.trim().replace(/\s*\n\s*/g, ", "));
    this.place.addEventListener("keydown", (event) => this.pressed(event));
    this.place.addEventListener("blur", () => this.read(null));
    new ResizeObserver(() => this.plot?.setSize(this.size)).observe(this.place);
    for (const query of ["(prefers-color-scheme: dark)", "print"]) matchMedia(query).addEventListener("change", () => this.draw());
    document.addEventListener("park:theme", () => this.draw());
    void this.ask();
  }

  private async ask(): Promise<void> {
    if (!this.figure.isConnected) {
      this.plot?.destroy();
      return;
    }
    if (!document.hidden) {
      try {
        const answer = await fetch(this.figure.dataset.url ?? "", { headers: { Accept: "application/json" } });
        if (answer.ok) this.take((await answer.json()) as Answer);
      } catch {
        // The park cannot be reached; the page says so. What is drawn stays.
      }
    }
    setTimeout(() => void this.ask(), 1000 * Math.max(EVERY_S_MIN, Number(this.figure.dataset.everyS) || 10));
  }

  private take(answer: Answer): void {
    this.answer = answer;
    const isEmpty = answer.times_s.length < 2;
    if (isEmpty && this.readout) this.readout.textContent = this.figure.dataset.waiting ?? "";
    if (isEmpty) return;
    if (this.readout && this.readout.textContent === (this.figure.dataset.waiting ?? "")) this.readout.textContent = this.hint;
    if (this.plot) this.plot.setData(this.data);
    else this.draw();
  }

  private get readout(): HTMLElement | null {
    return this.figure.querySelector<HTMLElement>("[data-readout]");
  }

  private get data(): uPlot.AlignedData {
    const { factor } = this.unit;
    const scaled = this.series.map(({ key }) => (this.answer.series[key] ?? []).map((value) => (value === null ? null : value * factor)));
    return [this.answer.times_s, ...scaled] as uPlot.AlignedData;
  }

  /** The unit in which the highest value is at least one. */
  private get unit(): { name: string; factor: number } {
    const given = this.figure.dataset.unit ?? "";
    let top = 0;
    for (const { key } of this.series) for (const value of this.answer.series[key] ?? []) top = Math.max(top, Math.abs(value ?? 0));
    const [name, factor] = SCALES[given]?.find(([, by]) => top * by >= 1) ?? SCALES[given]?.at(-1) ?? [given, 1];
    return { name, factor };
  }

  private get size(): { width: number; height: number } {
    return { width: Math.max(120, this.place.clientWidth), height: Number(this.figure.dataset.height) || 220 };
  }

  private colour(token: string): string {
    const probe = document.createElement("span");
    probe.style.color = token.startsWith("--") ? `var(${token})` : token;
    this.place.append(probe);
    const colour = getComputedStyle(probe).color;
    probe.remove();
    return colour;
  }

  private draw(): void {
    if (this.answer.times_s.length < 2) return;
    this.plot?.destroy();
    const [mute, line] = [this.colour("--mute"), this.colour("--line")];
    const font = `12px ${getComputedStyle(this.place).fontFamily}`;
    const zone = this.figure.dataset.timeZone;
    const axis = { stroke: mute, font, grid: { stroke: line, width: 1 }, ticks: { show: false } };
    const options: uPlot.Options = {
      ...this.size,
      legend: { show: false },
      cursor: { y: false, points: { size: 8 }, drag: { x: false, y: false } },
      scales: { x: { time: true }, y: { range: (_plot, _low, high) => [0, high > 0 ? high * 1.08 : 1] } },
      axes: [
        { ...axis, space: 70, size: 30, values: (_plot, splits) => splits.map((s) => hourText(s, zone)) },
        { ...axis, size: 66, values: (_plot, splits) => splits.map((value) => isolated(this.amount(value))) },
      ],
      series: [{}, ...this.series.map((item) => this.line(item))],
      hooks: { setCursor: [(plot) => this.say(plot.cursor.idx ?? null)] },
    };
    this.plot = new uPlot(options, this.data, this.place);
    if (this.here !== null) this.read(this.here);
  }

  private line(item: Named): uPlot.Series {
    const stroke = this.colour(item.colour);
    const fill = item.fill ? { fill: stroke.replace(/^rgb\((.*)\)$/, "rgba($1, 0.18)") } : {};
    return { label: item.name, stroke, width: 2, points: { show: false }, spanGaps: false, ...fill };
  }

  /** A value with its unit, in the page's language. */
  private amount(value: number): string {
    const { name } = this.unit;
    const forms = JSON.parse(this.figure.dataset.forms ?? "{}") as Record<string, string>;
    const n = new Intl.NumberFormat(locale(), { maximumSignificantDigits: 3 }).format(value);
    return plain(fill(forms[name] ?? `{n} ${name}`, { n }));
  }

  private pressed(event: KeyboardEvent): void {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    const last = this.answer.times_s.length - 1;
    const here = this.here ?? last + 1;
    const next: Record<string, number> = {
      ArrowLeft: here - 1, ArrowRight: this.here === null ? 0 : here + 1, PageUp: here - 10, PageDown: here + 10, Home: 0, End: last,
    };
    const wanted = next[event.key];
    if (event.key === "Escape") this.read(null);
    else if (wanted === undefined) return;
    else this.read(Math.min(last, Math.max(0, wanted)));
    event.preventDefault();
  }

  private read(index: number | null): void {
    this.here = index;
    const plot = this.plot;
    if (!plot) return;
    const time = index === null ? undefined : this.answer.times_s[index];
    const left = time === undefined ? -10 : plot.valToPos(time, "x");
    plot.setCursor({ left, top: 0 });
    this.say(index);
  }

  private say(index: number | null): void {
    const readout = this.readout;
    if (!readout) return;
    const time = index === null ? undefined : this.answer.times_s[index];
    let text = this.hint;
    if (time !== undefined && index !== null) {
      const { factor } = this.unit;
      const values = this.series.map((item) => {
        const value = this.answer.series[item.key]?.[index];
        return `${item.name} ${isolated(value === null || value === undefined ? "–" : this.amount(value * factor))}`;
      });
      text = [isolated(hourText(time, this.figure.dataset.timeZone)), ...values].join(" · ");
    }
    if (readout.textContent !== text) readout.textContent = text;
  }
}

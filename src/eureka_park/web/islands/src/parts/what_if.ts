// The year page: figures follow the sliders from the lattice at once; the exact year follows when the hand rests.
import { AXES, read, type Axis, type Lattice, type Point, type Quantities } from "../lib/lattice.ts";
import { all, fill, isNew, isolated, locale } from "../lib/page.ts";

const REST_MS = 1200;
const ASK_EVERY_MS = 700;
const HOURS = 8760;
const FIELDS = { load_mw: "load", flex_frac: "flex", wind_mw: "wind", pv_mw: "pv", battery_mw: "battery" } as const;

interface Status {
  year_id: string;
  state: "waiting" | "running" | "done" | "failed" | "dropped";
  done: number;
  of: number;
  left_s: number;
}

/** Give the card its work. */
export function attach(): void {
  for (const card of all("[data-what-if]")) if (isNew(card, "what-if")) new Explorer(card);
}

class Explorer {
  private readonly card: HTMLElement;
  private readonly form: HTMLFormElement;
  private lattice: Lattice | undefined;
  private rest = 0;
  private round = 0;

  constructor(card: HTMLElement) {
    this.card = card;
    const form = card.querySelector("form");
    if (!form) throw new Error("no form");
    this.form = form;
    document.documentElement.classList.add("scripted");
    form.addEventListener("input", () => this.moved());
    form.addEventListener("submit", (event) => event.preventDefault());
    addEventListener("popstate", () => location.reload());
    void this.fetchLattice();
    const state = card.dataset.state;
    if (state === "running" || state === "waiting" || (state === "none" && !card.dataset.lattice)) this.later(0);
  }

  private async fetchLattice(): Promise<void> {
    const url = this.card.dataset.lattice;
    if (!url) return;
    const answer = await fetch(url).catch(() => undefined);
    if (answer?.ok) this.lattice = (await answer.json()) as Lattice;
  }

  private moved(): void {
    this.round += 1;
    const asked = this.asked();
    for (const slider of all<HTMLInputElement>("[data-slider]", this.card)) {
      const told = this.card.querySelector<HTMLOutputElement>(`#told-${slider.name}`);
      if (told) told.value = "share" in slider.dataset ? percent(slider.valueAsNumber / 100) : this.power(slider.valueAsNumber);
    }
    if (this.lattice) this.show(asked, read(this.lattice, asked));
    this.mark("approximate");
    this.progress(undefined);
    this.later(REST_MS);
  }

  private asked(): Point {
    const fields = new FormData(this.form);
    const value = (axis: Axis): number => Number(fields.get(FIELDS[axis]) ?? 0) * (axis === "flex_frac" ? 0.01 : 1);
    const numbers = Object.fromEntries(AXES.map((axis) => [axis, value(axis)])) as Record<Axis, number>;
    return { scenario: String(fields.get("scenario") ?? ""), ...numbers };
  }

  private show(asked: Point, sums: Quantities): void {
    const loadGwh = (asked.load_mw * HOURS) / 1000;
    const units = JSON.parse(this.card.dataset.unitCosts ?? "{}") as Record<string, [number, number]>;
    const cost = (at: 0 | 1): number =>
      (["wind", "pv", "battery"] as const).reduce((sum, kind) => sum + asked[`${kind}_mw`] * (units[kind]?.[at] ?? 0), 0);
    const figures: Record<string, number> = {
      cfe_frac: clamp(1 - (sums.not_clean_gwh ?? 0) / loadGwh),
      hours_fully_clean_frac: clamp((sums.fully_clean_h ?? 0) / HOURS),
      import_gwh: sums.import_gwh ?? 0,
      export_gwh: sums.export_gwh ?? 0,
      gco2_per_kwh: (sums.carbon_t ?? 0) / loadGwh,
      mad_per_kwh: ((sums.cost_mmad ?? 0) + cost(1)) / loadGwh,
    };
    for (const shown of all("[data-year-figure]", this.card)) {
      const value = figures[shown.dataset.yearFigure ?? ""];
      if (value === undefined) continue;
      const digits = Number(shown.dataset.digits ?? 0);
      if (shown.dataset.kind === "percent") shown.textContent = percent(value);
      else if (shown.dataset.kind === "energy") shown.textContent = this.energy(value, loadGwh);
      else shown.textContent = fill(shown.dataset.form ?? "{n}", { n: isolated(number(value, digits)) });
    }
    const built = this.card.querySelector<HTMLElement>("[data-new-supply]");
    const musd = cost(0);
    const form = musd >= 1 ? built?.dataset.form : built?.dataset.small;
    if (built) built.textContent = fill(form ?? "{n}", { n: isolated(number(musd >= 1 ? musd : 1e6 * musd, 0)) });
    for (const spread of all("[data-spread]", this.card)) spread.remove();
    const headline = document.querySelector<HTMLElement>("#year-headline");
    const text = this.card.dataset.headline;
    if (headline && text) headline.textContent = fill(text, { mw: this.power(asked.load_mw), share: percent(figures.cfe_frac ?? 0) });
  }

  /** In the unit that suits the load's own energy, as the server tells it. */
  private energy(gwh: number, loadGwh: number): string {
    const forms = JSON.parse(this.card.dataset.energyForms ?? "[]") as [number, string][];
    const [size, form] = forms.find(([least]) => loadGwh >= least) ?? forms[forms.length - 1] ?? [1, "{n} GWh"];
    const shown = gwh / size;
    return fill(form, { n: isolated(number(shown, shown >= 10 || shown === 0 ? 0 : 1)) });
  }

  private power(mw: number): string {
    const forms = JSON.parse(this.card.dataset.forms ?? "{}") as Record<string, string>;
    const [unit, size] = mw >= 1 || mw === 0 ? ["MW", 1] : mw >= 1e-3 ? ["kW", 1e-3] : ["W", 1e-6];
    const value = mw / Number(size);
    const digits = value === Math.round(value) || value >= 100 ? 0 : value >= 10 ? 1 : 2;
    return isolated(fill(forms[String(unit)] ?? `{n} ${unit}`, { n: number(value, digits) }));
  }

  private mark(which: "approximate" | "exact" | "none"): void {
    for (const name of ["approximate", "exact"] as const) {
      const label = this.card.querySelector<HTMLElement>(`[data-${name}]`);
      if (label) label.hidden = name !== which;
    }
  }

  private say(text: string): void {
    const state = this.card.querySelector<HTMLElement>("[data-year-state]");
    if (state && text && state.textContent !== text) state.textContent = text;
  }

  private progress(frac: number | undefined): void {
    const bar = this.card.querySelector<HTMLProgressElement>("[data-year-progress]");
    if (!bar) return;
    bar.hidden = frac === undefined;
    if (frac !== undefined) bar.value = frac;
  }

  private later(wait_ms: number): void {
    clearTimeout(this.rest);
    this.rest = window.setTimeout(() => void this.follow(this.round), wait_ms);
  }

  /** Keep the address, ask for the exact year, look until it is there, then show it. A newer question ends this one. */
  private async follow(round: number): Promise<void> {
    const address = new URL(location.href);
    const fields = new FormData(this.form);
    for (const name of ["scenario", ...Object.values(FIELDS)]) address.searchParams.set(name, String(fields.get(name) ?? ""));
    if (address.href !== location.href) history.replaceState(null, "", address);
    const url = this.card.dataset.years;
    if (!url) return;
    let status = await told(fetch(url, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(this.asked()) }));
    while (status && round === this.round && (status.state === "waiting" || status.state === "running")) {
      this.tell(status);
      await new Promise((done) => setTimeout(done, ASK_EVERY_MS));
      status = await told(fetch(`${url}/${status.year_id}`));
    }
    if (round !== this.round) return;
    this.progress(undefined);
    if (status?.state === "done") await this.exact(address, round);
    else if (status?.state !== "dropped") this.say(this.card.dataset.failed ?? "");
  }

  private tell(status: Status): void {
    const text = status.state === "waiting" ? this.card.dataset.waiting : this.card.dataset.running;
    const seconds = number(Math.max(1, Math.ceil(status.left_s)), 0);
    this.say(fill(text ?? "", { n: number(Math.min(status.of, status.done + 1), 0), of: number(status.of, 0), s: seconds }));
    this.progress(Math.max(0.04, status.done / status.of));
  }

  /** Fetch the page as it now is and take its answer and its pictures over. */
  private async exact(address: URL, round: number): Promise<void> {
    const answer = await fetch(address, { headers: { Accept: "text/html" } }).catch(() => undefined);
    if (!answer?.ok || round !== this.round) return;
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    for (const selector of ["#year-answer", "#year-pictures", "#year-headline", "#year-now"]) {
      const here = document.querySelector(selector);
      const there = fresh.querySelector(selector);
      if (here && there) here.replaceWith(document.adoptNode(there));
    }
    document.dispatchEvent(new CustomEvent("park:refreshed"));
  }
}

async function told(answer: Promise<Response>): Promise<Status | undefined> {
  const found = await answer.catch(() => undefined);
  return found?.ok ? ((await found.json()) as Status) : undefined;
}

function number(value: number, digits: number): string {
  return new Intl.NumberFormat(locale(), { minimumFractionDigits: digits, maximumFractionDigits: digits }).format(value);
}

function percent(frac: number): string {
  return isolated(new Intl.NumberFormat(locale(), { style: "percent", maximumFractionDigits: 0 }).format(frac));
}

function clamp(frac: number): number {
  return Math.min(1, Math.max(0, frac));
}

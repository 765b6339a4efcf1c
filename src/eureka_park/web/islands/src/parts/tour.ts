// A tour of a page that can be left at any time, and taken up where it was left.
import { all, fill, isNew, keep, kept } from "../lib/page.ts";

const GAP_PX = 12;

/** Give the buttons that start a tour their work; an address with ?tour= starts the page's first one, from its beginning. */
export function attach(): void {
  for (const button of all<HTMLButtonElement>("[data-tour-start]")) {
    button.hidden = false;
    if (isNew(button, "tour")) button.addEventListener("click", () => begin(button));
  }
  const first = document.querySelector<HTMLButtonElement>("[data-tour-start]");
  if (!first || !new URLSearchParams(location.search).has("tour")) return;
  history.replaceState(null, "", location.pathname);
  keep(`tour-${first.dataset.tourStart ?? ""}`, null);
  begin(first);
}

function begin(button: HTMLButtonElement): void {
  const name = button.dataset.tourStart ?? "";
  const list = document.querySelector<HTMLElement>(`[data-tour="${CSS.escape(name)}"]`);
  if (list) new Tour(list, name, button).show(Number(kept(`tour-${name}`)) || 0);
}

class Tour {
  private readonly steps: HTMLElement[];
  private readonly list: HTMLElement;
  private readonly name: string;
  private readonly from: HTMLElement;
  private readonly box = document.createElement("dialog");
  private n = 0;

  constructor(list: HTMLElement, name: string, from: HTMLElement) {
    this.list = list;
    this.name = name;
    this.from = from;
    this.steps = all(":scope > li", list).filter((step) => isShown(document.querySelector(step.dataset.for ?? "body")));
    this.box.className = "tour-step";
    this.box.setAttribute("aria-labelledby", "tour-text");
    this.box.addEventListener("keydown", (event) => this.pressed(event));
    addEventListener("resize", this.place);
    addEventListener("scroll", this.place, { passive: true });
    document.body.append(this.box);
  }

  show(n: number): void {
    if (!this.steps.length) return this.leave(null);
    this.n = Math.min(n, this.steps.length - 1);
    keep(`tour-${this.name}`, String(this.n));
    this.draw();
    const target = this.target();
    for (const marked of all(".tour-here")) marked.classList.remove("tour-here");
    target?.classList.add("tour-here");
    const isCalm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    target?.scrollIntoView({ block: "center", behavior: isCalm ? "instant" : "smooth" });
    if (!this.box.open) this.box.show();
    this.place();
    this.box.querySelector<HTMLElement>("[data-main]")?.focus({ preventScroll: true });
  }

  private draw(): void {
    const step = this.steps[this.n];
    const text = document.createElement("div");
    text.id = "tour-text";
    if (step) text.append(...[...step.childNodes].map((node) => node.cloneNode(true)));
    const count = document.createElement("span");
    count.className = "small";
    count.textContent = fill(this.list.dataset.step ?? "{n} / {all}", { n: this.n + 1, all: this.steps.length });
    const isLast = this.n === this.steps.length - 1;
    const forward = button(isLast ? this.list.dataset.end : this.list.dataset.next, () => (isLast ? this.leave("0") : this.show(this.n + 1)));
    forward.dataset.main = "";
    const row = document.createElement("div");
    row.className = "tour-buttons";
    if (this.n > 0) row.append(button(this.list.dataset.back, () => this.show(this.n - 1)));
    row.append(forward);
    if (!isLast) row.append(button(this.list.dataset.leave, () => this.leave(String(this.n))));
    row.append(count);
    this.box.replaceChildren(text, row);
  }

  private pressed(event: KeyboardEvent): void {
    if (event.key !== "Escape") return;
    event.preventDefault();
    event.stopPropagation();
    this.leave(String(this.n));
  }

  private leave(place: string | null): void {
    keep(`tour-${this.name}`, place);
    this.target()?.classList.remove("tour-here");
    removeEventListener("resize", this.place);
    removeEventListener("scroll", this.place);
    this.box.remove();
    this.from.focus();
  }

  private target(): Element | null {
    return document.querySelector(this.steps[this.n]?.dataset.for ?? "body");
  }

  /** Beside the element: below it, else above it, else where there is room. */
  private readonly place = (): void => {
    const target = this.target()?.getBoundingClientRect();
    if (!target) return;
    const [width, height] = [this.box.offsetWidth, this.box.offsetHeight];
    const [innerW, innerH] = [document.documentElement.clientWidth, innerHeight];
    const below = target.bottom + GAP_PX;
    const above = target.top - GAP_PX - height;
    const top = below + height < innerH ? below : above > 0 ? above : innerH - height - GAP_PX;
    const isRtl = document.documentElement.dir === "rtl";
    const wanted = isRtl ? target.right - width : target.left;
    const x = Math.min(Math.max(GAP_PX, wanted), innerW - width - GAP_PX);
    this.box.style.insetBlockStart = `${Math.max(GAP_PX, top)}px`;
    this.box.style.insetInlineStart = `${isRtl ? innerW - x - width : x}px`;
  };
}

function button(text: string | undefined, work: () => void): HTMLButtonElement {
  const made = document.createElement("button");
  made.type = "button";
  made.textContent = text ?? "";
  made.addEventListener("click", work);
  return made;
}

function isShown(element: Element | null): boolean {
  return !!element && element.getClientRects().length > 0;
}

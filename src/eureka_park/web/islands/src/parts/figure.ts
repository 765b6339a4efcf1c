// Figures that the server drew: read by keys or pointer, saved as SVG, PNG or CSV.
import { all, isNew } from "../lib/page.ts";
import { csvText, pngBlob, save, svgText } from "../lib/save.ts";

const SVG = "http://www.w3.org/2000/svg";
const places = new Map<string, number>(); // the interval that is read, by data block: a refresh keeps it

/** Give the figures of the page their work. */
export function attach(): void {
  for (const drawing of document.querySelectorAll<SVGSVGElement>("svg[data-readable]")) readable(drawing);
  for (const tools of all("[data-chart-tools]")) savable(tools);
}

// -- reading --------------------------------------------------------------------------------------------------------

function readable(drawing: SVGSVGElement): void {
  const id = drawing.dataset.readable ?? "";
  drawing.setAttribute("tabindex", "0");
  if (isNew(drawing, "reading")) {
    drawing.addEventListener("keydown", (event) => byKey(drawing, event));
    drawing.addEventListener("pointermove", (event) => read(drawing, intervalAt(drawing, event)));
    drawing.addEventListener("pointerdown", (event) => read(drawing, intervalAt(drawing, event)));
    drawing.addEventListener("pointerleave", () => document.activeElement !== drawing && forget(drawing));
    drawing.addEventListener("blur", () => forget(drawing));
  }
  const place = places.get(id);
  if (place !== undefined && isSeen(drawing)) read(drawing, place);
}

function isSeen(drawing: SVGSVGElement): boolean {
  return drawing.getClientRects().length > 0;
}

function textsOf(drawing: SVGSVGElement): string[][] {
  try {
    return JSON.parse(document.getElementById(drawing.dataset.readable ?? "")?.textContent ?? "[]") as string[][];
  } catch {
    return [];
  }
}

function byKey(drawing: SVGSVGElement, event: KeyboardEvent): void {
  if (event.ctrlKey || event.altKey || event.metaKey) return;
  const last = textsOf(drawing).length - 1;
  const here = places.get(drawing.dataset.readable ?? "");
  const next: Record<string, number | undefined> = {
    ArrowRight: here === undefined ? 0 : here + 1,
    ArrowLeft: here === undefined ? last : here - 1,
    PageDown: (here ?? 0) + 4,
    PageUp: (here ?? 0) - 4,
    Home: 0,
    End: last,
  };
  if (event.key === "Escape" && here !== undefined) forget(drawing);
  else if (next[event.key] !== undefined) read(drawing, Math.min(last, Math.max(0, next[event.key] ?? 0)));
  else return;
  event.preventDefault();
}

function intervalAt(drawing: SVGSVGElement, event: PointerEvent): number {
  const matrix = drawing.getScreenCTM();
  if (!matrix) return 0;
  const x = new DOMPoint(event.clientX, event.clientY).matrixTransform(matrix.inverse()).x;
  const [x0, x1, n] = [Number(drawing.dataset.x0), Number(drawing.dataset.x1), textsOf(drawing).length];
  return Math.min(n - 1, Math.max(0, Math.floor(((x - x0) / (x1 - x0)) * n)));
}

function read(drawing: SVGSVGElement, place: number): void {
  const texts = textsOf(drawing);
  const said = texts[place];
  if (!said) return;
  places.set(drawing.dataset.readable ?? "", place);
  const [x0, x1] = [Number(drawing.dataset.x0), Number(drawing.dataset.x1)];
  const [y0, y1] = [Number(drawing.dataset.y0 ?? 0), Number(drawing.dataset.y1 ?? drawing.viewBox.baseVal.height)];
  const width = (x1 - x0) / texts.length;
  const band = part(drawing, "rect", "reading-band");
  set(band, { x: x0 + place * width, y: y0, width, height: y1 - y0 });
  const x = x0 + (place + 0.5) * width;
  set(part(drawing, "line", "reading-line"), { x1: x, x2: x, y1: y0, y2: y1 });
  say(drawing, said.join(" · "));
}

function part(drawing: SVGSVGElement, tag: string, name: string): SVGElement {
  const found = drawing.querySelector<SVGElement>(`:scope > .${name}`);
  if (found) return found;
  const made = document.createElementNS(SVG, tag);
  made.setAttribute("class", name);
  drawing.append(made);
  return made;
}

function set(element: SVGElement, values: Record<string, number>): void {
  for (const [name, value] of Object.entries(values)) element.setAttribute(name, value.toFixed(2));
}

function readout(drawing: SVGSVGElement): HTMLElement | null {
  return drawing.closest("figure")?.querySelector<HTMLElement>("[data-readout]") ?? null;
}

function say(drawing: SVGSVGElement, text: string): void {
  const place = readout(drawing);
  if (!place) return;
  place.dataset.hint ??= place.textContent ?? "";
  if (place.textContent !== text) place.textContent = text;
}

function forget(drawing: SVGSVGElement): void {
  places.delete(drawing.dataset.readable ?? "");
  for (const item of drawing.querySelectorAll(":scope > .reading-line, :scope > .reading-band")) item.remove();
  const place = readout(drawing);
  if (place?.dataset.hint !== undefined) place.textContent = place.dataset.hint;
}

// -- saving ---------------------------------------------------------------------------------------------------------

function savable(tools: HTMLElement): void {
  const figure = tools.closest("figure");
  if (!figure) return;
  for (const button of all<HTMLButtonElement>("[data-download]", tools)) {
    const kind = button.dataset.download;
    const live = kind === "png" ? figure.querySelector("[data-chart-plot]") : null;
    button.hidden = !(kind === "csv" ? figure.querySelector("table") : (drawingOf(figure) ?? live));
    if (isNew(button, "save")) button.addEventListener("click", () => void saveAs(figure, button.dataset.download ?? ""));
  }
}

/** The drawing that is seen: a figure may hold a wide and a narrow one. */
function drawingOf(figure: HTMLElement): SVGSVGElement | null {
  const found = [...figure.querySelectorAll<SVGSVGElement>('svg[role="img"], svg[role="group"]')];
  return found.find(isSeen) ?? found[0] ?? null;
}

async function saveAs(figure: HTMLElement, kind: string): Promise<void> {
  const name = figure.dataset.chart || figure.id || "chart";
  const table = figure.querySelector("table");
  const drawing = drawingOf(figure);
  if (kind === "csv" && table) save(`${name}.csv`, new Blob([csvText(table)], { type: "text/csv" }));
  if (kind === "svg" && drawing) save(`${name}.svg`, new Blob([await svgText(drawing)], { type: "image/svg+xml" }));
  if (kind === "png" && drawing) {
    const picture = await pngBlob(drawing);
    if (picture) save(`${name}.png`, picture);
  } else if (kind === "png") {
    figure.querySelector("canvas")?.toBlob((picture) => picture && save(`${name}.png`, picture), "image/png");
  }
}

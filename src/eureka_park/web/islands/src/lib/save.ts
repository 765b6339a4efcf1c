// Figures as files: a picture with its colours and fonts inside, or the numbers of its table.
import { plain } from "./page.ts";

const SVG = "http://www.w3.org/2000/svg";
const DRAWINGS_MAX = 6;
const DRAW_AGAIN_MS = 80;
const COPIED = [
  "fill", "fill-opacity", "fill-rule", "stroke", "stroke-width", "stroke-opacity", "stroke-dasharray", "stroke-linejoin",
  "stroke-linecap", "paint-order", "opacity", "font-style", "font-family", "font-size", "font-weight", "text-anchor", "direction", "display", "visibility",
];
const NOT_DRAWN = ".reading-line, .reading-band, title, desc";

/** Offer a file to the person. */
export function save(name: string, content: Blob): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(content);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

/** A drawing of the page as a file of its own: every colour written out, fonts inside. */
export async function svgText(drawn: SVGSVGElement): Promise<string> {
  const box = drawn.viewBox.baseVal;
  const copy = drawn.cloneNode(true) as SVGSVGElement;
  writeOut(drawn, copy);
  for (const name of ["class", "tabindex", "data-readable", "data-x0", "data-x1", "data-y0", "data-y1"]) copy.removeAttribute(name);
  copy.setAttribute("xmlns", SVG);
  copy.setAttribute("width", String(box.width));
  copy.setAttribute("height", String(box.height));
  for (const item of copy.querySelectorAll(NOT_DRAWN)) item.remove();
  const ground = document.createElementNS(SVG, "rect");
  for (const [name, value] of Object.entries({ x: box.x, y: box.y, width: box.width, height: box.height })) {
    ground.setAttribute(name, String(value));
  }
  ground.setAttribute("fill", groundOf(drawn));
  copy.prepend(ground);
  bringDefinitions(copy);
  const fonts = await fontRules(drawn.textContent ?? "");
  if (fonts) {
    const style = document.createElementNS(SVG, "style");
    style.textContent = fonts;
    copy.prepend(style);
  }
  return new XMLSerializer().serializeToString(copy);
}

/** A drawing as a picture of twice its size. */
export async function pngBlob(drawn: SVGSVGElement): Promise<Blob | null> {
  const box = drawn.viewBox.baseVal;
  const image = new Image();
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(await svgText(drawn))}`;
  await image.decode();
  const canvas = document.createElement("canvas");
  canvas.width = box.width * 2;
  canvas.height = box.height * 2;
  await drawWithFonts(canvas, image);
  return new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
}

/** A drawing's own fonts come a moment after the drawing, and nothing tells when: draw again until letters appear. */
async function drawWithFonts(canvas: HTMLCanvasElement, image: HTMLImageElement): Promise<void> {
  const place = canvas.getContext("2d", { willReadFrequently: true });
  let first = "";
  for (let n = 0; place && n < DRAWINGS_MAX; n++) {
    place.drawImage(image, 0, 0, canvas.width, canvas.height);
    const now = canvas.toDataURL();
    first ||= now;
    if (now !== first) return;
    await new Promise((resolve) => setTimeout(resolve, DRAW_AGAIN_MS));
  }
}

/** A table as comma-separated values. A cell's `data-value` goes before its text. */
export function csvText(table: HTMLTableElement): string {
  const lines = [...table.rows].map((row) => [...row.cells].map((cell) => quoted(cell.dataset.value ?? plain(cell.textContent ?? ""))).join(","));
  return `\ufeff${lines.join("\r\n")}\r\n`;
}

function quoted(text: string): string {
  const safe = /^[=+@\t]|^-(?![\d.])/.test(text) ? `'${text}` : text; // no sheet may take a text for a formula
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

function writeOut(from: Element, to: Element): void {
  const style = getComputedStyle(from);
  for (const name of COPIED) {
    const value = style.getPropertyValue(name);
    if (value) to.setAttribute(name, value.replace(/url\(["']?[^"')]*(#[^"')]+)["']?\)/g, "url($1)"));
  }
  to.removeAttribute("class");
  const [ours, theirs] = [[...from.children], [...to.children]];
  ours.forEach((child, index) => {
    const other = theirs[index];
    if (other) writeOut(child, other);
  });
}

/** Patterns and the like that the drawing uses but that stand elsewhere in the page. */
function bringDefinitions(copy: SVGSVGElement): void {
  const named = new Set([...new XMLSerializer().serializeToString(copy).matchAll(/url\(#([^)]+)\)|href="#([^"]+)"/g)].map((match) => match[1] ?? match[2] ?? ""));
  const place = document.createElementNS(SVG, "defs");
  for (const id of named) {
    const found = id && !copy.querySelector(`[id="${CSS.escape(id)}"]`) ? document.getElementById(id) : null;
    if (!found) continue;
    const twin = found.cloneNode(true) as Element;
    writeOut(found, twin);
    twin.removeAttribute("display");
    twin.removeAttribute("visibility");
    place.append(twin);
  }
  if (place.childElementCount) copy.prepend(place);
}

function groundOf(element: Element): string {
  for (let at: Element | null = element; at; at = at.parentElement) {
    const colour = getComputedStyle(at).backgroundColor;
    if (colour && colour !== "transparent" && !/,\s*0\)$|\/\s*0\)$/.test(colour)) return colour;
  }
  return "white";
}

/** The font faces of the style sheet whose letters the text uses, as rules with the files inside. */
async function fontRules(text: string): Promise<string> {
  const rules: string[] = [];
  for (const sheet of document.styleSheets) {
    for (const rule of sheet.cssRules) {
      if (!(rule instanceof CSSFontFaceRule) || !isUsed(rule.style.getPropertyValue("unicode-range"), text)) continue;
      const given = /url\(["']?([^"')]+)/.exec(rule.style.getPropertyValue("src"))?.[1];
      const file = given && (await dataUrl(new URL(given, sheet.href ?? location.href).href));
      if (!file) continue;
      const family = rule.style.getPropertyValue("font-family");
      const weight = rule.style.getPropertyValue("font-weight") || "normal";
      rules.push(`@font-face{font-family:${family};font-weight:${weight};src:url(${file}) format("woff2")}`);
    }
  }
  return rules.join("");
}

function isUsed(range: string, text: string): boolean {
  const spans = [...range.matchAll(/U\+([0-9a-f]+)(?:-([0-9a-f]+))?/gi)].map((match) => {
    const low = Number.parseInt(match[1] ?? "0", 16);
    return [low, match[2] ? Number.parseInt(match[2], 16) : low] as const;
  });
  if (!spans.length) return true;
  return [...text].some((letter) => spans.some(([low, high]) => letter.codePointAt(0)! >= low && letter.codePointAt(0)! <= high));
}

async function dataUrl(address: string): Promise<string | null> {
  try {
    const answer = await fetch(address);
    if (!answer.ok) return null;
    const bytes = new Uint8Array(await answer.arrayBuffer());
    let binary = "";
    for (let at = 0; at < bytes.length; at += 8192) binary += String.fromCharCode(...bytes.subarray(at, at + 8192));
    return `data:font/woff2;base64,${btoa(binary)}`;
  } catch {
    return null;
  }
}

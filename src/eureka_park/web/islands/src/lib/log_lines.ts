// Lines of a log as elements: colours by class, matches marked. No text of a log is ever read as HTML.
import { type Colour, PLAIN, type Piece, type Style, pieces } from "./ansi.ts";
import type { Line } from "./log_window.ts";

const ends = new WeakMap<HTMLElement, Style>();

/** The style at the end of a drawn line: where the next one begins. */
export function endStyle(row: Element | null | undefined): Readonly<Style> {
  return (row instanceof HTMLElement && ends.get(row)) || PLAIN;
}

/** Draw a line. `begin` is the style that the line before left. */
export function drawLine(line: Line, begin: Readonly<Style>, sought: string): HTMLElement {
  const row = document.createElement("span");
  row.className = "log-line";
  row.dataset.at = String(line.at);
  const found = pieces(line.text, begin);
  ends.set(row, found.end);
  const text = found.pieces.map((piece) => piece.text).join("");
  const marks = sought ? matches(text, sought) : [];
  if (text === "") row.append("\n");
  else if (found.pieces.length === 1 && !marks.length && isPlain(found.pieces[0]?.style)) row.append(text);
  else drawPieces(row, found.pieces, marks);
  return row;
}

/** Where a text is found in another, whatever the case, as [begin, end]. */
export function matches(text: string, sought: string): [number, number][] {
  const found: [number, number][] = [];
  const [low, wanted] = [text.toLowerCase(), sought.toLowerCase()];
  if (!wanted || low.length !== text.length) return found;
  for (let at = low.indexOf(wanted); at >= 0; at = low.indexOf(wanted, at + wanted.length)) {
    found.push([at, at + wanted.length]);
  }
  return found;
}

function drawPieces(row: HTMLElement, given: Piece[], marks: [number, number][]): void {
  let at = 0;
  for (const piece of given) {
    const place = isPlain(piece.style) ? row : row.appendChild(styledSpan(piece.style));
    drawMarked(place, piece.text, at, marks);
    at += piece.text.length;
  }
}

function drawMarked(place: HTMLElement, text: string, at: number, marks: [number, number][]): void {
  let from = 0;
  for (const [begin, end] of marks) {
    const [a, b] = [Math.max(0, begin - at), Math.min(text.length, end - at)];
    if (a >= b) continue;
    if (a > from) place.append(text.slice(from, a));
    const mark = document.createElement("mark");
    mark.textContent = text.slice(a, b);
    place.append(mark);
    from = b;
  }
  if (from < text.length) place.append(text.slice(from));
}

function isPlain(style: Style | undefined): boolean {
  return !style || (Object.keys(PLAIN) as (keyof Style)[]).every((name) => style[name] === PLAIN[name]);
}

function styledSpan(style: Style): HTMLElement {
  const span = document.createElement("span");
  const named = ["bold", "dim", "italic", "underline", "strike", "inverse"] as const;
  span.className = named.filter((name) => style[name]).map((name) => `ansi-${name}`).join(" ");
  colour(span, style.fg, "fg");
  colour(span, style.bg, "bg");
  return span;
}

function colour(span: HTMLElement, value: Colour, ground: "fg" | "bg"): void {
  if (typeof value === "number") span.classList.add(`ansi-${ground}-${value}`);
  else if (value && ground === "fg") span.style.color = value;
  else if (value) span.style.backgroundColor = value;
}

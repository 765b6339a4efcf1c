// Colours of terminals: a line of a log becomes pieces of text with a style. Everything else that steers a terminal is dropped.

/** 0 to 15 are the terminal's own colours, a text is a colour of the web. */
export type Colour = number | string | null;

export type Style = {
  fg: Colour;
  bg: Colour;
  bold: boolean;
  dim: boolean;
  italic: boolean;
  underline: boolean;
  strike: boolean;
  inverse: boolean;
};

export type Piece = { text: string; style: Style };

export const PLAIN: Readonly<Style> = {
  fg: null, bg: null, bold: false, dim: false, italic: false, underline: false, strike: false, inverse: false,
};

// CSI sequences, OSC and other strings, two-character escapes, control characters but the tab.
const STEERING =
  /(?:\x1b\[|\x9b)([0-?]*)[ -/]*([@-~])|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\|$)|\x1b[PX^_][^\x1b]*(?:\x1b\\|$)|\x1b[ -/]*[0-~]?|[\x00-\x08\x0b-\x1f\x7f-\x9f]/g;

/** Pieces of one line, and the style that holds at its end. Of a line written over and over, the last writing is shown. */
export function pieces(line: string, begin: Readonly<Style> = PLAIN): { pieces: Piece[]; end: Style } {
  const from = lastWriting(line);
  let style: Style = { ...begin };
  if (from > 0) style = scan(line.slice(0, from), style, () => undefined);
  const found: Piece[] = [];
  const end = scan(line.slice(from), style, (text, now) => {
    const last = found.at(-1);
    if (last && sameStyle(last.style, now)) last.text += text;
    else found.push({ text, style: { ...now } });
  });
  return { pieces: found, end };
}

/** A line as it reads: without colours and with carriage returns carried out. */
export function visible(line: string): string {
  return line.slice(lastWriting(line)).replace(STEERING, "");
}

function lastWriting(line: string): number {
  let end = line.length;
  while (end > 0) {
    const at = line.lastIndexOf("\r", end - 1);
    if (at < 0) return 0;
    if (line.slice(at + 1, end).replace(STEERING, "") !== "") return at + 1;
    end = at;
  }
  return 0;
}

function scan(text: string, begin: Style, out: (text: string, style: Style) => void): Style {
  let style = begin;
  let from = 0;
  STEERING.lastIndex = 0;
  for (const match of text.matchAll(STEERING)) {
    if (match.index > from) out(text.slice(from, match.index), style);
    from = match.index + match[0].length;
    if (match[2] === "m") style = styled(style, match[1] ?? "");
  }
  if (from < text.length) out(text.slice(from), style);
  return style;
}

function styled(style: Style, given: string): Style {
  const codes = given.split(/[;:]/).map((code) => (code === "" ? 0 : Number(code)));
  const next = { ...style };
  for (let i = 0; i < codes.length; i++) {
    const code = codes[i] ?? 0;
    if (code === 38 || code === 48) {
      const [colour, used] = extended(codes.slice(i + 1));
      if (colour !== undefined) next[code === 38 ? "fg" : "bg"] = colour;
      i += used;
    } else apply(next, code);
  }
  return next;
}

function apply(style: Style, code: number): void {
  if (code === 0) Object.assign(style, PLAIN);
  else if (code === 1) style.bold = true;
  else if (code === 2) style.dim = true;
  else if (code === 3) style.italic = true;
  else if (code === 4 || code === 21) style.underline = true;
  else if (code === 7) style.inverse = true;
  else if (code === 9) style.strike = true;
  else if (code === 22) style.bold = style.dim = false;
  else if (code === 23) style.italic = false;
  else if (code === 24) style.underline = false;
  else if (code === 27) style.inverse = false;
  else if (code === 29) style.strike = false;
  else if (code >= 30 && code <= 37) style.fg = code - 30;
  else if (code === 39) style.fg = null;
  else if (code >= 40 && code <= 47) style.bg = code - 40;
  else if (code === 49) style.bg = null;
  else if (code >= 90 && code <= 97) style.fg = code - 82;
  else if (code >= 100 && code <= 107) style.bg = code - 92;
}

/** A colour of 256 (5;n) or a true one (2;r;g;b), and how many numbers it took. */
function extended(codes: number[]): [Colour | undefined, number] {
  if (codes[0] === 5) return [paletteColour(codes[1] ?? 0), 2];
  if (codes[0] === 2) return [rgb(codes[1] ?? 0, codes[2] ?? 0, codes[3] ?? 0), 4];
  return [undefined, 1];
}

function paletteColour(n: number): Colour {
  if (!(n >= 0 && n <= 255)) return null;
  if (n < 16) return n;
  if (n >= 232) return rgb(8 + 10 * (n - 232), 8 + 10 * (n - 232), 8 + 10 * (n - 232));
  const step = (value: number): number => (value === 0 ? 0 : 55 + 40 * value);
  const cube = n - 16;
  return rgb(step(Math.floor(cube / 36)), step(Math.floor(cube / 6) % 6), step(cube % 6));
}

function rgb(...parts: number[]): string {
  const two = (value: number): string => Math.min(255, Math.max(0, Math.trunc(value) || 0)).toString(16).padStart(2, "0");
  return `#${parts.map(two).join("")}`;
}

function sameStyle(one: Style, other: Style): boolean {
  return (Object.keys(PLAIN) as (keyof Style)[]).every((name) => one[name] === other[name]);
}

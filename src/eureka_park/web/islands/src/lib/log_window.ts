// A window of lines on a log of any size. The log is bytes; every line knows the byte where it begins.

export type Line = { at: number; size: number; text: string; isOpen: boolean };

/** A line longer than this is shown in pieces, so that no line can freeze a page. */
export const LINE_BYTES_MAX = 8192;
const NEWLINE = 10;
const decoder = new TextDecoder();

/** The lines of some bytes of a log that begin at `at`. The last one is open if its end has not come yet. */
export function split(bytes: Uint8Array, at: number): Line[] {
  const lines: Line[] = [];
  let from = 0;
  while (from < bytes.length) {
    const newline = bytes.indexOf(NEWLINE, from);
    let end = newline < 0 ? bytes.length : newline + 1;
    let isCut = false;
    if (end - from > LINE_BYTES_MAX) {
      end = wholeCharacters(bytes, from, from + LINE_BYTES_MAX);
      isCut = true;
    }
    const hasEnd = !isCut && newline >= 0;
    const text = decoder.decode(bytes.subarray(from, hasEnd ? end - 1 : end));
    lines.push({ at: at + from, size: end - from, text, isOpen: !hasEnd && !isCut });
    from = end;
  }
  return lines;
}

/** The last place at or before `end` where a character of UTF-8 begins. */
function wholeCharacters(bytes: Uint8Array, from: number, end: number): number {
  let place = end;
  while (place > from && end - place < 4 && ((bytes[place] ?? 0) & 0xc0) === 0x80) place--;
  return place > from ? place : end;
}

/** What changed: so many lines went or came at the front and at the back. */
export type Change = { goneFront: number; goneBack: number; front: Line[]; back: Line[] };

export class LogWindow {
  lines: Line[] = [];
  begin = 0;
  end = 0;
  private tail: Uint8Array = new Uint8Array();
  private readonly linesMax: number;

  constructor(linesMax = 4000) {
    this.linesMax = linesMax;
  }

  /** Start anew with bytes that begin at `at`. Unless `at` is 0, the first line is left out: it may be half a line.
   * Of more lines than fit, those around the byte `around` are kept; without it, the last ones. */
  reset(bytes: Uint8Array, at: number, around = Infinity): void {
    const skip = at === 0 ? 0 : bytes.indexOf(NEWLINE) + 1;
    const found = split(bytes.subarray(skip), at + skip);
    const place = found.findIndex((line) => around < line.at + line.size);
    const middle = place < 0 ? found.length : place + Math.ceil(this.linesMax / 2);
    const stop = Math.min(found.length, Math.max(this.linesMax, middle));
    this.lines = found.slice(Math.max(0, stop - this.linesMax), stop);
    this.begin = this.lines[0]?.at ?? at + skip;
    const last = this.lines.at(-1);
    this.end = last ? last.at + last.size : this.begin;
    this.tail = last?.isOpen ? bytes.slice(last.at - at) : new Uint8Array();
  }

  /** Add bytes that follow the window. Bytes that are there already, or that leave a gap, are refused. */
  append(bytes: Uint8Array, at: number): Change | null {
    if (at !== this.end) return null;
    if (bytes.length === 0) return { goneFront: 0, goneBack: 0, front: [], back: [] };
    const open = this.lines.at(-1)?.isOpen ? this.lines.pop() : undefined;
    const whole = open ? joined(this.tail, bytes) : bytes;
    const back = split(whole, open ? open.at : at);
    this.end = at + bytes.length;
    const last = back.at(-1);
    this.tail = last?.isOpen ? whole.slice(whole.length - last.size) : new Uint8Array();
    this.lines.push(...back);
    const goneFront = Math.max(0, this.lines.length - this.linesMax);
    if (goneFront) this.lines.splice(0, goneFront);
    this.begin = this.lines[0]?.at ?? this.end;
    return { goneFront, goneBack: open ? 1 : 0, front: [], back: back.slice(Math.max(0, back.length - this.linesMax)) };
  }

  /** Add bytes that end where the window begins. */
  prepend(bytes: Uint8Array, at: number, linesMax = 1500): Change | null {
    if (at + bytes.length !== this.begin || bytes.length === 0) return null;
    const skip = at === 0 ? 0 : bytes.indexOf(NEWLINE) + 1;
    const isOneLine = skip === bytes.length; // nothing but half a line: show it as it is, a page must get further up
    const found = isOneLine ? split(bytes, at) : split(bytes.subarray(skip), at + skip);
    const front = found.slice(-linesMax);
    for (const line of front) line.isOpen = false;
    this.lines.unshift(...front);
    this.begin = front[0]?.at ?? this.begin;
    const goneBack = Math.max(0, this.lines.length - this.linesMax);
    if (goneBack) {
      this.lines.length -= goneBack;
      const last = this.lines.at(-1);
      this.end = last ? last.at + last.size : this.begin;
      this.tail = new Uint8Array();
    }
    return { goneFront: 0, goneBack, front, back: [] };
  }

  /** The place in the window of the line that holds a byte, or -1. */
  indexOf(byte: number): number {
    let low = 0;
    let high = this.lines.length - 1;
    while (low <= high) {
      const middle = (low + high) >> 1;
      const line = this.lines[middle];
      if (!line) return -1;
      if (byte < line.at) high = middle - 1;
      else if (byte >= line.at + line.size) low = middle + 1;
      else return middle;
    }
    return -1;
  }
}

function joined(one: Uint8Array, other: Uint8Array): Uint8Array {
  const both = new Uint8Array(one.length + other.length);
  both.set(one);
  both.set(other, one.length);
  return both;
}

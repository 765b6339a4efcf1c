// Small things that several islands need.

/** The elements of a page that match, as a list. */
export function all<T extends HTMLElement = HTMLElement>(selector: string, inside: ParentNode = document): T[] {
  return [...inside.querySelectorAll<T>(selector)];
}

/** A text with its marks filled in: fill("{n} of {all}", { n: 3, all: 7 }). */
export function fill(text: string, values: Record<string, string | number>): string {
  return text.replace(/\{(\w+)\}/g, (mark, name: string) => String(values[name] ?? mark));
}

/** A figure that stays left to right in any text. */
export function isolated(text: string): string {
  return `\u2068${text}\u2069`;
}

/** A text without the marks that only steer its direction. */
export function plain(text: string): string {
  return text.replace(/[\u2066-\u2069\u200e\u200f]/g, "").replace(/[\u00a0\u202f]/g, " ").replace(/\s+/g, " ").trim();
}

/** The language that numbers and times are written in: the page's, where the browser knows it. */
export function locale(): string {
  const lang = document.documentElement.lang || "en";
  const wanted = lang === "ar" ? "ar-MA" : lang;
  return Intl.NumberFormat.supportedLocalesOf([wanted])[0] ?? "fr";
}

let voice: HTMLElement | undefined;

/** Speak a short text to screen readers. */
export function speak(text: string): void {
  if (!voice?.isConnected) {
    voice = document.createElement("div");
    voice.className = "unseen";
    voice.setAttribute("role", "status");
    document.body.append(voice);
  }
  voice.textContent = text;
}

/** A value kept in this browser, if it lets us. */
export function kept(name: string): string | null {
  try {
    return localStorage.getItem(`park-${name}`);
  } catch {
    return null;
  }
}

/** Keep a value in this browser; null forgets it. */
export function keep(name: string, value: string | null): void {
  try {
    if (value === null) localStorage.removeItem(`park-${name}`);
    else localStorage.setItem(`park-${name}`, value);
  } catch {
    // Storage is closed to this page: the choice holds until the page is left.
  }
}

const dressed = new WeakMap<Element, Set<string>>();

/** True the first time an element is given to an island: listeners are added once. */
export function isNew(element: Element, island: string): boolean {
  const names = dressed.get(element) ?? new Set<string>();
  dressed.set(element, names);
  if (names.has(island)) return false;
  names.add(island);
  return true;
}

/** Where a person writes: single keys belong to the text there. */
export function isTyping(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  if (target.isContentEditable || target instanceof HTMLTextAreaElement || target instanceof HTMLSelectElement) return true;
  return target instanceof HTMLInputElement && !["checkbox", "radio", "range", "button", "submit", "file"].includes(target.type);
}

// Keys: to pages, to the search, through rows, to the sheet that lists them. Off while typing, and where a person wants it.
import { all, isNew, isTyping, keep, kept } from "../lib/page.ts";

const SECOND_KEY_MS = 1200;
const PLACES: Record<string, string> = {
  "g o": "/", "g j": "/jobs", "g e": "/energy", "g t": "/twin", "g s": "/site", "g v": "/verdict", "g w": "/welcome", n: "/submit",
};
let first = "";
let firstMs = 0;
let isListening = false;

/** Listen to keys; set the switch as it was left. */
export function attach(): void {
  for (const choice of all<HTMLInputElement>("[data-keys-switch]")) {
    choice.checked = isOn();
    if (isNew(choice, "keys")) choice.addEventListener("change", () => keep("keys", choice.checked ? null : "off"));
  }
  if (isListening) return;
  isListening = true;
  document.addEventListener("keydown", (event) => {
    if (!event.defaultPrevented && press(event)) event.preventDefault();
  });
}

function isOn(): boolean {
  return kept("keys") !== "off";
}

function press(event: KeyboardEvent): boolean {
  if (event.ctrlKey || event.altKey || event.metaKey || isTyping(event.target) || !isOn()) return false;
  if (document.querySelector("dialog:modal")) return false;
  const now = performance.now();
  const pair = first && now - firstMs < SECOND_KEY_MS ? `${first} ${event.key}` : "";
  first = "";
  if (pair && (follow(pair) || visit(pair))) return true;
  if (event.key === "g") {
    first = "g";
    firstMs = now;
    return false;
  }
  if (event.key === "?") return openSheet();
  if (event.key === "j" || event.key === "k") return moveRow(event.key === "j" ? 1 : -1);
  if (event.key === "/") return follow("/") || focusOn(document.querySelector<HTMLElement>("input[type=search]"));
  return event.key.length === 1 && (follow(event.key) || visit(event.key));
}

function follow(key: string): boolean {
  const target = document.querySelector<HTMLElement>(`[data-key="${CSS.escape(key)}"]`);
  if (!target) return false;
  if (target.matches("input, textarea, select")) return focusOn(target);
  target.click();
  return true;
}

function visit(key: string): boolean {
  const place = PLACES[key];
  const link = place && document.querySelector<HTMLAnchorElement>(`a[href="${place}"]`);
  if (!link) return false;
  link.click();
  return true;
}

function focusOn(field: HTMLElement | null): boolean {
  field?.focus();
  if (field instanceof HTMLInputElement) field.select();
  return !!field;
}

function openSheet(): boolean {
  const sheet = document.getElementById("keys");
  if (!(sheet instanceof HTMLDialogElement)) return false;
  sheet.showModal();
  return true;
}

function moveRow(step: number): boolean {
  const links = all("tr[data-row]").flatMap((row) => row.querySelector<HTMLElement>("a[href]") ?? []);
  if (!links.length) return false;
  const here = links.findIndex((link) => link.closest("tr")?.contains(document.activeElement));
  const next = here < 0 ? (step > 0 ? 0 : links.length - 1) : Math.min(links.length - 1, Math.max(0, here + step));
  links[next]?.focus();
  return true;
}

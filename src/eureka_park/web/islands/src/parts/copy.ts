// Buttons that copy, and buttons that open a dialog.
import { all, isNew, speak } from "../lib/page.ts";

const SAID_MS = 2000;

/** Give buttons their work. */
export function attach(): void {
  for (const button of all<HTMLButtonElement>("[data-copy]")) {
    if (isNew(button, "copy")) button.addEventListener("click", () => void copy(button));
  }
  for (const button of all<HTMLButtonElement>("[data-open-dialog]")) {
    if (isNew(button, "dialog")) button.addEventListener("click", () => open(button.dataset.openDialog ?? ""));
  }
}

function open(selector: string): void {
  const dialog = document.querySelector(selector);
  if (dialog instanceof HTMLDialogElement && !dialog.open) dialog.showModal();
}

async function copy(button: HTMLButtonElement): Promise<void> {
  if (await copyText(textOf(button.dataset.copy ?? ""))) said(button);
}

function textOf(given: string): string {
  if (!given.startsWith("#")) return given;
  const element = document.querySelector(given);
  if (element instanceof HTMLInputElement || element instanceof HTMLTextAreaElement) return element.value;
  return (element?.textContent ?? "").trim();
}

/** Copy a text; on a page without a safe address by the old way. */
export async function copyText(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const field = document.createElement("textarea");
    field.value = text;
    field.className = "unseen";
    const before = document.activeElement;
    document.body.append(field);
    field.select();
    const done = document.execCommand("copy");
    field.remove();
    if (before instanceof HTMLElement) before.focus();
    return done;
  }
}

const timers = new WeakMap<Element, { label: string; timer: number }>();

/** Say on the button, and aloud, that it is done. */
export function said(button: HTMLButtonElement): void {
  const text = button.dataset.said;
  if (!text) return;
  const before = timers.get(button);
  if (before) clearTimeout(before.timer);
  const label = before?.label ?? button.textContent ?? "";
  button.textContent = text;
  speak(text);
  const timer = setTimeout(() => {
    if (button.textContent === text) button.textContent = label;
    timers.delete(button);
  }, SAID_MS);
  timers.set(button, { label, timer });
}

// A button that goes round: as the device, light, dark.
import { all, isNew, keep, kept, speak } from "../lib/page.ts";

const THEMES = ["auto", "light", "dark"] as const;
type Theme = (typeof THEMES)[number];

/** Put the button where the page wants it. */
export function attach(): void {
  for (const place of all("[data-theme-switch]")) {
    let button = place.querySelector<HTMLButtonElement>(":scope > button");
    if (!button) {
      button = document.createElement("button");
      button.type = "button";
      button.className = "quiet";
      place.append(button);
    }
    button.textContent = textOf(place, chosen());
    if (isNew(button, "theme")) button.addEventListener("click", () => next(place));
  }
}

function chosen(): Theme {
  const found = kept("theme") ?? document.documentElement.dataset.theme;
  return found === "light" || found === "dark" ? found : "auto";
}

function textOf(place: HTMLElement, theme: Theme): string {
  return place.dataset[theme] ?? theme;
}

function next(place: HTMLElement): void {
  const theme = THEMES[(THEMES.indexOf(chosen()) + 1) % THEMES.length] ?? "auto";
  keep("theme", theme === "auto" ? null : theme);
  if (theme === "auto") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
  for (const other of all("[data-theme-switch]")) {
    const button = other.querySelector("button");
    if (button) button.textContent = textOf(other, theme);
  }
  speak(textOf(place, theme));
  document.dispatchEvent(new CustomEvent("park:theme"));
}

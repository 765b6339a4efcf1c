// A run of the twin that is being played: told as it goes on; when it is over the page shows what came of it.
import { all, fill, isNew, isolated, locale } from "../lib/page.ts";
import { durationText } from "../lib/time.ts";

interface Told {
  state: "waiting" | "running" | "stopping" | "done" | "failed" | "stopped";
  part: string | null;
  days: number;
  days_played: number;
  done_frac: number;
  left_s: number;
}

/** Follow runs that are not over. */
export function attach(): void {
  for (const card of all("[data-run-follow]")) if (isNew(card, "run-follow")) follow(card);
}

function follow(card: HTMLElement): void {
  document.documentElement.classList.add("scripted");
  const source = new EventSource(card.dataset.runFollow ?? "");
  source.addEventListener("run", (event) => {
    const told = JSON.parse(String(event.data)) as Told;
    show(card, told);
    if (["done", "failed", "stopped"].includes(told.state)) {
      source.close();
      location.reload();
    }
  });
  addEventListener("pagehide", () => source.close(), { once: true });
}

let isAsking = false;
let shown = "";

function show(card: HTMLElement, told: Told): void {
  const bar = card.querySelector<HTMLProgressElement>("[data-run-progress]");
  if (bar && told.state === "running") bar.value = Math.max(0.02, bar.value, told.done_frac); // it never goes back
  const place = card.querySelector<HTMLElement>("[data-run-told]");
  if (!place) return;
  if (told.state === "running" && told.part === "play") {
    const day = Math.min(told.days, 1 + Math.floor(told.days_played));
    const [n, of] = [number(day), number(told.days)];
    const left = isolated(durationText(told.left_s, locale()));
    const text = fill(card.dataset.running ?? "", { n: isolated(n), of: isolated(of), left });
    if (place.textContent !== text) place.textContent = text;
  } else if (shown !== `${told.state} ${told.part}`) {
    void fromPage(card, place); // words of other parts stand in the page, as the server says them
  }
  shown = `${told.state} ${told.part}`;
}

async function fromPage(card: HTMLElement, place: HTMLElement): Promise<void> {
  if (isAsking) return;
  isAsking = true;
  const answer = await fetch(location.href, { headers: { Accept: "text/html" } }).catch(() => undefined);
  isAsking = false;
  if (!answer?.ok) return;
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  const text = fresh.getElementById(card.id)?.querySelector("[data-run-told]")?.textContent;
  if (text && place.textContent !== text) place.textContent = text;
}

function number(value: number): string {
  return new Intl.NumberFormat(locale()).format(value);
}

// The park's clock ticks; waits count down in park time.
import { all, isolated, locale } from "../lib/page.ts";
import { clockS, dayText, durationText, hourText } from "../lib/time.ts";

const FAST_PACE = 10; // from here on seconds fly by and are left out
let timer = 0;

/** Start ticking if the page has something that ticks. */
export function attach(): void {
  if (!timer && document.querySelector("[data-park-clock], [data-until]")) timer = setInterval(tick, 1000);
  if (timer) tick();
}

function tick(): void {
  if (document.hidden) return;
  for (const clock of all("[data-park-clock]")) showClock(clock);
  for (const wait of all("[data-until]")) showWait(wait);
}

const days = new WeakMap<Element, string>();

/** Put the hour into the server's text; where the day changes, the page asks for a fresh one. */
function showClock(clock: HTMLElement): void {
  const now = clockS(clock);
  const zone = clock.dataset.timeZone;
  const text = textWithHour(clock);
  const hour = hourText(now, zone);
  if (text?.nodeValue) {
    const next = text.nodeValue.replace(/\d{1,2}:\d{2}/, hour);
    if (next !== text.nodeValue) text.nodeValue = next;
  } else if (clock.textContent !== isolated(hour)) clock.textContent = isolated(hour);
  const day = dayText(now, zone);
  const before = days.get(clock);
  days.set(clock, day);
  if (before && before !== day) document.dispatchEvent(new CustomEvent("park:stale"));
}

function textWithHour(clock: HTMLElement): Text | null {
  const walker = document.createTreeWalker(clock, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const node = walker.currentNode as Text;
    if (/\d{1,2}:\d{2}/.test(node.data)) return node;
  }
  return null;
}

/** How long until an instant: after the server's own text, or in its place where `data-done` says what comes then. */
function showWait(wait: HTMLElement): void {
  const clock = document.querySelector<HTMLElement>("[data-park-clock]");
  const isWall = wait.dataset.wall !== undefined;
  const untilS = Date.parse(wait.dataset.until ?? "") / 1000;
  if (Number.isNaN(untilS) || (!isWall && !clock)) return;
  const nowS = isWall || !clock ? Date.now() / 1000 : clockS(clock);
  const isFast = !isWall && Number(clock?.dataset.pace) >= FAST_PACE;
  const left = untilS > nowS ? isolated(durationText(untilS - nowS, locale(), isFast)) : "";
  const { done } = wait.dataset;
  if (done !== undefined) write(wait, left || done);
  else showAfter(wait, left);
}

function showAfter(wait: HTMLElement, left: string): void {
  let place = wait.querySelector<HTMLElement>(":scope > .countdown");
  if (!left) {
    place?.remove();
    return;
  }
  if (!place) {
    place = document.createElement("span");
    place.className = "countdown n";
    wait.append(place);
  }
  write(place, `${wait.childNodes.length === 1 ? "" : " · "}${left}`);
}

function write(place: HTMLElement, text: string): void {
  if (place.textContent !== text) place.textContent = text;
}

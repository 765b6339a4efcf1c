// Whenever the park says that something changed, the page is fetched anew and its <main> is changed in place.
import { Idiomorph } from "idiomorph";
import { all } from "../lib/page.ts";

// Streams open a little after the page, which is fresh then anyway: printers and picture takers need not wait for them.
const STREAM_AFTER_MS = 7000;
const SOON_MS = [1000, 3600, 6200]; // until then, for a page on which something is about to change
const EVERY_MS = 2000;
const LIGHTLY = 20; // a park that answers slowly is asked less often: at most a twentieth of the time
const EVERY_MS_MAX = 30_000;
const JITTER_MS = 600; // so that many pages do not ask at the same moment
const AT_LEAST_EVERY_MS = 60_000;
const HIDDEN_MS = 30_000;
const AGAIN_MS = 5000;

let source: EventSource | null = null;
let isStale = false;
let isWaiting = false;
let isOver = false;
let againTimer = 0;

/** Begin to keep the page fresh, if it is a live one. */
export function keepFresh(): void {
  if (!document.querySelector("main[data-live]")) return;
  if (document.querySelector('main[data-live="soon"]')) for (const ms of SOON_MS) setTimeout(changed, ms);
  setTimeout(listen, STREAM_AFTER_MS);
  setTimeout(() => setInterval(changed, AT_LEAST_EVERY_MS), STREAM_AFTER_MS);
  document.addEventListener("park:stale", changed);
  document.addEventListener("visibilitychange", seen);
  document.addEventListener("selectionchange", () => isStale && !isSelecting() && changed());
  addEventListener("offline", () => isLost(true));
  addEventListener("online", listen);
  addEventListener("pagehide", close);
  addEventListener("pageshow", (event) => event.persisted && listen());
}

function listen(): void {
  clearTimeout(againTimer);
  if (isOver || source || document.hidden) return;
  source = new EventSource("/api/v1/events");
  source.addEventListener("open", () => {
    if (isLost(false)) changed();
  });
  source.addEventListener("changed", changed);
  source.addEventListener("error", () => {
    isLost(true);
    if (source?.readyState === EventSource.CLOSED) {
      close();
      againTimer = setTimeout(listen, AGAIN_MS);
    }
  });
}

function close(): void {
  source?.close();
  source = null;
}

function rest(): void {
  isOver = true;
  clearTimeout(againTimer);
  close();
}

let hiddenTimer = 0;

function seen(): void {
  clearTimeout(hiddenTimer);
  if (document.hidden) {
    hiddenTimer = setTimeout(close, HIDDEN_MS);
  } else {
    if (isStale || !source) changed();
    if (performance.now() > STREAM_AFTER_MS) listen();
  }
}

/** Show or hide the bar that says that the park cannot be reached; true if that changed. */
function isLost(lost: boolean): boolean {
  const bar = document.getElementById("offline-bar");
  if (!bar || bar.hidden === !lost) return false;
  bar.hidden = !lost;
  return true;
}

function changed(): void {
  if (isOver) return;
  if (isWaiting || document.hidden || isSelecting()) {
    isStale = true;
    return;
  }
  isWaiting = true;
  isStale = false;
  const beganMs = performance.now();
  void refresh().finally(() => {
    const restMs = Math.min(EVERY_MS_MAX, Math.max(EVERY_MS, LIGHTLY * (performance.now() - beganMs)));
    setTimeout(() => {
      isWaiting = false;
      if (isStale) changed();
    }, restMs + Math.random() * JITTER_MS);
  });
}

async function refresh(): Promise<void> {
  let answer: Response;
  try {
    answer = await fetch(location.href, { headers: { Accept: "text/html" }, cache: "no-store" });
  } catch {
    isLost(true);
    isStale = true;
    return;
  }
  isLost(false);
  if (!answer.ok || answer.redirected) return;
  show(new DOMParser().parseFromString(await answer.text(), "text/html"));
}

/** Change the page into a fresh one. */
export function show(fresh: Document): void {
  const main = document.querySelector("main[data-live]");
  const next = fresh.querySelector("main");
  if (!main || !next) return;
  morph(main, next);
  if (!next.hasAttribute("data-live")) rest(); // a job that is over, say: this was the last change
  for (const part of all("[data-live-part]")) {
    const other = fresh.querySelector(`[data-live-part="${CSS.escape(part.dataset.livePart ?? "")}"]`);
    if (other && !main.contains(part)) morph(part, other);
  }
  document.title = fresh.title;
  document.dispatchEvent(new CustomEvent("park:refreshed"));
}

function morph(old: Element, next: Element): void {
  void Idiomorph.morph(old, next, {
    morphStyle: "outerHTML",
    restoreFocus: true,
    callbacks: {
      beforeNodeMorphed: (node: Node, other: Node) => !(node instanceof Element) || !isLeftAlone(node, other),
      beforeAttributeUpdated: (name: string, node: Element) => !isAPersonsChoice(name, node),
    },
  });
}

/** Parts that an island draws, and fields that a person has filled in, stay as they are. */
function isLeftAlone(node: Element, other: Node): boolean {
  if (node instanceof HTMLElement && node.dataset.liveKeep !== undefined) {
    if (other instanceof HTMLElement) Object.assign(node.dataset, other.dataset);
    return true;
  }
  if (node instanceof HTMLInputElement && (node.type === "checkbox" || node.type === "radio")) {
    if (other instanceof HTMLInputElement && other.value === node.value) return node.checked !== node.defaultChecked;
    node.checked = node.defaultChecked; // it becomes another one's box: a choice does not pass on
    return false;
  }
  if (node instanceof HTMLSelectElement) return [...node.options].some((item) => item.selected !== item.defaultSelected);
  return (node instanceof HTMLInputElement || node instanceof HTMLTextAreaElement) && node.value !== node.defaultValue;
}

function isAPersonsChoice(name: string, node: Element): boolean {
  return name === "open" && (node instanceof HTMLDetailsElement || node instanceof HTMLDialogElement);
}

function isSelecting(): boolean {
  const selection = getSelection();
  const main = document.querySelector("main[data-live]");
  return !!selection && !selection.isCollapsed && !!main?.contains(selection.anchorNode);
}

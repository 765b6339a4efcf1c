// On every page: keeps it up to date, ticks, listens to keys, and fetches the islands that the page needs.
import { attach as attachClocks } from "./parts/clock.ts";
import { attach as attachCopies } from "./parts/copy.ts";
import { attach as attachKeys } from "./parts/keys.ts";
import { attach as attachTerms } from "./parts/terms.ts";
import { attach as attachThemes } from "./parts/theme_switch.ts";
import { all } from "./lib/page.ts";
import { keepFresh } from "./parts/refresh.ts";

type Island = { attach: () => void };

const WORKER_AFTER_MS = 6000; // the page comes first
const ALWAYS = [attachClocks, attachCopies, attachKeys, attachTerms, attachThemes];
const WHERE_NEEDED: [string, () => Promise<Island>][] = [
  ["[data-log-viewer]", () => import("./parts/log.ts")],
  ["[data-chart-tools], [data-readable]", () => import("./parts/figure.ts")],
  ["[data-series-chart]", () => import("./parts/chart.ts")],
  ["[data-submit-form], [data-fills], [data-when], [hx-get], [hx-post]", () => import("./parts/form.ts")],
  ["[data-tour]", () => import("./parts/tour.ts")],
  ["[data-what-if]", () => import("./parts/what_if.ts")],
  ["[data-playback]", () => import("./parts/playback.ts")],
  ["[data-passkey]", () => import("./parts/passkey.ts")],
  ["[data-run-follow]", () => import("./parts/run_follow.ts")],
];

function attach(): void {
  for (const one of ALWAYS) one();
  for (const [selector, island] of WHERE_NEEDED) {
    if (document.querySelector(selector)) void island().then((found) => found.attach());
  }
}

for (const log of all("[data-log-text]")) log.scrollTop = log.scrollHeight; // at its end before its island is there
attach();
document.addEventListener("park:refreshed", attach);
keepFresh();
if ("serviceWorker" in navigator) {
  setTimeout(() => void navigator.serviceWorker.register("/sw.js").catch(() => undefined), WORKER_AFTER_MS);
}

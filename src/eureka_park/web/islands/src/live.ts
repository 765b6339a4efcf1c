// Keeps a page up to date: whenever the park says that something changed, the page's <main> is fetched anew.
// Streams open a little after the page, which is fresh then anyway: printers and picture takers need not wait for them.
const STREAM_AFTER_MS = 7000;
const main = document.querySelector("main[data-live]");
let stale = false;
let busy = false;

async function refresh() {
  if (busy || document.hidden || !main) {
    stale = true;
    return;
  }
  busy = true;
  stale = false;
  try {
    const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
    if (answer.ok) show(new DOMParser().parseFromString(await answer.text(), "text/html"));
  } finally {
    setTimeout(() => {
      busy = false;
      if (stale) refresh();
    }, 1000);
  }
}

function show(fresh) {
  const next = fresh.querySelector("main[data-live]");
  if (next && !main.contains(document.activeElement)) {
    const open = [...main.querySelectorAll("details[open]")].map((item) => item.id);
    main.replaceChildren(...next.childNodes);
    for (const id of open) document.getElementById(id)?.setAttribute("open", "");
  }
  const band = fresh.querySelector(".zellige");
  if (band) document.querySelector(".zellige")?.replaceWith(band);
}

function listen() {
  const source = new EventSource("/api/v1/events");
  source.addEventListener("overview", refresh);
  document.addEventListener("visibilitychange", () => stale && refresh());
  setInterval(refresh, 60000);
  addEventListener("pagehide", () => source.close());
}

if (main) setTimeout(listen, STREAM_AFTER_MS);

// The log of a job: appended as it is written.
const log = document.querySelector("pre[data-stream]");
const follow = document.querySelector("#follow");

function append(text) {
  log.append(text);
  if (!follow || follow.checked) log.scrollTop = log.scrollHeight;
}

function stream() {
  const source = new EventSource(`${log.dataset.stream}?offset=${log.dataset.offset}`);
  source.addEventListener("log", (event) => append(JSON.parse(event.data).text));
  source.addEventListener("state", (event) => {
    const next = JSON.parse(event.data).state;
    if (next !== log.dataset.state) setTimeout(() => location.reload(), 300);
  });
  source.addEventListener("end", () => source.close());
  addEventListener("pagehide", () => source.close());
}

async function peek(until) {
  const answer = await fetch(`${log.dataset.log}?offset=${log.dataset.offset}`);
  if (answer.ok) {
    const bytes = await answer.arrayBuffer();
    log.dataset.offset = Number(log.dataset.offset) + bytes.byteLength;
    if (bytes.byteLength) append(new TextDecoder().decode(bytes));
    if (answer.headers.get("X-Job-State") !== log.dataset.state) location.reload();
  }
  if (performance.now() < until) setTimeout(() => peek(until), 700);
  else stream();
}

if (log) {
  log.scrollTop = log.scrollHeight;
  if (!log.dataset.over) peek(performance.now() + STREAM_AFTER_MS);
}

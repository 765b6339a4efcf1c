// Keeps the page that says that the park cannot be reached, and the built files. Never a page, never an answer of the API.
// Built with its stamp in it, so that a new build brings a new worker.
declare const BUILD_STAMP: string;
{
  const worker = self as unknown as ServiceWorkerGlobalScope;
  const STORE = `park-${BUILD_STAMP}`;
  const OFFLINE = "/offline";

  /** The offline page with all that it names, fonts of the style sheet included. */
  const fetchAll = async (): Promise<void> => {
    const store = await caches.open(STORE);
    const page = await fetch(OFFLINE, { cache: "no-store", credentials: "omit" });
    if (!page.ok) return;
    const text = await page.clone().text();
    await store.put(OFFLINE, page);
    const named = [...text.matchAll(/(?:href|src)="(\/static\/[^"]+)"/g)].flatMap((match) => match[1] ?? []);
    await Promise.all(named.map((file) => store.add(file.replaceAll("&amp;", "&")).catch(() => undefined)));
  };

  const dropOld = async (): Promise<void> => {
    for (const name of await caches.keys()) {
      if (name.startsWith("park-") && name !== STORE) await caches.delete(name);
    }
    await worker.clients.claim();
  };

  const openPage = async (request: Request): Promise<Response> => {
    try {
      return await fetch(request);
    } catch {
      return (await caches.match(OFFLINE)) ?? Response.error();
    }
  };

  /** Files whose address changes with their content: from the store, else fetched and kept. */
  const builtFile = async (request: Request): Promise<Response> => {
    const found = await caches.match(request);
    if (found) return found;
    const answer = await fetch(request);
    if (answer.ok) {
      const copy = answer.clone();
      void caches.open(STORE).then((store) => store.put(request, copy)).catch(() => undefined);
    }
    return answer;
  };

  worker.addEventListener("install", (event) => {
    event.waitUntil(fetchAll().then(() => worker.skipWaiting()));
  });
  worker.addEventListener("activate", (event) => event.waitUntil(dropOld()));
  worker.addEventListener("fetch", (event) => {
    const { request } = event;
    const url = new URL(request.url);
    if (request.method !== "GET" || url.origin !== worker.location.origin) return;
    if (request.mode === "navigate") event.respondWith(openPage(request));
    else if (url.pathname.startsWith("/static/built/") && (url.searchParams.has("v") || /\/(chunks|fonts)\//.test(url.pathname))) {
      event.respondWith(builtFile(request));
    }
  });
}

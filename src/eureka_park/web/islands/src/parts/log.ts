// The log of a job: opens at its end, follows it, scrolls through any size, searches all of it.
import { all, fill, isNew } from "../lib/page.ts";
import { drawLine, endStyle } from "../lib/log_lines.ts";
import { type Change, LogWindow } from "../lib/log_window.ts";
import { LogSearch } from "../lib/log_search.ts";
import { fetchRange } from "../lib/log_source.ts";
import { copyText, said } from "./copy.ts";

const CHUNK_BYTES = 64 * 1024;
const LINES_MAX = 1600;
const STEP_LINES = 500;
const JUMP_BYTES = 1024 * 1024; // further behind than this, following jumps to the end
const ASK_MS = 700;
const ASK_SLOWLY_MS = 2500;
const NEAR_PX = 1200;
const AT_END_PX = 24;

/** Give every log viewer of the page its work. */
export function attach(): void {
  for (const root of all("[data-log-viewer]")) {
    if (isNew(root, "log")) new LogViewer(root).start();
  }
}

class LogViewer {
  private readonly root: HTMLElement;
  private readonly pre: HTMLElement;
  private readonly url: string;
  private readonly window = new LogWindow(LINES_MAX);
  private size: number;
  private queue: Promise<void> = Promise.resolve();
  private nBusy = 0;
  private isOver: boolean;
  private isMine = false; // a scroll that this program made
  private askMs = ASK_MS;
  private search: LogSearch | null = null;

  constructor(root: HTMLElement) {
    this.root = root;
    this.pre = root.querySelector<HTMLElement>("[data-log-text]") ?? root;
    this.url = root.dataset.url ?? "";
    this.size = Number(root.dataset.endOffset) || 0;
    this.isOver = !!root.dataset.over;
  }

  start(): void {
    this.listen();
    const at = /[#&]at=(\d+)/.exec(location.hash)?.[1];
    const opened = at === undefined ? this.goToEnd() : this.goTo(Number(at), true);
    void opened.finally(() => this.ask());
  }

  private part<T extends HTMLElement>(name: string): T | null {
    return this.root.querySelector<T>(`[data-log-${name}]`);
  }

  private listen(): void {
    for (const name of ["tools", "place-label"]) this.part(name)?.removeAttribute("hidden");
    this.showFollow();
    this.pre.addEventListener("scroll", () => this.scrolled(), { passive: true });
    this.pre.addEventListener("keydown", (event) => this.pressed(event));
    this.pre.addEventListener("click", (event) => this.choose((event.target as Element).closest<HTMLElement>(".log-line")));
    const wrap = this.part<HTMLInputElement>("wrap");
    const setWrap = (): void => {
      this.pre.classList.toggle("wraps", wrap?.checked ?? true);
      this.pre.classList.toggle("runs", !(wrap?.checked ?? true));
    };
    wrap?.addEventListener("change", setWrap);
    setWrap();
    this.part<HTMLInputElement>("follow")?.addEventListener("change", () => this.isFollowing && void this.goToEnd());
    const place = this.part<HTMLInputElement>("place");
    place?.addEventListener("change", () => void this.goToShare(Number(place.value) / Number(place.max)));
    this.part("link")?.addEventListener("click", (event) => void this.copyLink(event.currentTarget as HTMLButtonElement));
    this.listenToSearch();
  }

  private listenToSearch(): void {
    const form = this.part<HTMLFormElement>("search");
    const field = form?.querySelector<HTMLInputElement>("input");
    if (!form || !field) return;
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      void this.find(field.value, 1);
    });
    this.part("previous")?.addEventListener("click", () => void this.find(field.value, -1));
    field.addEventListener("input", () => field.value === "" && void this.find("", 1));
  }

  // -- the window ---------------------------------------------------------------------------------------------------

  /** One change of the window after another. */
  private alone(work: () => Promise<void>): Promise<void> {
    this.nBusy++;
    this.queue = this.queue.then(work, work).finally(() => this.nBusy--);
    return this.queue;
  }

  private get isBusy(): boolean {
    return this.nBusy > 0;
  }

  private goToEnd(): Promise<void> {
    return this.alone(async () => {
      const range = await fetchRange(this.url, -CHUNK_BYTES, CHUNK_BYTES);
      if (!range) return;
      this.size = Math.max(range.size, range.at + range.bytes.length);
      this.window.reset(range.bytes, range.at);
      this.drawAll();
      this.scrollTo(this.pre.scrollHeight);
    });
  }

  /** Show the line that holds a byte, in the middle. */
  private goTo(byte: number, isChosen: boolean): Promise<void> {
    return this.alone(async () => {
      if (this.window.indexOf(byte) < 0) {
        const range = await fetchRange(this.url, Math.max(0, byte - CHUNK_BYTES / 2), CHUNK_BYTES);
        if (!range) return;
        this.size = range.size;
        this.window.reset(range.bytes, range.at, byte);
        this.drawAll();
      }
      this.setFollowing(false);
      const row = this.rowOf(byte);
      if (!row) return;
      this.scrollTo(row.offsetTop - this.pre.offsetTop - this.pre.clientHeight / 2);
      if (isChosen) this.choose(row);
      this.markHere(row);
    });
  }

  private async goToShare(share: number): Promise<void> {
    if (share >= 0.999) {
      this.setFollowing(!this.isOver);
      await this.goToEnd();
    } else await this.goTo(Math.floor(share * this.size), false);
  }

  private async loadEarlier(): Promise<void> {
    if (this.isBusy) return;
    await this.alone(async () => {
      const end = this.window.begin;
      const begin = Math.max(0, end - CHUNK_BYTES);
      const range = await fetchRange(this.url, begin, end - begin);
      const change = range && this.window.prepend(range.bytes, range.at, STEP_LINES);
      if (change) this.drawChange(change);
    });
  }

  private async loadLater(): Promise<void> {
    if (this.isBusy) return;
    await this.alone(async () => {
      const range = await fetchRange(this.url, this.window.end, CHUNK_BYTES);
      if (!range) return;
      this.size = range.size;
      const change = this.window.append(range.bytes, range.at);
      if (change) this.drawChange(change);
    });
  }

  private drawAll(): void {
    const rows: HTMLElement[] = [];
    for (const line of this.window.lines) rows.push(drawLine(line, endStyle(rows.at(-1)), this.search?.text ?? ""));
    this.pre.replaceChildren(...rows);
    this.showPlace();
  }

  private drawChange(change: Change): void {
    const top = this.pre.scrollTop;
    const before = this.pre.scrollHeight;
    if (change.front.length) {
      const rows: HTMLElement[] = [];
      for (const line of change.front) rows.push(drawLine(line, endStyle(rows.at(-1)), this.search?.text ?? ""));
      this.pre.prepend(...rows);
      this.scrollTo(top + this.pre.scrollHeight - before);
    }
    for (let n = 0; n < change.goneBack; n++) this.pre.lastElementChild?.remove();
    for (const line of change.back) this.pre.append(drawLine(line, endStyle(this.pre.lastElementChild), this.search?.text ?? ""));
    const tooMany = this.pre.childElementCount - this.window.lines.length;
    if (tooMany > 0) {
      const height = this.pre.scrollHeight;
      for (let n = 0; n < tooMany; n++) this.pre.firstElementChild?.remove();
      this.scrollTo(this.pre.scrollTop - (height - this.pre.scrollHeight));
    }
    if (this.isFollowing && change.back.length) this.scrollTo(this.pre.scrollHeight);
    this.showPlace();
  }

  private rowOf(byte: number): HTMLElement | null {
    const row = this.pre.children[this.window.indexOf(byte)];
    return row instanceof HTMLElement ? row : null;
  }

  // -- following ----------------------------------------------------------------------------------------------------

  private get isFollowing(): boolean {
    return !this.isOver && (this.part<HTMLInputElement>("follow")?.checked ?? true);
  }

  private setFollowing(follows: boolean): void {
    const box = this.part<HTMLInputElement>("follow");
    if (box) box.checked = follows;
  }

  /** What is over cannot be followed. */
  private showFollow(): void {
    const label = this.part("follow")?.closest("label");
    if (label) label.hidden = this.isOver;
  }

  /** Ask for what is new, again and again until the job is over and its last words are read. */
  private async ask(): Promise<void> {
    const isLast = !!this.root.dataset.over; // known before the log is read, so that its last words are not missed
    if (!document.hidden && this.root.isConnected) {
      const isAtEnd = this.window.end >= this.size;
      const range = await fetchRange(this.url, this.window.end, isAtEnd ? CHUNK_BYTES : 0);
      if (range) this.take(range.size, isAtEnd && range.bytes.length ? range : null);
      if (isLast && range && (!isAtEnd || this.window.end >= range.size)) this.isOver = true;
      this.showFollow();
    }
    if (!this.isOver && this.root.isConnected) setTimeout(() => void this.ask(), this.askMs);
  }

  private take(size: number, range: { bytes: Uint8Array; at: number } | null): void {
    const grew = size > this.size;
    this.size = size;
    this.askMs = grew ? ASK_MS : Math.min(ASK_SLOWLY_MS, this.askMs * 1.15);
    if (this.isBusy) return;
    const change = range && this.window.append(range.bytes, range.at);
    if (change) this.drawChange(change);
    else if (this.isFollowing && size - this.window.end > 0) {
      void (size - this.window.end > JUMP_BYTES ? this.goToEnd() : this.loadLater());
    }
    this.showPlace();
  }

  // -- scrolling, choosing ------------------------------------------------------------------------------------------

  private scrollTo(top: number): void {
    this.isMine = true;
    this.pre.scrollTop = top;
    requestAnimationFrame(() => requestAnimationFrame(() => (this.isMine = false)));
  }

  private scrolled(): void {
    const below = this.pre.scrollHeight - this.pre.scrollTop - this.pre.clientHeight;
    const isAtEnd = this.window.end >= this.size;
    if (!this.isMine && !this.isOver) this.setFollowing(isAtEnd && below < AT_END_PX);
    if (this.pre.scrollTop < NEAR_PX && this.window.begin > 0) void this.loadEarlier();
    else if (below < NEAR_PX && !isAtEnd) void this.loadLater();
    this.showPlace();
  }

  private pressed(event: KeyboardEvent): void {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    if (event.key === "Home") void this.goTo(0, false);
    else if (event.key === "End") void this.goToShare(1);
    else if ((event.key === "n" || event.key === "N") && this.search) void this.find(this.search.text, event.key === "n" ? 1 : -1);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  private firstSeen(): HTMLElement | null {
    let [low, high] = [0, this.pre.childElementCount - 1];
    const top = this.pre.scrollTop + this.pre.offsetTop;
    while (low < high) {
      const middle = (low + high) >> 1;
      const row = this.pre.children[middle] as HTMLElement;
      if (row.offsetTop + row.offsetHeight > top) high = middle;
      else low = middle + 1;
    }
    return (this.pre.children[low] as HTMLElement | undefined) ?? null;
  }

  private showPlace(): void {
    const place = this.part<HTMLInputElement>("place");
    if (!place || place.matches(":active")) return;
    const at = this.isAtVeryEnd() ? this.size : Number(this.firstSeen()?.dataset.at ?? 0);
    const share = this.size ? at / this.size : 1;
    place.value = String(Math.round(share * Number(place.max)));
    place.setAttribute("aria-valuetext", `${Math.round(share * 100)} %`);
  }

  private isAtVeryEnd(): boolean {
    return this.window.end >= this.size && this.pre.scrollHeight - this.pre.scrollTop - this.pre.clientHeight < AT_END_PX;
  }

  private choose(row: HTMLElement | null): void {
    if (!row) return;
    this.pre.querySelector(".chosen")?.classList.remove("chosen");
    row.classList.add("chosen");
    history.replaceState(history.state, "", `#at=${row.dataset.at}`);
  }

  private async copyLink(button: HTMLButtonElement): Promise<void> {
    const row = this.pre.querySelector<HTMLElement>(".chosen") ?? this.firstSeen();
    const address = new URL(location.href);
    address.hash = `at=${row?.dataset.at ?? 0}`;
    if (await copyText(address.href)) said(button);
  }

  // -- searching ----------------------------------------------------------------------------------------------------

  private async find(text: string, step: 1 | -1): Promise<void> {
    if (text !== (this.search?.text ?? "")) {
      await this.begin(text);
    } else if (this.search?.here != null) {
      const line = this.window.lines[this.window.indexOf(this.search.here)];
      await this.search.step(step, line ? line.at + line.size : this.search.here + 1);
    }
    this.sayFound();
    if (this.search?.here != null) await this.goTo(this.search.here, false);
  }

  private async begin(text: string): Promise<void> {
    if (this.search) this.search.isStopped = true;
    const url = this.root.dataset.searchUrl;
    const search = text && url ? new LogSearch(url, text) : null;
    this.search = search;
    const top = this.pre.scrollTop;
    this.drawAll();
    this.scrollTo(top);
    await search?.nearest(Number(this.firstSeen()?.dataset.at ?? 0));
    if (search?.here != null) void search.count(() => search === this.search && this.sayFound());
    else if (search) search.isCounted = true;
  }

  private markHere(row: HTMLElement): void {
    for (const mark of all("mark.here", this.pre)) mark.classList.remove("here");
    row.querySelector("mark")?.classList.add("here");
  }

  private sayFound(): void {
    const output = this.part("found");
    if (!output) return;
    const search = this.search;
    const values = { n: search?.number || "…", all: search?.isCounted ? search.found.length : `${search?.found.length || ""}…` };
    const text = search?.here == null ? (output.dataset.none ?? "0") : fill(output.dataset.some ?? "{n} / {all}", values);
    output.textContent = search ? text : "";
  }
}

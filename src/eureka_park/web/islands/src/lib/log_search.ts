// Search in all of a log: the nearest match at once, the count of all while one reads on.

type Match = { offset: number };
type Page = { matches: Match[]; next: number | null };

const COUNTED_MAX = 2000;
const PAGE = 1000;

export class LogSearch {
  readonly text: string;
  /** The line that was found, or null. */
  here: number | null = null;
  /** Where the lines that hold the text begin, as far as they have been counted. */
  readonly found: number[] = [];
  isCounted = false;
  isStopped = false;
  private readonly url: string;
  private readonly fetchPage: (address: string) => Promise<Page | null>;

  constructor(url: string, text: string, fetchPage: (address: string) => Promise<Page | null> = fetchJson) {
    this.url = url;
    this.text = text;
    this.fetchPage = fetchPage;
  }

  /** The first match from a byte on, else the last one before it. */
  async nearest(byte: number): Promise<number | null> {
    this.here = (await this.one("after", byte)) ?? (await this.one("before", byte));
    return this.here;
  }

  /** The next match (or the one before); beyond the last one comes the first. `end` is where the present line ends. */
  async step(direction: 1 | -1, end: number): Promise<number | null> {
    if (this.here === null) return null;
    const next = direction > 0 ? await this.one("after", end) : await this.one("before", this.here);
    this.here = next ?? (direction > 0 ? await this.one("after", 0) : await this.one("before", 2 ** 53));
    return this.here;
  }

  /** Count all matches, as far as it is worth; `told` is called as the count grows. */
  async count(told: () => void): Promise<void> {
    let after = 0;
    while (!this.isStopped && this.found.length < COUNTED_MAX) {
      const page = await this.ask({ after, limit: PAGE });
      if (!page || this.isStopped) break;
      this.found.push(...page.matches.map((match) => match.offset));
      if (page.next === null || page.next <= after) {
        this.isCounted = true;
        break;
      }
      after = page.next;
      told();
    }
    told();
  }

  /** Which of all matches this one is, from 1; 0 while that is not known. */
  get number(): number {
    return this.here === null ? 0 : this.found.indexOf(this.here) + 1;
  }

  private async one(way: "after" | "before", from: number): Promise<number | null> {
    let at: number | null = from;
    while (at !== null && !this.isStopped) {
      const page: Page | null = await this.ask({ [way]: at, limit: 1 });
      const match = page?.matches[0];
      if (match) return match.offset;
      const next: number | null = page?.next ?? null;
      at = next === at ? null : next;
    }
    return null;
  }

  private ask(values: Record<string, number>): Promise<Page | null> {
    const query = new URLSearchParams({ text: this.text });
    for (const [name, value] of Object.entries(values)) query.set(name, String(value));
    return this.fetchPage(`${this.url}?${query}`);
  }
}

async function fetchJson(address: string): Promise<Page | null> {
  try {
    const answer = await fetch(address, { cache: "no-store" });
    return answer.ok ? ((await answer.json()) as Page) : null;
  } catch {
    return null;
  }
}

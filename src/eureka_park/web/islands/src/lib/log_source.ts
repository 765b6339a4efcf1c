// Ranges of a log from the park.

export type Range = { bytes: Uint8Array; at: number; size: number; state: string };
export type Match = { offset: number; text: string };

/** Bytes from `offset` (negative: counted from the end). Null if the park did not answer. */
export async function fetchRange(url: string, offset: number, limit: number): Promise<Range | null> {
  try {
    const answer = await fetch(`${url}?offset=${Math.trunc(offset)}&limit=${Math.trunc(limit)}`, { cache: "no-store" });
    if (!answer.ok) return null;
    return {
      bytes: new Uint8Array(await answer.arrayBuffer()),
      at: Number(answer.headers.get("X-Log-Offset")),
      size: Number(answer.headers.get("X-Log-Size")),
      state: answer.headers.get("X-Job-State") ?? "",
    };
  } catch {
    return null;
  }
}

/** Lines that hold a text, in order from the log's beginning, at most `max`. */
export async function fetchMatches(url: string, text: string, max: number): Promise<Match[]> {
  const found: Match[] = [];
  let after = 0;
  while (found.length < max) {
    const answer = await fetch(`${url}?text=${encodeURIComponent(text)}&after=${after}&limit=1000`, { cache: "no-store" });
    if (!answer.ok) break;
    const page = (await answer.json()) as { matches: Match[]; next: number | null };
    found.push(...page.matches);
    if (page.next === null || page.next === undefined || page.next <= after) break;
    after = page.next;
  }
  return found.slice(0, max);
}

// Ranges of a log from the park.

export type Range = { bytes: Uint8Array; at: number; size: number; state: string };

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

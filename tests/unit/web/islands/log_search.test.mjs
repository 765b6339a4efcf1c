import assert from "node:assert/strict";
import { test } from "node:test";
import { LogSearch } from "../../../../src/eureka_park/web/islands/src/lib/log_search.ts";

/** A park whose log holds matches at these bytes, and which reads at most `work` bytes for one answer. */
function park(offsets, { size = 1000, work = 300 } = {}) {
  const asked = [];
  const answer = async (address) => {
    const query = new URL(address, "http://park").searchParams;
    const [limit, text] = [Number(query.get("limit")), query.get("text")];
    asked.push(address);
    assert.ok(asked.length < 100, "endless");
    const all = text === "a&b" ? offsets : [];
    if (query.has("after")) {
      const [from, to] = [Number(query.get("after")), Math.min(size, Number(query.get("after")) + work)];
      const matches = all.filter((at) => at >= from && at < to).slice(0, limit);
      const next = matches.length === limit ? matches.at(-1) + 10 : to;
      return { matches: matches.map((offset) => ({ offset })), next: next < size ? next : null };
    }
    const before = Math.min(size, Number(query.get("before")));
    const from = Math.max(0, before - work);
    const matches = all.filter((at) => at < before && at >= from).toReversed().slice(0, limit);
    const next = matches.length === limit ? matches.at(-1) : from;
    return { matches: matches.map((offset) => ({ offset })), next: next || null };
  };
  return { answer, asked };
}

test("the nearest match from the view on, else the last before it", async () => {
  const { answer } = park([10, 700]);
  assert.equal(await new LogSearch("/s", "a&b", answer).nearest(20), 700);
  assert.equal(await new LogSearch("/s", "a&b", answer).nearest(10), 10);
  assert.equal(await new LogSearch("/s", "a&b", answer).nearest(900), 700);
  assert.equal(await new LogSearch("/s", "other", answer).nearest(500), null);
});

test("steps go round in both directions", async () => {
  const search = new LogSearch("/s", "a&b", park([10, 700, 900]).answer);
  await search.nearest(650);
  const seen = [search.here];
  for (const direction of [1, 1, 1, -1, -1]) seen.push(await search.step(direction, search.here + 10));
  assert.deepEqual(seen, [700, 900, 10, 700, 10, 900]);
});

test("the count grows, and says which match this is", async () => {
  const search = new LogSearch("/s", "a&b", park([10, 700, 900]).answer);
  await search.nearest(650);
  assert.equal(search.number, 0);
  let told = 0;
  await search.count(() => told++);
  assert.deepEqual([search.found, search.isCounted, search.number], [[10, 700, 900], true, 2]);
  assert.ok(told >= 3);
});

test("a count ends at some thousand, and when another text is sought", async () => {
  const many = Array.from({ length: 50_000 }, (_, n) => n * 10);
  const search = new LogSearch("/s", "a&b", park(many, { size: 500_000, work: 500_000 }).answer);
  await search.count(() => undefined);
  assert.deepEqual([search.found.length, search.isCounted], [2000, false]);
  const stopped = new LogSearch("/s", "a&b", park(many, { size: 500_000, work: 20 }).answer);
  await stopped.count(() => (stopped.isStopped = true));
  assert.ok(stopped.found.length < 10);
});

test("without the park there is nothing", async () => {
  const search = new LogSearch("/s", "a&b", async () => null);
  assert.equal(await search.nearest(5), null);
  await search.count(() => undefined);
  assert.deepEqual(search.found, []);
});

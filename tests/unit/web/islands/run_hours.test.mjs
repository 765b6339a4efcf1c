import assert from "node:assert/strict";
import { test } from "node:test";
import {
  cleanSoFar, niceStep, sentenceOf, stepLine, stepPath, sumsOf, windowStart,
} from "../../../../src/eureka_park/web/islands/src/lib/run_hours.ts";

const run = (hours) => ({
  start_s: 0, n_hours: hours.length, load_mw: hours.map((h) => h.load ?? 100), wind_mw: hours.map(() => 0), pv_mw: hours.map(() => 0),
  csp_mw: hours.map(() => 0), salt_mw: hours.map((h) => h.salt ?? 0), grid_mw: hours.map((h) => h.grid ?? 0), unused_mw: hours.map((h) => h.unused ?? 0),
});

test("an hour is about the grid first, then the salt, then what finds no work", () => {
  const hours = run([{ grid: 40, salt: 60 }, { salt: 30, unused: 90 }, { unused: 30 }, {}, { load: 0 }, { grid: 0.1 }]);
  assert.deepEqual([0, 1, 2, 3, 4, 5].map((hour) => sentenceOf(hours, hour).name), ["grid", "salt", "unused", "clean", "still", "clean"]);
  assert.equal(sentenceOf(hours, 0).share, 0.4);
  assert.equal(sentenceOf(hours, 2).mw, 30);
});

test("the clean share so far counts energy, and an idle start is clean", () => {
  const sums = sumsOf(run([{ load: 0 }, { load: 100, grid: 50 }, { load: 300, grid: 0 }]));
  assert.deepEqual([0, 1, 2].map((hour) => cleanSoFar(sums, hour)), [1, 0.5, 0.875]);
});

test("the window glides with now inside, stays within the run, and turns like a page for who asks for calm", () => {
  assert.equal(windowStart(10, 96, 336, false), 0);
  assert.ok(Math.abs(windowStart(200, 96, 336, false) - (200 - 0.62 * 96)) < 1e-9);
  assert.equal(windowStart(335, 96, 336, false), 240);
  assert.equal(windowStart(200, 96, 336, true), 192);
  assert.equal(windowStart(335, 96, 336, true), 240);
  assert.equal(windowStart(5, 96, 24, false), 0);
  for (let at = 0; at < 336; at += 0.37) {
    for (const calm of [true, false]) {
      const from = windowStart(at, 96, 336, calm);
      assert.ok(from <= at && at <= from + 96, `${at} ${calm}`);
    }
  }
});

test("layers are drawn in steps, and none where there are no hours", () => {
  const x = (hour) => hour * 10;
  assert.equal(stepPath(() => 50, (hour) => 10 + hour, 0, 2, x), "M0.0 10.0V10.0H10.0V11.0H20.0V50.0H10.0V50.0H0.0Z");
  assert.equal(stepLine((hour) => hour, 1, 3, x), "M10.0 1.0V1.0H20.0V2.0H30.0");
  assert.equal(stepPath(() => 0, () => 0, 3, 3, x) + stepLine(() => 0, 3, 2, x), "");
});

test("axes have round steps", () => {
  assert.deepEqual([386, 170, 42, 0.9].map((top) => niceStep(top)), [100, 50, 20, 0.25]);
});

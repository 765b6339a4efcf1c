import assert from "node:assert/strict";
import { test } from "node:test";
import { dayText, durationText, hourText } from "../../../../src/eureka_park/web/islands/src/lib/time.ts";

const spoken = (text) => text.replaceAll(/[\u00a0\u202f]/g, " ");

test("a wait is told in its two largest units", () => {
  assert.equal(spoken(durationText(2 * 86400 + 3 * 3600, "en")), "2 days 3 hr");
  assert.equal(spoken(durationText(3 * 3600 + 20 * 60 + 5, "fr")), "3 h 20 min");
  assert.equal(spoken(durationText(3600, "fr")), "1 h");
  assert.equal(spoken(durationText(125, "fr")), "2 min 5 s");
  assert.equal(spoken(durationText(20 * 60 + 5, "fr")), "20 min");
  assert.equal(spoken(durationText(7, "fr")), "7 s");
  assert.equal(spoken(durationText(-3, "fr")), "0 s");
});

test("where time runs fast, seconds are left out", () => {
  assert.equal(spoken(durationText(7, "fr", true)), "1 min");
  assert.equal(spoken(durationText(125, "fr", true)), "2 min");
});

test("hours and days are the site's", () => {
  const summer = Date.UTC(2026, 6, 1, 23, 30) / 1000;
  assert.equal(hourText(summer, "UTC"), "23:30");
  assert.equal(hourText(summer, "Asia/Tokyo"), "08:30");
  assert.equal(dayText(summer, "Asia/Tokyo"), "2026-07-02");
  assert.equal(hourText(Date.UTC(2026, 6, 1, 0, 5) / 1000, "UTC"), "00:05");
});

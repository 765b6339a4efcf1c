import assert from "node:assert/strict";
import { test } from "node:test";
import { LINE_BYTES_MAX, LogWindow, split } from "../../../../src/eureka_park/web/islands/src/lib/log_window.ts";

const bytes = (text) => new TextEncoder().encode(text);
const texts = (window) => window.lines.map((line) => line.text);

/** What must always hold: lines touch each other and fill the window. */
function check(window) {
  let at = window.begin;
  for (const line of window.lines) {
    assert.equal(line.at, at);
    at += line.size;
  }
  assert.equal(at, window.end);
}

test("lines know the byte where they begin", () => {
  assert.deepEqual(split(bytes("é\n\nlast"), 100), [
    { at: 100, size: 3, text: "é", isOpen: false },
    { at: 103, size: 1, text: "", isOpen: false },
    { at: 104, size: 4, text: "last", isOpen: true },
  ]);
  assert.deepEqual(split(bytes(""), 0), []);
});

test("a line without an end is cut, never inside of a character", () => {
  const lines = split(bytes("é".repeat(10_000)), 0);
  assert.ok(lines.length > 1 && lines.every((line) => line.size <= LINE_BYTES_MAX));
  assert.equal(lines.map((line) => line.text).join(""), "é".repeat(10_000));
});

test("bytes that are no text neither loop nor throw", () => {
  const odd = new Uint8Array(50_000).fill(0x80);
  const lines = split(odd, 0);
  assert.equal(lines.reduce((sum, line) => sum + line.size, 0), 50_000);
});

test("an open line is finished by what follows, even in the middle of a character", () => {
  const window = new LogWindow();
  const all = bytes("one\ntwo é three\nfour");
  for (let at = 0; at < all.length; at++) assert.ok(window.append(all.subarray(at, at + 1), at));
  assert.deepEqual(texts(window), ["one", "two é three", "four"]);
  check(window);
});

test("appending says what went and what came", () => {
  const window = new LogWindow();
  window.append(bytes("a\nb"), 0);
  const change = window.append(bytes("c\nd\n"), 3);
  assert.equal(change.goneBack, 1);
  assert.deepEqual(change.back.map((line) => line.text), ["bc", "d"]);
  assert.equal(window.append(bytes("gap"), 99), null);
  assert.equal(window.append(bytes("twice"), 3), null);
});

test("a window in the middle begins with a whole line", () => {
  const window = new LogWindow();
  window.reset(bytes("half\nwhole\n"), 50);
  assert.deepEqual(texts(window), ["whole"]);
  assert.equal(window.begin, 55);
  window.reset(bytes("first\n"), 0);
  assert.deepEqual(texts(window), ["first"]);
});

test("of more lines than fit, those around a byte are kept", () => {
  const whole = bytes(Array.from({ length: 1000 }, (_, n) => `line ${String(n).padStart(4, "0")}\n`).join(""));
  const window = new LogWindow(100);
  for (const [around, first] of [[0, 0], [25, 0], [5005, 450], [9995, 900], [undefined, 900]]) {
    window.reset(whole, 0, around);
    check(window);
    assert.deepEqual([window.lines.length, texts(window)[0]], [100, `line ${String(first).padStart(4, "0")}`]);
    if (around !== undefined) assert.ok(window.indexOf(around) >= 0);
  }
  window.reset(bytes("a\nopen"), 0);
  window.append(bytes("ed\n"), 6);
  assert.deepEqual(texts(window), ["a", "opened"]);
});

test("going up adds in front and lets go behind; going down the other way round", () => {
  const whole = bytes(Array.from({ length: 1000 }, (_, n) => `line ${n}\n`).join(""));
  const window = new LogWindow(100);
  window.reset(whole.subarray(5000), 5000);
  assert.equal(window.lines.length, 100);
  assert.equal(texts(window).at(-1), "line 999");
  while (window.begin > 0) {
    const from = Math.max(0, window.begin - 400);
    assert.ok(window.prepend(whole.subarray(from, window.begin), from));
    check(window);
    assert.ok(window.lines.length <= 100);
  }
  assert.deepEqual(texts(window), Array.from({ length: 100 }, (_, n) => `line ${n}`));
  while (window.end < whole.length) assert.ok(window.append(whole.subarray(window.end, window.end + 333), window.end));
  check(window);
  assert.equal(texts(window).at(-1), "line 999");
});

test("going up through a line longer than a step gets further up", () => {
  const whole = bytes(`first\n${"x".repeat(60_000)}\nlast\n`);
  const window = new LogWindow();
  window.reset(whole.subarray(60_006), 60_006);
  for (let n = 0; window.begin > 0; n++) {
    assert.ok(n < 100);
    const from = Math.max(0, window.begin - 9000);
    assert.ok(window.prepend(whole.subarray(from, window.begin), from));
    check(window);
  }
  assert.equal(texts(window)[0], "first");
});

test("a byte is found in its line", () => {
  const window = new LogWindow();
  window.reset(bytes("\nab\ncdef\ng"), 9);
  assert.deepEqual([9, 10, 12, 13, 17, 18, 19].map((byte) => window.indexOf(byte)), [-1, 0, 0, 1, 1, 2, -1]);
});

test("a million lines pass through a window of a few thousand", () => {
  const window = new LogWindow();
  const chunk = bytes("\x1b[32mINFO\x1b[0m step 12345 loss 0.123\n".repeat(5000));
  for (let n = 0; n < 200; n++) window.append(chunk, n * chunk.length);
  assert.equal(window.lines.length, 4000);
  check(window);
});

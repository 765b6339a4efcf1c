import assert from "node:assert/strict";
import { test } from "node:test";
import { PLAIN, pieces, visible } from "../../../../src/eureka_park/web/islands/src/lib/ansi.ts";

const said = (line, begin) => pieces(line, begin).pieces.map(({ text, style }) => [text, style]);
const styled = (more) => ({ ...PLAIN, ...more });

test("a plain line is one piece", () => {
  assert.deepEqual(said("hello <b>"), [["hello <b>", PLAIN]]);
  assert.deepEqual(said(""), []);
});

test("sixteen colours, bold and reset", () => {
  assert.deepEqual(said("\x1b[31mred\x1b[0m \x1b[1;92mgreen\x1b[22m\x1b[39mplain\x1b[104mblue"), [
    ["red", styled({ fg: 1 })],
    [" ", PLAIN],
    ["green", styled({ fg: 10, bold: true })],
    ["plain", PLAIN],
    ["blue", styled({ bg: 12 })],
  ]);
  assert.deepEqual(said("\x1b[31ma\x1b[mb"), [["a", styled({ fg: 1 })], ["b", PLAIN]]);
});

test("256 colours and true colours, with semicolons and with colons", () => {
  assert.equal(pieces("\x1b[38;5;196mx").pieces[0].style.fg, "#ff0000");
  assert.equal(pieces("\x1b[38;5;9mx").pieces[0].style.fg, 9);
  assert.equal(pieces("\x1b[48;5;240mx").pieces[0].style.bg, "#585858");
  assert.equal(pieces("\x1b[38;2;1;20;300mx").pieces[0].style.fg, "#0114ff");
  assert.deepEqual(said("\x1b[38;2;1;2;3;1mx"), [["x", styled({ fg: "#010203", bold: true })]]);
  assert.equal(pieces("\x1b[38:5:21mx").pieces[0].style.fg, "#0000ff");
  assert.deepEqual(said("\x1b[38;5;999mx\x1b[38mx"), [["xx", PLAIN]]);
});

test("what else steers a terminal is dropped", () => {
  const line = "a\x1b[2K\x1b[1;3Hb\x1b]8;;http://x\x07link\x1b]8;;\x1b\\ \x1b(Bc\x1b=d\x07\x00\x9b31me\tf\x1b";
  assert.equal(visible(line), "ablink cde\tf");
  assert.deepEqual(said(line).map(([text]) => text).join(""), "ablink cde\tf");
});

test("a line written over and over shows its last writing, with the colour begun before", () => {
  assert.deepEqual(said("\x1b[32m 10%\r 20%\r 30%\x1b[0m\r"), [[" 30%", styled({ fg: 2 })]]);
  assert.equal(visible("one\r\n".slice(0, -1)), "one");
  assert.equal(visible("\r\r"), "");
  assert.equal(visible(" 99%\r\x1b[K"), " 99%");
});

test("a style goes on into the next line", () => {
  const first = pieces("\x1b[1;35mbegin");
  assert.deepEqual(said("goes on\x1b[0m", first.end), [["goes on", styled({ fg: 5, bold: true })]]);
  assert.deepEqual(PLAIN.fg, null);
});

test("an odd or endless sequence neither throws nor takes long", () => {
  for (const line of ["\x1b[", "\x1b]0;never ends", "\x1b[31", "\x1b[;;;m", "\x1b[38;5m", "\x1bP" + "x".repeat(1e6), "\x1b[0m".repeat(1e5)]) {
    assert.doesNotThrow(() => pieces(line));
  }
  assert.equal(visible("tick\r".repeat(200_000)), "tick");
});

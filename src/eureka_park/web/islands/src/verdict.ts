// The verdict's own script, on its page and inside its file: simple figures follow the assumptions that a reader changes.
// It imports nothing, so that it can stand in a file; formulas are read here, never run as code.

type Values = Record<string, number>;

const page = document.querySelector<HTMLElement>("[data-verdict]");
if (page) start(page);

function start(report: HTMLElement): void {
  const formulas = JSON.parse(document.getElementById("verdict-formulas")?.textContent ?? "[]") as [string, string][];
  const inputs = [...report.querySelectorAll<HTMLInputElement>("input[data-assumption]")];
  const follow = (): void => tell(report, workedOut(inputs, formulas));
  for (const input of inputs) input.addEventListener("input", () => (mark(input), follow()));
  report.querySelector("[data-reset-assumptions]")?.addEventListener("click", () => {
    for (const input of inputs) {
      input.value = input.defaultValue;
      mark(input);
    }
    follow();
  });
  report.querySelector<HTMLElement>("[data-save-assumptions]")?.addEventListener("click", (event) => {
    save(inputs, (event.currentTarget as HTMLElement).dataset.saveAssumptions ?? "assumptions.toml");
  });
}

function mark(input: HTMLInputElement): void {
  input.toggleAttribute("data-changed", input.value !== input.defaultValue);
}

/** Every assumption and every figure, in the order of the formulas. */
function workedOut(inputs: HTMLInputElement[], formulas: [string, string][]): Values {
  const values: Values = {};
  for (const input of inputs) values[input.dataset.assumption ?? ""] = input.value === "" ? NaN : Number(input.value);
  for (const [name, formula] of formulas) values[name] = evaluated(formula, values);
  return values;
}

function tell(report: HTMLElement, values: Values): void {
  for (const place of report.querySelectorAll<HTMLElement>("[data-figure]")) {
    place.dataset.first ??= place.textContent ?? "";
    const value = (values[place.dataset.figure ?? ""] ?? NaN) / Number(place.dataset.size);
    const digits = Number(place.dataset.digits);
    const number = new Intl.NumberFormat(report.dataset.lang === "ar" ? "ar-MA-u-nu-latn" : report.dataset.lang, {
      minimumFractionDigits: digits,
      maximumFractionDigits: digits,
    }).format(value);
    const told = Number.isFinite(value) ? `\u2068${(place.dataset.form ?? "{n}").replace("{n}", `\u2068${number}\u2069`)}\u2069` : "–";
    place.textContent = plain(told) === plain(place.dataset.first) ? place.dataset.first : told;
    place.toggleAttribute("data-recalculated", place.textContent !== place.dataset.first);
  }
}

/** A text without marks and kinds of space: the server and the browser need not choose the same ones. */
function plain(text: string): string {
  return text.replace(/[\u2066-\u2069\u200e\u200f]/g, "").replace(/\s/g, " ");
}

function save(inputs: HTMLInputElement[], name: string): void {
  const lines = inputs.map((input) => `[assumptions.${input.dataset.assumption}]\nvalue = ${Number(input.value)}\n`);
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([lines.join("\n")], { type: "application/toml" }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

/** Arithmetic with names: + - * / ( ), numbers, and floor(...). NaN where it cannot be read. */
function evaluated(formula: string, values: Values): number {
  const marks = formula.match(/[A-Za-z_]\w*|\d+(?:\.\d+)?|[-+*/()]/g) ?? [];
  let at = 0;
  const sum = (): number => {
    let value = product();
    while (marks[at] === "+" || marks[at] === "-") value = marks[at++] === "+" ? value + product() : value - product();
    return value;
  };
  const product = (): number => {
    let value = one();
    while (marks[at] === "*" || marks[at] === "/") value = marks[at++] === "*" ? value * one() : value / one();
    return value;
  };
  const one = (): number => {
    const mark = marks[at++];
    if (mark === undefined) return NaN;
    if (mark === "(" || mark === "floor") {
      if (mark === "floor") at++;
      const value = sum();
      at++;
      return mark === "floor" ? Math.floor(value) : value;
    }
    return /^\d/.test(mark) ? Number(mark) : (values[mark] ?? NaN);
  };
  return sum();
}

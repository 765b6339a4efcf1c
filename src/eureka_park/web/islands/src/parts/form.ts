// The form that sends a job: a quote while writing, a script from a file, fields that belong to a choice.
import { all, fill, isNew } from "../lib/page.ts";

let isSet = false;

/** Give forms their work. */
export function attach(): void {
  if (document.querySelector("[hx-get], [hx-post]")) void setUp();
  for (const field of all<HTMLInputElement>("[data-fills]")) {
    if (isNew(field, "file")) field.addEventListener("change", () => void fromFile(field));
  }
  for (const form of all<HTMLFormElement>("form:has([data-when])")) {
    if (isNew(form, "when")) form.addEventListener("input", () => showFields(form));
    showFields(form);
  }
}

/** Fetch htmx. It reads its first settings from the page, before anything else runs. */
async function setUp(): Promise<void> {
  if (isSet) return;
  isSet = true;
  const settings = document.querySelector<HTMLMetaElement>('meta[name="htmx-config"]') ?? document.createElement("meta");
  settings.name = "htmx-config";
  settings.content = JSON.stringify({
    includeIndicatorStyles: false,
    allowEval: false,
    historyEnabled: false,
    selfRequestsOnly: true,
    responseHandling: [
      { code: "204", swap: false },
      { code: "[23]..", swap: true },
      { code: "422", swap: true },
      { code: "[45]..", swap: false, error: true },
    ],
  });
  if (!settings.isConnected) document.head.append(settings);
  document.addEventListener("htmx:afterSettle", () => document.dispatchEvent(new CustomEvent("park:refreshed")));
  await import("htmx.org");
}

/** Read a chosen file into the field for the script. */
async function fromFile(field: HTMLInputElement): Promise<void> {
  const file = field.files?.[0];
  const target = document.querySelector<HTMLTextAreaElement>(field.dataset.fills ?? "");
  if (!file || !target) return;
  const max = Number(field.dataset.bytesMax) || 262_144;
  if (file.size > max) return tell(field, fill(field.dataset.tooLarge ?? "", { name: file.name }));
  const bytes = new Uint8Array(await file.arrayBuffer());
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return tell(field, fill(field.dataset.notText ?? "", { name: file.name }));
  }
  if (text.includes("\0")) return tell(field, fill(field.dataset.notText ?? "", { name: file.name }));
  target.value = text;
  tell(field, file.name);
  target.dispatchEvent(new Event("input", { bubbles: true }));
}

function tell(field: HTMLInputElement, text: string): void {
  const place = field.form?.querySelector("[data-file-said]");
  if (place) place.textContent = text;
}

/** Show what belongs to the present choices; what is hidden is not sent. */
function showFields(form: HTMLFormElement): void {
  const values = new FormData(form);
  for (const part of all("[data-when]", form)) {
    const [name = "", wanted] = (part.dataset.when ?? "").split("=");
    const given = values.getAll(name).map(String);
    part.hidden = !(wanted === undefined ? given.some((value) => value !== "") : given.includes(wanted));
  }
}

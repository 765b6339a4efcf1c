// Explanations of words: CSS shows them on hover and focus; here they can be dismissed, stay in the window, and are tied together.
import { all, isNew } from "../lib/page.ts";

const MARGIN_PX = 8;
let isListening = false;
let made = 0;

/** Tie words to their explanations. */
export function attach(): void {
  for (const term of all(".term")) {
    const tip = term.querySelector<HTMLElement>(':scope > [role="tooltip"]');
    if (!tip) continue;
    tip.id ||= `tip-${++made}`;
    if (!term.hasAttribute("aria-describedby")) term.setAttribute("aria-describedby", tip.id);
    if (!isNew(term, "term")) continue;
    for (const name of ["pointerenter", "focusin"]) term.addEventListener(name, () => place(term));
    for (const name of ["pointerleave", "focusout"]) term.addEventListener(name, () => delete term.dataset.dismissed);
  }
  if (isListening) return;
  isListening = true;
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    for (const term of all(".term:hover, .term:focus, .term:focus-within")) term.dataset.dismissed = "";
  });
}

/** Move an explanation back into the window if it would stand outside. */
function place(term: HTMLElement): void {
  const tip = term.querySelector<HTMLElement>(':scope > [role="tooltip"]');
  if (!tip) return;
  tip.style.translate = "";
  const box = tip.getBoundingClientRect();
  if (!box.width) return;
  const right = document.documentElement.clientWidth - MARGIN_PX;
  const shift = box.left < MARGIN_PX ? MARGIN_PX - box.left : box.right > right ? right - box.right : 0;
  if (shift) tip.style.translate = `${shift}px 0`;
}

// Passkeys: a button asks the browser's authenticator, and the park for a yes to what it answered.
import { all, isNew } from "../lib/page.ts";

type Json = Record<string, unknown>;
type Begun = { flow: string; options: Json };

/** Show what needs an authenticator, and give buttons their work. */
export function attach(): void {
  if (!("PublicKeyCredential" in window)) return;
  for (const part of all("[data-passkey-part]")) part.hidden = false;
  for (const button of all<HTMLButtonElement>("[data-passkey]")) {
    if (isNew(button, "passkey")) button.addEventListener("click", () => void use(button));
  }
}

async function use(button: HTMLButtonElement): Promise<void> {
  const isNewKey = button.dataset.passkey === "add";
  const path = isNewKey ? "/api/v1/account/passkeys" : "/api/v1/sign-in/passkey";
  button.disabled = true;
  try {
    const { flow, options } = (await ask(`${path}/options`, {})) as Begun;
    const made = isNewKey ? await navigator.credentials.create({ publicKey: forNew(options) }) : await navigator.credentials.get({ publicKey: forUse(options) });
    const label = document.querySelector<HTMLInputElement>("[data-passkey-label]")?.value ?? "";
    const next = button.dataset.next ?? "/";
    const done = await ask(path, { flow, response: told(made as PublicKeyCredential), ...(isNewKey ? { label } : { next }) });
    location.assign(String(done.next));
  } catch {
    say(button, button.dataset.failed ?? "");
    button.disabled = false;
  }
}

function say(button: HTMLButtonElement, text: string): void {
  const place = button.parentElement?.querySelector<HTMLElement>("[data-passkey-said]");
  if (!place) return;
  place.textContent = text;
  place.hidden = false;
}

async function ask(path: string, body: Json): Promise<Json> {
  const answer = await fetch(path, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });
  if (!answer.ok) throw new Error(String(answer.status));
  return (await answer.json()) as Json;
}

function forNew(options: Json): PublicKeyCredentialCreationOptions {
  const user = options.user as Json;
  const excluded = (options.excludeCredentials as Json[] | undefined) ?? [];
  return { ...options, challenge: bytes(options.challenge), user: { ...user, id: bytes(user.id) }, excludeCredentials: excluded.map((one) => ({ ...one, id: bytes(one.id) })) } as unknown as PublicKeyCredentialCreationOptions;
}

function forUse(options: Json): PublicKeyCredentialRequestOptions {
  return { ...options, challenge: bytes(options.challenge), allowCredentials: [] } as unknown as PublicKeyCredentialRequestOptions;
}

function told(made: PublicKeyCredential): Json {
  const answer = made.response as AuthenticatorAttestationResponse & AuthenticatorAssertionResponse;
  const response: Json = { clientDataJSON: text(answer.clientDataJSON) };
  if (answer.attestationObject) response.attestationObject = text(answer.attestationObject);
  if (answer.authenticatorData && answer.signature) {
    response.authenticatorData = text(answer.authenticatorData);
    response.signature = text(answer.signature);
    response.userHandle = answer.userHandle ? text(answer.userHandle) : null;
  }
  return { id: made.id, rawId: text(made.rawId), type: made.type, response, clientExtensionResults: {} };
}

function bytes(given: unknown): Uint8Array<ArrayBuffer> {
  const plain = atob(String(given).replace(/-/g, "+").replace(/_/g, "/"));
  return Uint8Array.from(plain, (mark) => mark.charCodeAt(0));
}

function text(given: ArrayBuffer): string {
  const plain = Array.from(new Uint8Array(given), (byte) => String.fromCharCode(byte)).join("");
  return btoa(plain).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
}

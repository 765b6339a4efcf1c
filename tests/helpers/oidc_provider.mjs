// A certified OpenID Connect server (oidc-provider) on this machine: any name signs in with any password.
// Usage: node oidc_provider.mjs PORT REDIRECT_URIS GROUPS_FILE; the groups of people stand in a JSON file, read each time.
import { readFileSync } from "node:fs";
import Provider from "oidc-provider";

const [port, redirects, groups] = process.argv.slice(2);
const groupsOf = (name) => JSON.parse(readFileSync(groups, "utf8"))[name] ?? [];
const server = new Provider(`http://localhost:${port}`, {
  clients: [{ client_id: "park", client_secret: "s".repeat(40), redirect_uris: redirects.split(",") }],
  claims: { openid: ["sub", "groups"], email: ["email", "email_verified"], profile: ["name"] },
  scopes: ["openid", "email", "profile"],
  conformIdTokenClaims: process.env.CLAIMS_IN_TOKEN !== "1",
  pkce: { required: () => true },
  cookies: { keys: ["only for tests"] },
  async findAccount(_ctx, name) {
    const claims = { sub: name, name: `${name} of the university`, email: `${name}@uni.example` };
    return { accountId: name, claims: async () => ({ ...claims, email_verified: name !== "unsure", groups: groupsOf(name) }) };
  },
  features: { devInteractions: { enabled: true } },
});
server.listen(Number(port), "127.0.0.1", () => console.log("ready"));

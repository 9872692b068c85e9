// An OpenID provider for tests: node provider.mjs <node_modules> <port> <certificate> <key> <jwks> <clients>
// The last two are JSON. Its clients get JWT access tokens for the audience "crm" by client credentials; a client
// is its own subject, and its e-mail address comes along. A client with a "redirect" is a page instead, at which
// people sign in with a code and PKCE; whoever says a name and any password is that person.
import https from "node:https";
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const [modules, port, certificate, key, jwks, clients] = process.argv.slice(2);
const { default: Provider } = await import(pathToFileURL(`${modules}/oidc-provider/lib/index.js`));
const wanted = JSON.parse(clients);

const provider = new Provider(`https://localhost:${port}`, {
  jwks: JSON.parse(jwks),
  clients: wanted.map(({ id, algorithm, redirect }) => redirect ? {
    client_id: id,
    token_endpoint_auth_method: "none",
    grant_types: ["authorization_code"],
    redirect_uris: [redirect],
    response_types: ["code"],
    id_token_signed_response_alg: algorithm,
  } : {
    client_id: id,
    client_secret: `secret of ${id}`,
    grant_types: ["client_credentials"],
    redirect_uris: [],
    response_types: [],
    id_token_signed_response_alg: algorithm,
  }),
  pkce: { required: () => true },
  claims: { openid: ["sub"], email: ["email", "email_verified"] },
  conformIdTokenClaims: false,
  findAccount: (_, id) => ({
    accountId: id,
    claims: () => ({ sub: id, email: `${id}@corp.example`, email_verified: true }),
  }),
  features: {
    devInteractions: { enabled: wanted.some(({ redirect }) => redirect) },
    clientCredentials: { enabled: true },
    resourceIndicators: {
      enabled: true,
      getResourceServerInfo: (_, resource, client) => ({
        scope: "",
        audience: resource.slice("https://".length),
        accessTokenFormat: "jwt",
        accessTokenTTL: 300,
        jwt: { sign: { alg: client.idTokenSignedResponseAlg } },
      }),
    },
  },
  extraTokenClaims: (_, token) => wanted.find(({ id }) => id === token.clientId).claims,
});

https
  .createServer({ cert: readFileSync(certificate), key: readFileSync(key) }, provider.callback())
  .listen(Number(port), "127.0.0.1", () => console.log("ready"));

"use strict";
// Draws /openapi.json and /asyncapi.json. No library, nothing from elsewhere; text never becomes markup.

const main = document.getElementById("main");
const contents = document.getElementById("contents");
const find = document.getElementById("find");
let api, bus, entries;

// An element: el("p", {class: "quiet"}, "text", child, …).
function el(name, attributes, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes || {})) {
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else if (value !== undefined && value !== false) element.setAttribute(key, value);
  }
  element.append(...children.flat().filter((child) => child !== undefined && child !== ""));
  return element;
}

// Paragraphs in which `code` is code.
function prose(text) {
  return (text || "").split("\n\n").filter(Boolean).map((paragraph) =>
    el("p", {}, paragraph.split("`").map((part, index) => (index % 2 ? el("code", {}, part) : part))));
}

const json = (value) => JSON.stringify(value, null, 2);
const code = (text) => el("pre", {}, el("code", {}, text));
const last = (name) => name.split(".").pop();

function table(heads, rows) {
  return el("table", {}, el("thead", {}, el("tr", {}, heads.map((head) => el("th", {}, head)))),
    el("tbody", {}, rows.map((row) => el("tr", {}, row.map((cell) => el("td", {}, cell))))));
}

/* Schemas */

function resolved(schema, document) {
  if (!schema.$ref) return schema;
  const target = schema.$ref.slice(2).split("/").reduce((at, key) => at[key], document);
  return { ...target, ...(schema.description ? { description: schema.description } : {}), named: last(schema.$ref) };
}

function typeName(schema, document) {
  const real = resolved(schema, document);
  if (real.type === "array") return `${typeName(real.items, document)}[]`;
  if (real.enum) return "enum";
  if (real.const !== undefined) return json(real.const);
  const kind = real.named && real.type === "object" ? last(real.named) : real.type || "any";
  return [kind, real.format || real.contentEncoding].filter(Boolean).join(" · ");
}

function fieldText(schema, document) {
  const real = resolved(schema, document);
  const item = real.type === "array" ? resolved(real.items, document) : real;
  const marks = schema["x-personal"]
    ? [el("span", { class: "personal", title: json(schema["x-personal"]) }, `personal: ${schema["x-personal"].category}`)] : [];
  const values = (item.enum || []).map((value) =>
    el("div", {}, el("code", {}, value), item["x-meanings"]?.[value] ? ` ${item["x-meanings"][value]}` : ""));
  return [...prose(schema.description || real.description), ...marks, ...values, ...nested(item, document)];
}

function nested(schema, document) {
  if (!Object.keys(schema.properties || {}).length) return [];
  const details = el("details", {}, el("summary", {}, last(schema.named || "fields")));
  details.addEventListener("toggle", () => {
    if (details.open && details.children.length === 1) details.append(fields(schema, document));
  });
  return [details];
}

function fields(schema, document) {
  const required = new Set(schema.required || []);
  return table(["field", "type", ""], Object.entries(schema.properties || {}).map(([name, field]) => [
    [el("code", {}, name), required.has(name) ? el("span", { class: "required" }, " required") : ""],
    el("span", { class: "quiet" }, typeName(field, document)), fieldText(field, document)]));
}

/* How to call it */

function curl(operation) {
  const example = operation["x-request-example"] || {};
  const deep = (value) => (value && typeof value === "object" ? deep(Object.values(value)[0]) : value);
  const path = operation.path.replace(/\{(\w+)\}/g, (_, name) =>
    typeof example[name] === "string" ? example[name] : "0198c0de-7a00-7000-8000-000000000001");
  const query = operation.parameters.filter((one) => one.in === "query" && example[one.name] !== undefined)
    .map((one) => `${one.name}=${encodeURIComponent(deep(example[one.name]))}`).join("&");
  const lines = [`curl -sS --fail-with-body --cacert "$CA" "$CRM${path}${query ? `?${query}` : ""}"`];
  if (operation.verb !== "get") lines[0] = lines[0].replace("curl", `curl -X ${operation.verb.toUpperCase()}`);
  if (operation.security.length) lines.push('-H "Authorization: Bearer $TOKEN"');
  const body = operation.requestBody?.content["application/json"]?.example;
  if (body !== undefined) lines.push('-H "Content-Type: application/json"', `-d '${json(body).replace(/'/g, "'\\''")}'`);
  return lines.join(" \\\n  ");
}

function grpcurl(operation) {
  const header = operation.security.length ? '-H "Authorization: Bearer $TOKEN" ' : "";
  const request = json(operation["x-request-example"]).replace(/'/g, "'\\''");
  return `curl -sS --fail --cacert "$CA" "$CRM/descriptors.binpb" -o crm.binpb\n` +
    `grpcurl -cacert "$CA" -protoset crm.binpb ${header}\\\n  -d '${request}' \\\n  "\${CRM#https://}" ${operation["x-grpc"]}`;
}

function python(operation) {
  const [service, method] = operation["x-grpc"].split("/");
  const module = operation["x-proto"].replace(".proto", "_pb2").replaceAll("/", ".");
  const metadata = operation.security.length ? `, metadata=[("authorization", f"Bearer {os.environ['TOKEN']}")]` : "";
  return `import os\n\nimport grpc\nfrom google.protobuf.json_format import Parse\n\n` +
    `from ${module} import ${method}Request\nfrom ${module}_grpc import ${last(service)}Stub\n\n` +
    `with open(os.environ["CA"], "rb") as ca:\n    tls = grpc.ssl_channel_credentials(ca.read())\n` +
    `channel = grpc.secure_channel(os.environ["CRM"].removeprefix("https://"), tls)\n` +
    `request = Parse(r"""${json(operation["x-request-example"])}""", ${method}Request())\n` +
    `print(${last(service)}Stub(channel).${method}(request, timeout=10${metadata}))`;
}

function snippets(operation) {
  const texts = { curl: curl(operation), grpcurl: grpcurl(operation), Python: python(operation) };
  const shown = code(texts.curl);
  const buttons = Object.entries(texts).map(([name, text]) => el("button", {
    "aria-selected": name === "curl", onclick: (event) => {
      buttons.forEach((button) => button.setAttribute("aria-selected", button === event.target));
      shown.firstChild.textContent = text;
    } }, name));
  const names = "$CRM is this address, $CA a file with the certificate that signed its own, $TOKEN an access token.";
  return el("div", { class: "snippets" }, buttons, shown, el("p", { class: "quiet" }, names));
}

/* What can be looked at */

function drawOperation(operation) {
  const rights = [operation["x-permission"] || "no token needed", operation["x-grpc"],
    operation["x-fresh"] ? "refused while revocations can't be heard" : "", operation["x-repeatable"] ? "safe to repeat" : "",
    operation.requestBody ? `body up to ${operation["x-largest-body"] / 1024} KiB` : ""].filter(Boolean);
  const body = operation.requestBody?.content["application/json"];
  const answer = operation.responses["200"].content["application/json"];
  return [
    el("h1", {}, last(operation["x-grpc"].replace("/", "."))),
    el("div", { class: "address" }, el("span", { class: `verb ${operation.verb}` }, operation.verb), el("code", {}, operation.path)),
    ...prose(operation.description), el("div", { class: "tags" }, rights.map((right) => el("span", { class: "tag" }, right))),
    ...(operation.parameters.length ? [el("h2", {}, "Parameters"), table(["name", "in", "type", ""],
      operation.parameters.map((one) => [[el("code", {}, one.name), one.required ? el("span", { class: "required" }, " required") : ""],
        one.in, el("span", { class: "quiet" }, typeName(one.schema, api)), fieldText(one.schema, api)]))] : []),
    ...(body ? [el("h2", {}, "Body"), fields(resolved(body.schema, api), api)] : []),
    el("h2", {}, "Call it"), snippets(operation),
    el("h2", {}, "Answer"), ...prose(operation.responses["200"].description),
    ...(answer ? [fields(resolved(answer.schema, api), api), code(json(answer.example))] : []),
    el("h2", {}, "Refusals"), table(["HTTP", ""], Object.entries(operation.responses).filter(([status]) => status !== "200")
      .map(([status, refusal]) => [status, resolved(refusal, api).description])),
    el("p", {}, el("a", { href: "#errors" }, "All reasons"), " · ", el("a", { href: "#limits" }, "Limits")),
  ];
}

function drawEvent({ message, exchange }) {
  return [el("h1", {}, message.title), el("div", { class: "address" }, el("code", {}, message.name)), ...prose(message.summary),
    el("div", { class: "tags" }, el("span", { class: "tag" }, `exchange ${exchange}`), el("span", { class: "tag" }, "topic, routed by its type")),
    el("h2", {}, "Message"), fields(message.payload, bus), el("h2", {}, "Example"), code(json(message.examples[0].payload))];
}

function drawErrors() {
  return [el("h1", {}, "Errors"), ...prose("The reason is stable: switch on it, never on the sentence. It stands in the one `ErrorInfo` among the details."),
    table(["reason", "code", "says", "from"], api["x-errors"].map((error) =>
      [el("code", {}, error.reason), error.code, [el("div", {}, error.en), el("div", { class: "quiet", lang: "zh" }, error.zh)], error.service]))];
}

function drawLimits() {
  return [el("h1", {}, "Limits"), table(["what", "at most", "beyond it"],
    api["x-limits"].map((limit) => [prose(limit.what), limit.most, prose(limit.reason)]))];
}

function drawHome() {
  return [el("h1", {}, "CRM API"), el("p", { class: "quiet" }, api.info.summary), ...prose(api.info.description),
    el("h2", {}, "Services"), table(["", ""], api.tags.map((tag) => [el("code", {}, tag.name), prose(tag.description)])),
    el("h2", {}, "Events"), ...prose(bus.info.description), el("h2", {}, "For tools"),
    el("p", {}, ...["/openapi.json", "/asyncapi.json", "/descriptors.binpb", "/.well-known/jwks.json"]
      .flatMap((path) => [el("a", { href: path }, path), "   "]))];
}

/* Contents */

function collect() {
  const found = [];
  for (const [path, verbs] of Object.entries(api.paths)) for (const [verb, content] of Object.entries(verbs)) {
    const operation = { ...content, path, verb };
    found.push({ id: content.operationId, group: content.tags[0], label: last(content["x-grpc"].replace("/", ".")), verb,
      words: `${path} ${content["x-grpc"]} ${content.summary} ${content["x-permission"] || ""}`, draw: () => drawOperation(operation) });
  }
  for (const [key, channel] of Object.entries(bus.channels)) {
    const message = bus.components.messages[channel.address];
    const exchange = channel.bindings.amqp.exchange.name;
    found.push({ id: key, group: `events of ${exchange}`, label: message.title, verb: "event", words: `${channel.address} ${message.summary}`,
      draw: () => drawEvent({ message, exchange }) });
  }
  found.sort((a, b) => a.group.localeCompare(b.group) || a.label.localeCompare(b.label));
  const all = { id: "errors", group: "for all", label: "Errors", verb: "", draw: drawErrors,
    words: api["x-errors"].map((error) => error.reason).join(" ") };
  return [all, { id: "limits", group: "for all", label: "Limits", verb: "", words: "limits rate size", draw: drawLimits }, ...found];
}

function drawContents() {
  const wanted = find.value.toLowerCase().split(/\s+/).filter(Boolean);
  const shown = entries.filter((entry) => wanted.every((word) => `${entry.label} ${entry.words}`.toLowerCase().includes(word)));
  const here = location.hash.slice(1);
  contents.replaceChildren(...Object.entries(Object.groupBy ? Object.groupBy(shown, (entry) => entry.group) : grouped(shown))
    .flatMap(([group, members]) => [el("h2", {}, group.replace(/^crm\./, "")), el("ul", {}, members.map((entry) => el("li", {},
      el("a", { href: `#${entry.id}`, "aria-current": entry.id === here && "page" },
        entry.verb && el("span", { class: `verb ${entry.verb}` }, entry.verb), entry.label))))]));
}

function grouped(list) {
  return list.reduce((groups, entry) => ({ ...groups, [entry.group]: [...(groups[entry.group] || []), entry] }), {});
}

function draw() {
  const entry = entries.find((one) => one.id === location.hash.slice(1));
  document.title = entry ? `${entry.label} · CRM API` : "CRM API";
  main.replaceChildren(...(entry ? entry.draw() : drawHome()));
  drawContents();
  main.focus({ preventScroll: true });
  window.scrollTo(0, 0);
}

async function begin() {
  const read = async (path) => (await fetch(path)).json();
  [api, bus] = await Promise.all([read("/openapi.json"), read("/asyncapi.json")]);
  entries = collect();
  find.addEventListener("input", drawContents);
  addEventListener("hashchange", draw);
  addEventListener("keydown", (event) => {
    if (event.key === "/" && document.activeElement !== find) { event.preventDefault(); find.focus(); }
  });
  draw();
}

document.getElementById("theme").addEventListener("click", () => {
  const dark = getComputedStyle(document.documentElement).colorScheme === "dark"
    || (!document.documentElement.style.colorScheme && matchMedia("(prefers-color-scheme: dark)").matches);
  document.documentElement.style.colorScheme = dark ? "light" : "dark";
});
begin().catch((error) => main.replaceChildren(el("p", {}, `The description can't be read: ${error.message}`)));

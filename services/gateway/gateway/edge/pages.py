"""What a person sees who opens the front door in a browser."""

from __future__ import annotations

HOME_HEADERS = {
    "content-type": "text/html; charset=utf-8",
    "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
    "referrer-policy": "no-referrer",
}

HOME = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>CRM</title>
<style>
  :root { color-scheme: light dark; }
  body { font: 16px/1.6 system-ui, sans-serif; max-width: 42rem; margin: 12vh auto; padding: 0 1.5rem; }
  h1 { font-size: 1.6rem; margin-bottom: 0; }
  h2 { font-size: 1.05rem; margin-top: 2rem; }
  p.lead { margin-top: .25rem; opacity: .75; }
  code, pre { font: .9em ui-monospace, monospace; }
  pre { padding: .8rem 1rem; border: 1px solid #8884; border-radius: 6px; overflow-x: auto; }
  dt { font-weight: 600; margin-top: .6rem; } dd { margin: 0; }
</style>
</head>
<body>
<h1>Customer relationship management</h1>
<p class="lead">客户关系管理 · The front door of this enterprise's CRM.</p>
<p>People and companies, their orders and classes, in one archive. This address serves programs: the
consoles, shops and back offices of the enterprise.</p>
<h2>The API</h2>
<dl>
<dt>JSON over HTTPS</dt><dd>below <code>/v1/</code></dd>
<dt>gRPC over TLS</dt><dd>at the same address, services <code>crm.*.v1</code></dd>
<dt>Sign in</dt><dd><code>POST /v1/auth:login</code>, then send
<code>Authorization: Bearer &lt;accessToken&gt;</code></dd>
<dt>Described</dt><dd><a href="/docs">/docs</a> for people, <a href="/openapi.json">/openapi.json</a>
and <a href="/asyncapi.json">/asyncapi.json</a> for tools</dd>
<dt>Keys that verify tokens</dt><dd><a href="/.well-known/jwks.json">/.well-known/jwks.json</a></dd>
<dt>Health</dt><dd><a href="/healthz">/healthz</a></dd>
</dl>
<pre>curl https://&lt;this host&gt;/v1/auth:self -H "Authorization: Bearer $TOKEN"</pre>
</body>
</html>
"""

/**
 * The page at `/`: what runs here and whether it is well. No scripts, nothing from elsewhere.
 *
 * @module
 */
import { html } from "hono/html";
import type { Readiness } from "./deps.ts";

const LINKS: readonly (readonly [href: string, text: string])[] = [
  ["/openapi.json", "API description (OpenAPI)"],
  ["/asyncapi.json", "Events and requests over NATS (AsyncAPI)"],
  ["/readyz", "Readiness"],
  ["/metrics", "Metrics (Prometheus)"],
];

/** The page as HTML. */
export function statusPage(version: string, readiness: Readiness) {
  return html`
    <!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <title>Patchbay</title>
        <style>
    body { font: 16px/1.5 system-ui, sans-serif; max-width: 42rem; margin: 3rem auto; padding: 0 1rem; color: #1b1f24; }
    table { border-collapse: collapse; } td { padding: .15rem 1rem .15rem 0; vertical-align: top; }
    .ok { color: #1a7f37; } .bad { color: #b42318; }
    @media (prefers-color-scheme: dark) { body { background: #14171a; color: #e3e6e9; } a { color: #7ab7ff; } }
    </style>
      </head>
      <body>
        <h1>Patchbay</h1>
        <p>Version ${version}: ${readiness.ready
          ? html`<strong class="ok">ready</strong>`
          : html`<strong class="bad">not ready</strong>`}</p>
        <table>
    ${Object.entries(readiness.checks).map(([name, check]) =>
      html`
        <tr>
          <td class="${check.ok ? "ok" : "bad"}">${check.ok ? "ok" : "fault"}</td>
          <td>${name}</td>
          <td>${check.detail}</td>
        </tr>
      `
    )}</table>
        <ul>
    ${LINKS.map(([href, text]) =>
      html`
        <li><a href="${href}">${text}</a></li>
      `
    )}</ul>
      </body>
    </html>
  `;
}

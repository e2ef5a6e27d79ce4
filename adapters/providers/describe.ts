/**
 * `docs/providers.md`: what every provider can do, its limits, how its webhooks prove themselves, its error codes,
 * and which of that is documented and which is assumed. Made of the providers themselves, so that it cannot say
 * anything else than what they do.
 *
 * @module
 */
import { ChannelSettingsSchema } from "../../core/channel.ts";
import type { Provider } from "../../core/ports/provider.ts";

const HEAD = `# Providers

Made by \`deno task docs\` from the code; a test compares the two. *Documented* facts stand in the provider's own
documents or come with its own libraries. *Assumed* ones do not, and a setting can change them. What has to be
filled in for a channel is in \`GET /v1/providers\`.
`;

/** `pageOf`: the page that says how to connect this kind, relative to `docs`, if there is one. */
export function describeProviders(
  providers: Iterable<Provider>,
  pageOf: (kind: string) => string | null,
): string {
  const all = [...providers].sort((a, b) => a.kind < b.kind ? -1 : 1);
  return [HEAD, overview(all), ...all.map((provider) => section(provider, pageOf(provider.kind)))].join("\n");
}

function overview(providers: readonly Provider[]): string {
  const rows = providers.map((provider) => {
    const { mms, deliveryReports, signature, idempotency } = provider.supports;
    const { rate, text } = limitsOf(provider);
    return [
      `[${provider.title}](#${provider.kind})`,
      yes(mms),
      yes(deliveryReports),
      yes(signature),
      yes(idempotency),
      yes((provider.polls?.length ?? 0) > 0),
      rate,
      text,
    ];
  });
  return table(
    ["", "MMS", "reports", "signed", "idempotent", "polled", "rate", "longest text"],
    rows,
  );
}

function section(provider: Provider, page: string | null): string {
  const { kind, title, description } = provider;
  const { rate, text } = limitsOf(provider);
  const links = [
    ...(page === null ? [] : [`[how to connect it](${page})`]),
    `[its documents](${description.docsUrl})`,
  ];
  const lines = [
    `## ${kind}`,
    "",
    `${title}. ${capital(links.join(", "))}.`,
    "",
    `Limits unless the channel says otherwise: ${rate}; ${text}.`,
    "",
  ];
  lines.push(`Webhooks: ${sentence(description.authentication)}`, "");
  for (const { fact, source } of description.facts) lines.push(`- ${sentence(fact)} *${capital(source)}.*`);
  const errors = description.errors.map((error) => [
    code(error.code),
    error.class,
    error.reason,
    error.source,
  ]);
  lines.push("", table(["code", "class", "reason", "source"], errors));
  return lines.join("\n");
}

function limitsOf(provider: Provider): { readonly rate: string; readonly text: string } {
  const { rateMps, costUnit, maxTextLength, maxSegments } = ChannelSettingsSchema.parse(provider.defaults);
  const segments = maxSegments === undefined ? "" : `, ${maxSegments} segments`;
  return {
    rate: `${rateMps} ${costUnit}${rateMps === 1 ? "" : "s"} a second`,
    text: `${maxTextLength} characters${segments}`,
  };
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map(cell).join(" | ")} |`;
  return [line(head), `|${"---|".repeat(head.length)}`, ...rows.map(line), ""].join("\n");
}

function cell(text: string): string {
  return text.replaceAll("\\", "\\\\").replaceAll("|", "\\|").replace(/\s+/g, " ").replaceAll("<", "&lt;");
}

function code(text: string): string {
  return text.includes("`") ? text : `\`${text}\``;
}

function yes(does: boolean): string {
  return does ? "yes" : "";
}

function capital(text: string): string {
  return text.charAt(0) === "["
    ? `[${text.charAt(1).toUpperCase()}${text.slice(2)}`
    : text.charAt(0).toUpperCase() + text.slice(1);
}

function sentence(text: string): string {
  const escaped = text.replaceAll("<", "&lt;").replaceAll("*", "\\*").replaceAll("_", "\\_");
  return /[.!?]$/.test(escaped) ? capital(escaped) : `${capital(escaped)}.`;
}

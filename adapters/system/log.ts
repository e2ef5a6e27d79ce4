/**
 * The log: events with fields, for people on a terminal and as JSON lines elsewhere. Never the text of a
 * message, a full number or a secret.
 *
 * @module
 */
import { LOG_LEVELS, type LogLevel } from "./settings.ts";

export type LogFields = Readonly<Record<string, unknown>>;

export interface Log {
  debug(event: string, fields?: LogFields): void;
  info(event: string, fields?: LogFields): void;
  warn(event: string, fields?: LogFields): void;
  error(event: string, fields?: LogFields): void;
  /** A log whose every line carries these fields. */
  with(fields: LogFields): Log;
}

export interface LogOptions {
  readonly level: LogLevel;
  /** For people rather than programs. */
  readonly pretty: boolean;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Takes one line, its end included. Must not throw. */
  readonly write: (line: string) => void;
}

/** Fields that never belong in a log, whoever passes them. */
const SECRET_NAMES =
  /^(text|body|authorization|password|token|secret|credentials|.*(Key|Secret|Token|Password))$/;
const FIELD_CHARS_MAX = 2_000;

export function createLog(options: LogOptions): Log {
  return logWith(options, {});
}

/** A log on standard error, in the form that fits it. */
export function systemLog(level: LogLevel): Log {
  const encoder = new TextEncoder();
  return createLog({
    level,
    pretty: Deno.stderr.isTerminal(),
    now: Date.now,
    write: (line) => {
      try {
        Deno.stderr.writeSync(encoder.encode(line));
      } catch {
        // A closed pipe at the other end is no reason to stop working.
      }
    },
  });
}

function logWith(options: LogOptions, bound: LogFields): Log {
  const threshold = LOG_LEVELS.indexOf(options.level);
  const at = (level: LogLevel) => (event: string, fields: LogFields = {}) => {
    if (LOG_LEVELS.indexOf(level) < threshold) return;
    const shown = printable({ ...bound, ...fields });
    options.write(
      options.pretty
        ? prettyLine(options.now(), level, event, shown)
        : `${JSON.stringify({ time: new Date(options.now()).toISOString(), level, event, ...shown })}\n`,
    );
  };
  return {
    debug: at("debug"),
    info: at("info"),
    warn: at("warn"),
    error: at("error"),
    with: (fields) => logWith(options, { ...bound, ...fields }),
  };
}

function printable(fields: LogFields): LogFields {
  const entries = Object.entries(fields).filter(([, value]) => value !== undefined);
  return Object.fromEntries(
    entries.map(([name, value]) => [name, SECRET_NAMES.test(name) ? "(left out)" : plain(value)]),
  );
}

function plain(value: unknown): unknown {
  if (value instanceof Error) return errorText(value);
  if (typeof value === "bigint") return Number(value);
  if (typeof value === "string") {
    return value.length > FIELD_CHARS_MAX ? `${value.slice(0, FIELD_CHARS_MAX)}…` : value;
  }
  if (typeof value !== "object" || value === null) return value;
  try {
    return JSON.parse(JSON.stringify(value, (name, inner) => SECRET_NAMES.test(name) ? "(left out)" : inner));
  } catch {
    return String(value);
  }
}

/** The error with its causes; the place where it was thrown for the first of them. */
function errorText(error: Error): string {
  const causes: string[] = [];
  for (let cause: unknown = error; cause instanceof Error && causes.length < 5; cause = cause.cause) {
    causes.push(`${cause.name}: ${cause.message}`);
  }
  const place = error.stack?.split("\n").find((line) => line.trimStart().startsWith("at "))?.trim();
  return `${causes.join(", because of ")}${place ? ` (${place})` : ""}`;
}

const COLOURS: Readonly<Record<LogLevel, string>> = { debug: "90", info: "36", warn: "33", error: "31" };

function prettyLine(nowMs: number, level: LogLevel, event: string, fields: LogFields): string {
  const time = new Date(nowMs).toISOString().slice(11, 23);
  const rest = Object.entries(fields).map(([name, value]) =>
    ` \x1b[90m${name}=\x1b[0m${
      typeof value === "string" && !/[\s"]/.test(value) ? value : JSON.stringify(value)
    }`
  );
  return `\x1b[90m${time}\x1b[0m \x1b[${COLOURS[level]}m${level.padEnd(5)}\x1b[0m ${event}${rest.join("")}\n`;
}

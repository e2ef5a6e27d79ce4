/**
 * Every setting of the program: its option, its environment variable, its default and what fits.
 *
 * @module
 */
import { z } from "zod";

export const ROLE_NAMES = ["ingress", "router", "sender", "dialer"] as const;
export type RoleName = (typeof ROLE_NAMES)[number];

export const LOG_LEVELS = ["debug", "info", "warn", "error"] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** One setting. What is given as an option wins over the environment. */
export interface Setting {
  /** Long option without `--`; secrets have none, because other users of the machine can see a command line. */
  readonly option?: string;
  readonly env: string;
  /** As text, as it would be given. */
  readonly fallback?: string;
  /** Stands in the help in place of a default that is not a value. */
  readonly otherwise?: string;
  /** What the help shows for the value. */
  readonly value: string;
  readonly about: string;
  readonly schema: z.ZodType<unknown, string>;
}

const port = (min: number) =>
  z.string().regex(/^\d{1,5}$/, `must be a whole number from ${min} to 65535`).transform(Number)
    .refine((value) => value >= min && value <= 65_535, `must be a whole number from ${min} to 65535`);

const roles = z.string().transform((text, context): ReadonlySet<RoleName> => {
  const names = text.split(",").map((name) => name.trim());
  const wrong = names.filter((name) => name !== "all" && !ROLE_NAMES.some((role) => role === name));
  if (wrong.length > 0) {
    const shown = wrong.map((name) => JSON.stringify(name)).join(", ");
    context.addIssue(`${shown} is no role; the roles are all, ${ROLE_NAMES.join(", ")}, joined with ","`);
    return z.NEVER;
  }
  return new Set(names.includes("all") ? ROLE_NAMES : names as RoleName[]);
});

const publicUrl = z.string().refine((text) => {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  return url !== undefined && /^https?:$/.test(url.protocol) && url.search === "" && url.hash === "";
}, "must be an http or https URL without query").transform((text) => text.replace(/\/+$/, ""));

const natsServers = z.string().transform((text, context) => {
  const servers = text.split(",").map((server) => server.trim()).filter((server) => server !== "");
  const fits = /^((nats|tls):\/\/)?([^\s\/@]+@)?(\[[0-9a-fA-F:]+\]|[A-Za-z0-9._-]+)(:\d{1,5})?\/?$/;
  const wrong = servers.filter((server) => !fits.test(server));
  if (servers.length === 0 || wrong.length > 0) {
    context.addIssue("must be servers as host:port or nats://host:port, separated by commas");
    return z.NEVER;
  }
  return servers;
});

const listenAddress = z.string().transform((text, context) => {
  const [, bracketed, plain, digits] =
    /^(?:\[([0-9a-fA-F:.]+)\]|([0-9A-Za-z._-]{1,255})):(\d{1,5})$/.exec(text) ?? [];
  const port = Number(digits);
  if (digits === undefined || port < 1 || port > 65_535) {
    context.addIssue("must be an address and a port, such as 0.0.0.0:4222");
    return z.NEVER;
  }
  return { host: (bracketed ?? plain)!, port };
});

const databaseUrl = z.string().refine(
  (text) => URL.canParse(text) && /^postgres(ql)?:$/.test(new URL(text).protocol),
  "must be a URL like postgres://user:password@host:5432/database",
);

const masterKeys = z.string().transform((text, context) => {
  const keys = text.split(",").map((key) => key.trim());
  if (keys.some((key) => !/^[A-Za-z0-9+/_-]{43}=?$/.test(key) || Buffer.from(key, "base64").length !== 32)) {
    context.addIssue("must be 32 bytes in base64, as `openssl rand -base64 32` makes them");
    return z.NEVER;
  }
  return keys;
});

/** All settings, in the order of the help. */
export const SETTINGS = {
  roles: {
    option: "role",
    env: "PATCHBAY_ROLE",
    fallback: "all",
    value: "ROLE,…",
    about: `what this process does: all, or some of ${ROLE_NAMES.join(", ")}`,
    schema: roles,
  },
  host: {
    option: "host",
    env: "PATCHBAY_HOST",
    fallback: "127.0.0.1",
    value: "ADDRESS",
    about: "address that HTTP listens on; 0.0.0.0 for all",
    schema: z.string().regex(/^[0-9A-Za-z.:_-]{1,255}$/, "must be an IP address or a host name"),
  },
  port: {
    option: "port",
    env: "PATCHBAY_PORT",
    fallback: "8080",
    value: "NUMBER",
    about: "port that HTTP listens on; 0 for any free one",
    schema: port(0),
  },
  publicUrl: {
    option: "public-url",
    env: "PATCHBAY_PUBLIC_URL",
    otherwise: "http://localhost:<port>",
    value: "URL",
    about: "what providers reach: webhook URLs, media links, signature checks",
    schema: publicUrl,
  },
  dataDir: {
    option: "data-dir",
    env: "PATCHBAY_DATA_DIR",
    fallback: ".data",
    value: "FOLDER",
    about: "embedded data: JetStream store, PostgreSQL cluster, keys",
    schema: z.string(),
  },
  natsServers: {
    option: "nats-url",
    env: "NATS_URL",
    otherwise: "embedded",
    value: "HOST:PORT,…",
    about: "NATS servers with JetStream",
    schema: natsServers,
  },
  natsCredsFile: {
    env: "NATS_CREDS",
    value: "FILE",
    about: "credentials file for NATS",
    schema: z.string(),
  },
  natsToken: {
    env: "NATS_TOKEN",
    value: "TOKEN",
    about: "token for NATS",
    schema: z.string(),
  },
  natsTlsCaFile: {
    env: "NATS_TLS_CA",
    value: "FILE",
    about: "certificate authority of the NATS servers",
    schema: z.string(),
  },
  natsListen: {
    env: "PATCHBAY_NATS_LISTEN",
    otherwise: "a free port of 127.0.0.1",
    value: "HOST:PORT",
    about: "where the embedded nats-server listens; 0.0.0.0:4222 lets platforms on other hosts in",
    schema: listenAddress,
  },
  natsTlsCertFile: {
    env: "PATCHBAY_NATS_TLS_CERT",
    otherwise: "no TLS",
    value: "FILE",
    about: "certificate (PEM) of the embedded nats-server, with PATCHBAY_NATS_TLS_KEY beside it",
    schema: z.string(),
  },
  natsTlsKeyFile: {
    env: "PATCHBAY_NATS_TLS_KEY",
    value: "FILE",
    about: "its private key (PEM)",
    schema: z.string(),
  },
  databaseUrl: {
    env: "DATABASE_URL",
    otherwise: "embedded",
    value: "URL",
    about: "PostgreSQL 14 or newer",
    schema: databaseUrl,
  },
  masterKeys: {
    env: "PATCHBAY_MASTER_KEY",
    otherwise: "made on first start in the data folder",
    value: "KEY,…",
    about: "32 bytes, base64; encrypts provider credentials. To rotate: the new one first, then the old",
    schema: masterKeys,
  },
  adminKey: {
    env: "PATCHBAY_ADMIN_KEY",
    otherwise: "made on first start",
    value: "KEY",
    about: "the first administrator's API key",
    schema: z.string().regex(/^[\x21-\x7e]{32,200}$/, "must be 32 to 200 characters without blanks"),
  },
  namespace: {
    option: "namespace",
    env: "PATCHBAY_NAMESPACE",
    fallback: "patchbay",
    value: "NAME",
    about: "prefix of streams, subjects and buckets: several installations on one NATS",
    schema: z.string().regex(
      /^[a-z][a-z0-9_-]{0,31}$/,
      "must be 1 to 32 of a-z 0-9 _ - and begin with a letter",
    ),
  },
  partitions: {
    option: "partitions",
    env: "PATCHBAY_PARTITIONS",
    fallback: "32",
    value: "NUMBER",
    about: "partitions of conversations; fixed when the namespace is created",
    schema: z.string().regex(/^\d{1,4}$/, "must be a whole number from 1 to 1024").transform(Number)
      .refine((count) => count >= 1 && count <= 1_024, "must be a whole number from 1 to 1024"),
  },
  replicas: {
    env: "PATCHBAY_REPLICAS",
    fallback: "1",
    value: "NUMBER",
    about: "copies of each stream: 1, or 3 or 5 on a cluster of as many NATS servers or more",
    schema: z.enum(["1", "3", "5"], "must be 1, 3 or 5").transform(Number),
  },
  allowPrivate: {
    env: "PATCHBAY_ALLOW_PRIVATE",
    fallback: "",
    value: "HOST,…",
    about: "private addresses, networks and hosts that calls to providers and platforms may go to",
    schema: z.string(),
  },
  mediaS3Endpoint: {
    env: "PATCHBAY_MEDIA_S3_ENDPOINT",
    otherwise: "media are kept in NATS",
    value: "URL",
    about: "keeps media in a bucket that speaks S3, such as https://s3.eu-central-1.amazonaws.com",
    schema: publicUrl,
  },
  mediaS3Bucket: {
    env: "PATCHBAY_MEDIA_S3_BUCKET",
    value: "NAME",
    about: "the bucket",
    schema: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{1,61}[A-Za-z0-9]$/, "must be the name of a bucket"),
  },
  mediaS3Region: {
    env: "PATCHBAY_MEDIA_S3_REGION",
    fallback: "us-east-1",
    value: "NAME",
    about: "the bucket's region",
    schema: z.string().regex(/^[A-Za-z0-9-]{1,64}$/, "must be the name of a region"),
  },
  mediaS3Key: {
    env: "PATCHBAY_MEDIA_S3_KEY",
    value: "ID",
    about: "access key id for the bucket",
    schema: z.string().max(200),
  },
  mediaS3Secret: {
    env: "PATCHBAY_MEDIA_S3_SECRET",
    value: "SECRET",
    about: "secret access key for the bucket",
    schema: z.string().max(500),
  },
  allocator: {
    env: "PATCHBAY_ALLOCATOR",
    fallback: "auto",
    value: "NAME",
    about: "memory allocator: auto takes jemalloc where it is at hand, system the C library's",
    schema: z.enum(["auto", "system"], "must be auto or system"),
  },
  logLevel: {
    option: "log",
    env: "PATCHBAY_LOG",
    fallback: "info",
    value: "LEVEL",
    about: `${LOG_LEVELS.join(", ")}; JSON lines when not on a terminal`,
    schema: z.enum(LOG_LEVELS, `must be one of ${LOG_LEVELS.join(", ")}`),
  },
} as const satisfies Readonly<Record<string, Setting>>;

export type SettingName = keyof typeof SETTINGS;

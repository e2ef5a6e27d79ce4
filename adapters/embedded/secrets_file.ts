/**
 * `<data folder>/secrets.json`: what the embedded servers and the encryption of credentials need, made on
 * first start. Whoever loses it loses the stored credentials, so it is never written twice.
 *
 * @module
 */
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { z } from "zod";
import { makeFolder } from "./data_folder.ts";
import { EmbeddedStartError, reasonOf } from "./start_error.ts";

const SecretsSchema = z.object({
  version: z.literal(1),
  /** What clients show to the embedded nats-server. */
  natsToken: z.string().min(32),
  /** Of the user `patchbay` of the embedded PostgreSQL. */
  databasePassword: z.string().min(32),
  /** 32 bytes, base64: encrypts providers' credentials unless PATCHBAY_MASTER_KEY is set. */
  masterKey: z.base64().refine((key) => Buffer.from(key, "base64").length === 32, "must be 32 bytes"),
});

export type Secrets = Readonly<z.infer<typeof SecretsSchema>>;

function newSecrets(): Secrets {
  return {
    version: 1,
    natsToken: randomBytes(32).toString("hex"),
    databasePassword: randomBytes(32).toString("hex"),
    masterKey: randomBytes(32).toString("base64"),
  };
}

async function read(path: string): Promise<Secrets | null> {
  let text: string;
  try {
    text = await Deno.readTextFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw new EmbeddedStartError(`The secrets in ${path} cannot be read: ${reasonOf(error)}`);
  }
  try {
    return SecretsSchema.parse(JSON.parse(text));
  } catch {
    // The cause is left out of the message: it could quote a secret.
    throw new EmbeddedStartError(
      `${path} is damaged. It holds the key of the stored credentials: bring it back from a copy, ` +
        "or choose another folder with PATCHBAY_DATA_DIR to start afresh.",
    );
  }
}

/**
 * The secrets of a data folder, made (mode 0600, on disk when this returns) if there are none. Safe without
 * the folder's lock: of two that make them at the same time, both get the first one's.
 *
 * @throws EmbeddedStartError when the file is damaged or cannot be read or written
 */
export async function loadSecrets(dataDir: string): Promise<Secrets> {
  const path = join(dataDir, "secrets.json");
  const existing = await read(path);
  if (existing !== null) return existing;
  makeFolder(dataDir, 0o711);
  const temporary = `${path}.${Deno.pid}.${randomBytes(4).toString("hex")}`;
  try {
    using file = await Deno.open(temporary, { write: true, createNew: true, mode: 0o600 });
    await file.write(new TextEncoder().encode(JSON.stringify(newSecrets(), null, 2) + "\n"));
    await file.sync();
    await Deno.link(temporary, path);
    using folder = await Deno.open(dataDir, { read: true });
    await folder.sync();
  } catch (error) {
    if (!(error instanceof Deno.errors.AlreadyExists)) {
      throw new EmbeddedStartError(`The secrets cannot be written to ${path}: ${reasonOf(error)}`);
    }
  } finally {
    await Deno.remove(temporary).catch(() => {});
  }
  const made = await read(path);
  if (made === null) throw new EmbeddedStartError(`${path} vanished while it was made.`);
  return made;
}

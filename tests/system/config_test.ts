import assert from "node:assert/strict";
import { describeConfig, helpText, readConfig } from "../../adapters/system/config.ts";
import { SETTINGS } from "../../adapters/system/settings.ts";

function config(args: string[] = [], env: Record<string, string> = {}) {
  const result = readConfig({ args, env });
  assert.equal(result.kind, "config", JSON.stringify(result));
  return result.kind === "config" ? result : assert.fail();
}

function faults(args: string[], env: Record<string, string> = {}): readonly string[] {
  const result = readConfig({ args, env });
  return result.kind === "faults" ? result.faults : assert.fail("there are no faults");
}

Deno.test("without options and environment everything has its default", () => {
  const { config: standard, warnings } = config();
  assert.deepEqual([...standard.roles], ["ingress", "router", "sender", "dialer"]);
  assert.deepEqual([standard.host, standard.port, standard.publicUrl], [
    "127.0.0.1",
    8080,
    "http://localhost:8080",
  ]);
  assert.deepEqual([standard.namespace, standard.partitions, standard.logLevel], ["patchbay", 32, "info"]);
  assert.deepEqual([standard.natsServers, standard.databaseUrl, standard.masterKeys], [null, null, null]);
  assert.deepEqual(warnings, []);
});

Deno.test("an option wins over the environment, and an empty variable counts as not given", () => {
  const { config: given } = config(["--", "--role=ingress,sender", "--port", "9000"], {
    PATCHBAY_PORT: "1",
    PATCHBAY_NAMESPACE: "",
    NATS_URL: "nats://a:4222, b",
    DATABASE_URL: "postgres://u:p@h/d",
    PATCHBAY_PUBLIC_URL: "https://texts.example/",
  });
  assert.deepEqual([...given.roles], ["ingress", "sender"]);
  assert.deepEqual([given.port, given.namespace, given.publicUrl], [
    9000,
    "patchbay",
    "https://texts.example",
  ]);
  assert.deepEqual(given.natsServers, ["nats://a:4222", "b"]);
  assert.equal(JSON.stringify(describeConfig(given)).includes(":p@"), false);
});

Deno.test("a bucket for media needs all of its settings, and its secret is never shown", () => {
  const missing = faults([], {
    PATCHBAY_MEDIA_S3_ENDPOINT: "https://s3.example",
    PATCHBAY_MEDIA_S3_KEY: "id",
  });
  assert.deepEqual(missing.map((line) => line.split(":")[0]), [
    "PATCHBAY_MEDIA_S3_BUCKET",
    "PATCHBAY_MEDIA_S3_SECRET",
  ]);
  const { config: given } = config([], {
    PATCHBAY_MEDIA_S3_ENDPOINT: "https://s3.example/",
    PATCHBAY_MEDIA_S3_BUCKET: "media",
    PATCHBAY_MEDIA_S3_KEY: "id",
    PATCHBAY_MEDIA_S3_SECRET: "very-secret",
  });
  assert.deepEqual([given.mediaS3Endpoint, given.mediaS3Region], ["https://s3.example", "us-east-1"]);
  assert.equal(JSON.stringify(describeConfig(given)).includes("very-secret"), false);
});

Deno.test("all faults are told at once, one line each, with what they are about", () => {
  const lines = faults(["--prot=1", "--role=king", "--host", "--port=99999", "extra"], {
    DATABASE_URL: "mysql://x",
    PATCHBAY_MASTER_KEY: "short",
    PATCHBAY_PARTITIONS: "many",
    PATCHBAY_LOG: "loud",
    PATCHBAY_PUBLIC_URL: "localhost",
    NATS_URL: "http://x",
    PATCHBAY_ADMIN_KEY: "short",
  });
  assert.deepEqual(lines.map((line) => line.split(":")[0]), [
    "--prot",
    "--host",
    "extra",
    "--role",
    "--port",
    "PATCHBAY_PUBLIC_URL",
    "NATS_URL",
    "DATABASE_URL",
    "PATCHBAY_MASTER_KEY",
    "PATCHBAY_ADMIN_KEY",
    "PATCHBAY_PARTITIONS",
    "PATCHBAY_LOG",
  ]);
  assert.equal(lines[0], "--prot: there is no such option; did you mean --port?");
  assert.equal(lines.some((line) => line.includes("\n")), false);
});

Deno.test("a variable that nobody reads gets a warning with what may have been meant", () => {
  assert.deepEqual(config([], { PATCHBAY_PROT: "1", OTHER: "x" }).warnings, [
    "PATCHBAY_PROT: there is no such setting; did you mean PATCHBAY_PORT?",
  ]);
});

Deno.test("checks of other parts are told in the same list", () => {
  const result = readConfig({
    args: [],
    env: { PATCHBAY_ALLOW_PRIVATE: "?" },
    checks: { allowPrivate: (text) => text === "?" ? ["?: is no address, network or host"] : [] },
  });
  assert.deepEqual(result, {
    kind: "faults",
    faults: ["PATCHBAY_ALLOW_PRIVATE: ?: is no address, network or host"],
  });
});

Deno.test("--help has every option and variable with its default", () => {
  assert.equal(readConfig({ args: ["--help", "--nonsense"], env: {} }).kind, "help");
  const text = helpText();
  for (const setting of Object.values(SETTINGS)) {
    assert.ok(text.includes(setting.env), setting.env);
    if ("option" in setting) assert.ok(text.includes(`--${setting.option}=`), setting.option);
    if ("fallback" in setting && setting.fallback) {
      assert.ok(text.includes(`[${setting.fallback}]`), setting.env);
    }
  }
});

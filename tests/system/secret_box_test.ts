import assert from "node:assert/strict";
import { createSecretBox } from "../../adapters/system/secret_box.ts";
import { SecretBoxError } from "../../core/ports/secret_box.ts";

const OLD = btoa("0123456789abcdef0123456789abcdef");
const NEW = btoa("fedcba9876543210fedcba9876543210");
const fails = (kind: string) => (error: unknown) => error instanceof SecretBoxError && error.kind === kind;

Deno.test("a secret box opens what it sealed, and seals the same text differently each time", () => {
  const box = createSecretBox([OLD]);
  for (const text of ["", "token", "ünïcode ✓", "x".repeat(100_000)]) {
    assert.equal(box.open(box.seal(text, "channels:ch_1"), "channels:ch_1"), text);
  }
  assert.notDeepEqual(box.seal("token", "a"), box.seal("token", "a"));
});

Deno.test("a secret box refuses what was changed, cut or moved to another row", () => {
  const box = createSecretBox([OLD]);
  const sealed = box.seal("token", "channels:ch_1");
  assert.throws(() => box.open(sealed, "channels:ch_2"), fails("damaged"));
  for (let i = 5; i < sealed.length; i++) {
    const changed = sealed.slice();
    changed[i]! ^= 1;
    assert.throws(() => box.open(changed, "channels:ch_1"), fails("damaged"));
  }
  for (const length of [0, 1, 10, 32, sealed.length - 1]) {
    assert.throws(() => box.open(sealed.slice(0, length), "channels:ch_1"), SecretBoxError);
  }
});

Deno.test("a secret box with a new key first opens what the old one sealed, and says that it is not current", () => {
  const sealed = createSecretBox([OLD]).seal("token", "a");
  const rotated = createSecretBox([NEW, OLD]);
  assert.equal(rotated.open(sealed, "a"), "token");
  assert.equal(rotated.isCurrent(sealed), false);
  assert.equal(rotated.isCurrent(rotated.seal("token", "a")), true);
  assert.throws(() => createSecretBox([NEW]).open(sealed, "a"), fails("unknown-key"));
  assert.throws(() => createSecretBox([btoa("short")]), RangeError);
});

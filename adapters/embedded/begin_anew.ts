/**
 * What a process can have only from its first moment on: another memory allocator, which the dynamic linker puts in, and
 * V8's limits. A process that lacks them replaces itself by the same program with them: same process id, arguments and
 * environment (docs/decisions/016).
 *
 * @module
 */
import { findAllocator } from "./allocator.ts";
import { cacheFolder } from "./cache_folder.ts";

const PRELOAD = "LD_PRELOAD";
const V8_FLAGS = "DENO_V8_FLAGS";

/**
 * V8 lets the heap grow by little where little is allocated: at 650 webhooks a second a full collection came every three to
 * ten seconds, each of which holds everything up for 20 to 70 ms. With room for three times what lives there is none in
 * 25 s. Four times brings as little, and takes another 90 MB under full load.
 */
const ROOM = "--heap-growing-percent=200,--external-memory-max-growing-factor=3";
/** The major version that has these flags: V8 promises nothing of others, and Deno refuses flags that it does not know. */
const V8_MAJOR = "15.";

/** Whether this process may have another allocator than it began with: nobody chose one, and nothing forbids it. */
export function mayChangeAllocator(): boolean {
  return mayBeginAnew() && !Deno.env.get(PRELOAD) && Deno.env.get("PATCHBAY_ALLOCATOR") !== "system";
}

/** Begins anew with what is lacking and at hand; returns where there is nothing of it. To be called before anything else. */
export function beginAnewIfBetter(dataDir: string): void {
  const library = mayChangeAllocator() ? findAllocator(cacheFolder(dataDir)) : null;
  const lacksRoom = mayBeginAnew() && !Deno.env.get(V8_FLAGS) && Deno.version.v8.startsWith(V8_MAJOR);
  if (library === null && !lacksRoom) return;
  beginAnew({
    ...(library === null ? {} : { [PRELOAD]: library }),
    ...(lacksRoom ? { [V8_FLAGS]: ROOM } : {}),
  });
}

/** Begins anew on the allocator in the file `library`. Returns only when that cannot be done. */
export function beginAnewOn(library: string): void {
  beginAnew({ [PRELOAD]: library });
}

function mayBeginAnew(): boolean {
  return Deno.build.os === "linux" && Deno.permissions.querySync({ name: "ffi" }).state === "granted";
}

/** Replaces this process by the same program with more in its environment. */
function beginAnew(more: Readonly<Record<string, string>>): void {
  let libc;
  try {
    libc = Deno.dlopen("libc.so.6", { execv: { parameters: ["buffer", "buffer"], result: "i32" } });
  } catch {
    // Another C library: it stays as it is.
    return;
  }
  const args = Deno.readTextFileSync("/proc/self/cmdline").split("\0").slice(0, -1).map(cString);
  const pointers = new BigUint64Array(args.length + 1);
  args.forEach((arg, index) => pointers[index] = Deno.UnsafePointer.value(Deno.UnsafePointer.of(arg)));
  for (const [name, value] of Object.entries(more)) Deno.env.set(name, value);
  libc.symbols.execv(cString(Deno.execPath()), pointers);
  for (const name of Object.keys(more)) Deno.env.delete(name);
  libc.close();
}

function cString(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(`${text}\0`);
}

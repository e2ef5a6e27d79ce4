/** Run by tests as a process of its own: starts the embedded servers, prints where they are, and waits to be killed. */
import { startEmbedded } from "../../adapters/embedded/embedded.ts";

const embedded = await startEmbedded({ dataDir: Deno.args[0]!, say: (text) => console.error(text) });
// Listening before it says so: the test may answer at once.
const told = new Promise<void>((resolve) => Deno.addSignalListener("SIGTERM", resolve));
console.log(JSON.stringify({ pids: embedded.pids, databaseUrl: embedded.databaseUrl }));
await told;
await embedded.stop();

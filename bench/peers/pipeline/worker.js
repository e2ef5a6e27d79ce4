/**
 * Takes jobs, writes session and message, and publishes the event after the commit.
 *
 * Several jobs at a time, since they wait for the database (BullMQ's guide, "Concurrency"). Messages of one
 * conversation can so overtake each other; keeping them in order is not in this queue's open edition.
 */
import { createServer } from "node:http";
import { Worker } from "bullmq";
import { Redis } from "ioredis";
import { openDatabase } from "./database.js";
import { EVENTS, port, QUEUE, redis } from "./settings.js";

const concurrency = Number(process.env.CONCURRENCY ?? 50);
/** More connections than that gain nothing on few cores, and PostgreSQL's are costly. */
const CONNECTIONS = 20;

const database = await openDatabase(Math.min(concurrency, CONNECTIONS));
const events = new Redis(redis());

const worker = new Worker(QUEUE, async ({ data }) => {
  const stored = await database.store(data);
  if (stored === null) return;
  await events.publish(EVENTS, JSON.stringify({ type: "message.received", ...stored, ...data }));
}, { connection: redis({ maxRetriesPerRequest: null }), concurrency });
worker.on("error", (error) => console.error(error.message));
worker.on("failed", (_job, error) => console.error(error.message));
await worker.waitUntilReady();

const server = createServer((_request, response) => response.end("ready")).listen(port(), "127.0.0.1");
process.once("SIGINT", async () => {
  server.closeAllConnections();
  server.close();
  await worker.close();
  await events.quit();
  await database.close();
});

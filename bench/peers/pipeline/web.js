/**
 * Takes Twilio's webhooks: the official middleware checks the signature, the message becomes a job, then 200.
 *
 * The queue's connection fails at once when Redis is away (BullMQ's guide, "Going to production"), so that Twilio is
 * told and comes again.
 */
import { Queue } from "bullmq";
import express from "express";
import twilio from "twilio";
import { authToken, port, QUEUE, redis } from "./settings.js";

const queue = new Queue(QUEUE, {
  connection: redis({ enableOfflineQueue: false }),
  defaultJobOptions: {
    attempts: 5,
    backoff: { type: "exponential", delay: 1000 },
    removeOnComplete: { count: 1000 },
    removeOnFail: { count: 5000 },
  },
});
queue.on("error", (error) => console.error(error.message));
await queue.waitUntilReady();

const app = express();
app.disable("x-powered-by");

app.get("/readyz", (_request, response) => response.send("ready"));

app.post(
  "/webhooks/twilio",
  express.urlencoded({ extended: false }),
  twilio.webhook(authToken()),
  async (request, response) => {
    const { MessageSid, From, To, Body } = request.body;
    // The provider's id as the job's id: a second delivery of a message that still waits makes no second job.
    await queue.add("inbound", { sid: MessageSid, from: From, to: To, text: Body }, { jobId: MessageSid });
    response.type("text/xml").send("<Response></Response>");
  },
);

const server = app.listen(port(), "127.0.0.1");
process.once("SIGINT", async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  await queue.close();
});

/** What web and worker are told by their environment. */
function required(name) {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set`);
  return value;
}

export const QUEUE = "messages";
/** Where the worker publishes what it has committed. */
export const EVENTS = "events";

export const databaseUrl = () => required("DATABASE_URL");
export const authToken = () => required("TWILIO_AUTH_TOKEN");
export const port = () => Number(required("PORT"));

/** Of ioredis. */
export function redis(more = {}) {
  const url = new URL(required("REDIS_URL"));
  return { host: url.hostname, port: Number(url.port), ...more };
}

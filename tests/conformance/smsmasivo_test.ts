import { deepEqual, equal, ok } from "node:assert/strict";
import { PROVIDERS } from "../../adapters/providers/registry.ts";
import { SMSMASIVO_LOGIN } from "../../bench/simulator/smsmasivo.ts";
import { startSimulator } from "../../bench/simulator/server.ts";
import { channelOf } from "../providers/support.ts";
import { make } from "./endpoint.ts";
import { conforms } from "./harness.ts";

const { user, password, apiKey } = SMSMASIVO_LOGIN;
const PLAIN = "Hola! 50% + 1 = (x)";

conforms({
  kind: "smsmasivo",
  label: "Argentina",
  credentials: (_url, good) => ({
    user,
    password: good ? password : "wrong",
    countryCode: true,
    inboundNumber: "+541155550199",
  }),
  number: "+541155550199",
  contact: "+541122334455",
  sender: "",
  text: PLAIN,
  webhooks: [{ method: "GET" }, { method: "POST" }],
  reports: "none",
  // Nobody has written down its code for these.
  refusals: { optedOut: "rejected" },
});

conforms({
  kind: "smsmasivo",
  carrier: "smsmasivomx",
  label: "Mexico",
  credentials: (_url, good) => ({ variant: "mx", apiKey: good ? apiKey : "wrong" }),
  number: "+525555550199",
  contact: "+525512345678",
  sender: "",
  webhooks: [],
  reports: "set",
  refusals: { optedOut: "rejected" },
});

Deno.test("smsmasivo, Argentina: answers are fetched, marked when they are stored, and none is missed or left", async () => {
  await using simulator = startSimulator();
  const smsmasivo = PROVIDERS.get("smsmasivo")!;
  const channel = channelOf(
    "smsmasivo",
    smsmasivo.credentials.parse({ user, password, inboundNumber: "70700" }),
    { baseUrl: simulator.url },
  );
  const [poll] = smsmasivo.polls!;
  const write = async (from: string, text: string) => {
    await (await fetch(`${simulator.url}/smsmasivo/inbox`, {
      method: "POST",
      body: new URLSearchParams({ from, text }),
    })).body?.cancel();
  };
  let mark: string | null = null;
  const fetchOnce = async () => {
    const result = poll!.read(
      await make(smsmasivo, channel, poll!.build(channel, mark, [])),
      channel,
      mark,
      [],
    );
    ok(result.kind === "polled");
    mark = result.mark;
    return [
      result.inbound.map(({ contact, text, providerId }) => `${contact} ${text} ${providerId}`),
      result.more,
    ];
  };
  deepEqual(await fetchOnce(), [[], false]);
  await write("1122334455", "Si");
  deepEqual(await fetchOnce(), [["+5491122334455 Si 901"], true]);
  // Comes between the two looks.
  await write("1122334456", "No");
  deepEqual(await fetchOnce(), [["+5491122334455 Si 901", "+5491122334456 No 902"], false]);
  deepEqual(await fetchOnce(), [[], false]);
  equal(mark, null);
});

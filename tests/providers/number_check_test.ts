import { deepEqual, equal } from "node:assert/strict";
import { telnyx } from "../../adapters/providers/telnyx.ts";
import { twilio } from "../../adapters/providers/twilio.ts";
import type { HttpAnswer } from "../../core/ports/provider.ts";
import { sampleChannel } from "./sample_channels.ts";

const NUMBER = "+14155550101";
const answer = (status: number, body: unknown): HttpAnswer => ({
  status,
  headers: {},
  body: typeof body === "string" ? body : JSON.stringify(body),
});

for (
  const { provider, path, list } of [
    {
      provider: twilio,
      path: "/IncomingPhoneNumbers.json?PhoneNumber=%2B14155550101",
      list: "incoming_phone_numbers",
    },
    { provider: telnyx, path: "/v2/phone_numbers?filter%5Bphone_number%5D=%2B14155550101", list: "data" },
  ]
) {
  Deno.test(`CH-12: ${provider.title} is asked whether a number is the account's`, () => {
    const check = provider.numberCheck!;
    const call = check.build(NUMBER, sampleChannel(provider));
    deepEqual([call.method, call.url.endsWith(path)], ["GET", true], call.url);
    const isOk = (status: number, body: unknown) => check.read(answer(status, body), NUMBER).ok;
    equal(isOk(200, { [list]: [{ phone_number: NUMBER }] }), true);
    // A provider may look for parts of numbers.
    equal(isOk(200, { [list]: [{ phone_number: `${NUMBER}9` }] }), false);
    for (const body of [{}, { [list]: null }, { [list]: [null, 7] }, "no JSON", "[]"]) {
      equal(isOk(200, body), false);
    }
    equal(isOk(401, {}), false);
  });
}

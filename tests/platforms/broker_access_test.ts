/** What a platform's credentials open at a real nats-server, and what they do not, on the newest and on an older one. */
import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import { AckPolicy, DeliverPolicy, jetstream } from "@nats-io/jetstream";
import { createUser } from "@nats-io/nkeys";
import { connect, type NatsConnection, nkeyAuthenticator } from "@nats-io/transport-node";
import { platformAccess, platformGuest } from "../../adapters/nats/platform_access.ts";
import { newId } from "../../core/ids.ts";
import { fillRandom } from "../../adapters/system/random.ts";
import { findOlderNats } from "../support/older_nats.ts";
import { testEvent, type TestNats, testNats } from "../support/nats.ts";
import { until } from "../support/until.ts";

const older = await findOlderNats();
const servers = [
  { name: "the newest", path: undefined },
  ...(typeof older === "string" ? [] : [{ name: older.version, path: older.path }]),
];

interface Guest {
  readonly id: string;
  readonly user: ReturnType<typeof createUser>;
}

function newGuest(): Guest {
  return { id: newId("platform", Date.now(), fillRandom), user: createUser() };
}

async function admit(nats: TestNats, ...guests: readonly Guest[]): Promise<void> {
  await nats.setGuests(guests.map(({ id, user }) => platformGuest(nats.names, id, user.getPublicKey())));
}

function enter(nats: TestNats, { user }: Guest): Promise<NatsConnection> {
  return connect({ servers: nats.url, authenticator: nkeyAuthenticator(user.getSeed()), reconnect: false });
}

/** A guest that speaks the protocol itself, so that the test sees what the server does with its connection. */
class PlainGuest implements Disposable {
  readonly #connection: Deno.TcpConn;
  readonly isIn: boolean;
  readonly #pongs: (() => void)[] = [];
  readonly dropped: Promise<void>;

  private constructor(connection: Deno.TcpConn, isIn: boolean) {
    this.#connection = connection;
    this.isIn = isIn;
    this.dropped = this.#read();
  }

  static async enter(url: string, user: Guest["user"]): Promise<PlainGuest> {
    const { hostname, port } = new URL(url);
    const connection = await Deno.connect({ hostname, port: Number(port) });
    const info = JSON.parse((await readLine(connection)).replace(/^INFO /, ""));
    const sig = user.sign(new TextEncoder().encode(info.nonce)).toBase64({
      alphabet: "base64url",
      omitPadding: true,
    });
    const told = JSON.stringify({ nkey: user.getPublicKey(), sig, verbose: false, pedantic: false });
    await connection.write(new TextEncoder().encode(`CONNECT ${told}\r\nPING\r\n`));
    return new PlainGuest(connection, (await readLine(connection)) === "PONG");
  }

  /** Whether the server still answers. */
  async answers(): Promise<boolean> {
    const pong = new Promise<true>((resolve) => this.#pongs.push(() => resolve(true)));
    await this.#connection.write(new TextEncoder().encode("PING\r\n"));
    return await Promise.race([pong, this.dropped.then(() => false)]);
  }

  [Symbol.dispose](): void {
    try {
      this.#connection.close();
    } catch {
      // The server did it.
    }
  }

  async #read(): Promise<void> {
    for (;;) {
      const line = await readLine(this.#connection);
      if (line === "") return;
      if (line === "PONG") this.#pongs.shift()?.();
    }
  }
}

/** The next line; empty when the connection is over. */
async function readLine(connection: Deno.TcpConn): Promise<string> {
  let line = "";
  for (const byte = new Uint8Array(1);;) {
    if (await connection.read(byte).catch(() => null) === null) return "";
    line += String.fromCharCode(byte[0]!);
    if (line.endsWith("\r\n")) return line.slice(0, -2);
  }
}

/** Makes one of the platform's consumers, as the program does for it. */
async function makeFeed(nats: TestNats, { id }: Guest): Promise<string> {
  const name = nats.names.platformFeeds(id)[0]!;
  await nats.jsm.consumers.add(nats.names.eventStream, {
    durable_name: name,
    filter_subject: nats.names.platformEvents(id),
    ack_policy: AckPolicy.Explicit,
    deliver_policy: DeliverPolicy.All,
  });
  return name;
}

const eventFor = (index: number, { id }: Guest) => testEvent(index, { audience: { platformId: id } });

for (const { name, path } of servers) {
  Deno.test(`OP-4 on ${name}: a platform hears its own events, reads its consumer and is answered`, async () => {
    await using nats = await testNats(path);
    const [own, other] = [newGuest(), newGuest()];
    await admit(nats, own, other);
    nats.connection.subscribe(nats.names.platformCommands, {
      callback: (_error, message) => void message.respond(message.subject),
    });
    const connection = await enter(nats, own);
    const heard: string[] = [];
    const { events, command, apiPrefix, stream } = platformAccess(nats.names, own.id);
    connection.subscribe(events, { callback: (_error, message) => void heard.push(message.subject) });
    await connection.flush();
    await nats.publish(eventFor(1, own), eventFor(2, other), eventFor(3, own));
    await until("its events are heard", () => heard.length >= 2);
    deepEqual(heard, Array(2).fill(nats.names.platformSubject(own.id, "message.received")));
    equal((await connection.request(command)).string(), command);

    const feed = await makeFeed(nats, own);
    const consumer = await jetstream(connection, { apiPrefix }).consumers.get(stream, feed);
    const seen: number[] = [];
    for await (const message of await consumer.fetch({ max_messages: 2, expires: 5_000 })) {
      seen.push(message.json<{ data: { index: number } }>().data.index);
      ok(await message.ackAck());
    }
    deepEqual(seen, [1, 3]);
    equal((await consumer.info()).num_ack_pending, 0);
    await connection.close();
  });

  Deno.test(`OP-4 on ${name}: nothing else is open to a platform, not even over the answers it asks for`, async () => {
    await using nats = await testNats(path);
    const [own, other] = [newGuest(), newGuest()];
    await admit(nats, own, other);
    const others: string[] = [];
    nats.connection.subscribe(nats.names.platformCommands, {
      callback: (_error, message) => {
        others.push(message.subject);
        message.respond("{}");
      },
    });
    await nats.publish(eventFor(1, own), eventFor(2, other));
    const [feed, foreignFeed] = [await makeFeed(nats, own), await makeFeed(nats, other)];
    const { command, stream, apiPrefix } = platformAccess(nats.names, own.id);
    const stored = (await nats.jsm.streams.info(stream)).state.messages;
    const log = nats.names.logStream("route", 0);
    const connection = await enter(nats, own);

    const listen = async (subject: string) => {
      const subscription = connection.subscribe(subject);
      for await (const _message of subscription) break;
    };
    for (
      const subject of [
        ">",
        "*.>",
        nats.names.allEvents,
        nats.names.platformEvents(other.id),
        "$JS.>",
        "$SYS.>",
      ]
    ) {
      await rejects(listen(subject), /permissions violation/i, `listens to ${subject}`);
    }
    const made = {
      stream_name: stream,
      config: { name: feed, filter_subject: nats.names.platformEvents(own.id), ack_policy: "explicit" },
    };
    const requests: readonly (readonly [subject: string, body?: unknown])[] = [
      [nats.names.platformCommand(other.id)],
      [nats.names.platformSubject(own.id, "message.received")],
      [nats.names.logSubject("route", 0)],
      [nats.names.directoryChanged],
      ...["$JS.API", apiPrefix].flatMap((api) =>
        [
          [`${api}.STREAM.INFO.${stream}`],
          [`${api}.STREAM.INFO.${log}`],
          [`${api}.STREAM.DELETE.${stream}`],
          [`${api}.STREAM.PURGE.${stream}`],
          [`${api}.STREAM.MSG.GET.${stream}`, { seq: 2 }],
          [`${api}.DIRECT.GET.${stream}`, { seq: 2 }],
          [`${api}.CONSUMER.CREATE.${stream}.${feed}.${nats.names.platformEvents(own.id)}`, made],
          [`${api}.CONSUMER.CREATE.${stream}.${feed}.${nats.names.platformEvents(other.id)}`, made],
          [`${api}.CONSUMER.CREATE.${stream}`, made],
          [`${api}.CONSUMER.INFO.${stream}.${foreignFeed}`],
          [`${api}.CONSUMER.MSG.NEXT.${stream}.${foreignFeed}`, { batch: 1 }],
          [`${api}.CONSUMER.DELETE.${stream}.${feed}`],
          [`${api}.INFO`],
        ] as const
      ),
      [`$SYS.REQ.SERVER.PING`],
    ];
    for (const [subject, body] of requests) {
      const data = body === undefined ? "" : JSON.stringify(body);
      await rejects(connection.request(subject, data), /permissions violation/i, `asks ${subject}`);
    }

    // The server itself would deliver these where the platform may not write.
    const targets = [
      `$JS.API.STREAM.PURGE.${stream}`,
      `$JS.API.STREAM.DELETE.${stream}`,
      nats.names.logSubject("route", 0),
      nats.names.platformCommand(other.id),
      `$JS.ACK.${stream}.${foreignFeed}.1.2.1.0.0`,
    ];
    for (const reply of targets) {
      connection.publish(command, "{}", { reply });
      connection.publish(`${apiPrefix}.CONSUMER.INFO.${stream}.${feed}`, "", { reply });
      connection.publish(
        `${apiPrefix}.CONSUMER.MSG.NEXT.${stream}.${feed}`,
        JSON.stringify({ batch: 1, no_wait: true }),
        { reply },
      );
    }
    // Asked last, so answered after all that came before.
    await connection.request(command);
    await connection.request(`${apiPrefix}.CONSUMER.INFO.${stream}.${feed}`);
    equal((await nats.jsm.streams.info(stream)).state.messages, stored);
    equal((await nats.jsm.streams.info(log)).state.messages, 0);
    equal((await nats.jsm.consumers.info(stream, foreignFeed)).delivered.consumer_seq, 0);
    deepEqual([...new Set(others)], [command]);
    await connection.close();
  });

  Deno.test(`OP-4 on ${name}: who loses the credentials is dropped at once; the others and we go on`, async () => {
    await using nats = await testNats(path);
    const [staying, leaving] = [newGuest(), newGuest()];
    using early = await PlainGuest.enter(nats.url, leaving.user);
    equal(early.isIn, false);
    await admit(nats, staying, leaving);
    using stays = await PlainGuest.enter(nats.url, staying.user);
    using leaves = await PlainGuest.enter(nats.url, leaving.user);
    deepEqual([stays.isIn, leaves.isIn], [true, true]);
    const ownClient = nats.connection.info!.client_id;
    await admit(nats, staying);
    await leaves.dropped;
    using again = await PlainGuest.enter(nats.url, leaving.user);
    equal(again.isIn, false);
    ok(await stays.answers(), "one that stays was dropped");
    await nats.publish(eventFor(1, staying));
    equal(nats.connection.info!.client_id, ownClient, "our own connection was made anew");

    // Rotated: the old key is out, the new one in, at once.
    const rotated = { id: staying.id, user: createUser() };
    await admit(nats, rotated);
    await stays.dropped;
    using renewed = await PlainGuest.enter(nats.url, rotated.user);
    equal(renewed.isIn, true);

    // A broker that is killed and comes back knows its guests without being told.
    await nats.restart();
    await until("our own connection is back", () => nats.connection.rtt().then(() => true, () => false));
    using back = await PlainGuest.enter(nats.url, rotated.user);
    using former = await PlainGuest.enter(nats.url, staying.user);
    deepEqual([back.isIn, former.isIn], [true, false]);
  });
}

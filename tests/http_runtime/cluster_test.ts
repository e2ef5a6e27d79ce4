import { deepEqual, equal } from "node:assert/strict";
import { clusterRoutes } from "../../adapters/http/runtime/cluster.ts";
import type { ClusterView } from "../../core/ports/cluster.ts";
import { testPostgres } from "../support/postgres.ts";
import { Fixture, NOW } from "./fixture.ts";

const VIEW: ClusterView = {
  me: "a",
  members: [{
    info: {
      id: "a",
      roles: ["ingress", "router"],
      version: "1.2.3",
      host: "east",
      port: 8080,
      startedMs: NOW,
      leaving: false,
    },
    ageMs: 120.4,
  }],
  kinds: [{
    kind: "route",
    partitions: [
      { partition: 0, owner: "a", epoch: 3, cursor: 7, lastSequence: 9, waiting: 2, oldestAgeMs: 400 },
      { partition: 1, owner: null, epoch: 4, cursor: 0, lastSequence: 1, waiting: 1, oldestAgeMs: 900 },
      { partition: 2, owner: "a", epoch: 4, cursor: 5, lastSequence: 5, waiting: 0, oldestAgeMs: null },
    ],
  }],
};

Deno.test("/v1/cluster shows members and partitions, to administrators only", async () => {
  await using postgres = await testPostgres();
  await using database = await postgres.database();
  const cluster = { view: () => Promise.resolve(VIEW) };
  const fixture = new Fixture(database, [clusterRoutes({ cluster })]);
  const { status, body } = await fixture.get("admin", "/v1/cluster");
  equal(status, 200);
  deepEqual(body.members, [{
    id: "a",
    roles: ["ingress", "router"],
    host: "east",
    port: 8080,
    version: "1.2.3",
    since: new Date(NOW).toISOString(),
    lastHeartbeatAgeMs: 120,
    leaving: false,
    answers: true,
  }]);
  deepEqual(body.kinds, [{
    kind: "route",
    waiting: 3,
    oldestAgeMs: 900,
    partitions: VIEW.kinds[0]!.partitions,
  }]);
  for (const key of ["supervisor", "reader", "alice", "bot"]) {
    equal((await fixture.get(key, "/v1/cluster")).status, 403, key);
  }
});

/**
 * What still refers to a thing, so that it cannot be removed.
 *
 * @module
 */
import { sql } from "kysely";
import type { Referrer } from "../../core/ports/configuration.ts";
import type { Executor } from "./configuration_rows.ts";

/** Names shown of one kind. */
const NAMES_MAX = 5;

/**
 * Everything that names `id`: numbers on a channel or with it as destination, channels and platforms with it as
 * fallback, queues open by it, queues and settings whose calls use it, presets for its calls, rules that ask for it or lead to it,
 * sessions that are open, messages that still wait. Membership of a queue and keys of an extension or platform do not
 * count: they go with it.
 */
export async function referrers(db: Executor, id: string): Promise<Referrer[]> {
  const { rows } = await sql<Referrer>`
    (select 'number' as kind, number as name from numbers
      where channel_id = ${id} or destination ->> 'id' = ${id} or allowed_extensions ? ${id}
        or allowed_queues ? ${id} limit ${NAMES_MAX})
    union all
    (select 'channel', name from channels where settings ->> 'fallbackChannelId' = ${id} limit ${NAMES_MAX})
    union all
    (select 'platform', name from platforms where fallback ->> 'id' = ${id} limit ${NAMES_MAX})
    union all
    (select 'queue', name from queues where calendar_id = ${id} or in_call ->> 'numberId' = ${id} limit ${NAMES_MAX})
    union all
    (select 'in-call', 'settings' from in_call where settings ->> 'numberId' = ${id})
    union all
    (select 'in-call preset', label from in_call_presets where queue_ids ? ${id} limit ${NAMES_MAX})
    union all
    (select 'rule', name from rules where conditions -> 'numbers' ? ${id}
      or ${id} in (conditions -> 'hours' ->> 'calendarId', action -> 'destination' ->> 'id') limit ${NAMES_MAX})
    union all
    (select 'open session', id from sessions where state <> 'closed'
      and ${id} in (number_id, channel_id, extension_id, queue_id, platform_id) limit ${NAMES_MAX})
    union all
    (select 'waiting message', id from messages where unsent
      and channel_id = ${id} limit ${NAMES_MAX})`.execute(db);
  return rows;
}

/**
 * Polls' marks and numbered sends in PostgreSQL.
 *
 * @module
 */
import type { PollStep, PollStore, SendNumbers } from "../../core/ports/poll_store.ts";
import type { NumberedSend } from "../../core/ports/provider.ts";
import type { Sql } from "./database.ts";

/** The largest number of 32 bits with a sign; after it, numbers begin anew. */
const NUMBER_MAX = 2_147_483_647;

export class PostgresPollStore implements PollStore, SendNumbers {
  readonly #sql: Sql;

  constructor(sql: Sql) {
    this.#sql = sql;
  }

  async mark(channelId: string, poll: string): Promise<string | null> {
    const [row] = await this.#sql<{ mark: string | null }[]>`
      select mark from poll_marks where channel_id = ${channelId} and name = ${poll}`;
    return row?.mark ?? null;
  }

  async keep({ channelId, poll, before, after, asked, news, atMs }: PollStep): Promise<void> {
    const ended = news.filter((one) => one.ended).map((one) => one.number);
    const noted = news.filter((one) => !one.ended).map(({ number, note }) => ({ number, note }));
    await this.#sql`
      with moved as (
        insert into poll_marks as p (channel_id, name, mark)
        select ${channelId}, ${poll}, ${after}::text where ${after}::text is distinct from ${before}::text
        on conflict (channel_id, name) do update set mark = excluded.mark
          where p.mark is not distinct from ${before}::text),
      gone as (
        delete from numbered_sends
        where channel_id = ${channelId} and number = any(${ended}::int[]))
      update numbered_sends s set asked_ms = ${atMs}, note = coalesce(n.note, s.note)
      from unnest(${asked as number[]}::int[]) a (number)
        left join json_to_recordset(${JSON.stringify(noted)}::text::json) as n (number int, note text)
          on n.number = a.number
      where s.channel_id = ${channelId} and s.number = a.number and s.number <> all(${ended}::int[])`;
  }

  async openSends(
    channelId: string,
    { max, noted, askedBeforeMs }: {
      readonly max: number;
      readonly noted: boolean;
      readonly askedBeforeMs: number;
    },
  ): Promise<NumberedSend[]> {
    return await this.#sql<NumberedSend[]>`
      select number, message_id as "messageId", contact as "to", sent_ms as "sentMs", note from numbered_sends
      where channel_id = ${channelId} and asked_ms < ${askedBeforeMs} and (note is not null or not ${noted})
      order by asked_ms, number limit ${max}`;
  }

  async forgetSends(channelId: string, sentBeforeMs: number): Promise<void> {
    await this.#sql`
      delete from numbered_sends s where s.channel_id = ${channelId} and (s.sent_ms < ${sentBeforeMs}
        or exists (select from messages m where m.id = s.message_id and m.status not in ('sending', 'sent')))`;
  }

  async next({ channelId, messageId, to, nowMs }: Parameters<SendNumbers["next"]>[0]): Promise<number> {
    const [row] = await this.#sql<{ number: number }[]>`
      with counted as (
        insert into send_numbers as n (channel_id, last) values (${channelId}, 1)
        on conflict (channel_id) do update set last = n.last % ${NUMBER_MAX} + 1
        returning last)
      insert into numbered_sends (channel_id, number, message_id, contact, sent_ms)
      select ${channelId}, last, ${messageId}, ${to}, ${nowMs} from counted
      on conflict (channel_id, number) do update set message_id = excluded.message_id,
        contact = excluded.contact, sent_ms = excluded.sent_ms, asked_ms = 0, note = null
      returning number`;
    return row!.number;
  }
}

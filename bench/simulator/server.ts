/**
 * The carrier simulator: one listener on which several providers live, told apart by path.
 *
 * | path | |
 * |---|---|
 * | `/2010-04-01/Accounts/…` | Twilio |
 * | `/api/v1.1/json/queue_sms` | VoiceMeUp |
 * | `/sms/json` | Nexmo (Vonage SMS API) |
 * | `/v1/messages` | Vonage (Messages API) |
 * | `/v1/messaging`, `/v1/omnichannel` | TeleSign |
 * | `/….php`, below `/auth/`, `/post/`, `/postauth/` too | generic HTTP (URLSMS, URLSMSAuth, URLSMSPOST, URLPOSTSMSAuth) |
 * | `/gateway/…` | a gateway that the kind `http` is set up for |
 * | `/quality/….php`, `/gmg/…` | Quality, GMG |
 * | `/….asp`; `/sms/send`, `/credits/consult` | SMS Masivos of Argentina; of Mexico |
 * | `/sms/3/…`, `/sms/2/…`, `/mms/2/…` | Infobip |
 * | `/api/v2/users/…` | Bandwidth |
 * | `/v2/messages`, `/v2/balance` | Telnyx |
 * | `/v1/Account/…` | Plivo |
 * | `/xms/v1/…` | Sinch |
 * | `/api/send_sms`, `/api/query_…`, `/api/get_port_info` | a Dinstar gateway |
 * | `/control/faults`, `/control/reports`, `/control/record`, `/control/statistics`, `/control/reset`, `/control/inbox` | for whoever runs the test |
 *
 * It is written from the providers' documents and shares no code with the system's own providers, so that
 * each end judges the other.
 *
 * @module
 */
import { BANDWIDTH } from "./bandwidth.ts";
import type { Carrier } from "./carrier.ts";
import { preciseNowMs, seededRandom } from "./clock.ts";
import { Dinstar, DINSTAR_DEFAULTS, type DinstarSettings } from "./dinstar.ts";
import { GATEWAY, GMG } from "./gateway_json.ts";
import { handleControl, type InboxMessage, type ReportChange } from "./control.ts";
import { type Faults, type FaultSettings, FaultState, type ProviderName, PROVIDERS } from "./faults.ts";
import { serveHttp, type ServerReply, type ServerRequest } from "./http_server.ts";
import { newRunHex } from "./ids.ts";
import { JsonCarrier } from "./json_carrier.ts";
import { PLIVO } from "./plivo.ts";
import { CallLog, type CallRecord } from "./record.ts";
import { REPORT_DEFAULTS, type ReportCounts, ReportDesk, type ReportSettings } from "./reports.ts";
import { SendDesk } from "./send_desk.ts";
import { SmsMasivo, SMSMASIVO_MX } from "./smsmasivo.ts";
import { SINCH } from "./sinch.ts";
import { Telesign, TELESIGN_DEFAULT_ACCOUNT, type TelesignAccount } from "./telesign.ts";
import { TELNYX } from "./telnyx.ts";
import { Infobip, INFOBIP_DEFAULT_ACCOUNT, type InfobipAccount } from "./infobip.ts";
import { Nexmo } from "./nexmo.ts";
import { Twilio } from "./twilio.ts";
import { TWILIO_DEFAULT_ACCOUNT, type TwilioAccount } from "./twilio_account.ts";
import { vonageWire } from "./vonage.ts";
import { VONAGE_DEFAULT_ACCOUNT, type VonageAccount } from "./vonage_account.ts";
import { Urlsms, URLSMS_DEFAULTS, URLSMS_SHAPES, type UrlsmsSettings } from "./urlsms.ts";
import { Voicemeup, VOICEMEUP_DEFAULTS, type VoicemeupSettings } from "./voicemeup.ts";

export interface SimulatorOptions {
  /** 0 takes a free one. @default 0 */
  readonly port?: number;
  /** @default "127.0.0.1" */
  readonly host?: string;
  /** Which providers answer. @default all */
  readonly providers?: readonly ProviderName[];
  readonly twilio?: { readonly accounts?: readonly TwilioAccount[] };
  readonly voicemeup?: Partial<VoicemeupSettings>;
  /** For `nexmo` and `vonage`: one account has both APIs. */
  readonly vonage?: Partial<VonageAccount>;
  readonly infobip?: Partial<InfobipAccount>;
  readonly telesign?: Partial<TelesignAccount>;
  readonly urlsms?: Partial<UrlsmsSettings>;
  readonly dinstar?: Partial<DinstarSettings>;
  readonly reports?: Partial<ReportSettings>;
  readonly faults?: FaultSettings;
  /** Calls held; past it the oldest go. @default 1000000 */
  readonly recordMax?: number;
  /** Whether the record holds texts or their hashes only. @default true */
  readonly keepTexts?: boolean;
  /** Of the faults' chance. @default 1 */
  readonly seed?: number;
}

export interface SimulatorStatistics {
  /** Sends that came in, by provider. */
  readonly calls: Readonly<Record<ProviderName, number>>;
  /** Sends that were taken, by provider. */
  readonly accepted: Readonly<Record<ProviderName, number>>;
  readonly reports: ReportCounts;
  /** Calls that the record no longer holds. */
  readonly recordDropped: number;
}

export interface Simulator {
  readonly port: number;
  /** `http://host:port`; providers' base URLs start with it. */
  readonly url: string;
  /** The gateway, which is fetched from. */
  readonly dinstar: Dinstar;
  /** The first Twilio account: what a channel's credentials are to be. */
  readonly account: TwilioAccount;
  /** The calls held, in order of arrival; with `since`, those after that sequence. */
  record(since?: number): CallRecord[];
  /** Changes the named fields of the named providers' faults at once. Throws a `ZodError` and changes nothing if they do not fit. */
  setFaults(settings: FaultSettings): void;
  faults(provider: ProviderName): Faults;
  /** Changes the reports, and where they go for providers that are not told with each send. */
  setReports(settings: ReportChange): void;
  statistics(): SimulatorStatistics;
  /** Forgets record, counts and faults. */
  reset(): void;
  stop(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * Starts the simulator and returns when it listens.
 *
 * @example
 * ```ts ignore
 * await using simulator = startSimulator({ port: 0, reports: { deliveredAfterMs: 50 } });
 * simulator.setFaults({ twilio: { throttle: { rateMps: 10 } } });
 * ```
 */
export function startSimulator(options: SimulatorOptions = {}): Simulator {
  const host = options.host ?? "127.0.0.1";
  const random = seededRandom(options.seed ?? 1);
  const states = new Map(PROVIDERS.map((name) => [name, new FaultState(random)]));
  const stateOf = (provider: ProviderName) => states.get(provider)!;
  const log = new CallLog(options.recordMax ?? 1_000_000);
  const reports = new ReportDesk({ ...REPORT_DEFAULTS, ...options.reports }, stateOf);
  const desk = new SendDesk(log, reports, stateOf, options.keepTexts ?? true);
  const runHex = newRunHex();
  const accounts = options.twilio?.accounts ?? [TWILIO_DEFAULT_ACCOUNT];
  const dinstar = new Dinstar(
    { ...DINSTAR_DEFAULTS, ...options.dinstar },
    desk,
    () => stateOf("dinstarweb").strikes(stateOf("dinstarweb").faults.undelivered),
  );
  const gateway = (name: keyof typeof URLSMS_SHAPES) =>
    new Urlsms({ ...URLSMS_DEFAULTS, ...options.urlsms }, runHex, desk, URLSMS_SHAPES[name]);
  const all: Readonly<Record<ProviderName, Carrier>> = {
    twilio: new Twilio(accounts, runHex, desk, log),
    nexmo: new Nexmo({ ...VONAGE_DEFAULT_ACCOUNT, ...options.vonage }, runHex, desk),
    infobip: new Infobip({ ...INFOBIP_DEFAULT_ACCOUNT, ...options.infobip }, runHex, desk),
    telesign: new Telesign({ ...TELESIGN_DEFAULT_ACCOUNT, ...options.telesign }, runHex, desk),
    vonage: new JsonCarrier(vonageWire({ ...VONAGE_DEFAULT_ACCOUNT, ...options.vonage }), runHex, desk),
    voicemeup: new Voicemeup({ ...VOICEMEUP_DEFAULTS, ...options.voicemeup }, runHex, desk),
    urlsms: gateway("urlsms"),
    urlsmsauth: gateway("urlsmsauth"),
    urlsmspost: gateway("urlsmspost"),
    urlpostsmsauth: gateway("urlpostsmsauth"),
    quality: gateway("quality"),
    gmg: new JsonCarrier(GMG, runHex, desk),
    http: new JsonCarrier(GATEWAY, runHex, desk),
    smsmasivo: new SmsMasivo(desk),
    smsmasivomx: new JsonCarrier(SMSMASIVO_MX, runHex, desk),
    bandwidth: new JsonCarrier(BANDWIDTH, runHex, desk),
    telnyx: new JsonCarrier(TELNYX, runHex, desk),
    plivo: new JsonCarrier(PLIVO, runHex, desk),
    sinch: new JsonCarrier(SINCH, runHex, desk),
    dinstarweb: dinstar,
  };
  const carriers = (options.providers ?? PROVIDERS).map((name) => all[name]);

  const setFaults = (settings: FaultSettings) => {
    for (const round of ["preview", "change"] as const) {
      for (const name of PROVIDERS) stateOf(name)[round]({ ...settings.all, ...settings[name] });
    }
  };
  const setReports = ({ urls, ...settings }: ReportChange) => {
    const given = Object.entries(settings).filter(([, value]) => value !== undefined);
    reports.change(Object.fromEntries(given));
    for (const name of PROVIDERS) {
      const url = urls?.[name];
      if (url !== undefined) all[name].setReportUrl?.(url);
    }
  };
  const reset = () => {
    log.clear();
    desk.resetCounts();
    reports.resetCounts();
    for (const state of states.values()) state.reset();
  };
  const statistics = () => ({ ...desk.counts, reports: reports.counts, recordDropped: log.dropped });
  const faults = () => Object.fromEntries(PROVIDERS.map((name) => [name, stateOf(name).faults]));
  const receive = (message: InboxMessage) => dinstar.receive(message);
  const controls = { log, faults, setFaults, setReports, statistics, reset, receive };

  const handle = (request: ServerRequest): ServerReply => {
    const { path } = request;
    const carrier = carriers.find((one) => one.owns(path));
    if (carrier !== undefined) return carrier.handle(request, preciseNowMs());
    if (path.startsWith("/control/")) return handleControl(request, controls);
    return { kind: "answer", status: 404, contentType: "text/plain", body: "no provider lives here\n" };
  };

  if (options.faults !== undefined) setFaults(options.faults);
  const server = serveHttp({ hostname: host, port: options.port ?? 0 }, handle);
  const stop = async () => {
    reports.close();
    await server.stop();
  };
  return {
    port: server.port,
    url: `http://${host.includes(":") ? `[${host}]` : host}:${server.port}`,
    dinstar,
    account: accounts[0] ?? TWILIO_DEFAULT_ACCOUNT,
    record: (since = 0) => [...log.after(since)],
    setFaults,
    faults: (provider) => stateOf(provider).faults,
    setReports,
    statistics,
    reset,
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

/**
 * What a started server, of either kind, can be asked.
 *
 * @module
 */
import { logTail } from "./child.ts";
import type { Child, ChildOptions, Ending, StopStep } from "./child.ts";
import { startChild } from "./child.ts";
import { freePort, isPortFree } from "./free_port.ts";
import { EmbeddedStartError } from "./start_error.ts";

export interface RunningServer extends AsyncDisposable {
  readonly pid: number;
  readonly port: number;
  /** Settles when the process has ended, for whatever reason. */
  readonly exited: Promise<Ending>;
  /** In good order; ever stronger when it takes long. Safe to repeat. */
  stop(): Promise<void>;
  /** At once. Nothing that was acknowledged is lost. */
  killNow(): void;
}

export interface ServerStart {
  /** For messages, e.g. "nats-server". */
  readonly name: string;
  /** Asked for by the caller; undefined: any free one. */
  readonly port: number | undefined;
  readonly command: (port: number) => ChildOptions;
  /** Whether it serves now. Called again and again until it says so. */
  readonly ready: (child: Child, port: number) => Promise<boolean>;
  readonly stopSteps: readonly StopStep[];
  readonly killSignal: Deno.Signal;
  readonly say: (text: string) => void;
  readonly signal?: AbortSignal | undefined;
}

const READY_POLL_MS = 10;
const SLOW_MS = 5_000;
/** Long, because recovering a large store after a crash takes its time. */
const READY_MS_MAX = 600_000;
const PORT_TRIES = 5;

/**
 * Starts a server and waits until it serves.
 *
 * @throws EmbeddedStartError with the end of its log when it ends before it serves; the signal's reason when
 * aborted. The process is gone in both cases.
 */
export async function startServer(options: ServerStart): Promise<RunningServer> {
  for (let attempt = 1;; attempt++) {
    options.signal?.throwIfAborted();
    const port = options.port ?? freePort();
    if (options.port !== undefined && !isPortFree(port)) {
      throw new EmbeddedStartError(`${options.name} cannot listen on 127.0.0.1:${port}: the port is in use.`);
    }
    const command = options.command(port);
    const child = await startChild(command);
    try {
      await untilReady(options, child, port, command.logFile);
      return running(options, child, port);
    } catch (error) {
      child.kill("SIGKILL");
      await child.exited;
      // Somebody else was faster at the port: another one then.
      const lostPort = options.port === undefined && !isPortFree(port);
      if (options.signal?.aborted || !lostPort || attempt === PORT_TRIES) throw error;
    }
  }
}

async function untilReady(options: ServerStart, child: Child, port: number, logFile: string): Promise<void> {
  const begin = performance.now();
  let toldSlow = false;
  for (;;) {
    options.signal?.throwIfAborted();
    if (!child.running) {
      throw new EmbeddedStartError(
        `${options.name} ended while starting (${await child.exited}). The end of ${logFile}:\n${
          logTail(logFile)
        }`,
      );
    }
    if (await options.ready(child, port)) return;
    const waited = performance.now() - begin;
    if (waited > READY_MS_MAX) {
      throw new EmbeddedStartError(`${options.name} does not get ready, see ${logFile}.`);
    }
    if (waited > SLOW_MS && !toldSlow) {
      toldSlow = true;
      options.say(
        `${options.name} is still getting ready, as after a crash with much to recover (${logFile}).`,
      );
    }
    await new Promise((resolve) => setTimeout(resolve, READY_POLL_MS));
  }
}

function running(options: ServerStart, child: Child, port: number): RunningServer {
  const stop = () => child.stop(options.stopSteps);
  return {
    pid: child.pid,
    port,
    exited: child.exited,
    stop,
    killNow: () => child.kill(options.killSignal),
    [Symbol.asyncDispose]: stop,
  };
}

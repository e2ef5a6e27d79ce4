/**
 * A whole Patchbay as a child process of the test, as its users start it: to be configured over HTTP, killed,
 * and started again on the same folder and port, so that URLs given out before still hold.
 *
 * @module
 */
import { fileURLToPath } from "node:url";
import { freePort } from "../../adapters/embedded/free_port.ts";
import { processesIn } from "../../adapters/embedded/leftovers.ts";
import { removeDataFolder } from "../../adapters/embedded/postgres_place.ts";
import { Api } from "./api.ts";
import { until, within } from "./until.ts";

const MAIN = fileURLToPath(import.meta.resolve("../../main.ts"));
export const ADMIN_KEY = "pbk_administrator-of-the-pipeline-tests-0123456789";
/** What runs in a data folder. */
export const PROGRAMS = ["nats-server", "postgres", "initdb", "setpriv"];

export interface StartOptions {
  /** 0: any free one. */
  readonly port: number;
  readonly dataDir: string;
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/** One run of `main.ts start`; what it says is kept. */
export class Run {
  readonly #child: Deno.ChildProcess;
  readonly #lines: string[] = [];
  readonly ended: Promise<Deno.CommandStatus>;

  constructor({ port, dataDir, args = [], env = {} }: StartOptions) {
    this.#child = new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", MAIN, "start", `--port=${port}`, `--data-dir=${dataDir}`, ...args],
      clearEnv: true,
      env: {
        ...inherited(),
        PATCHBAY_ADMIN_KEY: ADMIN_KEY,
        PATCHBAY_ALLOW_PRIVATE: "127.0.0.1",
        ...(port === 0 ? {} : { PATCHBAY_PUBLIC_URL: `http://127.0.0.1:${port}` }),
        ...env,
      },
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    const read = [this.#child.stdout, this.#child.stderr].map((stream) => this.#read(stream));
    this.ended = this.#child.status.then(async (status) => {
      await Promise.all(read);
      return status;
    });
  }

  get pid(): number {
    return this.#child.pid;
  }

  /** Everything said so far, on both outputs. */
  get said(): string {
    return this.#lines.join("\n");
  }

  /** Waits for something to be said. Throws with all that was when the run ends before. */
  async says(pattern: RegExp, msMax?: number): Promise<RegExpExecArray> {
    let over = false;
    this.ended.then(() => over = true);
    return await until(`the system says ${pattern}; it said:\n${this.said}`, () => {
      const match = pattern.exec(this.said);
      if (match === null && over) throw new Error(`it ended without saying ${pattern}:\n${this.said}`);
      return match;
    }, msMax).catch((error) => {
      throw new Error(`${(error as Error).message}\nIt said:\n${this.said}`);
    });
  }

  /** The URL of the line that says that it is ready. */
  async ready(): Promise<string> {
    return (await this.says(/is ready at (http:\/\/\S+)/))[1]!;
  }

  signal(signal: Deno.Signal): void {
    try {
      this.#child.kill(signal);
    } catch {
      // It has ended.
    }
  }

  /** Stops in order; throws when it does not end by itself. */
  async stop(): Promise<Deno.CommandStatus> {
    this.signal("SIGINT");
    try {
      return await within("the system stops", this.ended);
    } catch (error) {
      this.signal("SIGKILL");
      throw new Error(`${(error as Error).message}\nIt said:\n${this.said}`);
    }
  }

  async kill(): Promise<void> {
    this.signal("SIGKILL");
    await this.ended;
  }

  async #read(stream: ReadableStream<Uint8Array>): Promise<void> {
    let rest = "";
    for await (const text of stream.pipeThrough(new TextDecoderStream())) {
      const lines = (rest + text).split("\n");
      rest = lines.pop()!;
      this.#lines.push(...lines);
    }
    if (rest !== "") this.#lines.push(rest);
  }
}

/** This process's environment without what would configure the system under test. */
function inherited(): Record<string, string> {
  return Object.fromEntries(
    Object.entries(Deno.env.toObject()).filter(([name]) =>
      !/^(PATCHBAY_|NATS_|DATABASE_URL$)/.test(name) || name === "PATCHBAY_CACHE_DIR"
    ),
  );
}

export interface SystemOptions {
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/** A system that keeps its folder and its port over any number of runs. */
export class System implements AsyncDisposable {
  readonly dataDir: string;
  readonly port: number;
  readonly api: Api;
  readonly #options: SystemOptions;
  #run: Run | null = null;

  private constructor(dataDir: string, options: SystemOptions) {
    this.dataDir = dataDir;
    this.port = freePort();
    this.api = new Api(`http://127.0.0.1:${this.port}`, ADMIN_KEY);
    this.#options = options;
  }

  /** Starts on a new folder; resolves when it is ready. */
  static async start(options: SystemOptions = {}): Promise<System> {
    const system = await System.prepare(options);
    try {
      await system.start();
    } catch (error) {
      await system[Symbol.asyncDispose]();
      throw error;
    }
    return system;
  }

  /** A new folder and port; nothing runs yet. */
  static async prepare(options: SystemOptions = {}): Promise<System> {
    // The folder itself, not one below it: temporary folders are closed to PostgreSQL's user.
    return new System(await Deno.makeTempDir({ prefix: "patchbay-test-" }), options);
  }

  get url(): string {
    return this.api.url;
  }

  get run(): Run {
    if (this.#run === null) throw new Error("the system was not started");
    return this.#run;
  }

  /** Begins a run without waiting for it. */
  launch(): Run {
    this.#run = new Run({ port: this.port, dataDir: this.dataDir, ...this.#options });
    return this.#run;
  }

  async start(): Promise<void> {
    await this.launch().ready();
  }

  async stop(): Promise<Deno.CommandStatus> {
    return await this.run.stop();
  }

  /** Ids of the embedded servers' processes. */
  children(): number[] {
    return processesIn(Deno.realPathSync(this.dataDir), PROGRAMS);
  }

  /** kill -9 of the program alone; the embedded servers are told by the kernel. */
  async killProgram(): Promise<void> {
    await this.run.kill();
  }

  /** kill -9 of the program and of everything that it started, as close to the same moment as can be. */
  async killAll(): Promise<void> {
    const pids = this.children();
    this.run.signal("SIGKILL");
    for (const pid of pids) killNow(pid);
    await this.run.ended;
    await until("the killed processes are gone", () => this.children().length === 0);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#run !== null) await this.killProgram();
    // The embedded servers obey the kernel's message in good order: within seconds.
    await until("the embedded servers are gone", () => this.children().length === 0);
    await removeDataFolder(this.dataDir);
  }
}

function killNow(pid: number): void {
  try {
    Deno.kill(pid, "SIGKILL");
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

/**
 * Shows the figures: redrawn in place on a terminal, a plain line now and then elsewhere.
 *
 * @module
 */
import type { Figures } from "./tally.ts";

export interface ScreenOptions {
  readonly figures: () => Figures;
  /** Agents' names by the id of their extension. */
  readonly names: ReadonlyMap<string, string>;
  /** The channel's limit as it is now. */
  readonly limitMps: () => number;
  readonly isTerminal: boolean;
}

const REDRAW_MS = 500;
const LINE_MS = 2_000;

/** Draws until it is stopped; the last figures stay. */
export class Screen {
  readonly #options: ScreenOptions;
  readonly #startMs = performance.now();
  readonly #timer: ReturnType<typeof setInterval>;
  #drawn = 0;

  constructor(options: ScreenOptions) {
    this.#options = options;
    this.#timer = setInterval(() => this.draw(), options.isTerminal ? REDRAW_MS : LINE_MS);
  }

  draw(): void {
    const figures = this.#options.figures();
    if (!this.#options.isTerminal) {
      console.log(this.#line(figures));
      return;
    }
    const lines = this.#table(figures);
    // Up to where the last table began, and everything below cleared.
    const back = this.#drawn === 0 ? "" : `\x1b[${this.#drawn}A\x1b[J`;
    Deno.stdout.writeSync(new TextEncoder().encode(`${back}${lines.join("\n")}\n`));
    this.#drawn = lines.length;
  }

  stop(): void {
    clearInterval(this.#timer);
    this.draw();
  }

  #line(figures: Figures): string {
    const { waiting, active, platform, sent, delivered, closed } = figures;
    return `in ${figures.in}, waiting ${waiting}, active ${active}, with the bot ${platform}, sent ${sent}, ` +
      `delivered ${delivered}, closed ${closed}, rate ${this.#rate(figures)}`;
  }

  #table(figures: Figures): string[] {
    const seconds = Math.floor((performance.now() - this.#startMs) / 1000);
    const clock = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
    const names = [...this.#options.names].map(([id, name]) => `${name} ${figures.activeBy.get(id) ?? 0}`);
    const row = (what: string, count: number, more = "") =>
      `  ${what.padEnd(22)} ${String(count).padStart(7)}   ${more}`;
    return [
      row("in", figures.in, `${figures.inMps.toFixed(1)}/s from contacts`),
      row("waiting in the queue", figures.waiting),
      row("active with agents", figures.active, names.join(", ")),
      row("with the bot", figures.platform),
      row("closed", figures.closed, `${figures.transferred} handed over on the way`),
      row("sent", figures.sent, this.#rate(figures)),
      row("delivered", figures.delivered, figures.failed === 0 ? "" : `${figures.failed} failed`),
      `  ${clock} so far`,
    ];
  }

  #rate({ sentMps }: Figures): string {
    return `${sentMps.toFixed(1)}/s of ${this.#options.limitMps()}/s allowed`;
  }
}

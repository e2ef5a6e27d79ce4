/**
 * Targets: what a figure has to reach. They keep the figure, so that the median of several runs can be judged anew.
 *
 * @module
 */

export interface Target {
  /** What has to be reached, e.g. "p99 ≤ 15 ms". */
  readonly text: string;
  readonly value: number;
  readonly unit: string;
  readonly atLeast?: number;
  readonly atMost?: number;
  /** A promise, not a speed: of several runs the worst counts, and not the one in the middle. */
  readonly promise?: true;
  readonly met: boolean;
}

/** What the figure is and in which unit: "" or, with its space, e.g. " ms". */
export interface Figure {
  readonly what: string;
  readonly value: number;
  readonly unit?: string;
}

/** The figure has to be `bound` or more. */
export function atLeast(bound: number, { what, value, unit = "" }: Figure): Target {
  return judge({ text: `${what} ≥ ${number(bound)}${unit}`.trim(), value, unit, atLeast: bound });
}

/** The figure has to be `bound` or less. */
export function atMost(bound: number, { what, value, unit = "" }: Figure): Target {
  return judge({ text: `${what} ≤ ${number(bound)}${unit}`.trim(), value, unit, atMost: bound });
}

/** The figure has to lie within the two, which belong to it. */
export function within(least: number, most: number, { what, value, unit = "" }: Figure): Target {
  const text = `${what} ${number(least)}–${number(most)}${unit}`.trim();
  return judge({ text, value, unit, atLeast: least, atMost: most });
}

/** Has to hold in every run. */
export function promised(target: Target): Target {
  return { ...target, promise: true };
}

/** The same target for another value. What is no number meets nothing. */
export function judge(target: Omit<Target, "met">, value = target.value): Target {
  const met = value >= (target.atLeast ?? -Infinity) && value <= (target.atMost ?? Infinity);
  return { ...target, value, met };
}

/** With thousands apart, and no more digits than tell something. */
export function number(value: number): string {
  const digits = Number.isInteger(value) || Math.abs(value) >= 1_000 ? 0 : Math.abs(value) >= 100 ? 1 : 2;
  const [whole, rest] = value.toFixed(digits).split(".");
  const apart = whole!.replace(/\B(?=(\d{3})+$)/g, ",");
  return rest === undefined ? apart : `${apart}.${rest}`.replace(/\.?0+$/, "");
}

/** "≥ 5 ×: 6.1 × met". */
export function targetText(
  { text, value, unit, met }: Target,
  words: { met: string; missed: string },
): string {
  return `${text}: ${number(value)}${unit} ${met ? words.met : words.missed}`;
}

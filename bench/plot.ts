/**
 * A plot as SVG: curves over two axes, no more.
 *
 * @module
 */

export interface Curve {
  readonly name: string;
  readonly points: readonly (readonly [x: number, y: number])[];
  /** For what is no measurement: a limit, a moment. */
  readonly dashed?: boolean;
}

export interface Plot {
  readonly title: string;
  readonly xLabel: string;
  readonly yLabel: string;
  /** @default "linear" */
  readonly yScale?: "linear" | "log";
  readonly curves: readonly Curve[];
}

const WIDTH = 760;
const HEIGHT = 380;
const LEFT = 62;
const RIGHT = 20;
const TOP = 36;
const LEGEND_ROW = 18;
const BOTTOM = 44;
const TICKS = 6;
/** Told apart by people who see colours otherwise, too (Okabe and Ito). */
const COLOURS = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000"];
const LEGEND_COLUMNS = 3;

interface Scale {
  (value: number): number;
  readonly ticks: readonly number[];
}

/** The plot's whole text. A curve without points is left out; on a log axis so are values of 0 and less. */
export function plotSvg(plot: Plot): string {
  const isLog = plot.yScale === "log";
  const curves = plot.curves
    .map((curve) => ({ ...curve, points: isLog ? curve.points.filter(([, y]) => y > 0) : curve.points }))
    .filter(({ points }) => points.length > 0);
  const xs = curves.flatMap(({ points }) => points.map(([x]) => x));
  const ys = curves.flatMap(({ points }) => points.map(([, y]) => y));
  const legendRows = Math.ceil(curves.length / LEGEND_COLUMNS);
  const top = TOP + legendRows * LEGEND_ROW;
  const x = linear(0, largest(xs), LEFT, WIDTH - RIGHT);
  const y = isLog
    ? logarithmic(smallest(ys), largest(ys), HEIGHT - BOTTOM, top)
    : linear(0, largest(ys), HEIGHT - BOTTOM, top);
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" width="${WIDTH}" height="${HEIGHT}" ` +
    `font-family="sans-serif" font-size="12" role="img">`,
    `<title>${escaped(plot.title)}</title>`,
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="#fff"/>`,
    label(LEFT, 22, plot.title, 'font-size="15" font-weight="bold"'),
    ...curves.map((curve, index) => legend(curve, index)),
    ...y.ticks.map((tick) => line(LEFT, y(tick), WIDTH - RIGHT, y(tick), 'stroke="#ddd"')),
    ...y.ticks.map((tick) => label(LEFT - 8, y(tick) + 4, short(tick), 'text-anchor="end"')),
    ...x.ticks.map((tick) => label(x(tick), HEIGHT - BOTTOM + 18, short(tick), 'text-anchor="middle"')),
    ...x.ticks.map((tick) => line(x(tick), HEIGHT - BOTTOM, x(tick), HEIGHT - BOTTOM + 4, 'stroke="#333"')),
    line(LEFT, HEIGHT - BOTTOM, WIDTH - RIGHT, HEIGHT - BOTTOM, 'stroke="#333"'),
    line(LEFT, top, LEFT, HEIGHT - BOTTOM, 'stroke="#333"'),
    label((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 8, plot.xLabel, 'text-anchor="middle"'),
    `<text transform="translate(14 ${(top + HEIGHT - BOTTOM) / 2}) rotate(-90)" text-anchor="middle">${
      escaped(plot.yLabel)
    }</text>`,
    ...curves.map((curve, index) => path(curve, index, x, y)),
    "</svg>",
  ].join("\n") + "\n";
}

function path({ points, dashed = false }: Curve, index: number, x: Scale, y: Scale): string {
  const at = points.map(([px, py]) => `${round(x(px))},${round(y(py))}`).join(" ");
  const style = `fill="none" stroke="${colour(index)}" stroke-width="${dashed ? 1.5 : 2}"`;
  return `<polyline points="${at}" ${style}${dashed ? ' stroke-dasharray="5 4"' : ""}/>`;
}

function legend({ name, dashed = false }: Curve, index: number): string {
  const width = (WIDTH - LEFT - RIGHT) / LEGEND_COLUMNS;
  const left = LEFT + (index % LEGEND_COLUMNS) * width;
  const middle = TOP + Math.floor(index / LEGEND_COLUMNS) * LEGEND_ROW + 4;
  const style = `stroke="${colour(index)}" stroke-width="2"${dashed ? ' stroke-dasharray="5 4"' : ""}`;
  return line(left, middle, left + 20, middle, style) + label(left + 26, middle + 4, name, "");
}

function colour(index: number): string {
  return COLOURS[index % COLOURS.length]!;
}

function label(x: number, y: number, text: string, style: string): string {
  return `<text x="${round(x)}" y="${round(y)}"${style === "" ? "" : ` ${style}`}>${escaped(text)}</text>`;
}

function line(x1: number, y1: number, x2: number, y2: number, style: string): string {
  return `<line x1="${round(x1)}" y1="${round(y1)}" x2="${round(x2)}" y2="${round(y2)}" ${style}/>`;
}

function linear(least: number, most: number, from: number, to: number): Scale {
  const step = niceStep((most - least) / TICKS);
  const end = Math.max(step, Math.ceil(most / step - 1e-9) * step);
  const ticks = Array.from(
    { length: Math.round((end - least) / step) + 1 },
    (_, index) => least + index * step,
  );
  return Object.assign((value: number) => from + ((value - least) / (end - least)) * (to - from), { ticks });
}

/** Whole powers of ten at both ends, and 2 and 5 between them as ticks. */
function logarithmic(least: number, most: number, from: number, to: number): Scale {
  const first = Math.floor(Math.log10(least));
  const last = Math.max(first + 1, Math.ceil(Math.log10(most) - 1e-9));
  const ticks: number[] = [];
  for (let power = first; power < last; power++) {
    ticks.push(...[1, 2, 5].map((factor) => factor * 10 ** power));
  }
  ticks.push(10 ** last);
  return Object.assign(
    (value: number) => from + ((Math.log10(value) - first) / (last - first)) * (to - from),
    { ticks },
  );
}

/** 1, 2 or 5 times a power of ten, no smaller than `step`. */
export function niceStep(step: number): number {
  if (!(step > 0)) return 1;
  const power = 10 ** Math.floor(Math.log10(step));
  return ([1, 2, 5].find((factor) => factor * power >= step * (1 - 1e-9)) ?? 10) * power;
}

function largest(values: readonly number[]): number {
  return values.reduce((most, value) => Math.max(most, value), 0);
}

function smallest(values: readonly number[]): number {
  return values.reduce((least, value) => Math.min(least, value), Infinity) || 1;
}

function short(value: number): string {
  return String(Number(value.toPrecision(6))).replace(
    /\B(?=(\d{3})+$)/g,
    (_, __, ___, all) => all.includes(".") ? "" : ",",
  );
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

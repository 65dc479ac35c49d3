/** Small charts as SVG: what a report needs, without a library. Colours differ in lightness too, and every series has its own dash. */

export interface Series {
  readonly name: string
  readonly points: readonly (readonly [x: number, y: number])[]
  /** Fills the area below, as histograms do. */
  readonly filled?: boolean
}

export interface Axis {
  readonly label: string
  readonly scale: 'linear' | 'log'
  readonly from: number
  readonly to: number
}

export interface Chart {
  readonly title: string
  readonly x: Axis
  readonly y: Axis
  readonly series: readonly Series[]
  /** Upright lines with a word, for thresholds. */
  readonly marks?: readonly { readonly x: number; readonly label: string }[]
}

const SIZE = { width: 720, height: 480, left: 78, right: 20, top: 44, bottom: 58 }
const PLOT = { width: SIZE.width - SIZE.left - SIZE.right, height: SIZE.height - SIZE.top - SIZE.bottom }
const STROKES = [
  { colour: '#1351b4', dash: '' },
  { colour: '#c0392b', dash: '7 4' },
  { colour: '#0b6b3a', dash: '2 3' },
  { colour: '#8a5a00', dash: '10 3 2 3' },
]

/** A whole SVG document. */
export function chartSvg(chart: Chart): string {
  const { x, y, title } = chart
  const parts = [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${SIZE.width} ${SIZE.height}" role="img" aria-label="${escaped(title)}" font-family="sans-serif" font-size="12">`,
    `<title>${escaped(title)}</title>`,
    `<rect width="${SIZE.width}" height="${SIZE.height}" fill="#fff"/>`,
    `<text x="${SIZE.left}" y="24" font-size="15" font-weight="bold">${escaped(title)}</text>`,
    ...ticksOf(x).map((tick) => gridLine('x', placeOf(x, tick, 'x'), numberText(tick))),
    ...ticksOf(y).map((tick) => gridLine('y', placeOf(y, tick, 'y'), numberText(tick))),
    `<rect x="${SIZE.left}" y="${SIZE.top}" width="${PLOT.width}" height="${PLOT.height}" fill="none" stroke="#333"/>`,
    `<text x="${SIZE.left + PLOT.width / 2}" y="${SIZE.height - 14}" text-anchor="middle">${escaped(x.label)}</text>`,
    `<text transform="translate(18 ${SIZE.top + PLOT.height / 2}) rotate(-90)" text-anchor="middle">${escaped(y.label)}</text>`,
    ...chart.series.map((series, index) => pathOf(chart, series, index)),
    ...(chart.marks ?? []).map((mark) => markOf(chart, mark)),
    ...chart.series.map((series, index) => legendOf(series, index)),
    '</svg>',
  ]
  return `${parts.join('\n')}\n`
}

/** A histogram's outline: shares of the values in bins of equal width. */
export function histogramOf(values: ArrayLike<number>, from: number, to: number, bins = 80): [x: number, y: number][] {
  const counts = new Array<number>(bins).fill(0)
  for (let at = 0; at < values.length; at++) {
    const bin = Math.min(bins - 1, Math.max(0, Math.floor((((values[at] as number) - from) / (to - from)) * bins)))
    counts[bin] = (counts[bin] ?? 0) + 1
  }
  const width = (to - from) / bins
  return counts.flatMap((count, bin): [number, number][] => {
    const share = values.length === 0 ? 0 : count / values.length
    return [
      [from + bin * width, share],
      [from + (bin + 1) * width, share],
    ]
  })
}

function placeOf({ scale, from, to }: Axis, value: number, side: 'x' | 'y'): number {
  const inside = Math.min(Math.max(from, to), Math.max(Math.min(from, to), value))
  const share =
    scale === 'log' ? (Math.log10(inside) - Math.log10(from)) / (Math.log10(to) - Math.log10(from)) : (inside - from) / (to - from)
  return round(side === 'x' ? SIZE.left + share * PLOT.width : SIZE.top + (1 - share) * PLOT.height)
}

function ticksOf({ scale, from, to }: Axis): number[] {
  if (scale === 'log') {
    const first = Math.ceil(Math.log10(from) - 1e-9)
    const last = Math.floor(Math.log10(to) + 1e-9)
    return Array.from({ length: Math.max(0, last - first + 1) }, (_, step) => 10 ** (first + step))
  }
  const rough = (to - from) / 8
  const power = 10 ** Math.floor(Math.log10(rough))
  const step = [1, 2, 5, 10].map((times) => times * power).find((each) => each >= rough) ?? rough
  const start = Math.ceil(from / step - 1e-9)
  return Array.from({ length: Math.floor(to / step + 1e-9) - start + 1 }, (_, index) => Number(((start + index) * step).toPrecision(6)))
}

function gridLine(side: 'x' | 'y', place: number, label: string): string {
  const bottom = SIZE.top + PLOT.height
  const [line, text] =
    side === 'x'
      ? [`x1="${place}" x2="${place}" y1="${SIZE.top}" y2="${bottom}"`, `x="${place}" y="${bottom + 18}" text-anchor="middle"`]
      : [
          `x1="${SIZE.left}" x2="${SIZE.left + PLOT.width}" y1="${place}" y2="${place}"`,
          `x="${SIZE.left - 8}" y="${place + 4}" text-anchor="end"`,
        ]
  return `<line ${line} stroke="#ddd"/><text ${text}>${label}</text>`
}

function strokeOf(index: number): { colour: string; dash: string } {
  return STROKES[index % STROKES.length] ?? { colour: '#000', dash: '' }
}

function pathOf({ x, y }: Chart, { points, filled }: Series, index: number): string {
  const { colour, dash } = strokeOf(index)
  const places = points.map(([px, py]) => `${placeOf(x, px, 'x')} ${placeOf(y, py, 'y')}`)
  if (places.length === 0) return ''
  const bottom = SIZE.top + PLOT.height
  const [first, last] = [points[0]?.[0] ?? 0, points.at(-1)?.[0] ?? 0]
  const area = filled
    ? `<path d="M${placeOf(x, first, 'x')} ${bottom}L${places.join('L')}L${placeOf(x, last, 'x')} ${bottom}Z" fill="${colour}" fill-opacity=".2"/>`
    : ''
  const dashes = dash === '' ? '' : ` stroke-dasharray="${dash}"`
  return `${area}<path d="M${places.join('L')}" fill="none" stroke="${colour}" stroke-width="2"${dashes}/>`
}

function markOf({ x }: Chart, mark: { x: number; label: string }): string {
  const place = placeOf(x, mark.x, 'x')
  const line = `<line x1="${place}" x2="${place}" y1="${SIZE.top}" y2="${SIZE.top + PLOT.height}" stroke="#555" stroke-dasharray="4 3"/>`
  return `${line}<text transform="translate(${round(place - 5)} ${SIZE.top + PLOT.height - 8}) rotate(-90)">${escaped(mark.label)}</text>`
}

function legendOf({ name }: Series, index: number): string {
  const { colour, dash } = strokeOf(index)
  const y = SIZE.top + 18 + index * 18
  const right = SIZE.width - SIZE.right - 12
  const dashes = dash === '' ? '' : ` stroke-dasharray="${dash}"`
  return `<line x1="${right - 34}" x2="${right}" y1="${y}" y2="${y}" stroke="${colour}" stroke-width="2"${dashes}/><text x="${right - 40}" y="${y + 4}" text-anchor="end">${escaped(name)}</text>`
}

function numberText(value: number): string {
  if (value === 0) return '0'
  return Math.abs(value) < 1e-3 ? value.toExponential(0) : String(Number(value.toPrecision(4)))
}

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`)
}

function round(value: number): number {
  return Math.round(value * 100) / 100
}

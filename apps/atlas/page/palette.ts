// The colours of the stones: each zone has a range of hues, and its stones are spread over it, so
// that three replicas in three zones read as three families. Worked out in OKLCH, where equal
// steps look equal, and handed out as bytes for canvases and as CSS for everything else.

/** Red, green and blue, 0 to 255 each. */
export type Rgb = readonly [number, number, number]

/** Everything that is drawn with: read again when the theme changes. */
export interface Palette {
  readonly stones: readonly Rgb[]
  readonly paper: Rgb
  readonly ink: Rgb
  readonly line: Rgb
}

/** Where the hues of a zone begin, and how wide they spread, in degrees. */
const HUES = [
  { from: 205, span: 85 },
  { from: 88, span: 72 },
  { from: -12, span: 68 },
] as const

const STONES = 24

/** The palette of the theme that is on now. */
export function readPalette(isDark: boolean): Palette {
  const style = getComputedStyle(document.documentElement)
  const named = (name: string): Rgb => parseHex(style.getPropertyValue(name).trim())
  return {
    stones: Array.from({ length: STONES }, (_, number) => stoneColour(number, isDark)),
    paper: named('--panel'),
    ink: named('--ink'),
    line: named('--line'),
  }
}

/** A colour as CSS. */
export function css([red, green, blue]: Rgb, alpha = 1): string {
  return `rgb(${red} ${green} ${blue} / ${alpha})`
}

/** `part` of the way from one colour to another. */
export function mix(from: Rgb, to: Rgb, part: number): Rgb {
  const channel = (i: 0 | 1 | 2): number => Math.round(from[i] + (to[i] - from[i]) * part)
  return [channel(0), channel(1), channel(2)]
}

/** A colour as the 32 bits of an opaque pixel, on the little-endian machines there are. */
export function pixel([red, green, blue]: Rgb): number {
  return (0xff000000 | (blue << 16) | (green << 8) | red) >>> 0
}

function stoneColour(number: number, isDark: boolean): Rgb {
  const { from, span } = HUES[number % 3]!
  const place = Math.floor(number / 3)
  const hue = from + span * bitReversed(place)
  // Neighbours in hue differ in lightness too, for those who see few hues; the second dozen, whose
  // hues fall between those of the first, differ more.
  const step = place < 4 ? (place % 2 === 0 ? 0.04 : -0.04) : place % 2 === 0 ? -0.13 : 0.11
  return oklch((isDark ? 0.75 : 0.58) + step, place < 4 ? 0.13 : 0.1, hue)
}

/** 0, 1/2, 1/4, 3/4, …: each next stone falls into the widest gap left. */
function bitReversed(place: number): number {
  return (((place & 1) << 2) | (place & 2) | ((place & 4) >> 2)) / 7
}

function parseHex(hex: string): Rgb {
  const value = Number.parseInt(hex.slice(1), 16)
  return [(value >> 16) & 255, (value >> 8) & 255, value & 255]
}

/** The matrices are those of Björn Ottosson, "A perceptual color space for image processing". */
function oklch(lightness: number, chroma: number, hueDegrees: number): Rgb {
  const a = chroma * Math.cos((hueDegrees * Math.PI) / 180)
  const b = chroma * Math.sin((hueDegrees * Math.PI) / 180)
  const long = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3
  const medium = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3
  const short = (lightness - 0.0894841775 * a - 1.291485548 * b) ** 3
  return [
    gamma(4.0767416621 * long - 3.3077115913 * medium + 0.2309699292 * short),
    gamma(-1.2684380046 * long + 2.6097574011 * medium - 0.3413193965 * short),
    gamma(-0.0041960863 * long - 0.7034186147 * medium + 1.707614701 * short),
  ]
}

function gamma(linear: number): number {
  const clipped = Math.min(1, Math.max(0, linear))
  const encoded = clipped <= 0.0031308 ? 12.92 * clipped : 1.055 * clipped ** (1 / 2.4) - 0.055
  return Math.round(encoded * 255)
}

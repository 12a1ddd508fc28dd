// How numbers read in the terminal: always the same way, whatever the locale of the machine.

const WHOLE = new Intl.NumberFormat('en', { maximumFractionDigits: 0 })

/** 135233 as `135,233`. */
export function whole(value: number): string {
  return WHOLE.format(value)
}

/** 0.08312 as `8.31 %`. */
export function percent(fraction: number): string {
  return `${(fraction * 100).toFixed(2)} %`
}

/** 22315474 as `22.3 M`, 3133000000 as `3.13 bn`: people. */
export function people(count: number): string {
  return count < 1e9 ? `${(count / 1e6).toFixed(1)} M` : `${(count / 1e9).toFixed(2)} bn`
}

/** 12.345 as `12.3 ms`. */
export function milliseconds(ms: number): string {
  return `${ms.toFixed(ms < 10 ? 2 : 1)} ms`
}

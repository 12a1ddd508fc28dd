// Finds ambient time and randomness: what a simulated world cannot control, and a seed not replay.
// It may stand only as the default value of an option (`now = Date.now`), or as the type or
// signature of one. Patching globals as fake timers do would not do: it misses node:timers,
// AbortSignal.timeout and crypto.

const AMBIENT = new RegExp(
  [
    String.raw`\bDate\.now\b`,
    String.raw`\bnew Date\(\s*\)`,
    String.raw`\bMath\.random\b`,
    String.raw`(?<![.\w])performance\b`,
    String.raw`(?<![.\w])(?:set|clear)(?:Timeout|Interval|Immediate)\b`,
    String.raw`(?<![.\w])queueMicrotask\b`,
    String.raw`(?<![.\w])crypto\b`,
    String.raw`\bAbortSignal\.timeout\b`,
    String.raw`\bprocess\.hrtime\b`,
    "'node:(?:timers|perf_hooks|crypto)",
  ].join('|'),
  'gu',
)

/** The options through which time and randomness come in, see DESIGN.md. */
const OPTION =
  /\b(?:now|monotonic|random|randomBytes|timers|(?:set|clear)Timeout)\??\s*(?:=|:|\?\?)/u
const SIGNATURE = /^\s*(?:readonly )?(?:set|clear)Timeout(?:\(\w+\??: .*\): \w|\??: )/u
const BLOCK_COMMENT = /\/\*.*?\*\//gsu
const LINE_COMMENT = /(?<!:)\/\/.*$/gmu

/** Source with its comments blanked out, line for line. */
export function withoutComments(source) {
  return source
    .replaceAll(BLOCK_COMMENT, (text) => text.replaceAll(/[^\n]/gu, ' '))
    .replaceAll(LINE_COMMENT, '')
}

/**
 * The lines of TypeScript source that reach for ambient time or randomness.
 *
 * @param {string} source
 * @returns {{ line: number, found: string }[]}
 */
export function ambientUses(source) {
  return withoutComments(source)
    .split('\n')
    .flatMap((code, i) => {
      const uses = [...code.matchAll(AMBIENT)].filter((match) => {
        return !OPTION.test(code.slice(0, match.index)) && !SIGNATURE.test(code)
      })
      return uses.map((match) => ({ line: i + 1, found: match[0] }))
    })
}

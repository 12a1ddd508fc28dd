import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { type Scenario, SimulationFailure } from '../src/index.ts'
import { checkLaw, sim } from '../src/vitest.ts'
import { registerWorld } from './toy-register.ts'

const options = { runs: 2000, horizonMs: 800, kinds: ['crash', 'loss', 'pause'] } as const
const nothing = () => {}

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ashlar-sim-'))
  for (const name of ['SIM_RUNS', 'SIM_SEED', 'SIM_TOTALS', 'CI']) vi.stubEnv(name, '')
})
afterEach(() => {
  vi.unstubAllEnvs()
  rmSync(folder, { recursive: true, force: true })
})

const corpusFile = () => join(folder, 'seeds', 'laws.json')
const read = (file: string) => JSON.parse(readFileSync(file, 'utf8'))
const failureOf = (law: string, given: object, world: (s: Scenario) => void) =>
  checkLaw(law, { ...options, corpus: corpusFile(), ...given }, world).then(
    () => expect.unreachable('it did not fail'),
    (error: Error) => error,
  )

describe('a law', () => {
  sim.test('is a test', { runs: 3, horizonMs: 10, corpus: false, timeoutMs: 5000 }, (s) => {
    s.invariant('time goes on', () => s.elapsedMs() >= 0)
  })

  test('that holds says of how much it held', async () => {
    const { runs, events } = await checkLaw(
      'the register keeps',
      { ...options, runs: 50, corpus: corpusFile() },
      registerWorld(false),
    )
    expect(runs).toBe(50)
    expect(events).toBeGreaterThan(50 * 60)
    expect(() => read(corpusFile())).toThrow('ENOENT')
  })

  test('that fails is shrunk, says how to replay, and goes to the corpus', async () => {
    const failure = await failureOf('the register keeps', {}, registerWorld(true))
    if (!(failure instanceof SimulationFailure)) throw failure
    expect(failure.message).toMatch(/^the register keeps \(run \d+ of 2000, shrunk in \d+ more\): /)
    expect(failure.message).toContain('\nreplay: simulate({ seed: ')
    const { seed, horizonMs, faults, code } = failure
    expect(faults).toHaveLength(1)
    const entry = { law: 'the register keeps', seed, horizonMs, faults, code }
    expect(read(corpusFile())).toEqual([entry])
    // A second law goes behind the first.
    await failureOf('another law', { runs: 5000, seed: seed + 1 }, registerWorld(true))
    expect(read(corpusFile())).toHaveLength(2)
    expect(readdirSync(folder, { recursive: true })).toEqual(['seeds', join('seeds', 'laws.json')])
  })

  test('is replayed from the corpus before any new seed', async () => {
    const first = await failureOf('law', {}, registerWorld(true))
    const again = await failureOf('law', { runs: 0 }, registerWorld(true))
    expect(again.message).toContain(`law (known failure of ${corpusFile()})`)
    expect(again.message).toContain((first as SimulationFailure).replay)
    await checkLaw('other law', { ...options, runs: 0, corpus: corpusFile() }, registerWorld(true))
    await checkLaw('law', { ...options, runs: 5, corpus: corpusFile() }, registerWorld(false))
    expect(read(corpusFile())).toHaveLength(1)
  })

  test('writes no corpus in CI, nor when told not to', async () => {
    await failureOf('law', { corpus: false }, registerWorld(true))
    vi.stubEnv('CI', 'true')
    await failureOf('law', {}, registerWorld(true))
    expect(() => read(corpusFile())).toThrow('ENOENT')
  })

  test('keeps its corpus next to the test file, if nothing is said', async () => {
    const read = vi.spyOn(process, 'getBuiltinModule')
    const asked: string[] = []
    read.mockReturnValue({
      existsSync: (path: string) => {
        asked.push(path)
        return false
      },
    } as never)
    await checkLaw('law', { runs: 1, horizonMs: 1 }, nothing)
    read.mockRestore()
    expect(asked).toEqual([join(import.meta.dirname, 'seeds', 'vitest.json')])
  })

  test('refuses a corpus that is none', async () => {
    const file = join(folder, 'bad.json')
    const refusal = () => checkLaw('law', { runs: 1, corpus: file }, nothing).catch((e) => e)
    const whole = { law: 'x', seed: 1, horizonMs: 1, faults: [] }
    const broken = [null, 1, ...Object.keys(whole).map((field) => ({ ...whole, [field]: null }))]
    for (const text of ['{}', 'null', ...broken.map((each) => JSON.stringify([whole, each]))]) {
      writeFileSync(file, text)
      expect(await refusal()).toMatchObject({
        code: 'ERR_SIM_CORPUS',
        message:
          `${file} must be an array of failures: ` +
          '[{ "law": …, "seed": …, "horizonMs": …, "faults": […], "code": … }]',
      })
    }
    writeFileSync(file, '{')
    const { code, message } = await refusal()
    expect(code).toBe('ERR_SIM_CORPUS')
    expect(message).toContain(`${file} is no JSON: SyntaxError: `)
    const builtin = vi.spyOn(process, 'getBuiltinModule').mockReturnValue(undefined as never)
    const { message: lacking } = await refusal()
    builtin.mockRestore()
    expect(lacking).toBe('a corpus needs the file system of Node 20.19 or later')
  })

  test('fails when what should come true sometimes never does', async () => {
    const world = (s: Scenario) => {
      s.sometimes('rolled back', () => false)
      s.sometimes('begun', () => true)
    }
    const law = { runs: 5, horizonMs: 10, corpus: false } as const
    await expect(checkLaw('law', law, world)).rejects.toThrow(
      'law: in 5 runs it never came to "rolled back"',
    )
    await checkLaw('law', { ...law, mustReach: false }, world)
  })

  test('runs as often, from as far and with such totals as the environment says', async () => {
    const law = { runs: 5, horizonMs: 10, seed: 3, corpus: false } as const
    const seeds: number[] = []
    const world = (s: Scenario) => {
      seeds.push(s.seed)
      s.node('a', (env) => env.sleep(1))
    }
    const runsOf = async (wish: string) => {
      vi.stubEnv('SIM_RUNS', wish)
      return (await checkLaw('law', law, world)).runs
    }
    expect([await runsOf(''), await runsOf('7'), await runsOf('2x'), await runsOf('0.1x')]).toEqual(
      [...[5, 7, 10, 1]],
    )
    expect(seeds.slice(0, 5)).toEqual([3, 4, 5, 6, 7])
    for (const wish of ['many', '-1', ' ', '-1x', 'x']) {
      await expect(runsOf(wish)).rejects.toMatchObject({ code: 'ERR_SIM_OPTION' })
    }
    vi.stubEnv('SIM_RUNS', '2')
    vi.stubEnv('SIM_SEED', '900')
    vi.stubEnv('SIM_TOTALS', join(folder, 'totals.jsonl'))
    seeds.length = 0
    const found = await checkLaw('a', law, world)
    await checkLaw('b', law, world)
    expect(seeds).toEqual([900, 901, 900, 901])
    const lines = readFileSync(join(folder, 'totals.jsonl'), 'utf8').trim().split('\n')
    const faults = Object.values(found.injected).reduce((a, b) => a + b, 0)
    const { events, simulatedMs } = found
    const line = { runs: 2, events, simulatedMs, faults, failures: 0 }
    expect(lines.map((each) => JSON.parse(each))).toEqual([
      { law: 'a', ...line },
      { law: 'b', ...line },
    ])
  })
})

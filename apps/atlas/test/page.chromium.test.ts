import { base32 } from '@ashlar/id'
import { HashRing } from '@ashlar/ring'
import type { Browser, Page } from 'playwright'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { City } from '../src/city.ts'
import { readCities } from '../src/city-file.ts'
import type { CityShards } from '../src/city-shards.ts'
import { PageServer } from '../src/page-server.ts'
import { RACERS } from '../src/racer.ts'
import type { Registry } from '../src/registry.ts'
import { STONES, type Stone } from '../src/stone.ts'
import { launchChromium, type OpenPage, openPage } from './chromium-page.ts'
import { exhibitsOf, registryOf, shardsOf } from './exhibits.ts'

/** A page with every city on it takes its time where other tests run beside this one. */
const PATIENT = { timeout: 15_000 }

let browser: Browser
let cities: City[]
let registry: Registry
let shards: CityShards

let ring: HashRing<Stone>
let server: PageServer
let opened: OpenPage
let page: Page
let complaints: readonly string[]

beforeAll(async () => {
  cities = await readCities(() => {})
  registry = await registryOf(cities)
  shards = await shardsOf(cities.slice(0, 2_000))
  browser = await launchChromium()
})

afterAll(async () => {
  await browser?.close()
  await shards?.close()
})

beforeEach(async () => {
  ring = new HashRing(STONES.slice(0, 12))
  server = new PageServer(exhibitsOf(cities, ring, { registry, shards }))
  opened = await openPage(browser, await server.listen(0))
  page = opened.page
  complaints = opened.complaints
})

afterEach(async () => {
  await opened.close()
  await server.close()
})

/** A hash of what is painted on a canvas of a picture: 0 for the ground, 1 for the dots. */
function painted(id: string, layer: 0 | 1): Promise<{ hash: number; inked: number }> {
  return page
    .locator(`#${id} canvas`)
    .nth(layer)
    .evaluate((canvas: HTMLCanvasElement) => {
      // Read from a copy: reading the page's own canvas would change how the browser keeps it.
      const copy = new OffscreenCanvas(canvas.width, canvas.height).getContext('2d')!
      copy.drawImage(canvas, 0, 0)
      const { data } = copy.getImageData(0, 0, canvas.width, canvas.height)
      const pixels = new Uint32Array(data.buffer)
      let [hash, inked] = [0, 0]
      for (const pixel of pixels) {
        hash = (Math.imul(hash, 31) + pixel) | 0
        if (pixel !== 0) inked++
      }
      return { hash, inked }
    })
}

/** Waits until the change that the page has just told of has calmed down in the pictures. */
async function calm(): Promise<void> {
  await page.locator('body:not(.is-moving)').waitFor()
}

const figure = (id: string): Promise<string | null> => page.locator(`#${id}`).textContent()

describe('the page', () => {
  test('draws the ring and the world from the real data', async () => {
    expect(await figure('city-count')).toBe('135,233')
    expect(await page.locator('#nodes tr').count()).toBe(12)
    expect(await page.locator('#celebrities tr').count()).toBe(10)
    expect(await figure('fingerprint')).toBe(ring.fingerprint())
    expect((await painted('ring', 0)).inked).toBeGreaterThan(10_000)
    expect((await painted('ring', 1)).inked).toBeGreaterThan(20_000)
    expect((await painted('map', 1)).inked).toBeGreaterThan(10_000)
    expect(complaints).toEqual([])
  })

  test('shows what a new node moves, in the ring, the world and the figures', async () => {
    const pictures = ['ring', 'map', 'lens'] as const
    const before = await Promise.all(pictures.map((id) => painted(id, 1)))
    const rim = await painted('ring', 0)
    await page.getByRole('button', { name: 'Add jade' }).click()
    await page.locator('#news', { hasText: 'jade joined' }).waitFor()
    expect(await figure('node-count')).toBe('13')
    expect(await figure('collateral')).toBe('0')
    const moved = cities.filter(({ key }) => ring.get(key)?.id === 'jade').length
    expect(await figure('moved')).toBe(moved.toLocaleString('en'))
    await calm()
    const after = await Promise.all(pictures.map((id) => painted(id, 1)))
    for (const [i, { hash }] of after.entries()) expect(hash).not.toBe(before[i]!.hash)
    expect((await painted('ring', 0)).hash).not.toBe(rim.hash)
    expect(complaints).toEqual([])
  })

  test('comes back to the same picture when the node leaves again', async () => {
    const before = [await painted('ring', 0), await painted('map', 1)]
    await page.getByRole('button', { name: 'Add jade' }).click()
    await page.locator('#news', { hasText: 'jade joined' }).waitFor()
    await page.getByRole('button', { name: 'Remove jade' }).click()
    await page.locator('#news', { hasText: 'jade left' }).waitFor()
    await page.mouse.move(0, 0)
    await calm()
    expect([await painted('ring', 0), await painted('map', 1)]).toEqual(before)
    expect(complaints).toEqual([])
  })

  test('is driven by the keyboard alone, and keeps the focus', async () => {
    const focused = page.locator(':focus')
    const chapters = ['Place', 'Identify', 'Version', 'Serve', 'Survive', 'Store', 'Keep']
    for (const chapter of chapters) {
      await page.keyboard.press('Tab')
      expect(await focused.textContent()).toBe(chapter)
    }
    await page.keyboard.press('Tab')
    expect(await focused.getAttribute('id')).toBe('add')
    await page.keyboard.press('Enter')
    await page.locator('#news', { hasText: 'jade joined' }).waitFor()
    expect(await focused.textContent()).toBe('Add onyx')
    await page.keyboard.press('Tab')
    expect(await focused.getAttribute('id')).toBe('lens-at')
    const note = await figure('lens-note')
    await page.keyboard.press('ArrowRight')
    await expect.poll(() => figure('lens-note'), PATIENT).not.toBe(note)
    await page.keyboard.press('Tab')
    expect(await focused.textContent()).toBe('granite')
    await page.keyboard.press('Space')
    expect(await focused.getAttribute('aria-pressed')).toBe('true')
    await page.keyboard.press('Tab')
    expect(await focused.getAttribute('aria-label')).toBe('Remove granite')
    await page.keyboard.press('Enter')
    await page.locator('#news', { hasText: 'granite left' }).waitFor()
    expect(await focused.evaluate((element) => element.tagName)).toBe('BUTTON')
    expect(complaints).toEqual([])
  })

  test('shows one node alone while it is pointed at', async () => {
    const all = await painted('map', 1)
    await page.locator('#nodes tr').nth(2).hover()
    await expect.poll(async () => (await painted('map', 1)).hash, PATIENT).not.toBe(all.hash)
    await page.mouse.move(0, 0)
    await expect.poll(async () => (await painted('map', 1)).hash, PATIENT).toBe(all.hash)
  })

  test('fits a narrow screen, in the dark as well', async () => {
    await page.setViewportSize({ width: 390, height: 844 })
    await page.emulateMedia({ colorScheme: 'dark' })
    const overflow = () =>
      page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth)
    await expect.poll(overflow, PATIENT).toBe(0)
    expect((await painted('ring', 1)).inked).toBeGreaterThan(10_000)
    expect(complaints).toEqual([])
  })

  test('says what is wrong where the server is gone', async () => {
    await server.close()
    await page.getByRole('button', { name: 'Add jade' }).click()
    await expect.poll(() => figure('news'), PATIENT).toMatch(/fetch/iu)
    expect(await page.getByRole('button', { name: 'Add jade' }).isEnabled()).toBe(true)
  })
})

describe('the chapter of the ids', () => {
  test('takes the id of a city apart: of one pointed at, chosen, or any', async () => {
    const index = cities.findIndex(({ name }) => name === 'Shanghai')
    const id = registry.ids[index]!
    expect(await figure('id-name')).toBe('Shanghai')
    expect(await figure('id-decimal')).toBe(String(id))
    expect(await figure('id-base32')).toBe(base32.encode(id))
    expect(await figure('id-bits')).toBe(id.toString(2).padStart(64, '0'))
    expect(await page.locator('#id-bits .worker').count()).toBe(10)
    const { pod } = registry.tenures[registry.givers[index]!]!
    expect(await figure('id-fields')).toContain(`leased by ${pod}`)
    expect((await painted('id-map', 1)).inked).toBeGreaterThan(5_000)
    expect(await page.locator('#lanes .lease').count()).toBe(registry.tenures.length)
    expect(await page.locator('#lane-events li').count()).toBe(6)

    const box = page.locator('#id-map')
    await box.scrollIntoViewIfNeeded()
    const { width, height } = (await box.boundingBox())!
    await box.hover({ position: { x: width * 0.5, y: height * 0.22 } })
    await expect.poll(() => figure('id-name'), PATIENT).not.toBe('Shanghai')
    const pointed = await figure('id-decimal')
    const found = registry.ids.indexOf(BigInt(pointed!))
    expect(await figure('id-name')).toBe(cities[found]!.name)
    await page.locator('#id-city').selectOption({ label: 'Mumbai' })
    await expect.poll(() => figure('id-name'), PATIENT).toBe('Mumbai')
    await page.getByRole('button', { name: 'Any city' }).click()
    await expect.poll(() => figure('id-name'), PATIENT).not.toBe('Mumbai')
    expect(complaints).toEqual([])
  })
})

describe('the chapter of the versions', () => {
  const values = (office: string) =>
    page.locator(`[data-office="${office}"] .value b`).allTextContents()
  const events = () => page.locator('#diagram .happening').count()

  test('shows both values after an edit in both offices, one after the resolution', async () => {
    const before = await values('lima')
    expect(before).toEqual(['22,315,474'])
    const resolve = page.getByRole('button', { name: 'Resolve in Rome' })
    expect(await resolve.isDisabled()).toBe(true)
    await page.getByRole('button', { name: 'Edit in both offices' }).focus()
    await page.keyboard.press('Enter')
    await page.locator('#desk-news', { hasText: 'side by side' }).waitFor()
    for (const office of ['oslo', 'rome', 'lima']) {
      expect(await values(office)).toEqual(['22,316,474', '22,313,474'])
    }
    expect(await events()).toBe(9)
    const focused = page.locator(':focus')
    expect(await focused.getAttribute('id')).toBe('edit-both')
    await page.keyboard.press('Tab')
    await page.keyboard.press('Enter')
    await page.locator('#desk-news', { hasText: 'one value' }).waitFor()
    expect(await focused.getAttribute('id')).toBe('edit-both')
    const after = await Promise.all(['oslo', 'rome', 'lima'].map(values))
    expect(after).toEqual([['22,316,474'], ['22,316,474'], ['22,316,474']])
    expect(await events()).toBe(12)
    expect(await figure('event')).toContain('Rome settles Shanghai on 22,316,474')
    expect(complaints).toEqual([])
  })

  test('tells what is concurrent with an event, by mouse and by keys, of any city', async () => {
    await page.getByRole('button', { name: 'Edit in both offices' }).click()
    await page.locator('#desk-news', { hasText: 'side by side' }).waitFor()
    await page.locator('[data-event="3"]').hover()
    expect(await figure('event')).toContain('Oslo sets Shanghai')
    expect(await figure('event')).toContain('1 before, 4 after, 3 concurrent')
    expect(await figure('event')).toContain('{oslo 2}')
    const apart = page.locator('.happening:has(g.is-apart)')
    const concurrent = await apart.evaluateAll((all) => {
      return all.map((event) => (event as SVGElement).dataset.event)
    })
    expect(concurrent).toEqual(['1', '2', '4'])
    await page.mouse.move(0, 0)
    await page.locator('#diagram svg').focus()
    await page.keyboard.press('ArrowRight')
    expect(await figure('event')).toContain('Rome sets Shanghai')
    await page.keyboard.press('ArrowRight')
    expect(await figure('event')).toContain('Event 6')

    await page.locator('#desk-city').selectOption({ label: 'Mumbai, IN' })
    await page.getByRole('button', { name: 'Edit in Oslo alone' }).click()
    await page.locator('#desk-news', { hasText: 'one value for Mumbai' }).waitFor()
    expect(await values('rome')).toEqual(['12,692,836'])
    await page.locator('#desk-city').selectOption({ label: 'Shanghai, CN' })
    expect(await values('rome')).toEqual(['22,316,474', '22,313,474'])
  })
})

describe('the chapter of the caches', () => {
  const hits = async (): Promise<number[]> => {
    const texts = await page.locator('#standings .hits').allTextContents()
    return texts.map((text) => Number.parseFloat(text))
  }

  test('plays the race when asked to, stops, and starts again with other caches', async () => {
    const play = page.locator('#race-play')
    expect(await play.textContent()).toBe('Play')
    expect(await page.locator('#standings tr').count()).toBe(RACERS.length)
    expect(await hits()).toEqual(RACERS.map(() => 0))
    await play.focus()
    await page.keyboard.press('Enter')
    await expect.poll(() => page.locator('#race-chart .curve').count(), PATIENT).toBe(RACERS.length)
    expect(await play.textContent()).toBe('Pause')
    await page.keyboard.press('Enter')
    await expect.poll(() => play.textContent(), PATIENT).toBe('Play')
    const note = await figure('race-note')
    expect(note).toMatch(/^[\d,]+ of 120,000 requests/u)
    expect(Math.min(...(await hits()))).toBeGreaterThan(1)

    await page.locator('#race-capacity').selectOption({ label: 'room for 2,000' })
    await expect.poll(() => figure('race-note'), PATIENT).toMatch(/^0 of .* 2,000 cities fit in/u)
    expect(await page.locator('#race-chart .curve').count()).toBe(0)
    expect(complaints).toEqual([])
  })

  test('lets the chosen policy serve, which is drawn on top', async () => {
    await page.locator('#race-play').click()
    await expect.poll(() => page.locator('#race-chart .curve').count(), PATIENT).toBe(RACERS.length)
    await page.getByRole('button', { name: 'SIEVE' }).click()
    expect(await figure('serving-title')).toBe('Served from the cache: SIEVE')
    expect(await page.locator('#race-chart .curve').last().getAttribute('data-lane')).toBe('sieve')
    expect(await page.locator('#standings [aria-pressed="true"]').textContent()).toBe('SIEVE')
    await page.locator('#race-restart').click()
    await expect.poll(() => figure('race-note'), PATIENT).toMatch(/^0 of /u)
    expect(complaints).toEqual([])
  })
})

describe('the chapter of the breaker', () => {
  const now = () => page.locator('#machine .is-now .state-name').textContent()

  test('kills a node and brings it back, by the keyboard, and shows what happens', async () => {
    await page.locator('#survive').scrollIntoViewIfNeeded()
    await page.locator('[data-guard="marble"]').focus()
    await page.keyboard.press('Enter')
    expect(await figure('machine-title')).toBe('The breaker of marble')
    expect(await now()).toBe('closed')
    await expect.poll(() => page.locator('#window .well').count(), PATIENT).toBe(10)
    const focused = page.locator(':focus')
    await page.getByRole('button', { name: 'Kill marble' }).focus()
    await page.keyboard.press('Enter')
    await page.locator('#fleet-news', { hasText: 'marble is dead' }).waitFor()
    expect(await focused.getAttribute('id')).toBe('bring-back')
    await expect.poll(now, PATIENT).toBe('open')
    await expect.poll(() => page.locator('#answers .refused').count(), PATIENT).toBeGreaterThan(0)
    expect(await page.locator('#answers .failed').count()).toBeGreaterThan(0)
    expect(await page.locator('#answers').getAttribute('aria-label')).toMatch(
      /[1-9]\d* stale at once/u,
    )
    const others = page.locator('.guard:not([data-guard="marble"])')
    expect(new Set(await others.locator('.guard-state').allTextContents())).toEqual(
      new Set(['closed']),
    )
    await page.keyboard.press('Enter')
    await page.locator('#fleet-news', { hasText: 'marble is back' }).waitFor()
    await expect.poll(now, PATIENT).toBe('closed')
    expect(await page.locator('#answers .band.open').count()).toBeGreaterThan(0)
    expect(complaints).toEqual([])
  })

  test('takes no look from before a change for what is now', async () => {
    await page.locator('#survive').scrollIntoViewIfNeeded()
    const news = page.locator('#fleet-news', { hasText: 'is dead' })
    let held = 0
    // A look that was answered before the node died arrives only once its death is on the page.
    await page.route('**/fleet', async (route) => {
      const response = await route.fetch()
      if (held++ === 0) await news.waitFor()
      await route.fulfill({ response })
    })
    await expect.poll(() => held, PATIENT).toBe(1)
    await page.locator('#kill').focus()
    await page.keyboard.press('Enter')
    await news.waitFor()
    // It is looked again once that answer was taken or left.
    await expect.poll(() => held, PATIENT).toBeGreaterThan(1)
    expect(await page.evaluate(() => document.activeElement?.id)).toBe('bring-back')
    await page.unrouteAll({ behavior: 'wait' })
  })
})

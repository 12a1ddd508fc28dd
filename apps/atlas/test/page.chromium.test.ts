import { HashRing } from '@ashlar/ring'
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { CHROMIUM_ARGS } from '../../../tools/chromium.mjs'
import type { City } from '../src/city.ts'
import { readCities } from '../src/city-file.ts'
import { LiveAtlas } from '../src/live-atlas.ts'
import { PageServer } from '../src/page-server.ts'
import { STONES, type Stone } from '../src/stone.ts'

let browser: Browser
let cities: City[]

let ring: HashRing<Stone>
let server: PageServer
let context: BrowserContext
let page: Page
let complaints: string[]

beforeAll(async () => {
  cities = await readCities(() => {})
  const executablePath = process.env.CHROMIUM_BIN ?? '/usr/bin/chromium'
  browser = await chromium.launch({ executablePath, args: CHROMIUM_ARGS })
})

afterAll(() => browser?.close())

beforeEach(async () => {
  ring = new HashRing(STONES.slice(0, 12))
  server = new PageServer(new LiveAtlas(cities, ring))
  // No motion, so that a picture is either that of a change or that of calm.
  context = await browser.newContext({ reducedMotion: 'reduce' })
  complaints = []
  await open(await server.listen(0))
})

afterEach(async () => {
  await context.close()
  await server.close()
})

async function open(url: string): Promise<void> {
  page = await context.newPage()
  page.on('console', (message) => complaints.push(`${message.type()}: ${message.text()}`))
  page.on('pageerror', (error) => complaints.push(String(error)))
  page.on('requestfailed', (request) => complaints.push(`failed: ${request.url()}`))
  page.on('response', (response) => {
    if (!response.ok()) complaints.push(`${response.status()}: ${response.url()}`)
  })
  await page.goto(url)
  await page.locator('#nodes tr').first().waitFor()
  await page.locator('#lens-note', { hasText: 'arcs' }).waitFor()
}

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
    await page.keyboard.press('Tab')
    const focused = page.locator(':focus')
    expect(await focused.getAttribute('id')).toBe('add')
    await page.keyboard.press('Enter')
    await page.locator('#news', { hasText: 'jade joined' }).waitFor()
    expect(await focused.textContent()).toBe('Add onyx')
    await page.keyboard.press('Tab')
    expect(await focused.getAttribute('id')).toBe('lens-at')
    const note = await figure('lens-note')
    await page.keyboard.press('ArrowRight')
    await expect.poll(() => figure('lens-note')).not.toBe(note)
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
    await expect.poll(async () => (await painted('map', 1)).hash).not.toBe(all.hash)
    await page.mouse.move(0, 0)
    await expect.poll(async () => (await painted('map', 1)).hash).toBe(all.hash)
  })

  test('fits a narrow screen, in the dark as well', async () => {
    await page.setViewportSize({ width: 390, height: 844 })
    await page.emulateMedia({ colorScheme: 'dark' })
    const overflow = () =>
      page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth)
    await expect.poll(overflow).toBe(0)
    expect((await painted('ring', 1)).inked).toBeGreaterThan(10_000)
    expect(complaints).toEqual([])
  })

  test('says what is wrong where the server is gone', async () => {
    await server.close()
    await page.getByRole('button', { name: 'Add jade' }).click()
    await expect.poll(() => figure('news')).toMatch(/fetch/iu)
    expect(await page.getByRole('button', { name: 'Add jade' }).isEnabled()).toBe(true)
  })
})

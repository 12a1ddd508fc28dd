import type { Browser, BrowserContextOptions, Page } from 'playwright'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { dist } from '../scripts/built-site.ts'
import { launchChromium, open, type SitePage } from './site-page.ts'
import { StaticServer } from './static-server.ts'

/** What is tried on each playground. */
interface Trial {
  /** Its part of the address. */
  readonly name: string
  readonly path: string
  /** A click that changes something, and a key that does. */
  click(page: Page): Promise<void>
  press(page: Page): Promise<void>
  /** What is to be seen of the state. */
  look(page: Page): Promise<unknown>
}

const figure = (page: Page): Promise<string[]> => page.locator('.pg-figures dd').allTextContents()

const TRIALS: readonly Trial[] = [
  {
    name: 'ring',
    path: '/packages/ring.html',
    click: (page) => page.getByRole('button', { name: 'Remove slate' }).click(),
    press: (page) => page.getByRole('button', { name: 'More weight for granite' }).press('Enter'),
    look: async (page) => [
      await page.locator('.wheel .count').allTextContents(),
      await page.locator('.nodes tbody tr').allTextContents(),
    ],
  },
  {
    name: 'id',
    path: '/packages/id.html',
    click: async (page) => {
      await page.getByRole('button', { name: 'Pull back' }).click()
      await page.getByRole('button', { name: 'Step 1 ms' }).click()
    },
    press: (page) => page.getByRole('slider', { name: 'maxHoldMs' }).press('ArrowLeft'),
    look: async (page) => [await figure(page), await page.locator('.bit').allTextContents()],
  },
  {
    name: 'clock',
    path: '/packages/clock.html',
    click: (page) => page.getByRole('button', { name: /^write b at/u }).click(),
    press: async (page) => {
      await page.locator('.event[tabindex="0"]').press('ArrowRight')
      await page.locator('.event:focus').press('Delete')
    },
    look: async (page) => [
      await page.locator('.event').evaluateAll((all) => all.map((one) => one.ariaLabel)),
      await page.locator('.told').textContent(),
    ],
  },
  {
    name: 'cache',
    path: '/packages/cache.html',
    click: (page) => page.getByRole('checkbox', { name: 'FIFO', exact: true }).click(),
    press: (page) => page.getByRole('slider', { name: 'Room for' }).press('ArrowRight'),
    look: (page) => page.locator('.race tbody tr').allTextContents(),
  },
  {
    name: 'breaker',
    path: '/packages/breaker.html',
    click: (page) => page.getByRole('button', { name: '20 steps' }).click(),
    press: (page) => page.getByRole('slider', { name: 'Calls that fail' }).press('Home'),
    look: async (page) => [
      await figure(page),
      await page.locator('.pg-slide b').allTextContents(),
      await page.locator('.playground .news').textContent(),
    ],
  },
  {
    name: 'reshard',
    path: '/packages/shard.html',
    click: async (page) => {
      await page.getByRole('button', { name: 'Crash the worker' }).click()
      await page.getByRole('button', { name: 'Step', exact: true }).click()
      await page.getByText('No worker').waitFor()
    },
    press: async (page) => {
      await page.getByRole('slider', { name: 'Operations' }).press('ArrowLeft')
      await page.getByRole('button', { name: 'Another worker' }).press('Enter')
      await page.getByRole('button', { name: '20 steps' }).press('Enter')
      await page.getByRole('button', { name: 'Crash the worker' }).and(enabled(page)).waitFor()
    },
    look: async (page) => [
      await figure(page),
      await page.locator('.playground tbody tr').allTextContents(),
      await page.locator('.playground .news').textContent(),
    ],
  },
]

let browser: Browser
let server: StaticServer
let site: string

beforeAll(async () => {
  server = new StaticServer(dist)
  site = await server.listen()
  browser = await launchChromium()
})

afterAll(async () => {
  await browser?.close()
  await server?.close()
})

const enabled = (page: Page) => page.locator('button:enabled')

async function stage(path: string, options: BrowserContextOptions = {}): Promise<SitePage> {
  const opened = await open(browser, site + path, {
    viewport: { width: 1280, height: 900 },
    ...options,
  })
  opened.page.setDefaultTimeout(15_000)
  await opened.page.locator('.pg-bar').first().waitFor()
  return opened
}

/** The address once it holds the state: it is written a moment after the last change. */
async function addressOf(page: Page, name: string): Promise<string> {
  const search = (): string => new URL(page.url()).search
  await expect.poll(search, { timeout: 20_000 }).toContain(`${name}=seed:`)
  await page.waitForTimeout(600)
  return search()
}

describe.each(TRIALS)('the playground of $name', ({ name, path, click, press, look }) => {
  test('answers a click and a key, and its address brings it all back', async () => {
    const first = await stage(path)
    // Where no motion is wanted there is no play, only steps.
    expect(await first.page.locator('.pg-play').count()).toBe(0)
    const seen = [await look(first.page)]
    await click(first.page)
    seen.push(await look(first.page))
    await press(first.page)
    seen.push(await look(first.page))
    expect(seen[1]).not.toEqual(seen[0])
    expect(seen[2]).not.toEqual(seen[1])
    const search = await addressOf(first.page, name)
    expect(first.complaints).toEqual([])
    await first.close()

    const again = await stage(path + search)
    await expect.poll(() => look(again.page)).toEqual(seen[2])
    expect(again.complaints).toEqual([])
    await again.close()
  })

  test('plays and pauses by the keyboard, and goes on from there', async () => {
    const { page, complaints, close } = await stage(path, { reducedMotion: 'no-preference' })
    const play = page.locator('.pg-play')
    await play.focus()
    await page.keyboard.press('Enter')
    await expect.poll(() => play.textContent()).toContain('Pause')
    const before = await look(page)
    await expect.poll(() => look(page), { timeout: 10_000 }).not.toEqual(before)
    await page.keyboard.press('Enter')
    await expect.poll(() => play.textContent()).toContain('Play')
    await page.waitForTimeout(900)
    const still = await look(page)
    await page.waitForTimeout(300)
    expect(await look(page)).toEqual(still)
    expect(complaints).toEqual([])
    await close()
  })

  test.each([1280, 390])('fits, and is as high as the place kept for it, at %d', async (width) => {
    const { page, close } = await stage(path, { viewport: { width, height: 844 } })
    const heights = (): Promise<[number, number]> =>
      page.locator('.playground-place').evaluate((place) => {
        const kept = Number.parseFloat(getComputedStyle(place).getPropertyValue('--height'))
        return [place.getBoundingClientRect().height, kept]
      })
    const [height, kept] = await heights()
    expect(height).toBe(kept)
    await click(page)
    await press(page)
    for (let i = 0; i < 3; i++) await page.getByRole('button', { name: /^\d+ steps$/u }).click()
    expect((await heights())[0]).toBe(kept)
    const overhang = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)
    expect(overhang).toBe(0)
    await close()
  })
})

describe('the space-time diagram', () => {
  test('takes a message that is dragged from line to line', async () => {
    const { page, close } = await stage('/packages/clock.html')
    await page.getByRole('button', { name: 'Clear' }).click()
    const diagram = page.locator('.diagram svg')
    // Clear of the bar at the top of the page.
    await diagram.evaluate((one) => one.scrollIntoView({ block: 'center' }))
    const box = (await diagram.boundingBox())!
    const at = (part: number, line: number) =>
      [box.x + box.width * part, box.y + box.height * [0.16, 0.5, 0.84][line]!] as const
    await page.mouse.move(...at(0.3, 0))
    await page.mouse.down()
    await page.mouse.move(...at(0.5, 2), { steps: 4 })
    await page.mouse.up()
    const labels = await page
      .locator('.event')
      .evaluateAll((all) => all.map((one) => one.ariaLabel))
    expect(labels).toHaveLength(2)
    expect(labels[0]).toMatch(/^send at oslo/u)
    expect(labels[1]).toMatch(/^receive at tokyo/u)
    await close()
  })

  test('moves an arrival by the arrow keys until it is in order', async () => {
    const path = '/packages/clock.html?clock=seed:1;mode:broadcast;casts:0o2.8,4r5.6'
    const { page, close } = await stage(path)
    const told = page.locator('.told .verdict')
    expect(await told.textContent()).toContain('1 message came before')
    const late = page.getByRole('button', { name: /^o1 at tokyo/u })
    for (let i = 0; i < 3; i++) await late.press('ArrowLeft')
    await expect.poll(() => told.textContent()).toContain('No message has had to wait')
    await close()
  })
})

test('an id that is typed is taken apart, and a bit that is pressed turns over', async () => {
  const { page, close } = await stage('/packages/id.html')
  await page.getByRole('combobox', { name: 'Layout' }).selectOption('discord')
  await page.getByRole('textbox', { name: 'An id' }).fill('175928847299117063')
  const fields = page.locator('.fields')
  expect(await fields.textContent()).toContain('2016-04-30 11:18:25.796')
  await page.getByRole('button', { name: 'sequence, bit 0: 1' }).press('Enter')
  expect(await page.getByRole('textbox', { name: 'An id' }).inputValue()).toBe('175928847299117062')
  await page.getByRole('textbox', { name: 'An id' }).fill('twelve')
  expect(await page.getByRole('alert').textContent()).toContain('twelve')
  await close()
})

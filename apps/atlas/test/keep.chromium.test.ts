import { HashRing } from '@ashlar/ring'
import type { Browser, Page } from 'playwright'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { City } from '../src/city.ts'
import { readCities } from '../src/city-file.ts'
import type { CityShards } from '../src/city-shards.ts'
import { type Exhibits, PageServer } from '../src/page-server.ts'
import { STONES } from '../src/stone.ts'
import { launchChromium, type OpenPage, openPage } from './chromium-page.ts'
import { exhibitsOf, registryOf, shardsOf } from './exhibits.ts'

let browser: Browser
let cities: City[]
let shards: CityShards
let exhibits: Exhibits
let server: PageServer
let opened: OpenPage
let page: Page

beforeAll(async () => {
  browser = await launchChromium()
  cities = (await readCities(() => {})).slice(0, 5_000)
})

afterAll(() => browser?.close())

beforeEach(async () => {
  shards = await shardsOf(cities)
  const registry = await registryOf(cities)
  exhibits = exhibitsOf(cities, new HashRing(STONES.slice(0, 12)), { registry, shards })
  server = new PageServer(exhibits)
  opened = await openPage(browser, await server.listen(0))
  page = opened.page
})

afterEach(async () => {
  await opened.close()
  await server.close()
  await exhibits.caches.close()
  await shards.close()
})

describe('the chapter of the cache servers', () => {
  const told = (text: string): Promise<void> =>
    page.locator('#caches [role=status]', { hasText: text }).waitFor()
  const focused = (): Promise<string | null> => page.locator(':focus').getAttribute('id')

  test('goes stale, loses a server and gets it back, by the keyboard', async () => {
    expect(await page.locator('#caches .column').count()).toBe(3)
    await page.locator('#ask-caches').focus()
    await page.keyboard.press('Enter')
    await told('A little later: 1,500 requests, nobody waited, 0 loads.')
    expect(await focused()).toBe('ask-caches')

    await page.locator('#go-stale').focus()
    await page.keyboard.press('Enter')
    await told('Everything stale, all at once: 3,000 requests, nobody waited')
    expect(await focused()).toBe('go-stale')
    const stale = page.locator('#crowds tbody tr').first()
    expect(await stale.locator('td').last().textContent()).toBe('3,000')

    const toggle = page.locator('#mortal-gneiss')
    await toggle.focus()
    await page.keyboard.press('Enter')
    await told('Gneiss is dead')
    expect(await focused()).toBe('mortal-gneiss')
    expect(await toggle.textContent()).toBe('Bring gneiss back')
    expect(await page.locator('[data-cache=gneiss]').textContent()).toContain('dead')
    await page.keyboard.press('Enter')
    await told('Gneiss is back, empty')
    expect(await toggle.textContent()).toBe('Kill gneiss')
    expect(await page.locator('#crowds tbody tr').count()).toBe(5)
    expect(opened.complaints).toEqual([])
  })

  test('shows the hit ratio of a server by its column', async () => {
    await page.locator('#mortal-limestone').click()
    await told('Limestone is dead')
    const { servers } = await exhibits.caches.figures()
    for (const { id, asked, hits, lost } of servers) {
      const heights = await page.locator(`[data-cache="${id}"]`).evaluate((box) => {
        const shaft = box.querySelector('.shaft')!
        return [shaft.clientHeight, box.querySelector('.filled')!.getBoundingClientRect().height]
      })
      expect(heights[1]! / heights[0]!).toBeCloseTo(hits / (asked + lost), 1)
    }
  })

  test.each([390, 700, 1_280])('fits into a window of %i pixels', async (width) => {
    await page.setViewportSize({ width, height: 900 })
    const over = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)
    expect(over).toBeLessThanOrEqual(0)
    const boxes = await page.locator('#caches button').evaluateAll((buttons) =>
      buttons.map((button) => {
        const { left, right } = button.getBoundingClientRect()
        return left >= 0 && right <= innerWidth
      }),
    )
    expect(boxes).toEqual([true, true, true, true, true])
  })
})

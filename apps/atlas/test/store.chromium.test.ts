import { HashRing } from '@ashlar/ring'
import type { Browser, Page } from 'playwright'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { City } from '../src/city.ts'
import { readCities } from '../src/city-file.ts'
import type { CityShards } from '../src/city-shards.ts'
import { LiveShards } from '../src/live-shards.ts'
import { PageServer } from '../src/page-server.ts'
import { STONES } from '../src/stone.ts'
import { answerAtOnce, launchChromium, type OpenPage, openPage } from './chromium-page.ts'
import { exhibitsOf, registryOf, shardsOf } from './exhibits.ts'

let browser: Browser
let cities: City[]
let shards: CityShards
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
  const ring = new HashRing(STONES.slice(0, 12))
  server = new PageServer(exhibitsOf(cities, ring, { registry, shards }))
  opened = await openPage(browser, await server.listen(0))
  page = opened.page
})

afterEach(async () => {
  await opened.close()
  await server.close()
  await shards.close()
})

describe('the chapter of the shards', () => {
  const requests = async (): Promise<number> => {
    const note = (await page.locator('#shards-note').textContent())!
    return Number(/([\d,]+) requests so far/u.exec(note)![1]!.replaceAll(',', ''))
  }

  test('serves, pins the hottest city and unpins it, by the keyboard', async () => {
    expect(await page.locator('#shards .column').count()).toBe(4)
    const before = await requests()
    const focused = page.locator(':focus')
    await page.locator('#ask-shards').focus()
    await page.keyboard.press('Enter')
    await page.locator('#store-news', { hasText: '2,000 more requests served' }).waitFor()
    expect(await requests()).toBe(before + 2_000)
    expect(await focused.getAttribute('id')).toBe('ask-shards')
    expect(await page.locator('#hot tr').count()).toBe(8)
    expect(await page.locator('#slots canvas').count()).toBe(1)

    const pin = page.locator('#pin')
    const name = (await pin.textContent())!.replace('Pin ', '')
    const home = await page.locator('#hot tr').first().locator('.chip').textContent()
    await pin.focus()
    await page.keyboard.press('Enter')
    await page.locator('#store-news', { hasText: `${name} has a slot of its own` }).waitFor()
    expect(await focused.getAttribute('id')).toBe('unpin')
    expect(await page.locator('#hot tr').first().textContent()).toContain('pinned')
    expect(await page.locator('#hot tr').first().locator('.chip').textContent()).not.toBe(home)
    expect(await page.locator('#slots .own').count()).toBe(1)
    expect(await page.locator('#map-state').textContent()).toContain(`${name} on `)

    await page.locator('#ask-shards').click()
    await page.locator('#store-news', { hasText: '2,000 more' }).waitFor()
    expect(shards.crowd.wrong).toBe(0)
    await page.locator('#unpin').click()
    await page.locator('#store-news', { hasText: `${name} is back` }).waitFor()
    expect(await page.locator('#slots .own').count()).toBe(0)
    expect(await page.locator('#unpin').isDisabled()).toBe(true)
    expect(opened.complaints).toEqual([])
  })

  test('keeps the keyboard also where an answer is faster than the next picture', async () => {
    await answerAtOnce(page)
    const painted = () => page.evaluate(() => new Promise(requestAnimationFrame))
    const focused = page.locator(':focus')
    for (const [button, news, next] of [
      ['ask-shards', 'more requests served', 'ask-shards'],
      ['pin', 'has a slot of its own', 'unpin'],
      ['unpin', 'is back', 'pin'],
    ] as const) {
      await page.locator(`#${button}`).focus()
      await page.keyboard.press('Enter')
      await page.locator('#store-news', { hasText: news }).waitFor()
      await painted()
      await painted()
      expect(await focused.getAttribute('id')).toBe(next)
    }
    expect(opened.complaints).toEqual([])
  })

  test('lets a fifth shard join, shows its slots on their way, and what was lost', async () => {
    const button = page.locator('#move-slots')
    const fifth = (await button.textContent())!.replace('Add ', '')
    await button.focus()
    await page.keyboard.press('Enter')
    await page.locator('#store-news', { hasText: `${fifth} has joined` }).waitFor()
    expect(await page.locator('#shards .column').count()).toBe(5)
    expect(await page.locator('#job-bar').evaluate((bar: HTMLProgressElement) => bar.value)).toBe(1)
    expect(await page.locator('#job-note').textContent()).toMatch(/visits lost: 0\.$/u)
    expect(await button.textContent()).toBe(`Take ${fifth} away`)
    const overflow = () =>
      page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth)
    for (const width of [1280, 700, 390]) {
      await page.setViewportSize({ width, height: 844 })
      await expect.poll(overflow).toBe(0)
    }
    expect(opened.complaints).toEqual([])
  })

  test('shows how full a shard is by its column, and says what it is', async () => {
    const { maxRows, shards: all } = await new LiveShards(cities, shards).figures()
    for (const { id, rows } of all) {
      const column = page.locator(`[data-shard="${id}"]`)
      expect(await column.textContent()).toContain(rows.toLocaleString('en'))
      const heights = await column.evaluate((box) => {
        const shaft = box.querySelector('.shaft')!
        return [shaft.clientHeight, box.querySelector('.filled')!.getBoundingClientRect().height]
      })
      expect(heights[1]! / heights[0]!).toBeCloseTo(rows / maxRows, 1)
    }
    expect(await page.locator('#slots').getAttribute('aria-label')).toMatch(
      /^Slots: granite [\d,]+, basalt/u,
    )
  })
})

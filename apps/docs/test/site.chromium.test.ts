import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import type { AxeResults } from 'axe-core'
import type { Browser, BrowserContext, Page } from 'playwright'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { builtPages, dist } from '../scripts/built-site.ts'
import { launchChromium, layoutShift, newVisitor, open, openFor } from './site-page.ts'
import { StaticServer } from './static-server.ts'

const WIDE = { width: 1280, height: 900 }
const NARROW = { width: 390, height: 844 }
const paths = builtPages().map(({ path }) => path)
// Pages of the reference are all of one make: two stand for the rest where a check takes its time.
const ofOneMake = (path: string): boolean => path.startsWith('/api/@')
const samples = ['/api/@ashlar/hash.html', '/api/@ashlar/sim/vitest.html']
const looked = paths.filter((path) => !ofOneMake(path) || samples.includes(path))
const others = paths.filter((path) => !looked.includes(path))

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

let browser: Browser
let server: StaticServer
let site: string
/** Who goes through all pages: on a narrow screen, and on a wide one in the dark. */
let narrow: BrowserContext
let wide: BrowserContext

beforeAll(async () => {
  server = new StaticServer(dist)
  site = await server.listen()
  browser = await launchChromium()
  narrow = await newVisitor(browser, { viewport: NARROW })
  wide = await newVisitor(browser, { viewport: WIDE, colorScheme: 'dark' })
})

afterAll(async () => {
  await browser?.close()
  await server?.close()
})

describe.each(looked)('the page %s', (path) => {
  test('is calm, complete and usable by all on a narrow screen', async () => {
    const { page, complaints, close } = await openFor(narrow, site + path)
    expect(complaints).toEqual([])
    expect(await page.evaluate(overhang)).toEqual([])
    expect(await layoutShift(page)).toBeLessThan(0.001)
    expect(await violations(page)).toEqual([])
    await close()
  })

  test('is calm, complete and usable by all on a wide screen, dark and light', async () => {
    const { page, complaints, close } = await openFor(wide, site + path)
    expect(complaints).toEqual([])
    expect(await layoutShift(page)).toBeLessThan(0.001)
    expect(await violations(page)).toEqual([])
    await page.emulateMedia({ colorScheme: 'light' })
    await page.locator('html:not(.dark)').waitFor()
    // Only the colours are others, and those of the text were looked at on the narrow screen.
    expect(await violations(page, { exclude: '.vp-doc', rules: ['color-contrast'] })).toEqual([])
    expect(complaints).toEqual([])
    await close()
  })
})

describe.each(others)('the page %s', (path) => {
  test('is calm and complete on a narrow screen', async () => {
    const { page, complaints, close } = await openFor(narrow, site + path)
    expect(complaints).toEqual([])
    expect(await page.evaluate(overhang)).toEqual([])
    expect(await layoutShift(page)).toBeLessThan(0.001)
    await close()
  })
})

describe('a visitor', () => {
  test.each(['/', '/packages/ring.html', '/guide/shard-key.html'])(
    'whose browser runs no script reads %s',
    async (path) => {
      const { page, close } = await open(browser, site + path, { javaScriptEnabled: false })
      expect(await page.locator('h1').first().isVisible()).toBe(true)
      const text = await page.locator('main, .VPHome').first().textContent()
      expect(text?.length).toBeGreaterThan(300)
      await close()
    },
  )

  test.each(['/', '/packages/ring.html'])('sees where the keyboard is on %s', async (path) => {
    const { page, close } = await open(browser, site + path, { viewport: WIDE })
    for (let stop = 1; stop <= 20; stop++) {
      await page.keyboard.press('Tab')
      expect(await page.evaluate(focusMark), `stop ${stop}`).toMatch(/^\d.*solid|auto/u)
    }
    await close()
  })

  test.each([
    ['/', 'virtual node', 'ring'],
    ['/ko/', '캐시', 'ko'],
  ])('finds what the site says by its own search from %s', async (path, words, where) => {
    const { page, complaints, close } = await open(browser, site + path, { viewport: WIDE })
    await page.keyboard.press('Control+k')
    await page.locator('.VPLocalSearchBox input').fill(words)
    const first = page.locator('.VPLocalSearchBox .result').first()
    await first.waitFor()
    expect(await first.getAttribute('href')).toContain(where)
    await page.keyboard.press('Enter')
    await page.waitForURL((url) => url.pathname.includes(where))
    expect(complaints).toEqual([])
    await close()
  })

  test('turns the page dark and finds it dark on the next', async () => {
    const { page, close } = await open(browser, `${site}/`, { viewport: WIDE })
    const ground = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor)
    const light = await ground()
    await page.locator('.VPNavBarAppearance button').click()
    await expect.poll(ground).not.toBe(light)
    await page.goto(`${site}/packages/hash.html`)
    expect(await ground()).not.toBe(light)
    await close()
  })
})

/** What reaches beyond the right edge of the page and is not inside a box that scrolls. */
function overhang(): string[] {
  if (document.documentElement.scrollWidth <= innerWidth) return []
  const wide = [...document.querySelectorAll('body *')].filter((element) => {
    return element.getBoundingClientRect().right > innerWidth + 1
  })
  return wide.slice(0, 5).map((element) => element.outerHTML.slice(0, 120))
}

/** How the focused element is marked. */
function focusMark(): string {
  const { outlineWidth, outlineStyle, outlineColor } = getComputedStyle(
    document.activeElement ?? document.body,
  )
  return `${outlineWidth} ${outlineStyle} ${outlineColor}`
}

/** What axe says of a page, or of the page but for a part of it, by all its rules or by some. */
async function violations(
  page: Page,
  { exclude, rules }: { readonly exclude?: string; readonly rules?: readonly string[] } = {},
): Promise<string[]> {
  await page.evaluate(axe)
  const context = exclude === undefined ? 'document' : JSON.stringify({ exclude })
  // What axe would load first, the sources of styles, no rule of these asks for.
  const options = { resultTypes: ['violations'], preload: false, ...(rules && { runOnly: rules }) }
  const found = await page.evaluate(`axe.run(${context}, ${JSON.stringify(options)})`)
  return (found as AxeResults).violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .flatMap(({ id, nodes }) =>
      nodes.map(({ target, failureSummary }) => {
        return `${id}: ${target.join(' ')} ${failureSummary?.split('\n').at(1)?.trim()}`
      }),
    )
}

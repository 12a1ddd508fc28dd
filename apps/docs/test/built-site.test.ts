import { describe, expect, test } from 'vitest'
import { builtPages, deadLinks, weigh } from '../scripts/built-site.ts'
import { rooms } from '../scripts/house.ts'

const KB = 1024
const pages = builtPages()

describe('the built site', () => {
  test('has a page for every package and for every module of the reference', () => {
    const paths = pages.map(({ path }) => path)
    for (const { name, subpaths } of rooms()) {
      expect(paths).toContain(`/packages/${name}.html`)
      expect(
        paths.filter((path) => path.startsWith(`/api/@ashlar/${name}`)).length,
      ).toBeGreaterThan(subpaths.length)
    }
  })

  test('has no link that leads nowhere', () => {
    expect(deadLinks(pages)).toEqual([])
  })

  test('asks nobody else for anything', () => {
    const foreign = pages.flatMap(({ path, html }) => {
      const found = html.match(
        /<(?:script|link|img|iframe)[^>]* (?:src|href)="(?:https?:)?\/\/[^"]*"/gu,
      )
      return (found ?? []).map((tag) => `${path}: ${tag}`)
    })
    expect(foreign).toEqual([])
  })

  test.each(pages)('$path says what it is without a script', ({ html }) => {
    const text = html.replaceAll(/<(script|style)[^>]*>.*?<\/\1>/gsu, '')
    expect(text).toMatch(/<html lang="(?:en|ko)"/u)
    expect(text).toMatch(/<h1[^>]*>/u)
    expect(text).toMatch(/<title>[^<]+<\/title>/u)
  })

  test.each(pages.map(weigh))('$path is light: its scripts, compressed', (weight) => {
    expect(weight.pageBytes).toBeLessThanOrEqual(100 * KB)
    expect(weight.pageBytes + weight.playgroundBytes).toBeLessThanOrEqual(250 * KB)
  })
})

describe('the check of links', () => {
  const page = (path: string, html: string) => ({ path, html })

  test('finds a page that is not there and an anchor that is not on its page', () => {
    const there = page('/a.html', '<h2 id="b">')
    const links = '<a href="/a.html#b"><a href="/a.html#c"><a href="./none.html"><a href="/x/">'
    expect(deadLinks([there, page('/d.html', links)])).toEqual([
      '/d.html -> /a.html#c',
      '/d.html -> ./none.html',
      '/d.html -> /x/',
    ])
  })
})

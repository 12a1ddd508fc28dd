import { describe, expect, test } from 'vitest'
import { complaint, translations, untranslated } from '../scripts/translations.ts'

describe('the Korean pages', () => {
  test.each(translations())('%s translates the English page as it is now', (page) => {
    expect(complaint(page)).toBeUndefined()
  })

  test('cover the landing page and every guide', () => {
    expect(untranslated()).toEqual([])
  })
})

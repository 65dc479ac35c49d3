import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, before, test } from 'node:test'
import type { Browser } from 'playwright-core'
import { openArea, PASSWORD, type TestArea } from '../portal/support/area.ts'
import { checkPage, launchBrowser, openProfile, type Watched } from '../support/browser.ts'
import { frameOf, HEADS } from '../support/face-samples.ts'

let area: TestArea
let browser: Browser
let folder: string

before(async () => {
  area = await openArea()
  folder = mkdtempSync(path.join(tmpdir(), 'mt-login-photo-'))
  const face = await frameOf(HEADS.other)
  const video = path.join(folder, 'face.mjpeg')
  writeFileSync(video, Buffer.concat(Array.from({ length: 30 }, () => face)))
  writeFileSync(path.join(folder, 'face.jpg'), face)
  writeFileSync(path.join(folder, 'pdf.jpg'), '%PDF-1.7\n1 0 obj\n<<>>\nendobj\n')
  writeFileSync(path.join(folder, 'empty.png'), '')
  writeFileSync(path.join(folder, 'huge.jpg'), Buffer.alloc(15_000_001, 0xff))
  browser = await launchBrowser([`--use-file-for-fake-video-capture=${video}`])
})
after(async () => {
  await browser?.close()
  await area?.close()
  rmSync(folder, { recursive: true, force: true })
})

async function openPhotoPage(): Promise<Watched & { personId: string }> {
  const citizen = await area.citizen()
  const watched = await openProfile(browser)
  const { page } = watched
  await page.goto(`${area.url}/demo/foto`)
  await page.fill('#cpf', citizen.cpf)
  await page.fill('#password', PASSWORD)
  await page.getByRole('button', { name: 'Entrar', exact: true }).click()
  await page.waitForURL('**/demo/foto')
  await page.waitForSelector('[data-photo-take]:not([disabled])')
  return { ...watched, personId: citizen.personId }
}

const hasReference = async (personId: string): Promise<boolean> =>
  (await area.app.rooms.images.findReference(personId, area.app.rooms.faces.rule.modelId)) !== undefined

test('a photo by the camera is judged, stored, and leads on to the portal', async () => {
  const { page, personId, complaints, context } = await openPhotoPage()
  await checkPage(page, 'photo page')
  await page.emulateMedia({ colorScheme: 'dark', reducedMotion: 'reduce' })
  await page.waitForTimeout(300)
  await checkPage(page, 'photo page, dark')
  await page.getByRole('button', { name: 'Tirar foto' }).click()
  await page.waitForSelector('[data-photo-done]:not([hidden])')
  assert.match(await page.innerText('[data-photo-done]'), /Foto guardada/)
  await checkPage(page, 'photo stored')
  assert.ok(await hasReference(personId))
  assert.equal(await page.getByRole('link', { name: 'Ir para o Portal de Serviços' }).getAttribute('href'), area.portalUrl)
  assert.deepEqual(complaints, [])
  await context.close()
})

test('a file that does not serve is refused with the reason, and another one may follow', async () => {
  const { page, personId, context } = await openPhotoPage()
  const wrong = page.locator('[data-photo-wrong]')
  for (const [file, says] of [
    ['pdf.jpg', /não é uma foto/],
    ['empty.png', /está vazio/],
    ['huge.jpg', /grande demais/],
  ] as const) {
    await page.setInputFiles('#arquivo', path.join(folder, file))
    await wrong.filter({ hasText: says }).waitFor()
    assert.ok(!(await hasReference(personId)), file)
  }
  await checkPage(page, 'photo refused')
  await page.setInputFiles('#arquivo', path.join(folder, 'face.jpg'))
  await page.waitForSelector('[data-photo-done]:not([hidden])')
  assert.ok(await hasReference(personId))
  await context.close()
})

test('without a camera the page says so and takes a file', async () => {
  const { page, context } = await openPhotoPage()
  await page.addInitScript(() => {
    navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException('no', 'NotFoundError'))
  })
  await page.reload()
  await page.waitForFunction(() => /Não conseguimos usar a câmera/.test(document.querySelector('[data-say]')?.textContent ?? ''))
  assert.ok(await page.locator('#arquivo').isVisible())
  assert.ok(await page.getByRole('button', { name: 'Tirar foto' }).isDisabled())
  await context.close()
})

/** An ICP-Brasil certificate in a real browser: the page, the host that asks for it, and back; both pass axe on a phone's width. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, before, test } from 'node:test'
import type { Browser } from 'playwright-core'
import { openArea, PASSWORD, type TestArea } from '../portal/support/area.ts'
import { checkPage, launchBrowser, PHONE } from '../support/browser.ts'
import { freePort } from '../support/free-port.ts'
import { type IcpChain, openIcpChain } from '../support/icp-chain.ts'

let area: TestArea
let browser: Browser
let chain: IcpChain
let host: string
let folder: string

before(async () => {
  chain = await openIcpChain()
  folder = mkdtempSync(path.join(tmpdir(), 'mt-host-'))
  const site = chain.issue({ name: 'localhost', cpf: '52998224725', commonName: 'localhost', purposes: 'serverAuth', selfSigned: true })
  const files = { CERTIFICATE_TLS_CERTIFICATE: path.join(folder, 'site.pem'), CERTIFICATE_TLS_KEY: path.join(folder, 'site.key') }
  writeFileSync(files.CERTIFICATE_TLS_CERTIFICATE, site.cert)
  writeFileSync(files.CERTIFICATE_TLS_KEY, site.key)
  const port = await freePort()
  host = `https://localhost:${port}`
  area = await openArea({ CERTIFICATE_URL: host, CERTIFICATE_PORT: String(port), CERTIFICATE_INTERNAL_HOSTS: chain.host, ...files })
  const { trust } = area.app.rooms.signatures
  for (const der of [chain.root, chain.issuing]) await trust.add({ der, title: 'Teste', kind: 'icp-brasil', level: 'qualified', actor: { kind: 'system' } })
  browser = await launchBrowser()
})
after(async () => {
  await browser?.close()
  await area?.close()
  await chain?.close()
  if (folder) rmSync(folder, { recursive: true, force: true })
})

for (const has of ['no certificate', 'a certificate'] as const) {
  test(`with ${has}`, async () => {
    const { cpf } = await area.citizen()
    const { cert, key } = chain.issue({ name: 'ROSA MARIA DOS SANTOS', cpf })
    const own = has === 'a certificate' && { clientCertificates: [{ origin: host, cert: Buffer.from(cert), key: Buffer.from(key) }] }
    const context = await browser.newContext({ ...PHONE, ignoreHTTPSErrors: true, ...own })
    const page = await context.newPage()
    await page.goto(`${area.url}/conta/entrar?para=/conta/nivel`)
    await page.fill('#cpf', cpf)
    await page.fill('#password', PASSWORD)
    await page.getByRole('button', { name: 'Entrar', exact: true }).click()
    await page.getByRole('link', { name: 'Usar meu certificado' }).click()
    await checkPage(page, 'the page of the certificate')
    await page.getByRole('button', { name: 'Mostrar meu certificado' }).click()
    const [heading, title] = has === 'a certificate' ? [/ouro/i, 'accepted'] : [/Nenhum certificado chegou/, 'none came']
    await page.getByRole('heading', { level: 1, name: heading }).waitFor()
    await checkPage(page, title)
    assert.equal(new URL(page.url()).origin, has === 'a certificate' ? area.url : host)
    await context.close()
  })
}

test('as a way in: added, then the second step, then by itself', async () => {
  const { cpf } = await area.citizen()
  const { cert, key } = chain.issue({ name: 'ROSA MARIA DOS SANTOS', cpf })
  const newPage = async () => {
    const clientCertificates = [{ origin: host, cert: Buffer.from(cert), key: Buffer.from(key) }]
    const page = await (await browser.newContext({ ...PHONE, ignoreHTTPSErrors: true, clientCertificates })).newPage()
    await page.goto(`${area.url}/conta/entrar?para=/conta/seguranca`)
    return page
  }
  const withPassword = async () => {
    const page = await newPage()
    await page.fill('#cpf', cpf)
    await page.fill('#password', PASSWORD)
    await page.getByRole('button', { name: 'Entrar', exact: true }).click()
    return page
  }
  const added = await withPassword()
  await added.getByRole('link', { name: 'Cadastrar certificado' }).click()
  await checkPage(added, 'the page that adds one')
  await added.getByRole('button', { name: 'Mostrar meu certificado' }).click()
  await added.getByText('Emitido por AC de teste').waitFor()
  await checkPage(added, 'ways in, with a certificate')

  const second = await withPassword()
  await second.getByRole('button', { name: 'Confirmar com certificado digital' }).waitFor()
  await checkPage(second, 'the second step')
  await second.getByRole('button', { name: 'Confirmar com certificado digital' }).click()
  await second.getByText('Emitido por AC de teste').waitFor()

  const alone = await newPage()
  await checkPage(alone, 'the sign-in page with certificates')
  await alone.getByRole('button', { name: 'Entrar com certificado digital' }).click()
  await alone.getByText('Emitido por AC de teste').waitFor()
  for (const page of [added, second, alone]) await page.context().close()
})

/** The area with a host that asks for ICP-Brasil certificates beside it, and browsers that show one there. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import type { IncomingHttpHeaders } from 'node:http'
import { request } from 'node:https'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { text } from 'node:stream/consumers'
import { openArea, type TestArea, type TestCitizen } from '../portal/support/area.ts'
import type { BrowserClient, Page } from './browser-client.ts'
import { freePort } from './free-port.ts'
import { type IcpChain, type IcpHolding, openIcpChain } from './icp-chain.ts'

export interface CertificateScene {
  readonly area: TestArea
  readonly port: number
  /** Trusted as ICP-Brasil's. */
  readonly chain: IcpChain
  /** Of the same names, and trusted by nobody. */
  readonly other: IcpChain
  /** Lets a browser stop where the host begins. */
  stopAtHost(browser: BrowserClient): BrowserClient
  /** Opens an address of the host, as a browser with this certificate would. */
  show(url: URL, holding?: IcpHolding, headers?: Record<string, string>, withChain?: boolean): Promise<ShownPage>
  /** Presses the button of a page, shows the certificate, and answers the address that the ticket goes to. */
  ticketFrom(browser: BrowserClient, page: Page, holding: IcpHolding, action?: string): Promise<string>
  /** A certificate of a citizen's own. */
  issueTo(citizen: Pick<TestCitizen, 'cpf'>, policy?: string): IcpHolding
  close(): Promise<void>
}

export interface ShownPage {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

export const ROSA = 'ROSA MARIA DOS SANTOS'
export const A1_POLICY = '2.16.76.1.2.1.1'

/** Opens all of it; the test trusts `chain` by itself. */
export async function openCertificateScene(): Promise<CertificateScene> {
  const [chain, other] = [await openIcpChain(), await openIcpChain()]
  const folder = mkdtempSync(path.join(tmpdir(), 'mt-host-'))
  const site = other.issue({ name: 'localhost', cpf: '52998224725', commonName: 'localhost', purposes: 'serverAuth' })
  const [certFile, keyFile] = [path.join(folder, 'site.pem'), path.join(folder, 'site.key')]
  writeFileSync(certFile, site.cert)
  writeFileSync(keyFile, site.key)
  const port = await freePort()
  const area = await openArea({
    CERTIFICATE_URL: `https://localhost:${port}`,
    CERTIFICATE_PORT: String(port),
    CERTIFICATE_TLS_CERTIFICATE: certFile,
    CERTIFICATE_TLS_KEY: keyFile,
    CERTIFICATE_INTERNAL_HOSTS: chain.host,
  })
  await trustChain(area, chain)
  const show = (url: URL, holding?: IcpHolding, headers: Record<string, string> = {}, withChain = true) =>
    showAt(url, { headers, ...(holding && { cert: withChain ? holding.cert + chain.issuingPem : holding.cert, key: holding.key }) })

  return {
    area,
    port,
    chain,
    other,
    show,
    stopAtHost(browser) {
      browser.stopAt = (url) => url.port === String(port)
      return browser
    },
    async ticketFrom(browser, page, holding, action = '/certificado') {
      const sent = await browser.submit(page, {}, { action })
      assert.equal(sent.url.port, String(port), `${sent.status} ${sent.text.slice(0, 400)}`)
      const { status, headers, body } = await show(sent.url, holding)
      assert.equal(status, 303, body)
      return headers.location ?? ''
    },
    issueTo: ({ cpf }, policy) => chain.issue({ name: ROSA, cpf, ...(policy && { policy }) }),
    async close() {
      await area.close()
      await Promise.all([chain.close(), other.close()])
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

export async function trustChain(area: TestArea, chain: IcpChain): Promise<void> {
  await area.app.rooms.signatures.trust.add({
    der: chain.root,
    title: 'Raiz de teste',
    kind: 'icp-brasil',
    level: 'qualified',
    actor: { kind: 'system' },
  })
}

function showAt(url: URL, { headers, ...identity }: { headers: Record<string, string>; cert?: string; key?: string }): Promise<ShownPage> {
  return new Promise((resolve, reject) => {
    const sent = request(
      url,
      {
        ...identity,
        host: '127.0.0.1',
        servername: 'localhost',
        rejectUnauthorized: false,
        agent: false,
        headers: { Accept: 'text/html', ...headers },
      },
      (response) => {
        text(response).then((body) => resolve({ status: response.statusCode ?? 0, headers: response.headers, body }), reject)
      },
    )
    sent.on('error', reject)
    sent.end()
  })
}

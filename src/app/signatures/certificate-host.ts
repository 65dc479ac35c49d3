import { readFileSync } from 'node:fs'
import type { SecureContextOptions } from 'node:tls'
import { createAddressLimit, networkOf } from '../../accounts/index.ts'
import { createHttpApp } from '../../platform/http/app.ts'
import { startTlsServer } from '../../platform/http/server.ts'
import { createCertificateHostRoutes, type Icp } from '../../signatures/index.ts'
import type { Foundation } from '../foundation.ts'
import { httpLog, type Look, VIEWS_FOLDER } from '../web.ts'

/** Behind a balancer that passes TLS through, everybody has its address. */
const VISITS = { burst: 300, perSecond: 30 } as const
/** Each lasts for one answer, or for as long as somebody types a PIN. */
const BOUNDS = { most: 1000, perAddress: 200, networkOf } as const
const RELOAD_MS = 3_600_000

export interface CertificateHost {
  readonly port: number
  stop(): Promise<void>
}

/** Opens the host that asks browsers for an ICP-Brasil certificate, where an operator set one up; its own certificate is read anew each hour. */
export async function openCertificateHost({ config, keyring, log }: Foundation, icp: Icp, look: Look): Promise<CertificateHost | undefined> {
  const { certificateUrl, certificatePort, certificateTlsCertificate: certFile, certificateTlsKey: keyFile } = config.signatures
  if (certificateUrl === undefined || certFile === undefined || keyFile === undefined) return undefined
  const addresses = createAddressLimit({ allowance: VISITS, networkOf })
  // No proxy is believed here: what a header says of a certificate, or of an address, is nothing.
  const settings = { publicUrl: certificateUrl, trustedProxies: [], demo: config.demo.enabled, viewsFolder: VIEWS_FOLDER }
  const { app, views } = createHttpApp({ settings, keyring, messages: look.messages, assets: look.assets, log: httpLog(log) })
  const routes = createCertificateHostRoutes({
    views, icp, home: new URL(config.platform.publicUrl).origin,
    claimAddress(ip) {
      addresses.check(ip)
      addresses.spend(ip)
    },
  })
  app.use(routes.routes())
  /** Browsers offer certificates of these authorities alone. */
  const secure = async (): Promise<SecureContextOptions> => ({ cert: readFileSync(certFile), key: readFileSync(keyFile), ca: (await icp.authorities()).map(pemOf) })
  const { renew, port, stop } = await startTlsServer({ handler: app.callback(), host: config.platform.host, port: certificatePort, secure: await secure(), bounds: BOUNDS })
  const timer = setInterval(() => {
    secure().then(renew).catch((error: unknown) => log.warn('certificate host: its certificate could not be read anew', { error }))
  }, RELOAD_MS).unref()
  log.info('certificate host: ready', { address: certificateUrl })
  return {
    port,
    async stop() {
      clearInterval(timer)
      await stop()
    },
  }
}

const pemOf = (der: Buffer): string => `-----BEGIN CERTIFICATE-----\n${der.toString('base64')}\n-----END CERTIFICATE-----\n`

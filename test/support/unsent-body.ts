import { once } from 'node:events'
import { request } from 'node:http'

/** A request that announces a body and sends none of it: what it holds until `end`, and the status that it is answered with meanwhile. */
export async function announceBody(url: string, { bytes, headers }: { readonly bytes: number; readonly headers: Readonly<Record<string, string>> }): Promise<{ status: Promise<number>; end: () => void }> {
  const sent = request(url, { method: 'POST', agent: false, headers: { ...headers, 'Content-Length': bytes } })
  sent.on('error', () => {})
  const answered = once(sent, 'response').then(([response]) => Number(response.statusCode))
  answered.catch(() => {})
  sent.flushHeaders()
  await once(sent, 'socket')
  return { status: answered, end: () => void sent.destroy() }
}

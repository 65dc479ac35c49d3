import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createMetrics } from '../../src/platform/metrics.ts'

test('requests, pools, counts and gauges appear in Prometheus’ format on their own port', async () => {
  const metrics = createMetrics()
  metrics.request({ room: 'oidc', route: '/token', method: 'POST', status: 200, seconds: 0.02 })
  metrics.watchPool('hash', () => ({ size: 1, busy: 1, queued: 4, done: 9, failed: 0, refused: 2, replaced: 0 }))
  metrics.count('sign_ins_total', { outcome: 'refused' })
  metrics.count('sign_ins_total', { outcome: 'refused' })
  metrics.watch('outbox_waiting', 'Messages to send', async () => 5)
  const server = await metrics.listen('127.0.0.1', 0)
  const answer = await fetch(`http://127.0.0.1:${server.port}/metrics`)
  const text = await answer.text()
  assert.match(answer.headers.get('content-type') ?? '', /^text\/plain/)
  assert.match(text, /mtlogin_request_seconds_count\{room="oidc",route="\/token",method="POST",status="200"\} 1/)
  assert.match(text, /mtlogin_worker_pool\{pool="hash",state="queued"\} 4/)
  assert.match(text, /mtlogin_sign_ins_total\{outcome="refused"\} 2/)
  assert.match(text, /mtlogin_outbox_waiting 5/)
  assert.match(text, /nodejs_eventloop_lag_p99_seconds/)
  assert.equal((await fetch(`http://127.0.0.1:${server.port}/other`)).status, 404)
  assert.equal((await fetch(`http://127.0.0.1:${server.port}/metrics`, { method: 'POST' })).status, 404)
  await server.close()
})

test('two registries do not mix', async () => {
  const [one, two] = [createMetrics(), createMetrics()]
  one.count('a_total')
  assert.doesNotMatch(await two.text(), /mtlogin_a_total/)
})

import { z } from 'zod'
import { defineEvents } from '../audit/index.ts'
import { ACT_OUTCOMES } from './decision/act.ts'
import { CHANGES } from './mandate/transition.ts'
import { MANDATE_KINDS } from './role/role.ts'
import { AGENCY_ROLES } from './staff/team.ts'

const mandate = z.object({ mandateId: z.uuid(), kind: z.enum(MANDATE_KINDS), depth: z.int() })
const changed = mandate.extend({ reason: z.string().optional() })
const role = z.object({ namespace: z.string(), role: z.string(), version: z.int() })
const staff = z.object({ namespace: z.string(), role: z.enum(AGENCY_ROLES) })
const servant = z.object({ namespace: z.string(), servantId: z.uuid() })
const request = z.object({ requestId: z.uuid() })

/** What the room writes into the audit record; each is in the ledger of everybody it concerns. Stored, so shapes only ever grow. */
export const proxiesEvents = defineEvents({
  'proxies/granted': mandate.extend({ powers: z.array(z.string()), validThrough: z.string().optional() }),
  'proxies/entered': mandate.extend({ powers: z.array(z.string()), validThrough: z.string().optional() }),
  ...Object.fromEntries(CHANGES.map((change) => [`proxies/${change}`, changed])),
  'proxies/hand-added': mandate.extend({ step: z.enum(['granted', 'accepted', 'resumed']), hands: z.int(), needed: z.int() }),
  'proxies/used': z.object({ useId: z.int(), mandateId: z.uuid().optional(), power: z.string().optional(), service: z.string().optional() }),
  'proxies/requested': request,
  'proxies/request-decided': request.extend({ outcome: z.enum(['granted', 'refused', 'withdrawn']), isBlocked: z.boolean() }),
  'proxies/act-opened': z.object({ actId: z.uuid(), power: z.string() }),
  'proxies/act-refused': z.object({ actId: z.uuid() }),
  'proxies/act-ended': z.object({ actId: z.uuid(), outcome: z.enum(ACT_OUTCOMES) }),
  'proxies/act-approved': z.object({ actId: z.uuid(), approvals: z.int() }),
  'proxies/instrument-made': z.object({ mandateId: z.uuid(), sha256: z.string(), signingId: z.uuid().optional() }),
  'proxies/signing-begun': z.object({ signingId: z.uuid(), activationId: z.string() }),
  'proxies/signing-lost': z.object({ signingId: z.uuid() }),
  'proxies/asked-by-agency': z.object({ namespaces: z.array(z.string()), found: z.int() }),
  'proxies/role-drafted': role,
  'proxies/role-published': role,
  'proxies/role-retired': role,
  'proxies/role-discarded': role,
  'proxies/staff-added': staff,
  'proxies/staff-ended': staff,
  'proxies/servant-named': servant,
  'proxies/servant-ended': servant,
  'proxies/namespace-assigned': z.object({ namespace: z.string() }),
})

-- Documents that people sign: envelopes, their documents and signers, each attempt to sign, and each signature made.

-- A citizen's, or a relying party's. `contents_until` is when the documents themselves go; names and hashes stay as the history.
-- `lease_by` = the signer who is at it now: signatures of one envelope follow one another.
CREATE TABLE signing_envelope (
  id               uuid PRIMARY KEY,
  owner_id         uuid REFERENCES account (id),
  client_id        text,
  return_to        text,
  client_state     text,
  state            text NOT NULL CHECK (state IN ('draft', 'waiting', 'signed', 'refused', 'expired', 'cancelled')),
  signing_order    text NOT NULL CHECK (signing_order IN ('sequence', 'parallel')),
  level            text NOT NULL CHECK (level IN ('B-T', 'B-LT', 'B-LTA')),
  created_at       timestamptz NOT NULL,
  sent_at          timestamptz,
  expires_at       timestamptz NOT NULL,
  ended_at         timestamptz,
  contents_until   timestamptz NOT NULL,
  contents_gone_at timestamptz,
  lease_by         uuid,
  lease_until      timestamptz,
  CHECK (owner_id IS NOT NULL OR client_id IS NOT NULL)
);
CREATE INDEX signing_envelope_owner ON signing_envelope (owner_id, created_at DESC);
CREATE INDEX signing_envelope_client ON signing_envelope (client_id, created_at DESC) WHERE client_id IS NOT NULL;
CREATE INDEX signing_envelope_open ON signing_envelope (expires_at) WHERE state IN ('draft', 'waiting');
CREATE INDEX signing_envelope_kept ON signing_envelope (contents_until) WHERE contents_gone_at IS NULL;

-- `sha256` is the document as it came, `current_sha256` with the signatures so far (`version` of them).
CREATE TABLE signing_document (
  id             uuid PRIMARY KEY,
  envelope_id    uuid NOT NULL REFERENCES signing_envelope (id) ON DELETE CASCADE,
  position       int NOT NULL,
  name           bytea NOT NULL,
  form           text NOT NULL CHECK (form IN ('pdf', 'file')),
  pages          int,
  size           int NOT NULL,
  sha256         bytea NOT NULL,
  current_sha256 bytea NOT NULL,
  version        int NOT NULL DEFAULT 0,
  UNIQUE (envelope_id, position)
);

-- The bytes, under a key of the document's own: gone with this row.
CREATE TABLE signing_content (
  document_id uuid PRIMARY KEY REFERENCES signing_document (id) ON DELETE CASCADE,
  data_key    bytea NOT NULL,
  sealed      bytea NOT NULL
);

CREATE TABLE signing_signer (
  id          uuid PRIMARY KEY,
  envelope_id uuid NOT NULL REFERENCES signing_envelope (id) ON DELETE CASCADE,
  position    int NOT NULL,
  cpf_hash    bytea NOT NULL,
  cpf         bytea NOT NULL,
  name        bytea NOT NULL,
  state       text NOT NULL CHECK (state IN ('pending', 'signed', 'refused')),
  told_at     timestamptz,
  reminded_at timestamptz,
  reminders   int NOT NULL DEFAULT 0,
  decided_at  timestamptz,
  reason      bytea,
  choice      bytea,
  UNIQUE (envelope_id, cpf_hash)
);
CREATE INDEX signing_signer_person ON signing_signer (cpf_hash);

-- From the confirmation to the result; `plan` says what was prepared to be signed. `begun` and nothing after it = the process died with the key in hand: nothing was delivered.
CREATE TABLE signing_attempt (
  id            uuid PRIMARY KEY,
  envelope_id   uuid NOT NULL REFERENCES signing_envelope (id) ON DELETE CASCADE,
  signer_id     uuid NOT NULL REFERENCES signing_signer (id) ON DELETE CASCADE,
  account_id    uuid NOT NULL REFERENCES account (id),
  activation_id text UNIQUE,
  plan          bytea NOT NULL,
  state         text NOT NULL CHECK (state IN ('open', 'begun', 'signed', 'failed', 'lost')),
  opened_at     timestamptz NOT NULL,
  begun_at      timestamptz,
  ended_at      timestamptz
);
CREATE INDEX signing_attempt_begun ON signing_attempt (begun_at) WHERE state = 'begun';
CREATE INDEX signing_attempt_signer ON signing_attempt (signer_id, opened_at DESC);

-- One document signed by one person: what anybody who holds the code of its stamp may check.
CREATE TABLE signing_signature (
  id          uuid PRIMARY KEY,
  envelope_id uuid NOT NULL REFERENCES signing_envelope (id) ON DELETE CASCADE,
  document_id uuid NOT NULL REFERENCES signing_document (id) ON DELETE CASCADE,
  signer_id   uuid NOT NULL REFERENCES signing_signer (id) ON DELETE CASCADE,
  attempt_id  uuid NOT NULL REFERENCES signing_attempt (id),
  account_id  uuid NOT NULL REFERENCES account (id),
  serial      text NOT NULL,
  level       text NOT NULL,
  mandate_id  uuid,
  represented bytea,
  signer_name bytea NOT NULL,
  sha256      bytea NOT NULL,
  code_hash   bytea NOT NULL UNIQUE,
  code        bytea NOT NULL,
  signed_at   timestamptz NOT NULL,
  UNIQUE (document_id, signer_id)
);
CREATE INDEX signing_signature_account ON signing_signature (account_id, signed_at DESC);
CREATE INDEX signing_signature_envelope ON signing_signature (envelope_id);

-- Detached signatures (CAdES): the file stays as it is, this goes beside it, under the key of its document.
CREATE TABLE signing_detached (
  signature_id uuid PRIMARY KEY REFERENCES signing_signature (id) ON DELETE CASCADE,
  document_id  uuid NOT NULL REFERENCES signing_document (id) ON DELETE CASCADE,
  sealed       bytea NOT NULL
);
CREATE INDEX signing_detached_document ON signing_detached (document_id);

COMMENT ON COLUMN signing_envelope.id IS 'sensitive: no';
COMMENT ON COLUMN signing_envelope.owner_id IS 'sensitive: no';
COMMENT ON COLUMN signing_envelope.client_id IS 'sensitive: no';
COMMENT ON COLUMN signing_envelope.return_to IS 'sensitive: no';
COMMENT ON COLUMN signing_envelope.client_state IS 'sensitive: no; the relying party''s own';
COMMENT ON COLUMN signing_envelope.state IS 'sensitive: no';
COMMENT ON COLUMN signing_envelope.signing_order IS 'sensitive: no';
COMMENT ON COLUMN signing_envelope.level IS 'sensitive: no';
COMMENT ON COLUMN signing_envelope.created_at IS 'sensitive: no';
COMMENT ON COLUMN signing_envelope.sent_at IS 'sensitive: no';
COMMENT ON COLUMN signing_envelope.expires_at IS 'sensitive: no';
COMMENT ON COLUMN signing_envelope.ended_at IS 'sensitive: no';
COMMENT ON COLUMN signing_envelope.contents_until IS 'sensitive: no';
COMMENT ON COLUMN signing_envelope.contents_gone_at IS 'sensitive: no';
COMMENT ON COLUMN signing_envelope.lease_by IS 'sensitive: no';
COMMENT ON COLUMN signing_envelope.lease_until IS 'sensitive: no';
COMMENT ON COLUMN signing_document.id IS 'sensitive: no';
COMMENT ON COLUMN signing_document.envelope_id IS 'sensitive: no';
COMMENT ON COLUMN signing_document.position IS 'sensitive: no';
COMMENT ON COLUMN signing_document.name IS 'sensitive: yes; sealed';
COMMENT ON COLUMN signing_document.form IS 'sensitive: no';
COMMENT ON COLUMN signing_document.pages IS 'sensitive: no';
COMMENT ON COLUMN signing_document.size IS 'sensitive: no';
COMMENT ON COLUMN signing_document.sha256 IS 'sensitive: no';
COMMENT ON COLUMN signing_document.current_sha256 IS 'sensitive: no';
COMMENT ON COLUMN signing_document.version IS 'sensitive: no';
COMMENT ON COLUMN signing_content.document_id IS 'sensitive: no';
COMMENT ON COLUMN signing_content.data_key IS 'sensitive: yes; sealed';
COMMENT ON COLUMN signing_content.sealed IS 'sensitive: yes; sealed by the data key';
COMMENT ON COLUMN signing_signer.id IS 'sensitive: no';
COMMENT ON COLUMN signing_signer.envelope_id IS 'sensitive: no';
COMMENT ON COLUMN signing_signer.position IS 'sensitive: no';
COMMENT ON COLUMN signing_signer.cpf_hash IS 'sensitive: yes; keyed hash';
COMMENT ON COLUMN signing_signer.cpf IS 'sensitive: yes; sealed';
COMMENT ON COLUMN signing_signer.name IS 'sensitive: yes; sealed';
COMMENT ON COLUMN signing_signer.state IS 'sensitive: no';
COMMENT ON COLUMN signing_signer.told_at IS 'sensitive: no';
COMMENT ON COLUMN signing_signer.reminded_at IS 'sensitive: no';
COMMENT ON COLUMN signing_signer.reminders IS 'sensitive: no';
COMMENT ON COLUMN signing_signer.decided_at IS 'sensitive: no';
COMMENT ON COLUMN signing_signer.reason IS 'sensitive: yes; sealed';
COMMENT ON COLUMN signing_signer.choice IS 'sensitive: yes; sealed';
COMMENT ON COLUMN signing_attempt.id IS 'sensitive: no';
COMMENT ON COLUMN signing_attempt.envelope_id IS 'sensitive: no';
COMMENT ON COLUMN signing_attempt.signer_id IS 'sensitive: no';
COMMENT ON COLUMN signing_attempt.account_id IS 'sensitive: no';
COMMENT ON COLUMN signing_attempt.activation_id IS 'sensitive: no';
COMMENT ON COLUMN signing_attempt.plan IS 'sensitive: yes; sealed';
COMMENT ON COLUMN signing_attempt.state IS 'sensitive: no';
COMMENT ON COLUMN signing_attempt.opened_at IS 'sensitive: no';
COMMENT ON COLUMN signing_attempt.begun_at IS 'sensitive: no';
COMMENT ON COLUMN signing_attempt.ended_at IS 'sensitive: no';
COMMENT ON COLUMN signing_signature.id IS 'sensitive: no';
COMMENT ON COLUMN signing_signature.envelope_id IS 'sensitive: no';
COMMENT ON COLUMN signing_signature.document_id IS 'sensitive: no';
COMMENT ON COLUMN signing_signature.signer_id IS 'sensitive: no';
COMMENT ON COLUMN signing_signature.attempt_id IS 'sensitive: no';
COMMENT ON COLUMN signing_signature.account_id IS 'sensitive: no';
COMMENT ON COLUMN signing_signature.serial IS 'sensitive: no';
COMMENT ON COLUMN signing_signature.level IS 'sensitive: no';
COMMENT ON COLUMN signing_signature.mandate_id IS 'sensitive: no';
COMMENT ON COLUMN signing_signature.represented IS 'sensitive: yes; sealed';
COMMENT ON COLUMN signing_signature.signer_name IS 'sensitive: yes; sealed';
COMMENT ON COLUMN signing_signature.sha256 IS 'sensitive: no';
COMMENT ON COLUMN signing_signature.code_hash IS 'sensitive: yes; keyed hash';
COMMENT ON COLUMN signing_signature.code IS 'sensitive: yes; sealed';
COMMENT ON COLUMN signing_signature.signed_at IS 'sensitive: no';
COMMENT ON COLUMN signing_detached.signature_id IS 'sensitive: no';
COMMENT ON COLUMN signing_detached.document_id IS 'sensitive: no';
COMMENT ON COLUMN signing_detached.sealed IS 'sensitive: yes; sealed by the data key';

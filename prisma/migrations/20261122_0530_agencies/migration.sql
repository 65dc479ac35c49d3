-- The API for agencies: what each client used, answers kept for repeated requests, validations of a selfie, receipts of reference images.

-- Counters of a span: operation '*' is what the client's quota is measured by, the others are for reports.
CREATE TABLE agency_quota (
  client_id  text NOT NULL,
  span       text NOT NULL CHECK (span IN ('minute', 'month')),
  starts_at  timestamptz NOT NULL,
  operation  text NOT NULL,
  used       int NOT NULL,
  PRIMARY KEY (client_id, span, starts_at, operation)
);
CREATE INDEX agency_quota_starts ON agency_quota (starts_at) WHERE span = 'minute';

-- One POST by its Idempotency-Key: `answer` is absent while it runs.
CREATE TABLE agency_idempotency (
  client_id    text NOT NULL,
  operation    text NOT NULL,
  key          text NOT NULL,
  request_hash bytea NOT NULL,
  sealed       bytea,
  created_at   timestamptz NOT NULL,
  PRIMARY KEY (client_id, operation, key)
);
CREATE INDEX agency_idempotency_created ON agency_idempotency (created_at);

-- A selfie that an agency asked for. `subject_id` is the person's id, or one derived from a CPF that nobody here has.
CREATE TABLE agency_validation (
  id              uuid PRIMARY KEY,
  client_id       text NOT NULL,
  subject_id      uuid NOT NULL,
  person_id       uuid REFERENCES person (id),
  purpose         text NOT NULL,
  legal_basis     text NOT NULL,
  flow            text NOT NULL CHECK (flow IN ('page', 'api')),
  state           text NOT NULL CHECK (state IN ('asked', 'opened', 'passed', 'refused', 'declined', 'expired')),
  secret_hash     bytea UNIQUE,
  return_uri      text,
  return_state    text,
  outcome         jsonb,
  outcome_session uuid,
  code_hash       bytea,
  code_expires_at timestamptz,
  code_used_at    timestamptz,
  created_at      timestamptz NOT NULL,
  expires_at      timestamptz NOT NULL,
  finished_at     timestamptz
);
CREATE INDEX agency_validation_open ON agency_validation (expires_at) WHERE finished_at IS NULL;
CREATE INDEX agency_validation_client ON agency_validation (client_id, created_at);

-- What was certified of a reference image that left the store; `sealed` is the receipt itself, with CPF and case number.
CREATE TABLE agency_receipt (
  id              uuid PRIMARY KEY,
  client_id       text NOT NULL,
  person_id       uuid NOT NULL REFERENCES person (id),
  image_id        uuid NOT NULL REFERENCES stored_image (id),
  image_digest    bytea NOT NULL,
  sealed          bytea NOT NULL,
  idempotency_key text,
  request_hash    bytea NOT NULL,
  created_at      timestamptz NOT NULL
);
CREATE UNIQUE INDEX agency_receipt_key ON agency_receipt (client_id, idempotency_key) WHERE idempotency_key IS NOT NULL;

COMMENT ON COLUMN agency_quota.client_id IS 'sensitive: no';
COMMENT ON COLUMN agency_quota.span IS 'sensitive: no';
COMMENT ON COLUMN agency_quota.starts_at IS 'sensitive: no';
COMMENT ON COLUMN agency_quota.operation IS 'sensitive: no';
COMMENT ON COLUMN agency_quota.used IS 'sensitive: no';
COMMENT ON COLUMN agency_idempotency.client_id IS 'sensitive: no';
COMMENT ON COLUMN agency_idempotency.operation IS 'sensitive: no';
COMMENT ON COLUMN agency_idempotency.key IS 'sensitive: no';
COMMENT ON COLUMN agency_idempotency.request_hash IS 'sensitive: yes';
COMMENT ON COLUMN agency_idempotency.sealed IS 'sensitive: yes';
COMMENT ON COLUMN agency_idempotency.created_at IS 'sensitive: no';
COMMENT ON COLUMN agency_validation.id IS 'sensitive: no';
COMMENT ON COLUMN agency_validation.client_id IS 'sensitive: no';
COMMENT ON COLUMN agency_validation.subject_id IS 'sensitive: no';
COMMENT ON COLUMN agency_validation.person_id IS 'sensitive: no';
COMMENT ON COLUMN agency_validation.purpose IS 'sensitive: no';
COMMENT ON COLUMN agency_validation.legal_basis IS 'sensitive: no';
COMMENT ON COLUMN agency_validation.flow IS 'sensitive: no';
COMMENT ON COLUMN agency_validation.state IS 'sensitive: no';
COMMENT ON COLUMN agency_validation.secret_hash IS 'sensitive: yes';
COMMENT ON COLUMN agency_validation.return_uri IS 'sensitive: no';
COMMENT ON COLUMN agency_validation.return_state IS 'sensitive: yes';
COMMENT ON COLUMN agency_validation.outcome IS 'sensitive: no';
COMMENT ON COLUMN agency_validation.outcome_session IS 'sensitive: no';
COMMENT ON COLUMN agency_validation.code_hash IS 'sensitive: yes';
COMMENT ON COLUMN agency_validation.code_expires_at IS 'sensitive: no';
COMMENT ON COLUMN agency_validation.code_used_at IS 'sensitive: no';
COMMENT ON COLUMN agency_validation.created_at IS 'sensitive: no';
COMMENT ON COLUMN agency_validation.expires_at IS 'sensitive: no';
COMMENT ON COLUMN agency_validation.finished_at IS 'sensitive: no';
COMMENT ON COLUMN agency_receipt.id IS 'sensitive: no';
COMMENT ON COLUMN agency_receipt.client_id IS 'sensitive: no';
COMMENT ON COLUMN agency_receipt.person_id IS 'sensitive: no';
COMMENT ON COLUMN agency_receipt.image_id IS 'sensitive: no';
COMMENT ON COLUMN agency_receipt.image_digest IS 'sensitive: yes';
COMMENT ON COLUMN agency_receipt.sealed IS 'sensitive: yes';
COMMENT ON COLUMN agency_receipt.idempotency_key IS 'sensitive: no';
COMMENT ON COLUMN agency_receipt.request_hash IS 'sensitive: yes';
COMMENT ON COLUMN agency_receipt.created_at IS 'sensitive: no';

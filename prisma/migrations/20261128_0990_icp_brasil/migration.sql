-- A certificate being shown on its own host name, for the browser and sign-in that asked; and the certificates that bear a seal.
CREATE TABLE icp_request (
  request_hash bytea PRIMARY KEY,
  account_id   uuid NOT NULL REFERENCES account (id),
  session_id   text NOT NULL,
  ticket_hash  bytea UNIQUE,
  sealed       bytea,
  created_at   timestamptz NOT NULL,
  expires_at   timestamptz NOT NULL,
  used_at      timestamptz
);
CREATE INDEX icp_request_account ON icp_request (account_id, created_at);
CREATE INDEX icp_request_age ON icp_request (created_at);

CREATE TABLE icp_certificate (
  id          uuid PRIMARY KEY,
  account_id  uuid NOT NULL REFERENCES account (id),
  evidence_id uuid NOT NULL REFERENCES evidence (id),
  sealed      bytea,
  not_after   timestamptz NOT NULL,
  added_at    timestamptz NOT NULL,
  checked_at  timestamptz NOT NULL,
  ended_at    timestamptz,
  ended_for   text,
  CHECK ((ended_at IS NULL) = (sealed IS NOT NULL))
);
CREATE UNIQUE INDEX icp_certificate_live ON icp_certificate (account_id) WHERE ended_at IS NULL;

COMMENT ON COLUMN icp_request.request_hash IS 'sensitive: yes';
COMMENT ON COLUMN icp_request.account_id IS 'sensitive: no';
COMMENT ON COLUMN icp_request.session_id IS 'sensitive: no';
COMMENT ON COLUMN icp_request.ticket_hash IS 'sensitive: yes';
COMMENT ON COLUMN icp_request.sealed IS 'sensitive: yes';
COMMENT ON COLUMN icp_request.created_at IS 'sensitive: no';
COMMENT ON COLUMN icp_request.expires_at IS 'sensitive: no';
COMMENT ON COLUMN icp_request.used_at IS 'sensitive: no';
COMMENT ON COLUMN icp_certificate.id IS 'sensitive: no';
COMMENT ON COLUMN icp_certificate.account_id IS 'sensitive: no';
COMMENT ON COLUMN icp_certificate.evidence_id IS 'sensitive: no';
COMMENT ON COLUMN icp_certificate.sealed IS 'sensitive: yes';
COMMENT ON COLUMN icp_certificate.not_after IS 'sensitive: no';
COMMENT ON COLUMN icp_certificate.added_at IS 'sensitive: no';
COMMENT ON COLUMN icp_certificate.checked_at IS 'sensitive: no';
COMMENT ON COLUMN icp_certificate.ended_at IS 'sensitive: no';
COMMENT ON COLUMN icp_certificate.ended_for IS 'sensitive: no';

-- Requests for signatures that a client waits for by a handle, while the citizen answers in their own area (CSC: credentials/getChallenge, authorize, authorizeCheck).
CREATE TABLE signature_handle (
  ask_id        uuid PRIMARY KEY,
  client_id     text NOT NULL,
  account_id    uuid NOT NULL REFERENCES account (id),
  credential_id uuid NOT NULL,
  challenge     text NOT NULL,
  handle_hash   bytea UNIQUE,
  recipient     bytea,
  answer        bytea,
  refused_at    timestamptz,
  created_at    timestamptz NOT NULL,
  expires_at    timestamptz NOT NULL
);
CREATE INDEX signature_handle_end ON signature_handle (expires_at);
CREATE INDEX signature_handle_account ON signature_handle (account_id);

COMMENT ON COLUMN signature_handle.ask_id IS 'sensitive: no';
COMMENT ON COLUMN signature_handle.client_id IS 'sensitive: no';
COMMENT ON COLUMN signature_handle.account_id IS 'sensitive: no';
COMMENT ON COLUMN signature_handle.credential_id IS 'sensitive: no';
COMMENT ON COLUMN signature_handle.challenge IS 'sensitive: no';
COMMENT ON COLUMN signature_handle.handle_hash IS 'sensitive: yes';
COMMENT ON COLUMN signature_handle.recipient IS 'sensitive: no';
COMMENT ON COLUMN signature_handle.answer IS 'sensitive: yes';
COMMENT ON COLUMN signature_handle.refused_at IS 'sensitive: no';
COMMENT ON COLUMN signature_handle.created_at IS 'sensitive: no';
COMMENT ON COLUMN signature_handle.expires_at IS 'sensitive: no';

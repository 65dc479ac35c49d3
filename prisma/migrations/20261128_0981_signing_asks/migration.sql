-- What clients ask citizens for at the signing APIs: until the citizen answers, and (access to the list of certificates) while their token lives.
CREATE TABLE signature_ask (
  id             uuid PRIMARY KEY,
  client_id      text NOT NULL,
  redirect_uri   text NOT NULL,
  client_state   text,
  code_challenge text,
  content        jsonb NOT NULL,
  activation_id  uuid,
  account_id     uuid REFERENCES account (id),
  code_hash      bytea UNIQUE,
  token_hash     bytea UNIQUE,
  created_at     timestamptz NOT NULL,
  granted_at     timestamptz,
  expires_at     timestamptz NOT NULL
);
CREATE INDEX signature_ask_end ON signature_ask (expires_at);
CREATE INDEX signature_ask_account ON signature_ask (account_id);

COMMENT ON COLUMN signature_ask.id IS 'sensitive: no';
COMMENT ON COLUMN signature_ask.client_id IS 'sensitive: no';
COMMENT ON COLUMN signature_ask.redirect_uri IS 'sensitive: no';
COMMENT ON COLUMN signature_ask.client_state IS 'sensitive: yes';
COMMENT ON COLUMN signature_ask.code_challenge IS 'sensitive: no';
COMMENT ON COLUMN signature_ask.content IS 'sensitive: yes';
COMMENT ON COLUMN signature_ask.activation_id IS 'sensitive: no';
COMMENT ON COLUMN signature_ask.account_id IS 'sensitive: no';
COMMENT ON COLUMN signature_ask.code_hash IS 'sensitive: yes';
COMMENT ON COLUMN signature_ask.token_hash IS 'sensitive: yes';
COMMENT ON COLUMN signature_ask.created_at IS 'sensitive: no';
COMMENT ON COLUMN signature_ask.granted_at IS 'sensitive: no';
COMMENT ON COLUMN signature_ask.expires_at IS 'sensitive: no';

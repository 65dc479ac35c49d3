-- Keys that citizens lent to a client for some minutes. `wrapped` opens with the client's code, later its token, of which only hashes are here.
CREATE TABLE signature_lending (
  activation_id  uuid PRIMARY KEY,
  account_id     uuid NOT NULL REFERENCES account (id),
  client_id      text NOT NULL,
  authority_id   uuid NOT NULL REFERENCES pki_authority (id),
  serial         text NOT NULL,
  terms          jsonb NOT NULL,
  wrapped        bytea,
  code_hash      bytea NOT NULL UNIQUE,
  redirect_uri   text NOT NULL,
  code_challenge text,
  token_hash     bytea UNIQUE,
  uses_left      int NOT NULL CHECK (uses_left >= 0),
  created_at     timestamptz NOT NULL,
  expires_at     timestamptz NOT NULL,
  FOREIGN KEY (authority_id, serial) REFERENCES pki_certificate (authority_id, serial)
);
CREATE INDEX signature_lending_end ON signature_lending (expires_at);
CREATE INDEX signature_lending_account ON signature_lending (account_id);

COMMENT ON COLUMN signature_lending.activation_id IS 'sensitive: no';
COMMENT ON COLUMN signature_lending.account_id IS 'sensitive: no';
COMMENT ON COLUMN signature_lending.client_id IS 'sensitive: no';
COMMENT ON COLUMN signature_lending.authority_id IS 'sensitive: no';
COMMENT ON COLUMN signature_lending.serial IS 'sensitive: no';
COMMENT ON COLUMN signature_lending.terms IS 'sensitive: no';
COMMENT ON COLUMN signature_lending.wrapped IS 'sensitive: yes';
COMMENT ON COLUMN signature_lending.code_hash IS 'sensitive: yes';
COMMENT ON COLUMN signature_lending.redirect_uri IS 'sensitive: no';
COMMENT ON COLUMN signature_lending.code_challenge IS 'sensitive: no';
COMMENT ON COLUMN signature_lending.token_hash IS 'sensitive: yes';
COMMENT ON COLUMN signature_lending.uses_left IS 'sensitive: no';
COMMENT ON COLUMN signature_lending.created_at IS 'sensitive: no';
COMMENT ON COLUMN signature_lending.expires_at IS 'sensitive: no';

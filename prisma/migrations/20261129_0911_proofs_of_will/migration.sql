-- A second factor proves one will: the seal is over the nonce of the request in which it was shown.
ALTER TABLE sign_in_session ADD COLUMN will_seal bytea;

COMMENT ON COLUMN sign_in_session.will_seal IS 'sensitive: no';

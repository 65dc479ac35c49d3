-- Whoever writes rows must not make a sign-in stronger than it was: what was proved is under a key of the keyring.
ALTER TABLE sign_in_session ADD COLUMN aal_seal bytea, ADD COLUMN face_seal bytea;
ALTER TABLE passkey ADD COLUMN seal bytea;

COMMENT ON COLUMN sign_in_session.aal_seal IS 'sensitive: no';
COMMENT ON COLUMN sign_in_session.face_seal IS 'sensitive: no';
COMMENT ON COLUMN passkey.seal IS 'sensitive: no';

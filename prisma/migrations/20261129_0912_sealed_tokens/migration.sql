-- Whose a step is, in which browser, and how far it came: under a key of the keyring. Codes and links from before must be asked for again.
ALTER TABLE one_time_token ADD COLUMN seal bytea;

COMMENT ON COLUMN one_time_token.seal IS 'sensitive: no';

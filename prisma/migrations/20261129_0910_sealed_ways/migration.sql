-- What opens an account, as a whole, is under a key of the keyring: rows that somebody wrote open nothing that signs.
ALTER TABLE account ADD COLUMN ways_version int NOT NULL DEFAULT 0, ADD COLUMN ways_seal bytea;

COMMENT ON COLUMN account.ways_version IS 'sensitive: no';
COMMENT ON COLUMN account.ways_seal IS 'sensitive: no';

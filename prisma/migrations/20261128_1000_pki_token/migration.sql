-- Keys of the authority may live in a token (PKCS#11): then nothing of them is kept here but where they are.
ALTER TABLE pki_key ADD COLUMN home text NOT NULL DEFAULT 'keyring' CHECK (home IN ('keyring', 'token'));
ALTER TABLE pki_key ALTER COLUMN sealed DROP NOT NULL;
ALTER TABLE pki_key ADD CONSTRAINT pki_key_home_sealed CHECK ((home = 'keyring') = (sealed IS NOT NULL));

COMMENT ON COLUMN pki_key.home IS 'sensitive: no';

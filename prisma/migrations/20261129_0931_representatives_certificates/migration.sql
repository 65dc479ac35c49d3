-- A kept certificate may be a company's representative's: for which company, by which mandate and power; it ends with them.
ALTER TABLE signature_credential ADD COLUMN represents jsonb;
CREATE INDEX signature_credential_represents ON signature_credential ((represents->>'mandateId')) WHERE represents IS NOT NULL AND sealed IS NOT NULL;

COMMENT ON COLUMN signature_credential.represents IS 'sensitive: yes';

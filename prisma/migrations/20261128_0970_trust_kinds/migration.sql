-- Whose root it is: signatures below ICP-Brasil's are judged by its policies, too.
ALTER TABLE pki_trust_anchor ADD COLUMN kind text NOT NULL DEFAULT 'other' CHECK (kind IN ('icp-brasil', 'gov-br', 'other'));

COMMENT ON COLUMN pki_trust_anchor.kind IS 'sensitive: no';

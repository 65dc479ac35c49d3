-- Several may stop one mandate, each for itself: a court, the represented, whoever passed it on. It counts again once none of them stops it.
-- `suspended_by` goes on being written, with the highest of them, for a version of the program before this one.
ALTER TABLE mandate ADD COLUMN stopped_by text[] NOT NULL DEFAULT '{}';
UPDATE mandate SET stopped_by = ARRAY[suspended_by] WHERE state = 'suspended' AND suspended_by IS NOT NULL;
COMMENT ON COLUMN mandate.stopped_by IS 'sensitive: no';

-- Administrators who bind a company only together sign for each step that binds it, not only for what it gives.
ALTER TABLE mandate_signature ADD COLUMN step text NOT NULL DEFAULT 'granted' CHECK (step IN ('granted', 'accepted', 'resumed'));
ALTER TABLE mandate_signature DROP CONSTRAINT mandate_signature_pkey, ADD PRIMARY KEY (mandate_id, step, party_id);
COMMENT ON COLUMN mandate_signature.step IS 'sensitive: no';

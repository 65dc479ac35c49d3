-- When the citizen said on this screen which ways into their account stay; what they said is sealed with the case.
ALTER TABLE attendance_consent ADD COLUMN chosen_at timestamptz CHECK (chosen_at IS NULL OR paired_at IS NOT NULL);

COMMENT ON COLUMN attendance_consent.chosen_at IS 'sensitive: no';

-- Help at the counter: somebody without a device lets the unit act for them today, by a signature under the words that were read to them.
-- The mandate is in the register of mandates; here is what it rests on. Words and signature are forgotten after five years.
CREATE TABLE counter_help (
  id               uuid PRIMARY KEY,
  attendance_id    uuid NOT NULL REFERENCES attendance (id),
  mandate_id       uuid NOT NULL UNIQUE REFERENCES mandate (id),
  attendant_id     uuid NOT NULL,
  text_sealed      bytea,
  text_digest      bytea NOT NULL,
  signature_sealed bytea,
  signature_digest bytea NOT NULL,
  signed_at        timestamptz NOT NULL
);
CREATE INDEX counter_help_attendance ON counter_help (attendance_id, signed_at);
CREATE INDEX counter_help_old ON counter_help (signed_at) WHERE signature_sealed IS NOT NULL;

COMMENT ON COLUMN counter_help.id IS 'sensitive: no';
COMMENT ON COLUMN counter_help.attendance_id IS 'sensitive: no';
COMMENT ON COLUMN counter_help.mandate_id IS 'sensitive: no';
COMMENT ON COLUMN counter_help.attendant_id IS 'sensitive: no';
COMMENT ON COLUMN counter_help.text_sealed IS 'sensitive: yes';
COMMENT ON COLUMN counter_help.text_digest IS 'sensitive: yes';
COMMENT ON COLUMN counter_help.signature_sealed IS 'sensitive: yes';
COMMENT ON COLUMN counter_help.signature_digest IS 'sensitive: yes';
COMMENT ON COLUMN counter_help.signed_at IS 'sensitive: no';

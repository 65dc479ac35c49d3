-- Where the face stood in a kept print: a frame that comes again stands in the same place to the pixel, a person never does twice.
ALTER TABLE liveness_replay ADD COLUMN stance text NOT NULL DEFAULT '';
COMMENT ON COLUMN liveness_replay.stance IS 'sensitive: no';
